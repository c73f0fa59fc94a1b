"""`vezaflow merge`: the shares of a run → one result, one verdict."""

import sys
from pathlib import Path

import click

from vezaflow.cli.inputs import drawn_faults
from vezaflow.cli.results import JUNIT, SUMMARY, Files
from vezaflow.cli.values import PathType
from vezaflow.session import merge


@click.command("merge")
@click.argument("shares", metavar="FILE...", nargs=-1, required=True, type=PathType())
@SUMMARY
@JUNIT
def command(shares: tuple[Path, ...], summary: Path | None, junit_file: Path | None) -> None:
    """Merge the files that `vezaflow run --segment K/N` wrote into one result with one verdict.

    All must be segments of the same run: the same files, options, environment variables and seed. If a segment is
    missing, the verdict is inconclusive. The exit code is that of `run`.
    """
    with drawn_faults():
        result = merge(shares)
    Files(summary=summary, junit_file=junit_file).publish(result)
    sys.exit(result.exit_code)
