"""Where profiles are kept, and what grew since the last green run of the same plan.

Law: what is not known is not said, and no trouble with it costs the run its result.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from vezaflow.cli.kept import check_writable, is_stdout
from vezaflow.cli.printing import tell
from vezaflow.cli.values import PathType
from vezaflow.errors import VezaflowError
from vezaflow.history import KeptRun, Store, Word, opened, place_of
from vezaflow.model import ActionKind
from vezaflow.plan import Plan
from vezaflow.profiles import ProfileRecord, compared
from vezaflow.reports import profiles_of
from vezaflow.results import RunResult

_LOOKED_AT = 200  # runs, the newest first

profiles_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--profiles",
    metavar="FOLDER",
    type=PathType(file_okay=False),
    help="Keep the profiles of the suite's `profile` in this folder.  [default: the folder of --summary]",
)


def profiles_folder(plan: Plan, wanted: Path | None, summary: Path | None) -> Path | None:
    """The folder that profiles are kept in; None: only what is counted from them is kept. Raises VezaflowError where
    they could not be written there later."""
    if not any(event.action.kind is ActionKind.PROFILE for event in plan.events):
        return None
    folder = wanted
    if folder is None and summary is not None and not is_stdout(summary):
        folder = summary.parent
    if folder is not None:
        check_writable(folder / "profile.pb.gz")
    return folder


def with_growth(result: RunResult, history: str | None) -> RunResult:
    """The result with what grew in its profiles since the last green run of the same plan, if the history has it."""
    if all(record.problem for record in result.profiles) or result.provenance is None:
        return result
    digest = result.provenance.identity.digest
    try:
        with opened(place_of(history)) as store:
            earlier = None if store is None else _last_green(store, result, digest)
    except VezaflowError as e:
        tell(f"{e.message}; the profiles are not compared")
        return result
    if earlier is None:
        return result
    run, records = earlier
    return replace(result, profiles=tuple(compared(result.profiles, records, run)))


def _last_green(store: Store, result: RunResult, digest: str) -> tuple[str, tuple[ProfileRecord, ...]] | None:
    """The last green run with profiles, and these."""
    for row in store.rows(result.suite, limit=_LOOKED_AT):
        if row.run_id != result.run_id and _is_like(row, digest, result):
            stored = store.get(row.id)
            records = () if stored is None or stored.record is None else profiles_of(stored.record)
            if any(not record.problem for record in records):
                return row.run_id, records
    return None


def _is_like(row: KeptRun, digest: str, result: RunResult) -> bool:
    """Whether a run is green, of the same plan, and of as much of its load."""
    changes = result.provenance.profile.changes if result.provenance is not None else ()
    return row.word is Word.GREEN and row.plan_hash == digest and row.changes == changes and not row.segment
