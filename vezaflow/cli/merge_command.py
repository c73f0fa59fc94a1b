"""`vezaflow merge`: the shares of a run → one result, one verdict."""

import sys
from pathlib import Path

import click

from vezaflow import units
from vezaflow.cli.baselines import baseline_for, baseline_option
from vezaflow.cli.inputs import drawn_faults
from vezaflow.cli.keeping import keep_merged, kept
from vezaflow.cli.progress import working
from vezaflow.cli.results import ReportFiles, Wanted, reporting
from vezaflow.cli.shown import View
from vezaflow.cli.values import PathType
from vezaflow.session import merge


@click.command("merge")
@click.argument("shares", metavar="FILE...", nargs=-1, required=True, type=PathType())
@reporting
@kept
@baseline_option
def command(
    shares: tuple[Path, ...], reports: Wanted, view: View, history: str | None, no_history: bool, baseline: Path | None
) -> None:
    """Make one result and verdict of the files that `vezaflow run --segment K/N` wrote.

    All must be segments of the same run: the same files, options, environment variables and seed. If a segment is
    missing, the verdict is inconclusive. The exit code is that of `run`.
    """
    with working(f"merging {units.counted(len(shares), 'segment')}"), drawn_faults():
        result = merge(shares, lambda plan: baseline_for(plan, baseline))
    ReportFiles(reports, view).publish(result)
    if not no_history:
        keep_merged(history, result, shares[0])
    sys.exit(result.exit_code)
