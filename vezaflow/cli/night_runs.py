"""Where the runs that acceptance looks at come from: the history, or a folder of results such as CI keeps."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vezaflow.cli.printing import tell
from vezaflow.cli.progress import working
from vezaflow.errors import VezaflowError
from vezaflow.gates import Outcome
from vezaflow.history import KeptRun, State, Store, opened, place_of, read, result_of
from vezaflow.model import Identity
from vezaflow.nights import NightRun, night_run


def night_runs(results: Path | None, history: str | None = None, *, reasons: bool = True) -> list[NightRun]:
    """The runs of a folder; None: of the history. Raises VezaflowError where there is no such place, or it can't be
    read. `reasons`: whether those of the history say why they are not green, which takes 5 ms of each such run."""
    if results is not None:
        with working(f"reading the results in {results}"):
            return list(_of_folder(results))
    with working("reading the history"), opened(place_of(history)) as store:
        rows = [row for row in store.rows() if row.state is not State.RUNNING] if store is not None else []
        return [_of_row(row, _reasons(row, store) if reasons and store is not None else ()) for row in rows]


def _reasons(row: KeptRun, store: Store) -> tuple[str, ...]:
    """Why a run is not green stands in the whole of it alone."""
    if row.state is not State.COMPLETE or row.outcome is Outcome.GREEN or (stored := store.get(row.id)) is None:
        return ()
    try:
        return night_run(result_of(stored)).reasons
    except ValueError:
        return ("kept by another version of vezaflow",)


def _of_row(row: KeptRun, reasons: tuple[str, ...]) -> NightRun:
    """The run of a light row."""
    outcome = row.outcome or Outcome.INCONCLUSIVE
    return NightRun(
        run_id=row.run_id,
        suite=row.suite,
        started=row.started,
        duration=row.duration or 0.0,
        outcome=outcome,
        interrupted=row.interrupted,
        partial=bool(row.segment),
        identity=Identity(row.plan_hash, row.plan_parts) if row.plan_hash else None,
        changes=row.changes,
        targets=tuple(filter(None, row.base_url.split(", "))),
        p95=row.p95,
        failed=row.failed,
        reasons=reasons,
        manual_changes=row.manual_changes,
    )


def _of_folder(folder: Path) -> Iterator[NightRun]:
    """The results in a folder and those below it. A file that is none gets a line on standard error."""
    if not folder.is_dir():
        raise VezaflowError(f"{folder} is not a folder", hint="`--results` takes a folder of summary.json files")
    for file in sorted(folder.rglob("*.json")):
        if not file.is_file():
            continue
        try:
            stored = read(file)
            run = night_run(result_of(stored), partial=bool(stored.header["segment"]))
        except ValueError as e:
            tell(f"skipped: {file} can't be read: {e}")
        except VezaflowError as e:
            tell(f"skipped: {e.message}")
        else:
            yield replace(run, run_id=str(stored.header["run_id"]))
