"""`vezaflow compare`: what changed from one run to another, and how sure that is."""

import shutil
import sys
from pathlib import Path

import click
import orjson

from vezaflow.cli.baselines import WORD, baseline_file, file_option, read_baseline
from vezaflow.cli.printing import colours, say
from vezaflow.cli.runs import named
from vezaflow.compare import Comparison, as_json, compare, compare_with_baseline, page, spread_of
from vezaflow.errors import ExitCode, VezaflowError


@click.command("compare")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option(
    "--earlier",
    metavar="RUN",
    multiple=True,
    help="An earlier run of the same plan; 3 or more show how much its runs differ without a change. Repeatable.",
)
@click.option("--fail-on", type=click.Choice(["worse"]), help="Exit with 99 if something got worse.")
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@file_option
def command(
    before: str, after: str, earlier: tuple[str, ...], fail_on: str | None, as_object: bool, file: Path | None
) -> None:
    """Show what changed from run A to run B.

    A and B are `summary.json` files of `vezaflow run`; A may also be `baseline`, the baseline of B's suite. A change is
    real if its 95 % interval excludes no change and it is larger than 5 % and 2 ms.
    Different plans, loads, targets and machines are reported first.
    """
    comparison = _compared(before, after, earlier, file)
    if as_object:
        say(orjson.dumps(as_json(comparison), option=orjson.OPT_INDENT_2).decode())
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        say(page(comparison, colour=colours(sys.stdout), width=width).removesuffix("\n"))
    sys.exit(ExitCode.RED if fail_on and comparison.worse else ExitCode.GREEN)


def _compared(before: str, after: str, earlier: tuple[str, ...], file: Path | None) -> Comparison:
    second = named(after)
    if before != WORD:
        return compare(named(before), second, spread_of([named(word) for word in earlier]))
    if earlier:
        raise VezaflowError("--earlier is for two runs", hint="a baseline of 3 or more runs has its own spread")
    return compare_with_baseline(read_baseline(file or baseline_file(second.suite)), second)
