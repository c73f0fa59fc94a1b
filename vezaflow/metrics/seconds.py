"""How each step went, second by second: what comparing two runs resamples, and any interval can be computed from.

Laws: of what gates judge, in iterations. An interval has what came since the one before, so all of them add up to the
run. Times are kept packed (some 300 bytes a step and second). `Seconds` is bounded: when it is full, neighbours become
one, and from then on an interval is twice as long.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vezaflow.metrics.catalog import INTERRUPTED, Phase
from vezaflow.metrics.histogram import Histogram, merged
from vezaflow.metrics.summary import Summary
from vezaflow.untrusted import TupleOf

StepName = tuple[str, str, str]  # flow, step, method
Json = dict[str, Any]
MOST = 1800  # intervals
INTERVAL = {"second": float, "length": float, "steps": [TupleOf((str, str, str, int, int, {}))]}
"""The shape of an interval's JSON."""


@dataclass(frozen=True, slots=True)
class StepSecond:
    """One step in one interval. `packed` is its histogram's JSON."""

    requests: int
    failed: int
    packed: Mapping[str, Any]

    @property
    def duration(self) -> Histogram:
        """Times in seconds of the responses that came, and lower bounds of those that timed out."""
        return Histogram.from_json(dict(self.packed))


@dataclass(frozen=True, slots=True)
class Interval:
    """The `length` seconds that ended `second` seconds after the run's start; steps without a request are left out."""

    second: float
    length: float
    steps: Mapping[StepName, StepSecond]

    def to_json(self) -> Json:
        steps = [[*name, step.requests, step.failed, dict(step.packed)] for name, step in self.steps.items()]
        return {"second": self.second, "length": self.length, "steps": steps}

    @classmethod
    def from_json(cls, record: Json) -> "Interval":
        """What `to_json` wrote. ValueError, KeyError or TypeError: this is none."""
        steps = {
            (flow, step, method): StepSecond(requests, failed, packed)
            for flow, step, method, requests, failed, packed in record["steps"]
        }
        return cls(record["second"], record["length"], steps)


class SecondsRecorder:
    """Cuts a run's summaries into intervals."""

    def __init__(self) -> None:
        self._rows: dict[StepName, tuple[int, int, Histogram]] = {}
        self._second = 0.0

    def take(self, summary: Summary, second: float) -> Interval | None:
        """What came since the last call; `summary` has the whole run so far. None where no time has passed."""
        cutting = self.cut(summary, second)
        while True:
            try:
                next(cutting)
            except StopIteration as done:
                interval: Interval | None = done.value
                return interval

    def cut(self, summary: Summary, second: float) -> Generator[None, None, Interval | None]:
        """The same, a step at a time (some 0.1 ms each): others may go on in between. Given up, it took nothing."""
        length = second - self._second
        if length <= 0:
            return None
        now = _rows(summary)
        steps: dict[StepName, StepSecond] = {}
        for name, (requests, failed, duration) in now.items():
            before = self._rows.get(name)
            if before is not None:
                requests, failed = requests - before[0], failed - before[1]
                duration = duration.minus(before[2])
            if requests:
                steps[name] = StepSecond(requests, failed, duration.to_json())
            yield
        self._rows, self._second = now, second
        return Interval(second, length, steps)


def _rows(summary: Summary) -> dict[StepName, tuple[int, int, Histogram]]:
    """By step: requests, those that failed, and the times."""
    found: dict[StepName, tuple[int, int, list[Histogram]]] = {}
    for key, row in summary.requests.items():
        at = key.at
        if at.judged and at.phase is Phase.ITERATION and key.error != INTERRUPTED:
            name = (at.flow, at.step, at.method)
            requests, failed, times = found.get(name, (0, 0, []))
            times.append(row.duration)
            found[name] = (requests + row.count, failed + (row.count if key.error else 0), times)
    return {name: (requests, failed, merged(times)) for name, (requests, failed, times) in found.items()}


@dataclass(frozen=True, slots=True)
class Seconds:
    """The intervals of a run in the order of time."""

    intervals: tuple[Interval, ...] = ()

    @property
    def steps(self) -> tuple[StepName, ...]:
        """All steps, in the order in which they first came."""
        return tuple(dict.fromkeys(name for interval in self.intervals for name in interval.steps))

    def of(self, name: StepName) -> Iterator[tuple[Interval, StepSecond]]:
        """The intervals in which the step was."""
        return ((each, each.steps[name]) for each in self.intervals if name in each.steps)

    def to_json(self) -> list[Json]:
        return [interval.to_json() for interval in self.intervals]

    @classmethod
    def from_json(cls, record: Iterable[Json]) -> "Seconds":
        return cls(tuple([Interval.from_json(each) for each in record]))


class SecondsKeeper:
    """Gathers intervals into bounded `Seconds`."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: list[Interval] = []
        self._open: list[Interval] = []
        self._stride = 1

    def put(self, interval: Interval) -> None:
        self._open.append(interval)
        if len(self._open) == self._stride:
            self._kept.append(together(self._open))
            self._open.clear()
        if len(self._kept) >= self._most:
            self._kept = [together(self._kept[at : at + 2]) for at in range(0, len(self._kept), 2)]
            self._stride *= 2

    def seconds(self) -> Seconds:
        rest = (together(self._open),) if self._open else ()
        return Seconds((*self._kept, *rest))


def together(intervals: Iterable[Interval]) -> Interval:
    """Intervals that follow each other as one."""
    intervals = tuple(intervals)
    if len(intervals) == 1:
        return intervals[0]
    steps: dict[StepName, StepSecond] = {}
    for name in dict.fromkeys(name for each in intervals for name in each.steps):
        held = [each.steps[name] for each in intervals if name in each.steps]
        steps[name] = StepSecond(
            sum(step.requests for step in held),
            sum(step.failed for step in held),
            merged(step.duration for step in held).to_json(),
        )
    return Interval(intervals[-1].second, sum(each.length for each in intervals), steps)


def seconds_together(parts: Iterable[Seconds]) -> Seconds:
    """The seconds of segments that ran side by side: each interval with those of the same rounded end."""
    found: dict[int, list[Interval]] = {}
    for part in parts:
        for interval in part.intervals:
            found.setdefault(round(interval.second), []).append(interval)
    return Seconds(tuple([_beside(intervals) for _, intervals in sorted(found.items())]))


def _beside(intervals: list[Interval]) -> Interval:
    whole = together(intervals)
    return whole if len(intervals) == 1 else replace(whole, length=max(each.length for each in intervals))
