"""Where the figures come from that gates judge: the load's own summary, the windows of its events, or elsewhere.

A source gives one figure for a gate, a set of labels and an aggregate, and says why where there is none. What is not in
the summary comes from a FigureSource that is given from outside.
"""

from dataclasses import dataclass
from typing import Protocol

from vezaflow.metrics import DURING, OUTSIDE, EventWindows, Histogram, Measurement, Of, Summary, Trend
from vezaflow.plan import PlannedGate
from vezaflow.syntax import Labels


class BaselineFigures(Protocol):
    """What gates on the baseline are judged by."""

    def centre(self, gate: PlannedGate) -> float | None:
        """The gate's figure over the runs of the baseline, in base units; None where they have none."""
        ...

    def interval(self, gate: PlannedGate) -> tuple[float, float] | None:
        """Between which values the run's own figure lies, as far as its samples say; None: too few."""
        ...


@dataclass(frozen=True, slots=True)
class JudgedFigure:
    """What a gate is judged by. `value`: in base units; None: there is none, for the reason in `missing`. `between`:
    what is known of the true value, where `value` is an estimate: it is above the first and at most the second."""

    value: float | None
    samples: int = 0
    between: tuple[float, float] | None = None
    missing: str = ""

    @property
    def is_estimate(self) -> bool:
        return self.between is not None and self.between[0] < self.between[1]


class FigureSource(Protocol):
    """Where the figures of gates come from whose metric is not the load's: a server's Prometheus, for instance."""

    def figure(self, gate: PlannedGate, labels: Labels, aggregate: str, argument: float | None) -> JudgedFigure:
        """The figure over what the gate judges, of the series with these labels."""
        ...


class UnreadFigures:
    """What is read after the load, before it is read."""

    def figure(self, gate: PlannedGate, labels: Labels, aggregate: str, argument: float | None) -> JudgedFigure:
        return JudgedFigure(None, missing=f"{gate.metric} is read after the load")


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """The figures that the load itself gave, and those of its events."""

    summary: Summary
    seconds: float | None
    windows: EventWindows | None = None

    def figure(self, gate: PlannedGate, labels: Labels, aggregate: str, argument: float | None) -> JudgedFigure:
        measured, lasted = _measured(gate, labels, self.summary, self.seconds, self.windows)
        value = _aggregate(measured, aggregate, argument, lasted)
        return JudgedFigure(value, measured.samples, missing=_unhappened(gate, labels, self.windows))


def _measured(
    gate: PlannedGate, labels: Labels, summary: Summary, seconds: float | None, windows: EventWindows | None
) -> tuple[Measurement, float | None]:
    """The figures that a gate is about, and how many seconds of the load they are of."""
    if gate.known.of is Of.EVENTS:
        if windows is None:
            return Trend(Histogram()), seconds
        return windows.recovery(gate.flow, labels, summary, seconds or 0.0), seconds
    during = dict(labels).get(DURING)
    if during is None:
        return summary.select(gate.metric, gate.flow, labels), seconds
    if windows is None:
        return Summary().select(gate.metric, gate.flow, [pair for pair in labels if pair[0] != DURING]), seconds
    lasted = windows.length(during, seconds) if seconds is not None else None
    return windows.select(gate.metric, gate.flow, labels, summary), lasted


def _unhappened(gate: PlannedGate, labels: Labels, windows: EventWindows | None) -> str:
    """Why there are no samples, where it is because of an event; else empty."""
    for name, value in labels:
        if name in (DURING, "event"):
            if windows is None:
                return "the figures of events are not kept for this result"
            return windows.unknown(name, value)
    return windows.unknown("event", OUTSIDE) if gate.known.of is Of.EVENTS and windows is not None else ""


def _aggregate(measured: Measurement, aggregate: str, argument: float | None, seconds: float | None) -> float | None:
    value = measured.aggregate(aggregate, argument)
    if value is None and measured.samples and aggregate == "rate" and seconds:
        total = measured.aggregate("count")
        return None if total is None else total / seconds
    return value
