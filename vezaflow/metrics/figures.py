"""The rows of a summary: what is kept of a series. Each can be copied, added to, and have an earlier state
of itself taken away; histograms share their buckets until someone records.
"""

from collections import Counter as Tally
from dataclasses import dataclass, field, replace
from math import inf
from typing import NamedTuple

from vezaflow.metrics.catalog import Phase
from vezaflow.metrics.histogram import Histogram


class StepKey(NamedTuple):
    """A step of a flow in a phase. `judged`: whether gates look at it (`measure:`)."""

    flow: str
    phase: Phase
    step: str
    method: str
    group: str
    tags: tuple[tuple[str, str], ...]
    judged: bool


class RequestKey(NamedTuple):
    """One outcome of a step: a status (0: no answer) with the kind of failure (empty: as expected)."""

    at: StepKey
    status: int
    error: str


class FlowKey(NamedTuple):
    flow: str
    judged: bool


TIMES = ("duration", "sending", "waiting", "receiving")
CONNECTION_TIMES = ("blocked", "connecting", "tls")
ITERATION_TIMES = ("duration", "delay", "response_time")


@dataclass(slots=True, eq=True)
class Requests:
    """Requests of one outcome. `first` and `last` are seconds since the run's start, of failures only."""

    count: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    duration: Histogram = field(default_factory=Histogram)
    sending: Histogram = field(default_factory=Histogram)
    waiting: Histogram = field(default_factory=Histogram)
    receiving: Histogram = field(default_factory=Histogram)
    first: float = inf
    last: float = -inf
    detail: str = ""

    def copy(self) -> "Requests":
        twin = replace(self)
        for name in TIMES:
            setattr(twin, name, getattr(self, name).copy())
        return twin

    def add(self, other: "Requests") -> None:
        """Take in the same outcome's requests from elsewhere; the earlier one's sample detail is kept."""
        if other.detail and (not self.detail or (other.first, other.detail) < (self.first, self.detail)):
            self.detail = other.detail
        self.count += other.count
        self.bytes_sent += other.bytes_sent
        self.bytes_received += other.bytes_received
        for name in TIMES:
            getattr(self, name).add(getattr(other, name))
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)

    def minus(self, earlier: "Requests") -> "Requests":
        since = replace(self)
        since.count -= earlier.count
        since.bytes_sent -= earlier.bytes_sent
        since.bytes_received -= earlier.bytes_received
        for name in TIMES:
            setattr(since, name, getattr(self, name).minus(getattr(earlier, name)))
        return since

    def only(self, time: str) -> "Requests":
        """The same counts with this one histogram."""
        others = {name: Histogram() for name in TIMES if name != time}
        return replace(self, **others)  # type: ignore[arg-type]  # each of these names is a histogram's


@dataclass(slots=True, eq=True)
class Connections:
    """A step's connections that were opened, and its checks. Each answered request evaluated each check."""

    answered: int = 0
    blocked: Histogram = field(default_factory=Histogram)
    connecting: Histogram = field(default_factory=Histogram)
    tls: Histogram = field(default_factory=Histogram)
    checks: tuple[str, ...] = ()
    failed_checks: Tally[str] = field(default_factory=Tally)

    def copy(self) -> "Connections":
        twin = replace(self, failed_checks=Tally(self.failed_checks))
        for name in CONNECTION_TIMES:
            setattr(twin, name, getattr(self, name).copy())
        return twin

    def add(self, other: "Connections") -> None:
        self.answered += other.answered
        for name in CONNECTION_TIMES:
            getattr(self, name).add(getattr(other, name))
        self.checks = self.checks if other.checks == self.checks else _union(self.checks, other.checks)
        self.failed_checks += other.failed_checks

    def minus(self, earlier: "Connections") -> "Connections":
        since = replace(self, failed_checks=self.failed_checks - earlier.failed_checks)
        since.answered -= earlier.answered
        for name in CONNECTION_TIMES:
            setattr(since, name, getattr(self, name).minus(getattr(earlier, name)))
        return since

    def only(self, time: str) -> "Connections":
        """The same counts with this one histogram."""
        others = {name: Histogram() for name in CONNECTION_TIMES if name != time}
        return replace(self, **others)  # type: ignore[arg-type]  # each of these names is a histogram's

    def trend(self, name: str) -> Histogram:
        """Of the answered requests: zero for each that found a connection open."""
        whole: Histogram = getattr(self, name).copy()
        whole.record_zeros(self.answered - whole.count)
        return whole


@dataclass(slots=True, eq=True)
class Iterations:
    """What a flow's VUs went through. `seconds`: how long this part of the run lasted."""

    done: int = 0
    failed: int = 0
    interrupted: int = 0
    seconds: float = 0.0
    duration: Histogram = field(default_factory=Histogram)
    groups: dict[str, Histogram] = field(default_factory=dict)
    dropped: Tally[str] = field(default_factory=Tally)
    delay: Histogram = field(default_factory=Histogram)
    response_time: Histogram = field(default_factory=Histogram)

    def copy(self) -> "Iterations":
        groups = {name: histogram.copy() for name, histogram in self.groups.items()}
        twin = replace(self, groups=groups, dropped=Tally(self.dropped))
        for name in ITERATION_TIMES:
            setattr(twin, name, getattr(self, name).copy())
        return twin

    def add(self, other: "Iterations") -> None:
        """Take in another worker's; the workers ran beside one another, so their seconds don't add up."""
        self.done += other.done
        self.failed += other.failed
        self.interrupted += other.interrupted
        self.seconds = max(self.seconds, other.seconds)
        for name in ITERATION_TIMES:
            getattr(self, name).add(getattr(other, name))
        for name, histogram in other.groups.items():
            self.groups.setdefault(name, Histogram()).add(histogram)
        self.dropped += other.dropped

    def minus(self, earlier: "Iterations") -> "Iterations":
        groups = {name: held.minus(earlier.groups.get(name, Histogram())) for name, held in self.groups.items()}
        return Iterations(
            self.done - earlier.done,
            self.failed - earlier.failed,
            self.interrupted - earlier.interrupted,
            self.seconds - earlier.seconds,
            self.duration.minus(earlier.duration),
            groups,
            self.dropped - earlier.dropped,
            self.delay.minus(earlier.delay),
            self.response_time.minus(earlier.response_time),
        )

    def only(self, durations: bool) -> "Iterations":
        """The same counts, with or without the histograms."""
        return self if durations else replace(self, duration=Histogram(), groups={})


@dataclass(slots=True, eq=True)
class Vus:
    """A flow's VUs: running now, the least and the most at any look, and how many were asked for."""

    value: int = 0
    minimum: int = 0
    maximum: int = 0
    asked: int = 0
    looks: int = 0

    def copy(self) -> "Vus":
        return replace(self)

    def look(self, vus: int, asked: int) -> None:
        self.minimum = min(self.minimum, vus) if self.looks else vus
        self.maximum = max(self.maximum, vus)
        self.value, self.asked = vus, max(self.asked, asked)
        self.looks += 1

    def add(self, other: "Vus") -> None:
        """Take in another worker's share of the VUs."""
        self.value += other.value
        self.minimum += other.minimum
        self.maximum += other.maximum
        self.asked += other.asked
        self.looks = max(self.looks, other.looks)


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*one, *other}))
