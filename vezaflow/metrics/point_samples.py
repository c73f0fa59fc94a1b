"""What one point of a flow's timeline is made of: about a second of its samples, and their ranks.

The ranks are exact, of the samples themselves: a second is too short for a histogram's buckets to be cheaper.
"""

from array import array
from math import ceil
from typing import TYPE_CHECKING

from vezaflow.metrics.catalog import INTERRUPTED
from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.outcome_samples import OutcomeSamples
from vezaflow.metrics.timeline import Point
from vezaflow.units import AtLeast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PointSamples:
    """What a flow's point of the timeline is made of; a `judge` inside the second adds to the same point."""

    __slots__ = (
        "begun",
        "cut",
        "durations",
        "failed",
        "iterations",
        "iterations_failed",
        "received",
        "requests",
        "sent",
    )

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.requests = self.failed = self.iterations = self.iterations_failed = self.sent = self.received = 0
        self.durations, self.cut = array("d"), array("d")

    def take(self, cell: OutcomeSamples) -> None:
        self.sent += cell.bytes_sent
        self.received += cell.bytes_received
        if cell.error == INTERRUPTED:
            return
        count = len(cell.durations) + cell.unanswered
        self.requests += count
        if cell.error:
            self.failed += count
        self.durations.extend(cell.durations)
        self.cut.extend(cell.cut)

    def point(self, flow: str, vus: int, started: float, now: float) -> Point:
        return Point(
            now - started,
            now - self.begun,
            flow,
            vus,
            self.requests,
            self.failed,
            self.iterations,
            self.iterations_failed,
            self.sent,
            self.received,
            *_nearest_ranks(self.durations, self.cut, (0.5, 0.95, 0.99, 1.0)),
        )

    def times(self) -> Histogram:
        import numpy as np

        times = Histogram()
        times.record_many(np.array(self.durations))
        times.record_cut(np.array(self.cut))
        return times


def _nearest_ranks(known: "array[float]", cut: "array[float]", shares: tuple[float, ...]) -> list[float | None]:
    """As a Histogram has them: what was cut ranks behind all that is known, and gives lower bounds."""
    import numpy as np

    total = len(known) + len(cut)
    if not total:
        return [None] * len(shares)
    ranks = [max(1, ceil(round(q * total, 6))) - 1 for q in shares]
    exact = _at_ranks(np.array(known), [rank for rank in ranks if rank < len(known)])
    bounds = _at_ranks(np.array([*known, *cut]), [rank for rank in ranks if rank >= len(known)])
    return [exact[rank] if rank < len(known) else AtLeast(bounds[rank]) for rank in ranks]


def _at_ranks(samples: "NDArray[np.float64]", ranks: list[int]) -> dict[int, float]:
    import numpy as np

    if not ranks:
        return {}
    ordered = np.partition(samples, sorted(set(ranks)))
    return {rank: float(ordered[rank]) for rank in ranks}
