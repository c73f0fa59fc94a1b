"""The option that `run` and `audit` share."""

import click

from vezaflow.cli.values import PathType

audit_reports_option = click.option(
    "--audit-reports",
    metavar="FOLDER",
    type=PathType(file_okay=False),
    help="Keep Lighthouse's HTML reports, of the median run of each page, in this folder.",
)
