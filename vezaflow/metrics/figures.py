"""The rows of a summary: what is kept of a series, and by which key. What rows can do is in rows.py."""

from collections import Counter as Tally
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from vezaflow.metrics.catalog import Phase
from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.rows import HIGHEST, LEAST, LONGEST, MOST, OWN, SummaryRow, figure
from vezaflow.metrics.traces import FIRST, SLOWEST, TracedSample, TraceRecorder, slowest_of


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
    """One outcome of a step: a status (0: no response) with the kind of failure (empty: as expected)."""

    at: StepKey
    status: int
    error: str


class FlowKey(NamedTuple):
    flow: str
    judged: bool


@dataclass(slots=True, eq=True)
class Requests(SummaryRow):
    """Requests of one outcome. `first` and `last` are seconds since the run's start, of failures only. `traced`: the
    first that has a trace, `slowest`: the slowest of those."""

    count: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    duration: Histogram = field(default_factory=Histogram)
    sending: Histogram = field(default_factory=Histogram)
    waiting: Histogram = field(default_factory=Histogram)
    receiving: Histogram = field(default_factory=Histogram)
    first: float = figure(LEAST, inf)
    last: float = figure(MOST, -inf)
    detail: str = figure(OWN, "")
    traced: tuple[TracedSample, ...] = figure(FIRST, ())
    slowest: tuple[TracedSample, ...] = figure(SLOWEST, ())

    def add(self, other: "Requests") -> None:
        """Take in the same outcome's requests from elsewhere; the earlier one's sample detail is kept."""
        if other.detail and (not self.detail or (other.first, other.detail) < (self.first, self.detail)):
            self.detail = other.detail
        SummaryRow.add(self, other)

    def take_traces(self, found: TraceRecorder) -> None:
        """Take in the requests that were traced since the last fold."""
        self.traced, self.slowest = self.traced or found.first, slowest_of((*self.slowest, *found.slowest))


@dataclass(slots=True, eq=True)
class Connections(SummaryRow):
    """A step's connections that were opened, and its checks. Each answered request evaluated each check."""

    answered: int = 0
    blocked: Histogram = field(default_factory=Histogram)
    connecting: Histogram = field(default_factory=Histogram)
    tls: Histogram = field(default_factory=Histogram)
    checks: tuple[str, ...] = ()
    failed_checks: Tally[str] = field(default_factory=Tally)

    def times(self, name: str) -> Histogram:
        """Of the answered requests: zero for each that found a connection open."""
        whole: Histogram = getattr(self, name).copy()
        whole.record_zeros(self.answered - whole.count)
        return whole


@dataclass(slots=True, eq=True)
class Iterations(SummaryRow):
    """What a flow's VUs went through. `seconds`: how long this part of the run lasted; workers run beside one another,
    so their seconds don't add up."""

    done: int = 0
    failed: int = 0
    interrupted: int = 0
    seconds: float = figure(LONGEST, 0.0)
    duration: Histogram = field(default_factory=Histogram)
    groups: dict[str, Histogram] = field(default_factory=dict)
    dropped: Tally[str] = field(default_factory=Tally)
    delay: Histogram = field(default_factory=Histogram)
    response_time: Histogram = field(default_factory=Histogram)


@dataclass(slots=True, eq=True)
class Vus(SummaryRow):
    """A flow's VUs: running now, the least and the most at any look, and how many were asked for."""

    value: int = 0
    min: int = 0
    max: int = 0
    asked: int = 0
    looks: int = figure(HIGHEST, 0)

    def look(self, vus: int, asked: int) -> None:
        self.min = min(self.min, vus) if self.looks else vus
        self.max = max(self.max, vus)
        self.value, self.asked = vus, max(self.asked, asked)
        self.looks += 1

    def minus(self, earlier: "Vus") -> "Vus":
        """VUs stay as they are now."""
        return self
