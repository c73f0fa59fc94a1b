"""`vezaflow trends`: when the steps of a suite became slower or faster, over many nights."""

import shutil
import sys
from pathlib import Path

import click

from vezaflow import units
from vezaflow.cli.formats import JSON, as_json, formatted
from vezaflow.cli.keeping import HISTORY
from vezaflow.cli.printing import colours, say
from vezaflow.cli.progress import working
from vezaflow.cli.runs import named, nights
from vezaflow.compare import night_of, trends, trends_json, trends_page
from vezaflow.errors import VezaflowError
from vezaflow.results import RunResult


@click.command("trends")
@click.argument("words", metavar="[SUITE] [FILE]...", nargs=-1)
@formatted(JSON)
@HISTORY
def command(words: tuple[str, ...], history: str | None, form: str) -> None:
    """Show the nights on which a step of a suite became slower or faster.

    FILEs are `summary.json` files of its runs; without files the runs come from the history. A change is reported if it
    is larger than 5 % and 2 ms, and from its third night.
    """
    suite, files = _sorted(words)
    runs = [named(file, history) for file in files] if files else nights(suite, history)
    runs = [run for run in runs if not suite or run.suite == suite]
    suites = list(dict.fromkeys(run.suite for run in runs))
    if not runs:
        of = f" of the suite {suite}" if suite else ""
        raise VezaflowError(
            f"there are no complete runs of the full load{of}", hint="`vezaflow history` lists the runs that are kept"
        )
    if len(suites) > 1:
        raise VezaflowError(f"the runs are of different suites: {', '.join(suites)}", hint="put one's name first")
    with working(f"looking for changes in {units.counted(len(runs), 'run')}"):
        found = trends([night_of(run) for run in _once(runs)])
    if form == JSON:
        say(as_json(trends_json(found)))
        return
    say(trends_page(found, colour=colours(sys.stdout), width=shutil.get_terminal_size((100, 24)).columns).rstrip("\n"))


def _sorted(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The suite's name, which is no file, and the files."""
    if words and not Path(words[0]).exists() and not words[0].endswith(".json"):
        return words[0], words[1:]
    return "", words


def _once(runs: list[RunResult]) -> list[RunResult]:
    """Each run once, though it was named twice."""
    return list({run.run_id: run for run in runs}.values())
