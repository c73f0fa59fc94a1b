"""`vezaflow resume`: how a paused test goes on."""

import click

from vezaflow.cli import steer


@click.command("resume")
@click.argument("run", required=False)
@click.option("--flow", help="Resume only this flow.")
@steer.yes
def command(run: str | None, flow: str | None, yes: bool) -> None:
    """Resume a paused test.

    RUN is its id, a part of it, its process id, or the name of its suite or of one of its flows; it is optional if only
    one test is running. If that test does not belong to the suite in the current folder, you must confirm.
    """
    steer.order(run, yes=yes, do="resume", flow=flow)
