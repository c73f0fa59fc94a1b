"""`vezaflow compare`: what changed from one run to another, and how sure that is."""

import shutil
import sys
from pathlib import Path

import click

from vezaflow.cli.baselines import WORD, baseline_file, file_option, read_baseline
from vezaflow.cli.formats import JSON, as_json, formatted
from vezaflow.cli.keeping import HISTORY
from vezaflow.cli.printing import colours, say, tell
from vezaflow.cli.progress import working
from vezaflow.cli.run_words import RUN_WORD
from vezaflow.cli.runs import earlier_runs, named
from vezaflow.compare import Comparison, compare, compare_with_baseline, page, spread_of
from vezaflow.compare import as_json as comparison_json
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.results import RunResult


@click.command("compare")
@click.argument("before", metavar="A", type=RUN_WORD)
@click.argument("after", metavar="B", type=RUN_WORD)
@click.option(
    "--earlier",
    metavar="RUN",
    multiple=True,
    help="An earlier run of the same plan; 3 or more show how much its runs differ without a change. Repeatable. "
    "Default: those of the history.",
)
@HISTORY
@click.option("--fail-on", type=click.Choice(["worse"]), help="Exit with 99 if something got worse.")
@formatted(JSON)
@file_option
def command(
    before: str,
    after: str,
    earlier: tuple[str, ...],
    history: str | None,
    fail_on: str | None,
    form: str,
    file: Path | None,
) -> None:
    """Show what changed from run A to run B.

    A and B are runs of the history (an id or its start, `last`, `last~2`, `last-green`) or `summary.json` files; A
    may also be `baseline`, the baseline of B's suite. A change is
    real if its 95 % interval excludes no change and it is larger than 5 % and 2 ms.
    Different plans, loads, targets and machines are reported first.
    """
    comparison = _compared(before, after, earlier, file, history)
    if form == JSON:
        say(as_json(comparison_json(comparison)))
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        say(page(comparison, colour=colours(sys.stdout), width=width).removesuffix("\n"))
    sys.exit(ExitCode.RED if fail_on and comparison.worse else ExitCode.GREEN)


def _compared(before: str, after: str, earlier: tuple[str, ...], file: Path | None, history: str | None) -> Comparison:
    second = named(after, history)
    if before != WORD:
        first = named(before, history)
        others = [named(word, history) for word in earlier] or earlier_of(first, second, history)
        with working("comparing the runs"):
            return compare(first, second, spread_of(others))
    if earlier:
        raise VezaflowError("--earlier is for two runs", hint="a baseline of 3 or more runs has its own spread")
    return compare_with_baseline(read_baseline(file or baseline_file(second.suite)), second)


def earlier_of(first: RunResult, second: RunResult, history: str | None) -> list[RunResult]:
    """What the history has of the same plan; a history that can't be read is as good as none for that."""
    try:
        return earlier_runs(second, (first.run_id, second.run_id), history)
    except VezaflowError as e:
        tell(f"{e.message}; how much runs of this plan differ is not known")
        return []
