"""The rows of a run in this process: who takes from a data source takes the next of this segment's rows.

A source that flows share is one here too. Nothing is asked of other processes: a segment's rows are its own.
"""

from collections.abc import Callable

from vezaflow.engine.vu import VU
from vezaflow.model import Dealt
from vezaflow.plan import PlannedFeed, Segment, dealt, row_of_vu

Take = Callable[[VU], int | None]  # the number of the VU's row; None: all are dealt


class Feeding:
    """The sources of one run."""

    def __init__(self, seed: int, segment: Segment) -> None:
        self._seed = seed
        self._segment = segment
        self._takes: dict[tuple[str, str], Take] = {}

    def of(self, feed: PlannedFeed) -> Take:
        """By which VUs take from a source: one, whichever flow asks."""
        key = feed.owner, feed.name
        if key not in self._takes:
            self._takes[key] = self._take(feed)
        return self._takes[key]

    def _take(self, feed: PlannedFeed) -> Take:
        total, wraps = len(feed.rows), not feed.ends
        match feed.pick:
            case Dealt.RANDOM:
                return lambda vu: int(vu.random.random() * total)
            case Dealt.PER_VU:
                return lambda vu: row_of_vu(vu.number, total, wraps=wraps)
            case _:
                seed = f"{self._seed}:{feed.owner}:{feed.name}"
                numbers = dealt(feed.pick, total, wraps=wraps, seed=seed, segment=self._segment)
                return lambda _vu: next(numbers, None)
