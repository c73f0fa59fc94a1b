"""A load over time, from the same pacing that the engine follows: how much there shall be between two moments.

A closed load is a stair of VUs, an open one a line of starts per second. The end of its time is the end of its curve.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from vezaflow.plan import PlannedFlow, PlannedLoad, Segment, corners, outline


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """Levels and when they begin, in seconds of the run; `sloped`: with straight lines between them."""

    times: tuple[float, ...]
    levels: tuple[float, ...]
    sloped: bool

    @property
    def peak(self) -> float:
        return max(self.levels, default=0.0)

    def most(self, begin: float, end: float) -> float:
        """The most that there is from `begin` to before `end`."""
        first, last = bisect_right(self.times, begin), bisect_left(self.times, end)
        edge = self._at(end, last) if self.sloped else 0.0
        return max(self._at(begin, first), edge, *self.levels[first:last])

    @property
    def area(self) -> float:
        """Of a stair: VU seconds."""
        spans = (end - begin for begin, end in pairwise(self.times))
        return sum(level * span for level, span in zip(self.levels, spans, strict=False))

    def _at(self, moment: float, following: int) -> float:
        """The level at a moment; `following`: the first corner that is not before it."""
        if following == 0 or following > len(self.times):
            return 0.0
        level = self.levels[following - 1]
        if not self.sloped or following == len(self.times):
            return level
        begin, end = self.times[following - 1], self.times[following]
        return level + (self.levels[following] - level) * (moment - begin) / (end - begin) if end > begin else level

    def columns(self, seconds: float, count: int) -> list[float]:
        """The most there is in each of `count` equal parts of a run of so many seconds."""
        edges = [seconds * index / count for index in range(count + 1)]
        return [self.most(begin, end) for begin, end in pairwise(edges)]


def load_curve_of(flow: PlannedFlow, segment: Segment) -> LoadCurve:
    """This segment's share of a flow's load, on the run's time."""
    load = flow.load
    points = _line(load, segment) if load.is_open else _stair(load, segment)
    times = tuple(load.start_time + at for at, _ in points)
    return LoadCurve(times, tuple(level for _, level in points), load.is_open)


def _stair(load: PlannedLoad, segment: Segment) -> Sequence[tuple[float, float]]:
    changes = [(change.at, float(change.vus)) for change in segment.slice(outline(load))]
    return [*(change for change in changes if change[0] < load.duration), (load.duration, 0.0)]


def _line(load: PlannedLoad, segment: Segment) -> Sequence[tuple[float, float]]:
    return [*((at, rate / segment.count) for at, rate in corners(load)), (load.duration, 0.0)]
