"""Verdicts: whether the gates hold, and whether the figures can be trusted to say so.

Nothing is green without samples, nothing that a busy generator may have slowed is judged by its times, and a
target that is down is red however busy the generator was. What stands against trusting a run is a Concern,
with its remedy.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import eq, ge, gt, le, lt, ne

from vezaflow import units
from vezaflow.metrics import METRICS, Kind, Summary, Window
from vezaflow.plan import PlannedGate
from vezaflow.units import Dimension, Quantity

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne,
}  # fmt: skip


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
    SHARE = "share"  # the figures are one share's of a load
    WORKER_LOST = "worker_lost"
    DATA_EXHAUSTED = "data_exhausted"


@dataclass(frozen=True, slots=True)
class Concern:
    """What stands against trusting the figures, and how to mend it. `flow` is empty when it is about all."""

    kind: ConcernKind
    text: str
    remedy: str = ""
    flow: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a gate. `value` is in base units, None without samples."""

    gate: PlannedGate
    outcome: Outcome
    value: float | None
    samples: int
    reason: str = ""  # one line; empty when green

    @property
    def bound(self) -> float:
        return bound_of(self.gate)

    @property
    def shown(self) -> str:
        """The value as people write it: `312 ms`; a dash without one."""
        return "–" if self.value is None else _shown_beside(self.value, self.bound, dimension_of(self.gate))

    @property
    def shown_bound(self) -> str:
        """The condition's right half: `< 500 ms`."""
        return f"{self.gate.condition.operator} {shown(self.bound, dimension_of(self.gate))}"

    @property
    def margin(self) -> float | None:
        """The room left, as a share of the bound; below zero when it broke. None where that means nothing."""
        operator, bound = self.gate.condition.operator, self.bound
        if self.value is None or bound == 0 or operator in ("==", "!="):
            return None
        room = (bound - self.value) / abs(bound)
        return room if operator in ("<", "<=") else -room


def dimension_of(gate: PlannedGate) -> Dimension | None:
    """What the gate's value is measured in."""
    return METRICS[gate.metric].dimension_of(gate.condition.aggregate)


def bound_of(gate: PlannedGate) -> float:
    """The bound in base units."""
    bound = gate.condition.bound
    return bound.amount if isinstance(bound, Quantity) else float(bound)


def shown(value: float, dimension: Dimension | None) -> str:
    """A figure as people write it."""
    return units.number(value) if dimension is None else units.text(value, dimension)


def _shown_beside(value: float, bound: float, dimension: Dimension | None) -> str:
    """A figure beside its bound: where rounding would make the two look alike, with as many digits as it takes."""
    text = shown(value, dimension)
    if value == bound or text != shown(bound, dimension):
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
) -> tuple[Verdict, ...]:
    """A verdict for each gate, in their order. `seconds`: how long the load lasted, for rates per second of
    what the summary does not time itself."""
    return tuple(_verdict(gate, summary, seconds, concerns) for gate in gates)


def _verdict(gate: PlannedGate, summary: Summary, seconds: float | None, concerns: Sequence[Concern]) -> Verdict:
    measured = summary.select(gate.metric, gate.flow, gate.labels)
    condition = gate.condition
    value = measured.aggregate(condition.aggregate, condition.argument)
    if value is None and measured.samples and condition.aggregate == "rate" and seconds:
        total = measured.aggregate("count")
        value = None if total is None else total / seconds
    if value is None:
        reason = f"nothing to judge: no samples of {_selector(gate)}"
        return Verdict(gate, Outcome.INCONCLUSIVE, None, measured.samples, reason)
    if measured.samples < gate.samples:
        reason = f"only {units.number(measured.samples)} of at least {units.number(gate.samples)} samples"
        return Verdict(gate, Outcome.INCONCLUSIVE, value, measured.samples, reason)
    doubt = _doubt(gate, concerns)
    if doubt is not None:
        return Verdict(gate, Outcome.INCONCLUSIVE, value, measured.samples, doubt.text)
    if _COMPARE[condition.operator](value, bound_of(gate)):
        return Verdict(gate, Outcome.GREEN, value, measured.samples)
    return Verdict(gate, Outcome.RED, value, measured.samples, _broken(gate, value))


def _doubt(gate: PlannedGate, concerns: Sequence[Concern]) -> Concern | None:
    """A share's counts are no load's. Times that a busy generator measured are its own as much as the server's."""
    share = next((concern for concern in concerns if concern.kind is ConcernKind.SHARE), None)
    if share is not None:
        return share
    if METRICS[gate.metric].kind is not Kind.TREND or dimension_of(gate) is not Dimension.TIME:
        return None
    return next((concern for concern in concerns if concern.kind is ConcernKind.SATURATED), None)


def _broken(gate: PlannedGate, value: float) -> str:
    dimension = dimension_of(gate)
    bound = bound_of(gate)
    got = _shown_beside(value, bound, dimension)
    return f"{aggregate_text(gate)} = {got}, wanted {gate.condition.operator} {shown(bound, dimension)}"


def aggregate_text(gate: PlannedGate) -> str:
    """`p(95)`, `rate`."""
    condition = gate.condition
    if condition.argument is None:
        return condition.aggregate
    return f"{condition.aggregate}({condition.argument:g})"


def _selector(gate: PlannedGate) -> str:
    inner = ",".join(f"{name}:{value}" for name, value in gate.labels)
    where = f" in {gate.flow}" if gate.flow else ""
    return (f"{gate.metric}{{{inner}}}" if inner else gate.metric) + where


def concerns_of(gates: Sequence[PlannedGate], summary: Summary) -> tuple[Concern, ...]:
    """What the figures themselves say against a verdict: no gates, no data."""
    found: list[Concern] = []
    if not summary.select("http_reqs", judged=None).samples:
        text, remedy = "not one request was sent", "look at the flows' load and steps: `vezaflow try FLOW`"
        found.append(Concern(ConcernKind.NO_DATA, text, remedy))
    elif not summary.select("http_reqs").samples:
        text = "no request was judged: `measure` leaves all of them out"
        found.append(Concern(ConcernKind.NO_DATA, text, "lower `measure: skip`, or make `duration` longer"))
    if not gates:
        text, remedy = "there are no gates, so nothing was judged", "add `gates` to suite.yml or to a flow"
        found.append(Concern(ConcernKind.NO_GATES, text, remedy))
    return tuple(found)


def overall(verdicts: Iterable[Verdict], concerns: Sequence[Concern]) -> Outcome:
    """The run's outcome: red if a gate broke, else inconclusive if anything is in doubt, else green."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.RED in outcomes:
        return Outcome.RED
    if concerns or outcomes != {Outcome.GREEN}:
        return Outcome.INCONCLUSIVE
    return Outcome.GREEN


class AbortWatch:
    """Says when a gate with `abort: true` breaks while the run goes on. Call `broken` once a second."""

    def __init__(self, gates: Iterable[PlannedGate]) -> None:
        self._gates = tuple(gate for gate in gates if gate.abort)
        self._windows = {
            (gate.window, gate.metric, gate.flow): Window(gate.window, gate.metric, gate.flow)
            for gate in self._gates
            if gate.window is not None
        }

    def broken(self, elapsed: float, summary: Summary, *, concerns: Sequence[Concern] = ()) -> Verdict | None:
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
            verdict = _verdict(gate, view, None, concerns)
            if verdict.outcome is Outcome.RED:
                return verdict
        return None
