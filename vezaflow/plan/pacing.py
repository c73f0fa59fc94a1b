"""When VUs come and go, and when iterations start: pure iterables, no clock, no feedback.

A closed load is a series of VuChange: at this second (from the flow's start) there shall be so many VUs. An open load
is a series of start times, strictly those of the asked rate: the n-th start (from 0) comes when the rate's integral
passes n. Each is known without those before it, so that any number of them is counted in one go. A further executor
adds an iterable, nothing else. A Segment takes an exact share of any of them: what the segments start together is what
the whole starts, in the same order.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, chain, takewhile
from math import ceil, sqrt
from typing import NamedTuple

from vezaflow.model import Executor
from vezaflow.plan.load import PlannedLoad, PlannedStage

STARTS_PER_SECOND = 1000.0
"""A crowd is let in at this pace: 1650 VUs that connect in one instant would be a burst that nobody asked for."""
_SPREAD = 0.1  # of what follows: a short load's crowd comes within this share of it
_IN_TIME = 0.99  # of the duration
_FINEST = 20_000  # steps of a crowd that is only looked at: no chart is wider, and no figure shows the difference
_SLACK = 1e-12  # relative: what the sum of the stages may be off, so that 2500 starts are never 2501


class VuChange(NamedTuple):
    at: float  # seconds from the flow's start
    vus: int  # how many there shall be from then on


@dataclass(frozen=True, slots=True)
class Segment:
    """One of `count` equal parts of a load, the `index`-th from 0: what has number n (from 0) belongs to segment
    n mod count. `across`: of how many machines' segments it is a part, where each machine may divide its own among
    another number of processes."""

    index: int = 0
    count: int = 1
    across: int = 1

    def __str__(self) -> str:
        """`2/8`: as the command line writes it."""
        return f"{self.index + 1}/{self.count}"

    def share(self, total: int) -> int:
        """How many of the first `total` are this segment's."""
        return max(0, (total - self.index + self.count - 1) // self.count)

    def number(self, index: int) -> int:
        """The number in the whole (from 1) of this segment's VU `index` (from 0)."""
        return self.index + index * self.count + 1

    def iterations(self, total: int, vus: int) -> int:
        """How many of `total` iterations are this segment's, if `vus` VUs took them in turns."""
        rounds, rest = divmod(total, vus)
        return rounds * self.share(vus) + self.share(rest)

    def slice(self, changes: Iterable[VuChange]) -> Iterator[VuChange]:
        """The changes of this segment alone: those that alter its count, at the time of the whole's."""
        now = 0
        for change in changes:
            mine = self.share(change.vus)
            if mine != now:
                now = mine
                yield VuChange(change.at, mine)

    def deal(self, starts: "Starts", vus: int) -> "Starts":
        """The starts of this segment alone, at the time of the whole's. `vus`: for how many VUs there are: of fewer
        than segments the last have none, and so nobody to start anything; the others of the same machine do."""
        inner, machine = divmod(self.index, self.across)
        of_machine = _dealt(starts.numbers, machine, min(self.across, vus))
        here = Segment(machine, self.across).share(vus)
        return replace(starts, numbers=_dealt(of_machine, inner, min(self.count // self.across, here)))


def _dealt(numbers: range, index: int, count: int) -> range:
    """Every `count`-th from the `index`-th on, or none; where nobody is there, the first has all, to report them."""
    count = max(1, count)
    return numbers[index::count] if index < count else range(0)


WHOLE = Segment()


class _Slope(NamedTuple):
    """A part of an open load on which its rate goes in a straight line."""

    at: float  # seconds from the flow's start
    duration: float
    rate: float  # starts per second, at its begin
    target: float  # and at its end
    done: float  # the rate's integral until its begin

    @property
    def whole(self) -> float:
        """The rate's integral until its end."""
        return self.done + self.duration * (self.rate + self.target) / 2


@dataclass(frozen=True, slots=True)
class Starts:
    """When iterations start, in seconds from the flow's start, rising.

    The n-th start of the whole is where the rate's integral passes n, solved in closed form from its slope's begin: no
    step is added to another, so nothing drifts. Of an integral of 2500 there are 2500 starts; of 2500.5 there are 2501.
    """

    slopes: tuple[_Slope, ...]
    ends: tuple[int, ...]  # how many starts the whole has until the end of each slope
    numbers: range  # which of the whole's (from 0) these are

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[float]:
        return map(self._moment, self.numbers)

    def __getitem__(self, index: int) -> float:
        return self._moment(self.numbers[index])

    def before(self, moment: float, known: int = 0) -> int:
        """How many of them come before a moment. `known`: so many surely do."""
        return bisect_left(self.numbers, moment, known, key=self._moment)

    def _moment(self, number: int) -> float:
        at, duration, rate, target, done = self.slopes[bisect_right(self.ends, number)]
        return at + min(duration, _time_for(number - done, rate, (target - rate) / duration))


def vu_changes(load: PlannedLoad, grain: int = 1) -> Iterator[VuChange]:
    """When the VUs of a closed load come and go. `grain`: of each crowd only every so manieth, and the last."""
    if load.stages:
        return ramping_vus(int(load.start), load.stages, grain)
    return constant_vus(load.vus, load.duration, grain)


def outline(load: PlannedLoad) -> Iterator[VuChange]:
    """The same to look at: of a crowd of millions no more changes than can be told apart."""
    return vu_changes(load, max(1, load.vus // _FINEST))


def starts(load: PlannedLoad) -> Starts:
    """When the iterations of an open load start."""
    slopes = tuple(_slopes(load))
    ends = tuple(accumulate((ceil(slope.whole - _SLACK * max(1.0, slope.whole)) for slope in slopes), max))
    return Starts(slopes, ends, range(ends[-1]))


def vus_in_time(load: PlannedLoad, segment: Segment) -> int:
    """How many VUs of a segment come in time to do something: of a ramp the very last has nothing left to do."""
    if load.executor is not Executor.RAMPING_VUS:
        return segment.share(load.vus)
    in_time = takewhile(lambda change: change.at < _IN_TIME * load.duration, segment.slice(outline(load)))
    return max((change.vus for change in in_time), default=0)


def corners(load: PlannedLoad) -> Iterator[tuple[float, float]]:
    """Where the line of an open load's rate begins, bends and ends: seconds from its start, starts per second."""
    for slope in _slopes(load):
        yield slope.at, slope.rate
        yield slope.at + slope.duration, slope.target


def _slopes(load: PlannedLoad) -> Iterator[_Slope]:
    at, rate, done = 0.0, load.start, 0.0
    for duration, target in load.stages:
        slope = _Slope(at, duration, rate, target, done)
        yield slope
        at, rate, done = at + duration, target, slope.whole


def constant_vus(vus: int, duration: float, grain: int = 1) -> Iterator[VuChange]:
    """`vus` VUs one after another, all of them within a tenth of the duration at the latest."""
    return _jump(0.0, 0, vus, duration, grain)


def ramping_vus(start: int, stages: Iterable[PlannedStage], grain: int = 1) -> Iterator[VuChange]:
    """From `start` VUs through the stages in straight lines: a VU more when the line has reached it, a VU less when the
    line has left it.

    Where the profile jumps up (the start, a stage of 0 s), the VUs come one after another, as in `constant_vus`.
    """
    last = 0.0
    for change in _ramps(start, stages, grain):
        last = max(last, change.at)  # a jump that is still let in holds what follows it, so that the order is kept
        yield VuChange(last, change.vus)


def _ramps(start: int, stages: Iterable[PlannedStage], grain: int) -> Iterator[VuChange]:
    at, vus, level = 0.0, 0, start  # `level`: where the profile stands, reached by a jump if it is not `vus`
    for duration, target in stages:
        if duration > 0:
            yield from _jump(at, vus, level, duration, grain)
            yield from _line(at, level, int(target), duration, grain)
            at, vus = at + duration, int(target)
        level = int(target)
    yield from _jump(at, vus, level, 0.0, grain)


def _jump(at: float, before: int, after: int, room: float, grain: int) -> Iterator[VuChange]:
    """All at once downwards; upwards one after another, within a tenth of the room (seconds) at the latest."""
    if after < before:
        yield VuChange(at, after)
    elif after > before:
        gap = min(1.0 / STARTS_PER_SECOND, room * _SPREAD / (after - before))
        for number in _every(grain, after - before):
            yield VuChange(at + (number - 1) * gap, before + number)


def _line(at: float, before: int, after: int, duration: float, grain: int) -> Iterator[VuChange]:
    step = 1 if after > before else -1
    steps = abs(after - before)
    for number in _every(grain, steps):
        yield VuChange(at + duration * number / steps, before + step * number)


def _every(grain: int, last: int) -> Iterable[int]:
    """The numbers from 1 to the last that are multiples of the grain, and the last."""
    numbers = range(grain, last + 1, grain)
    return numbers if last % grain == 0 else chain(numbers, (last,))


def _time_for(area: float, rate: float, slope: float) -> float:
    """How long it takes a rate with a slope to cover an area: the root of rate·t + slope·t²/2 = area that is stable
    for any slope, zero too."""
    if area <= 0:
        return 0.0
    return 2 * area / (rate + sqrt(max(0.0, rate * rate + 2 * slope * area)))
