"""`vezaflow baseline`: set, show and clear what runs are compared with, and write it as a document."""

import shutil
import sys
from pathlib import Path

import click

from vezaflow import units
from vezaflow.cli.baselines import baseline_file, baseline_text, file_option, read_baseline
from vezaflow.cli.formats import JSON, formatted
from vezaflow.cli.keeping import HISTORY
from vezaflow.cli.kept import check_writable, write
from vezaflow.cli.printing import colours, say
from vezaflow.cli.progress import working
from vezaflow.cli.run_words import RUN_WORD
from vezaflow.cli.runs import named, recent_green
from vezaflow.cli.values import PathType
from vezaflow.compare import DocumentError, baseline_of, baseline_page, document, new_document
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.results import RunResult


@click.group("baseline")
def command() -> None:
    """Set what runs are compared with, and write it as a document."""


@command.command("set")
@click.argument("runs", metavar="[RUN]...", nargs=-1, type=RUN_WORD)
@click.option(
    "--last", type=(click.IntRange(min=1), click.Choice(["green"])), metavar="N green", help="Of the last N green runs."
)
@click.option("--suite", help="With --last: the suite's name.")
@HISTORY
@file_option
def set_command(
    runs: tuple[str, ...], last: tuple[int, str] | None, suite: str | None, history: str | None, file: Path | None
) -> None:
    """Make these runs the baseline of their suite.

    One run is enough to compare with; from 3 runs on it is known how much they differ, from 5 on those that differ from
    the rest are excluded.
    """
    if bool(runs) == bool(last):
        raise VezaflowError("give either runs or --last N green", hint="`vezaflow baseline set A.json B.json C.json`")
    if last and not suite:
        raise VezaflowError("--last needs the name of a suite", hint="add --suite NAME")
    if last:
        results = recent_green(suite or "", last[0], history)
        if not results:
            raise VezaflowError(
                f"the history has no green run of the full load of {suite}", hint="`vezaflow history` lists the runs"
            )
    else:
        results = [named(word, history) for word in runs]
    _check(results)
    with working(f"making a baseline of {units.counted(len(results), 'run')}"):
        made = baseline_of(results)
    if not any(made.values(key) for key in made.figures):
        raise VezaflowError(
            "the runs are too short, or have too few requests, to compare with",
            hint="a percentile 95 needs 2,000 requests of a step, and a run at least 32 seconds",
        )
    where = file or baseline_file(made.suite)
    check_writable(where)
    if not write(where, baseline_text(made)):
        sys.exit(ExitCode.USAGE)
    say(baseline_page(made, width=_width(), colour=colours(sys.stdout)) + f"\n  written: {where}")


def _check(results: list[RunResult]) -> None:
    suites = list(dict.fromkeys(result.suite for result in results))
    if len(suites) > 1:
        raise VezaflowError(f"the runs are of different suites: {', '.join(suites)}", hint="a baseline is of one suite")
    ids = [result.run_id for result in results]
    if doubled := [run_id for run_id in ids if ids.count(run_id) > 1]:
        raise VezaflowError(f"the run {doubled[0]} is given twice")
    for result in results:
        if not result.seconds.intervals:
            raise VezaflowError(
                f"the run {result.run_id} has no figures by the second", hint="run it with this version"
            )


@command.command("show")
@click.argument("suite", required=False)
@formatted(JSON)
@file_option
def show_command(suite: str | None, file: Path | None, form: str) -> None:
    """Show the baseline of a suite.

    The JSON is that of its file.
    """
    found = read_baseline(_place(suite, file))
    if form == JSON:
        say(baseline_text(found).removesuffix("\n"))
        return
    say(baseline_page(found, width=_width(), colour=colours(sys.stdout)))


@command.command("clear")
@click.argument("suite", required=False)
@file_option
def clear_command(suite: str | None, file: Path | None) -> None:
    """Remove the baseline of a suite."""
    where = _place(suite, file)
    read_baseline(where)  # no other file is removed
    where.unlink()
    say(f"removed: {where}")


def _place(suite: str | None, file: Path | None) -> Path:
    if file is not None:
        return file
    if suite is None:
        raise VezaflowError("the suite is missing", hint="give its name, or --file FILE")
    return baseline_file(suite)


@command.command("write")
@click.argument("page", metavar="DOC.md", type=PathType(dir_okay=False))
@click.option("--run", "runs", metavar="RUN", multiple=True, required=True, help="A run to write. Repeatable.")
@HISTORY
def write_command(page: Path, runs: tuple[str, ...], history: str | None) -> None:
    """Write P50, P95, P99 and failure rates of each step into a Markdown file.

    The table replaces what is between `<!-- vezaflow:baseline SUITE -->` and `<!-- /vezaflow:baseline -->`; SUITE is
    the suite's name or folder, `*` a table with one line per suite. The rest of the file does not change. A new file is
    created with its markers.
    """
    results = [named(word, history) for word in runs]
    try:
        before = page.read_bytes().decode() if page.exists() else new_document(results)
        after = document(before, results, suite_named)
    except DocumentError as e:
        marker = f"<!-- vezaflow:baseline {results[0].suite} -->"
        raise VezaflowError(f"{page}: {e}", hint=f"markers: {marker} and <!-- /vezaflow:baseline -->") from None
    except UnicodeDecodeError:
        raise VezaflowError(f"{page} is not UTF-8 text") from None
    except OSError as e:
        raise VezaflowError(f"{page} can't be read: {e.strerror}") from None
    check_writable(page)
    if not write(page, after):
        sys.exit(ExitCode.USAGE)
    say(f"written: {page}" if after != before else f"unchanged: {page}")


def suite_named(word: str) -> str:
    """The suite that a marker means: by its name, or by its folder."""
    import yaml

    folder = Path(word)
    try:
        record = yaml.safe_load((folder / "suite.yml").read_bytes())
    except (OSError, ValueError, yaml.YAMLError):
        return word
    name = record.get("suite") if isinstance(record, dict) else None
    return name if isinstance(name, str) else folder.resolve().name


def _width() -> int:
    return shutil.get_terminal_size((100, 24)).columns
