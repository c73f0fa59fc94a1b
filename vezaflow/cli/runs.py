"""A word of the command line that names a run → its result. Whoever compares, accepts or shows runs asks here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vezaflow.errors import VezaflowError
from vezaflow.history import HistoryPlace, KeptRun, Store, Stored, meant, opened, place_of, read, result_of
from vezaflow.results import RunResult


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
        return Found(read(file), None)
    place = place_of(history)
    with opened(place) as store:
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
    with opened(place_of(history)) as store:
        return tuple(store.rows(suite, since)) if store is not None else ()


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
