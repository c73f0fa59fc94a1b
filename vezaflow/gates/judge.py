"""Whether the gates hold, and whether the figures can be trusted to say so.

Nothing is green without samples, nothing that a busy generator may have slowed is judged by its times, and a
target that is down is red however busy the generator was.
"""

from collections.abc import Iterable, Sequence
from math import inf

from vezaflow import units
from vezaflow.gates.comparison import bounds_beside, holds_as_known, holds_between, holds_for_all
from vezaflow.gates.concern import Concern, ConcernKind
from vezaflow.gates.figures import BaselineFigures, FigureSource, JudgedFigure, LoadFigures, UnreadFigures
from vezaflow.gates.verdict import Outcome, Verdict, aggregate_text, dimension_of, shown
from vezaflow.metrics import EventWindows, MetricKind, Summary, cut_by
from vezaflow.plan import PlannedGate
from vezaflow.syntax import Labels, OfBaseline, Reference
from vezaflow.units import AtLeast, Dimension


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
    own, other = LoadFigures(summary, seconds, windows), UnreadFigures() if elsewhere is None else elsewhere
    return tuple([verdict_of(gate, other if gate.is_elsewhere else own, concerns, baseline) for gate in gates])


def overall(verdicts: Iterable[Verdict], concerns: Sequence[Concern]) -> Outcome:
    """The run's outcome: red if a gate broke, else inconclusive if anything is in doubt, else green."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.RED in outcomes:
        return Outcome.RED
    if concerns or outcomes != {Outcome.GREEN}:
        return Outcome.INCONCLUSIVE
    return Outcome.GREEN


def verdict_of(
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
    holds = holds_as_known(value, condition.operator, held.bound)
    if isinstance(bound, Reference) and other is not None and other.between is not None and other.is_estimate:
        holds = holds_for_all(found, condition.operator, bounds_beside(bound, other.between))
        if holds is None:
            return verdict(Outcome.INCONCLUSIVE, _within_other(held, bound, other.between))
    elif found.between is not None and found.is_estimate:
        holds = holds_between(found.between, condition.operator, held.bound)
        if holds is None:
            return verdict(Outcome.INCONCLUSIVE, _within(held, found.between))
    match holds:
        case True:
            return held
        case False:
            return verdict(Outcome.RED, _broken(held))
        case None:
            return verdict(Outcome.INCONCLUSIVE, f"{held.shown_compared} is not a valid bound: {cut_by(gate.metric)}")


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


def _known(between: tuple[float, float], dimension: Dimension | None) -> str:
    low, high = (shown(end, dimension) for end in between)
    return f"above {low}" if between[1] == inf else f"between {low} and {high}"


def _within_other(verdict: Verdict, reference: Reference, between: tuple[float, float]) -> str:
    """Why the estimate that the condition compares with does not say where the bound is."""
    known = _known(between, verdict.gate.known.dimension_of(reference.aggregate))
    value = verdict.shown if verdict.between is None else _known(verdict.between, dimension_of(verdict.gate))
    bounds = _known(bounds_beside(reference, between), dimension_of(verdict.gate))
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


def _selector(gate: PlannedGate, labels: Labels) -> str:
    inner = ",".join(f"{name}:{value}" for name, value in labels)
    where = f" in {gate.flow}" if gate.flow else ""
    return (f"{gate.metric}{{{inner}}}" if inner else gate.metric) + where
