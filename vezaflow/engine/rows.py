"""The rows of a run in this process: who takes from a data source takes the next of this segment's rows.

A source that flows share is one here too. Nothing is asked of other processes: a segment's rows are its own.
"""

from collections.abc import Callable

from vezaflow.engine.vu import VU
from vezaflow.model import RowPick
from vezaflow.plan import PlannedDataSource, Segment, dealt, row_of_vu

NextRow = Callable[[VU], int | None]  # the number of the VU's row; None: all are dealt


class DataSources:
    """The sources of one run."""

    def __init__(self, seed: int, segment: Segment) -> None:
        self._seed = seed
        self._segment = segment
        self._takes: dict[tuple[str, str], NextRow] = {}

    def of(self, data_source: PlannedDataSource) -> NextRow:
        """By which VUs take from a source: one, whichever flow asks."""
        key = data_source.owner, data_source.name
        if key not in self._takes:
            self._takes[key] = self._take(data_source)
        return self._takes[key]

    def _take(self, data_source: PlannedDataSource) -> NextRow:
        total, wraps = len(data_source.rows), not data_source.ends
        match data_source.pick:
            case RowPick.RANDOM:
                return lambda vu: int(vu.random.random() * total)
            case RowPick.PER_VU:
                return lambda vu: row_of_vu(vu.number, total, wraps=wraps)
            case _:
                seed = f"{self._seed}:{data_source.owner}:{data_source.name}"
                numbers = dealt(data_source.pick, total, wraps=wraps, seed=seed, segment=self._segment)
                return lambda _vu: next(numbers, None)
