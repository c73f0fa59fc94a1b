"""A word of the command line that names a run → its result. Whoever compares, accepts or shows runs asks here."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vezaflow import units
from vezaflow.cli.progress import working
from vezaflow.errors import VezaflowError
from vezaflow.history import HistoryPlace, KeptRun, State, Store, Stored, Word, meant, opened, place_of, read, result_of
from vezaflow.model import UrlError, is_loopback, read_url
from vezaflow.results import RunResult

_MOST_EARLIER = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A whole run. `row`: its light row, where it came from the history."""

    stored: Stored
    row: KeptRun | None

    @property
    def result(self) -> RunResult:
        """Raises VezaflowError where another version kept it."""
        try:
            return result_of(self.stored)
        except ValueError as e:
            raise VezaflowError(
                f"the run {self.stored.id} can't be read: {e}", hint="which version of vezaflow kept it?"
            ) from None


def named(word: str, history: str | None = None) -> RunResult:
    """The result of the run that is meant, with its seconds.

    `word`: an id or the beginning of one, `last`, `last~2`, `last-green` (or `last green`), or the path of a
    `summary.json` or of an exported run. `history`: what `--history` says; None: the environment's, or the usual one.
    A run that was killed has a result, too: inconclusive, `interrupted`, without verdicts. Raises VezaflowError where
    there is no such run, or several could be meant.
    """
    return find(word, history).result


def find(word: str, history: str | None = None) -> Found:
    """The same as it is kept."""
    file = Path(word)
    if _is_file(file):
        with working(f"reading {file}"):
            return Found(read(file), None)
    place = place_of(history)
    with working(f"reading the run {word}"), opened(place) as store:
        row = meant(word, _rows(store, word, place))
        assert store is not None
        stored = store.get(row.id)
    if stored is None:
        raise VezaflowError(f"the run {row.id} was deleted meanwhile")
    return Found(stored, row)


def kept_runs(
    history: str | None = None, suite: str | None = None, since: datetime | None = None
) -> tuple[KeptRun, ...]:
    """The light rows of the kept runs, the newest first; segments are among them (`segment`), and running runs.

    `suite`: only of the suite of this name; `since`: only those whose load began then or later (with a UTC offset).
    No rows where there is no history yet. Raises VezaflowError where it can't be read.
    """
    with working("reading the history"), opened(place_of(history)) as store:
        return tuple(store.rows(suite, since)) if store is not None else ()


def recent_green(suite: str, most: int, history: str | None = None) -> list[RunResult]:
    """The last green runs of a suite's full load, the newest first, at most so many."""
    rows = [row for row in kept_runs(history, suite) if row.word is Word.GREEN and row.full and _whole(row)]
    return _results(rows[:most], history)


def nights(suite: str, history: str | None = None) -> list[RunResult]:
    """All complete runs of a suite's full load ('': of any suite) whose figures are kept."""
    return _results([row for row in kept_runs(history, suite or None) if row.full and _whole(row)], history)


def earlier_runs(run: RunResult, but: Collection[str], history: str | None = None) -> list[RunResult]:
    """The last runs of the same plan, load and target that began before a run did, but for some ids; at most 8."""
    made = run.provenance
    if made is None:
        return []
    rows = [
        row
        for row in kept_runs(history, run.suite)
        if _whole(row)
        and row.plan_hash == made.identity.digest
        and row.changes == made.profile.changes
        and _hosts(row.base_url) == _hosts(run.base_url)
        and row.started < run.started
        and row.run_id not in but
    ]
    return _results(rows[:_MOST_EARLIER], history)


def _hosts(base_url: str) -> tuple[str, ...]:
    """The targets of a run. Of this machine the port says nothing: a sandbox has another one each time."""
    return tuple(_origin(url) for url in base_url.split(", "))


def _origin(url: str) -> str:
    try:
        read_as = read_url(url)
    except UrlError:
        return url
    return "loopback" if is_loopback(read_as.host) else f"{read_as.host}:{read_as.port}"


def _whole(row: KeptRun) -> bool:
    """Whether it is a complete run whose figures say something."""
    return row.state is State.COMPLETE and row.has_figures and not (row.segment or row.interrupted)


def _results(rows: Sequence[KeptRun], history: str | None) -> list[RunResult]:
    """Those of the rows that this version can read."""
    found: list[RunResult] = []
    with working(f"reading {units.counted(len(rows), 'run')}"), opened(place_of(history)) as store:
        for row in rows:
            stored = store.get(row.id) if store is not None else None
            if stored is not None:
                with suppress(ValueError):  # kept by another version
                    found.append(result_of(stored))
    return found


def _rows(store: Store | None, word: str, place: HistoryPlace) -> Sequence[KeptRun]:
    if store is None:
        raise VezaflowError(
            f"unknown run '{word}': there is no such file, and {place} has no runs yet",
            hint="`vezaflow run` keeps each run",
        )
    return store.rows()


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False
