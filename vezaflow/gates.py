"""Verdicts: whether the gates hold, and whether the figures can be trusted to say so.

Nothing is green without samples, nothing that a busy generator may have slowed is judged by its times, and a
target that is down is red however busy the generator was. What stands against trusting a run is a Concern,
with its remedy.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from operator import eq, ge, gt, le, lt, ne
from typing import Protocol

from vezaflow import units
from vezaflow.metrics import (
    DURING,
    OUTSIDE,
    EventWindows,
    Extent,
    Histogram,
    Measurement,
    MetricKind,
    Of,
    Summary,
    Trend,
    Window,
    cut_by,
)
from vezaflow.plan import Plan, PlannedGate
from vezaflow.syntax import Labels, OfBaseline, Reference
from vezaflow.units import AtLeast, Dimension, Quantity

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne,
}  # fmt: skip
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}  # as read from the right


class Outcome(Enum):
    GREEN = "green"
    RED = "red"
    INCONCLUSIVE = "inconclusive"


class ConcernKind(Enum):
    """Why a run's figures don't settle the matter."""

    NO_GATES = "no_gates"
    NO_DATA = "no_data"
    SATURATED = "saturated"  # the generator was too busy to keep time
    LOAD_NOT_REACHED = "load_not_reached"
    INTERRUPTED = "interrupted"  # stopped by hand before the end
    SEGMENT = "segment"  # the figures are those of one segment of a load
    WORKER_LOST = "worker_lost"
    DATA_EXHAUSTED = "data_exhausted"


@dataclass(frozen=True, slots=True)
class Concern:
    """What stands against trusting the figures, and what to do. `flow` is empty when it is about all."""

    kind: ConcernKind
    text: str
    remedy: str = ""
    flow: str = ""


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a gate. `value` is in base units, None without samples; so is `compared`, the figure that the
    condition names in the place of a fixed bound, or that of the baseline. Either is AtLeast where it falls among what
    timed out or failed. `between`: what is known of the value, where it is an estimate."""

    gate: PlannedGate
    outcome: Outcome
    value: float | None
    samples: int
    reason: str = ""  # one line; empty when green
    compared: float | None = None
    between: tuple[float, float] | None = None

    @property
    def bound(self) -> float | None:
        """What the value was compared with, in base units; None without samples of what the condition names."""
        bound = self.gate.condition.bound
        if isinstance(bound, OfBaseline):
            return None if self.compared is None else bound.factor * self.compared
        return _bound(bound, self.compared) if isinstance(bound, Reference) else _amount(bound)

    @property
    def shown(self) -> str:
        """The value as people write it: `312 ms`; a dash without one."""
        return "–" if self.value is None else _shown_beside(self.value, self.bound, dimension_of(self.gate))

    @property
    def shown_bound(self) -> str:
        """The condition's right half: `< 500 ms`."""
        bound = "–" if self.bound is None else shown(float(self.bound), dimension_of(self.gate))
        return f"{self.gate.condition.operator} {bound}"

    @property
    def shown_compared(self) -> str:
        """What the condition compares with, `p(95){page:1} = 12 ms`; empty for a fixed bound, or without samples."""
        bound = self.gate.condition.bound
        if isinstance(bound, OfBaseline) and self.compared is not None:
            return f"the baseline = {shown(self.compared, dimension_of(self.gate))}"
        if not isinstance(bound, Reference) or self.compared is None:
            return ""
        equals = "" if isinstance(self.compared, AtLeast) else "= "
        return f"{bound.text} {equals}{shown(self.compared, self.gate.known.dimension_of(bound.aggregate))}"

    @property
    def margin(self) -> float | None:
        """The room left, as a share of the bound; below zero when it broke. None where that means nothing."""
        operator, bound = self.gate.condition.operator, self.bound
        if self.value is None or not bound or operator in ("==", "!="):
            return None
        if isinstance(self.value, AtLeast) or isinstance(bound, AtLeast):
            return None
        room = (bound - self.value) / abs(bound)
        return room if operator in ("<", "<=") else -room


def dimension_of(gate: PlannedGate) -> Dimension | None:
    """What the gate's value is measured in."""
    return gate.known.dimension_of(gate.condition.aggregate)


def _amount(bound: float | Quantity) -> float:
    return bound.amount if isinstance(bound, Quantity) else float(bound)


def _bound(reference: Reference, compared: float | None) -> float | None:
    if compared is None:
        return None
    bound = _amount_beside(reference, compared)
    return AtLeast(bound) if isinstance(compared, AtLeast) else bound


def _amount_beside(reference: Reference, compared: float) -> float:
    return reference.factor * compared + (_amount(reference.plus) if reference.plus is not None else 0.0)


def shown(value: float, dimension: Dimension | None) -> str:
    """A figure as people write it."""
    return units.number(value) if dimension is None else units.text(value, dimension)


def _shown_beside(value: float, bound: float | None, dimension: Dimension | None) -> str:
    """A figure beside its bound: where rounding would make the two look alike, with as many digits as it takes."""
    text = shown(value, dimension)
    if bound is None or value == bound or text != shown(bound, dimension):
        return text
    scale, unit = {Dimension.TIME: (1e3, " ms"), Dimension.RATIO: (1e2, " %")}.get(dimension, (1.0, ""))  # type: ignore[arg-type]
    for digits in range(4, 16):
        fine = f"{value * scale:.{digits}g}"
        if float(fine) != float(f"{bound * scale:.{digits}g}"):
            return fine + unit
    return text


def judge(
    gates: Sequence[PlannedGate],
    summary: Summary,
    *,
    seconds: float | None = None,
    concerns: Sequence[Concern] = (),
    baseline: BaselineFigures | None = None,
    elsewhere: FigureSource | None = None,
    windows: EventWindows | None = None,
) -> tuple[Verdict, ...]:
    """A verdict for each gate, in their order. `seconds`: how long the load lasted, for rates per second of
    what the summary does not time itself. `baseline`: for gates that compare with it. `elsewhere`: for gates on
    what is not in the summary; None while that is not known yet. `windows`: for gates on what happened during
    events."""
    own, other = _OfLoad(summary, seconds, windows), _Unread() if elsewhere is None else elsewhere
    return tuple([_verdict(gate, other if gate.is_elsewhere else own, concerns, baseline) for gate in gates])


class _Unread:
    """What is read after the load, before it is read."""

    def figure(self, gate: PlannedGate, labels: Labels, aggregate: str, argument: float | None) -> JudgedFigure:
        return JudgedFigure(None, missing=f"{gate.metric} is read after the load")


@dataclass(frozen=True, slots=True)
class _OfLoad:
    """The figures that the load itself gave, and those of its events."""

    summary: Summary
    seconds: float | None
    windows: EventWindows | None = None

    def figure(self, gate: PlannedGate, labels: Labels, aggregate: str, argument: float | None) -> JudgedFigure:
        measured, lasted = _measured(gate, labels, self.summary, self.seconds, self.windows)
        value = _aggregate(measured, aggregate, argument, lasted)
        return JudgedFigure(value, measured.samples, missing=_unhappened(gate, labels, self.windows))


def _verdict(
    gate: PlannedGate,
    figures: FigureSource,
    concerns: Sequence[Concern],
    baseline: BaselineFigures | None = None,
) -> Verdict:
    condition, bound = gate.condition, gate.condition.bound
    found = figures.figure(gate, gate.labels, condition.aggregate, condition.argument)
    value = found.value
    compared, missing = None, _too_few(gate, found, gate.labels)
    other: JudgedFigure | None = None
    if isinstance(bound, Reference):
        labels = bound.labels_beside(gate.labels)
        other = figures.figure(gate, labels, bound.aggregate, bound.argument)
        compared = other.value
        missing = missing or _too_few(gate, other, labels)
    elif isinstance(bound, OfBaseline):
        compared = None if baseline is None else baseline.centre(gate)
        missing = missing or _no_baseline(baseline, compared)

    def verdict(outcome: Outcome, reason: str = "") -> Verdict:
        return Verdict(gate, outcome, value, found.samples, reason, compared, found.between)

    if missing:
        return verdict(Outcome.INCONCLUSIVE, missing)
    concern = _concern_of(gate, concerns)
    if concern is not None:
        return verdict(Outcome.INCONCLUSIVE, concern.text)
    held = verdict(Outcome.GREEN)
    assert value is not None
    assert held.bound is not None
    if isinstance(bound, OfBaseline):
        assert baseline is not None
        if doubt := _straddles(held, baseline.interval(gate)):
            return verdict(Outcome.INCONCLUSIVE, doubt)
    holds = _holds(value, condition.operator, held.bound)
    if isinstance(bound, Reference) and other is not None and other.between is not None and other.is_estimate:
        holds = _holds_for_all(found, condition.operator, _bounds(bound, other.between))
        if holds is None:
            return verdict(Outcome.INCONCLUSIVE, _within_other(held, bound, other.between))
    elif found.between is not None and found.is_estimate:
        holds = _holds_between(found.between, condition.operator, held.bound)
        if holds is None:
            return verdict(Outcome.INCONCLUSIVE, _within(held, found.between))
    match holds:
        case True:
            return held
        case False:
            return verdict(Outcome.RED, _broken(held))
        case None:
            return verdict(Outcome.INCONCLUSIVE, f"{held.shown_compared} is not a valid bound: {cut_by(gate.metric)}")


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


def windows_of(plan: Plan) -> EventWindows:
    """What keeps the figures that the plan's gates ask for, of the times of its events."""
    asked = (
        (gate.metric, gate.flow)
        for gate in plan.gates
        if gate.known.of.grows and any(DURING in dict(labels) for labels in _labels_of(gate))
    )
    lives = {flow.name: Extent(flow.load.start_time, flow.load.start_time + flow.load.duration) for flow in plan.flows}
    return EventWindows([event.name for event in plan.events], asked, lives)


def judged_events(plan: Plan) -> tuple[str, ...]:
    """The events whose windows the plan's gates judge; those outside of all windows judge by all."""
    named = {dict(labels).get(DURING) for gate in plan.gates for labels in _labels_of(gate)}
    return tuple(event.name for event in plan.events if event.name in named or OUTSIDE in named)


def _labels_of(gate: PlannedGate) -> tuple[Labels, ...]:
    bound = gate.condition.bound
    return (gate.labels, bound.labels_beside(gate.labels)) if isinstance(bound, Reference) else (gate.labels,)


def _no_baseline(baseline: BaselineFigures | None, centre: float | None) -> str:
    if baseline is None:
        return "there is no baseline: `vezaflow baseline set` makes one"
    return "" if centre is not None else "the baseline has no such figure: set it again from runs of these flows"


def _straddles(verdict: Verdict, interval: tuple[float, float] | None) -> str:
    """Why the run is too short, or too uneven, to say on which side of the bound its figure lies; empty: it is not."""
    bound, dimension = verdict.bound, dimension_of(verdict.gate)
    if isinstance(verdict.value, AtLeast) or bound is None:
        return ""
    if interval is None:
        return "too few samples to compare with the baseline"
    low, high = interval
    if not low <= bound <= high:
        return ""
    return (
        f"{aggregate_text(verdict.gate)} is between {shown(low, dimension)} and {shown(high, dimension)}, "
        f"and {shown(bound, dimension)} lies within"
    )


def holds(value: float, operator: str, bound: float) -> bool:
    """Whether a figure of which all is known is as a condition wants it."""
    return _COMPARE[operator](value, bound)


def _holds(value: float, operator: str, bound: float) -> bool | None:
    """Whether the condition holds; None if that can't be said. Who timed out got no response at all, and what failed
    was never done: as a figure that is above any bound. As a bound it is only known to be no lower than this."""
    highest = inf if isinstance(value, AtLeast) else value
    holds = _COMPARE[operator](highest, bound)
    if not isinstance(bound, AtLeast) or highest < bound or (highest == inf and operator in ("<", "<=")):
        return holds
    return None


def _holds_between(between: tuple[float, float], operator: str, bound: float) -> bool | None:
    """Whether the condition holds for every value above the first and at most the second; None: for some of them."""
    low, high = between
    if low < bound < high or operator in ("==", "!="):
        return None if low < bound <= high else operator == "!="
    return (high <= bound) is (operator in ("<", "<="))


def _bounds(reference: Reference, between: tuple[float, float]) -> tuple[float, float]:
    """What is known of the bound, where the figure that it is made of is an estimate: the same as of that."""
    low, high = sorted(_amount_beside(reference, end) for end in between)
    return low, high


def _holds_for_all(found: JudgedFigure, operator: str, bounds: tuple[float, float]) -> bool | None:
    """Whether the condition holds for every bound above the first and at most the second, and whatever is known of
    the value; None: for some of them."""
    assert found.value is not None
    if found.between is None or not found.is_estimate:
        return _holds_between(bounds, _TURNED[operator], found.value)
    if found.between[1] <= bounds[0]:
        return operator in ("<", "<=", "!=")
    return operator in (">", ">=", "!=") if found.between[0] >= bounds[1] else None


def _known(between: tuple[float, float], dimension: Dimension | None) -> str:
    low, high = (shown(end, dimension) for end in between)
    return f"above {low}" if between[1] == inf else f"between {low} and {high}"


def _within_other(verdict: Verdict, reference: Reference, between: tuple[float, float]) -> str:
    """Why the estimate that the condition compares with does not say where the bound is."""
    known = _known(between, verdict.gate.known.dimension_of(reference.aggregate))
    value = verdict.shown if verdict.between is None else _known(verdict.between, dimension_of(verdict.gate))
    bounds = _known(_bounds(reference, between), dimension_of(verdict.gate))
    return (
        f"{reference.text} is {known}, which is all that the server's histogram shows (its bucket): the bound is "
        f"{bounds}, and {aggregate_text(verdict.gate)} is {value}"
    )


def _within(verdict: Verdict, between: tuple[float, float]) -> str:
    """Why an estimate does not say on which side of the bound the true value is."""
    known = _known(between, dimension_of(verdict.gate))
    bound = "–" if verdict.bound is None else shown(verdict.bound, dimension_of(verdict.gate))
    return (
        f"{aggregate_text(verdict.gate)} is {known}, which is all that the server's histogram shows (its bucket), and "
        f"{bound} lies within"
    )


def _aggregate(measured: Measurement, aggregate: str, argument: float | None, seconds: float | None) -> float | None:
    value = measured.aggregate(aggregate, argument)
    if value is None and measured.samples and aggregate == "rate" and seconds:
        total = measured.aggregate("count")
        return None if total is None else total / seconds
    return value


def _too_few(gate: PlannedGate, found: JudgedFigure, labels: Labels) -> str:
    """Why one side of a gate can't be judged; empty if it can."""
    if found.value is None:
        return found.missing or f"no samples of {_selector(gate, labels)}"
    if found.samples >= gate.samples:
        return ""
    if found.missing:
        return found.missing
    of = f" of {_selector(gate, labels)}" if isinstance(gate.condition.bound, Reference) else ""
    return f"only {units.number(found.samples)} of at least {units.number(gate.samples)} samples{of}"


def _concern_of(gate: PlannedGate, concerns: Sequence[Concern]) -> Concern | None:
    """The counts of a segment are not those of the load; times that an overloaded generator measured are partly its
    own."""
    segment = next((concern for concern in concerns if concern.kind is ConcernKind.SEGMENT), None)
    if segment is not None:
        return segment
    if gate.is_elsewhere:  # it was not the generator that took the time
        return None
    if gate.known.kind is not MetricKind.TREND or dimension_of(gate) is not Dimension.TIME:
        return None
    return next((concern for concern in concerns if concern.kind is ConcernKind.SATURATED), None)


def _broken(verdict: Verdict) -> str:
    other = f", for {verdict.shown_compared}" if verdict.shown_compared else ""
    equals = "" if isinstance(verdict.value, AtLeast) else "= "
    why = f" as {cut_by(verdict.gate.metric)}" if isinstance(verdict.value, AtLeast) else ""
    return f"{aggregate_text(verdict.gate)} {equals}{verdict.shown}{why}, expected {verdict.shown_bound}{other}"


def aggregate_text(gate: PlannedGate) -> str:
    """`p(95)`, `rate`."""
    condition = gate.condition
    if condition.argument is None:
        return condition.aggregate
    return f"{condition.aggregate}({condition.argument:g})"


def _selector(gate: PlannedGate, labels: Labels) -> str:
    inner = ",".join(f"{name}:{value}" for name, value in labels)
    where = f" in {gate.flow}" if gate.flow else ""
    return (f"{gate.metric}{{{inner}}}" if inner else gate.metric) + where


def concerns_of(gates: Sequence[PlannedGate], summary: Summary) -> tuple[Concern, ...]:
    """What the figures themselves say against a verdict: no gates, no data."""
    found: list[Concern] = []
    if not _sent(summary, None):
        text, remedy = "no request was sent", "check the load and the steps of the flows: `vezaflow try FLOW`"
        found.append(Concern(ConcernKind.NO_DATA, text, remedy))
    elif not _sent(summary, True):
        text = "no request was evaluated: `measure` excludes all of them"
        found.append(Concern(ConcernKind.NO_DATA, text, "lower `measure: skip`, or use a longer `duration`"))
    if not gates:
        text, remedy = "there are no gates, so nothing was checked", "add `gates` to suite.yml or to a flow"
        found.append(Concern(ConcernKind.NO_GATES, text, remedy))
    return tuple(found)


_LOAD = ("http_reqs", "ws_connection_failures", "sse_connection_failures")


def _sent(summary: Summary, judged: bool | None) -> bool:
    """Whether there was any load: requests, or channels."""
    return any(summary.select(metric, judged=judged).samples for metric in _LOAD)


def overall(verdicts: Iterable[Verdict], concerns: Sequence[Concern]) -> Outcome:
    """The run's outcome: red if a gate broke, else inconclusive if anything is in doubt, else green."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.RED in outcomes:
        return Outcome.RED
    if concerns or outcomes != {Outcome.GREEN}:
        return Outcome.INCONCLUSIVE
    return Outcome.GREEN


class Aborts(Protocol):
    """Who says that a run is to be aborted."""

    def broken(self, elapsed: float, summary: Summary, *, events: EventWindows | None = None) -> Verdict | None:
        """The gate that broke; None while all is well. `elapsed`: seconds of the load. `events`: for gates on what
        happened during them."""
        ...


class AbortWatch:
    """Says when a gate with `abort: true` breaks while the run goes on. Call `broken` once a second."""

    def __init__(self, gates: Iterable[PlannedGate]) -> None:
        self._gates = tuple(gate for gate in gates if gate.abort and not gate.is_elsewhere)
        self._windows = {
            (gate.window, gate.metric, gate.flow): Window(gate.window, gate.metric, gate.flow)
            for gate in self._gates
            if gate.window is not None
        }

    def broken(
        self,
        elapsed: float,
        summary: Summary,
        *,
        concerns: Sequence[Concern] = (),
        events: EventWindows | None = None,
    ) -> Verdict | None:
        """The first abort gate that is red after its delay, over its window; None while all is well."""
        for window in self._windows.values():
            window.push(elapsed, summary)
        views: dict[object, Summary] = {}
        for gate in self._gates:
            if elapsed < gate.delay:
                continue
            view = summary
            if gate.window is not None:
                scope = (gate.window, gate.metric, gate.flow)
                if scope not in views:
                    views[scope] = self._windows[scope].view()
                view = views[scope]
            seconds = elapsed if gate.known.of is Of.EVENTS else None
            verdict = _verdict(gate, _OfLoad(view, seconds, events), concerns)
            if verdict.outcome is Outcome.RED:
                return verdict
        return None
