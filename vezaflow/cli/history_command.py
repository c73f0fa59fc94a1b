"""`vezaflow history`: the runs that were kept, and what is done with them."""

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from vezaflow import units
from vezaflow.cli.formats import JSON, formatted
from vezaflow.cli.history_list import listed
from vezaflow.cli.keeping import HISTORY
from vezaflow.cli.kept import check_writable, is_stdout
from vezaflow.cli.printing import colours, say, tell
from vezaflow.cli.progress import working
from vezaflow.cli.run_words import RUN_WORD
from vezaflow.cli.runs import find, kept_runs
from vezaflow.cli.shown import View, viewing
from vezaflow.cli.values import DURATION, PathType, moment, targets
from vezaflow.errors import VezaflowError
from vezaflow.history import SUFFIX, KeptRun, Policy, State, Word, meant, opened, place_of, pruning, read, written
from vezaflow.reports import Look, summary_json

_DAY = 86_400.0
_SHOWN = 20


@click.group("history", invoke_without_command=True)
@HISTORY
@click.option("--suite", metavar="NAME", help="Only runs of this suite.")
@click.option("--verdict", type=click.Choice([word.value for word in Word]), help="Only runs that ended so.")
@click.option("--target", metavar="PATTERN", help="Only runs against such a host, as in `*.veza.fr`.")
@click.option("--since", metavar="7d|DATE", help="Only runs that started since then: 7d, 12h, or 2026-11-01.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="At most this number of runs."
)
@formatted(JSON)
@click.pass_context
def command(
    context: click.Context,
    history: str | None,
    suite: str | None,
    verdict: str | None,
    target: str | None,
    since: str | None,
    limit: int,
    form: str,
) -> None:
    """List the runs that were kept, or do something with them.

    RUN of the commands below is a run's id or the start of one (the part after the date is enough), `last`, `last~2`,
    `last-green`, or a file: a summary.json, or an exported run.
    """
    context.obj = history
    if context.invoked_subcommand is not None:
        return
    now = datetime.now(UTC)
    runs = kept_runs(history, suite, moment(since, now) if since else None)
    fit = [run for run in runs if verdict in (None, run.word.value) and targets(run.base_url, target)]
    if form == JSON:
        say(orjson.dumps([run.to_json() for run in fit[:limit]]).decode())
        return
    for line in listed(fit[:limit], runs, now, _look()):
        say(line)
    if len(fit) > limit:
        say(f"  … and {units.counted(len(fit) - limit, 'older run')}: --limit {len(fit)} shows all")


def _place(context: click.Context, history: str | None) -> str | None:
    """What `--history` says: before the command's name, or after it."""
    above: str | None = context.obj
    return history or above


@command.command("show")
@click.argument("run", type=RUN_WORD)
@viewing
@formatted(JSON)
@HISTORY
@click.pass_context
def show(context: click.Context, run: str, history: str | None, view: View, form: str) -> None:
    """Show the report of a run again.

    An interrupted run has no verdict: its requests, failures and times are shown. The JSON is that of summary.json.
    """
    result = find(run, _place(context, history)).result
    if form == JSON:
        say(summary_json(result, view.percentiles).decode().removesuffix("\n"))
        return
    say(view.text(result))


@command.command("export")
@click.argument("run", type=RUN_WORD)
@click.argument("file", required=False, type=PathType(dir_okay=False, allow_dash=True))
@HISTORY
@click.pass_context
def export(context: click.Context, run: str, file: Path | None, history: str | None) -> None:
    """Write a run to one file that `vezaflow history import` reads.

    FILE is vezaflow-ID.run in this folder if you don't give one; `-` is standard output.
    """
    stored = find(run, _place(context, history)).stored
    file = file or Path(f"vezaflow-{stored.id}{SUFFIX}")
    with working(f"writing {file}"):
        data = written(stored)
    if is_stdout(file):
        sys.stdout.buffer.write(data)
        return
    check_writable(file)
    file.write_bytes(data)
    say(f"{file}: {units.size(len(data))}")


@command.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PathType(dir_okay=False))
@HISTORY
@click.pass_context
def import_(context: click.Context, files: tuple[Path, ...], history: str | None) -> None:
    """Take in runs: exported ones, those that could not be kept, and summary.json files of any version.

    A run that the history has already is not changed.
    """
    place = place_of(_place(context, history))
    failed = False
    with opened(place, writing=True) as store:
        assert store is not None
        for file in files:
            try:
                with working(f"reading {file}"):
                    stored = read(file)
            except VezaflowError as e:
                tell(f"{e.message}")
                failed = True
                continue
            new = store.add(stored)
            say(f"{file}: {stored.id} is kept" if new else f"{file}: {stored.id} is already there")
    if failed:
        raise VezaflowError("some files were not imported", hint="the reasons are above")


@command.command("delete")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=RUN_WORD)
@HISTORY
@click.pass_context
def delete(context: click.Context, runs: tuple[str, ...], history: str | None) -> None:
    """Delete runs from the history."""
    place = place_of(_place(context, history))
    with opened(place) as store:
        there = store.rows() if store is not None else []
        found = list(dict.fromkeys(meant(word, there).id for word in runs))
        running = [run.id for run in there if run.id in found and run.state is State.RUNNING]
        if running:
            raise VezaflowError(f"{running[0]} is running", hint="`vezaflow stop` ends it")
        assert store is not None
        store.delete(found)
    for run in found:
        say(f"deleted: {run}")


@command.command("prune")
@click.option("--keep-figures", type=DURATION, default=90 * _DAY, metavar="90d", help="Age from which figures go.")
@click.option(
    "--keep-runs",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Number of runs of each suite, the newest, that stay as they are.",
)
@click.option("--keep-verdicts", type=DURATION, metavar="400d", help="Age from which whole runs go; default: never.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@HISTORY
@click.pass_context
def prune(
    context: click.Context,
    keep_figures: float,
    keep_runs: int,
    keep_verdicts: float | None,
    dry_run: bool,
    history: str | None,
) -> None:
    """Remove the figures of old runs; their verdicts stay.

    Figures are kept for 90 days, verdicts for ever, and all of the newest 10 runs of each suite, unless you set other
    limits. What is shown of a run without figures is its verdict, its gates with their values, and its timeline.
    """
    policy = Policy(keep_figures, keep_runs, keep_verdicts)
    place = place_of(_place(context, history))
    with opened(place) as store:
        there: Sequence[KeptRun] = store.rows() if store is not None else ()
        gone = pruning(policy, there, datetime.now(UTC))
        weight = store.weight((*gone.figures, *gone.runs)) if store is not None else 0
        say(f"policy: {policy}")
        parts = [
            f"the figures of {units.counted(len(gone.figures), 'run')}" if gone.figures else "",
            f"{units.counted(len(gone.runs), 'whole run')}" if gone.runs else "",
        ]
        what = " and ".join(part for part in parts if part)
        if not what:
            say("nothing to remove")
        elif dry_run:
            say(f"would remove {what}: {units.size(weight)}")
        elif store is not None:
            with working(f"removing {what}"):
                store.drop_figures(gone.figures)
                store.delete(gone.runs)
                store.shrink()
            say(f"removed {what}: {units.size(weight)}")


def _look() -> Look:
    """A page in a terminal, and a wide one elsewhere, where nobody wants columns to be left out."""
    return Look(colours(sys.stdout), min(160, shutil.get_terminal_size((160, 24)).columns))
