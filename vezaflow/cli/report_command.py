"""`vezaflow report`: the page of a run that was kept, or of several side by side."""

from pathlib import Path

import click

from vezaflow import units
from vezaflow.cli.compare_command import earlier_of
from vezaflow.cli.keeping import HISTORY
from vezaflow.cli.kept import check_writable, is_stdout, write
from vezaflow.cli.printing import say
from vezaflow.cli.progress import working
from vezaflow.cli.runs import named
from vezaflow.cli.shown import PERCENTILES
from vezaflow.cli.values import PathType
from vezaflow.compare import compare, side_by_side, spread_of
from vezaflow.errors import VezaflowError
from vezaflow.reports import Percentiles, html_comparison, html_page


@click.command("report")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--html",
    "file",
    required=True,
    type=PathType(dir_okay=False, allow_dash=True),
    help="Write the page to this file; `-` is standard output.",
)
@PERCENTILES
@HISTORY
def command(runs: tuple[str, ...], file: Path, percentiles: Percentiles, history: str | None) -> None:
    """Write the HTML page of a run: one file that opens offline.

    RUN is a run of the history (an id or its start, `last`, `last~2`, `last-green`) or a `summary.json` file. Of
    several runs the page says what changed from the first to each other one, as `vezaflow compare` does, and shows them
    side by side.
    """
    check_writable(file)
    results = [named(word, history) for word in runs]
    first, *others = results
    if not others:
        with working(f"writing {file}"):
            page = html_page(first, percentiles)
    elif len({result.run_id for result in results}) < len(results):
        raise VezaflowError("the same run is named twice", hint="name different runs")
    else:
        spreads = [spread_of(earlier_of(first, other, history)) for other in others]
        with working(f"comparing {units.counted(len(results), 'run')}"):
            pairs = zip(others, spreads, strict=True)
            page = html_comparison(results, [side_by_side(compare(first, other, spread)) for other, spread in pairs])
    if write(file, page.decode()) and not is_stdout(file):
        say(f"written: {file}")
