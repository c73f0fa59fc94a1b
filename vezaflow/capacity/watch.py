"""A level that is lost is not run to its end: which gates have broken beyond doubt while it still goes on.

A gate with `abort: true` aborts a level as it aborts a run. Any other does so when its figure is far beyond the bound,
of enough samples, after a part of the time that is judged; near the bound it may still recover, and the level goes on.
"""

from collections.abc import Sequence

from vezaflow.gates import AbortWatch, Outcome, Verdict, dimension_of, judge
from vezaflow.metrics import EventWindows, Summary
from vezaflow.plan import HeldLevel, PlannedGate
from vezaflow.units import Dimension

FAR = 2.0  # times the bound
_PART = 0.25  # of the time that is judged
_SAMPLES = 20


class LevelWatch:
    """Says when a level is lost. Call `broken` once a second."""

    def __init__(self, gates: Sequence[PlannedGate], level: HeldLevel) -> None:
        self._gates = tuple(gates)
        self._level = level
        self._own = AbortWatch(gates)

    def broken(self, elapsed: float, summary: Summary, *, events: EventWindows | None = None) -> Verdict | None:
        """The gate that lost it; None while all is well, or may yet be. `elapsed`: seconds of the load."""
        if (verdict := self._own.broken(elapsed, summary, events=events)) is not None:
            return verdict
        judged = elapsed - self._level.settle
        if judged < _PART * self._level.measure:
            return None
        verdicts = judge(self._gates, summary, seconds=judged, windows=events)
        return next((verdict for verdict in verdicts if is_lost(verdict)), None)


def is_lost(verdict: Verdict) -> bool:
    """Whether a gate that is broken so far stays so."""
    value, bound, gate = verdict.value, verdict.bound, verdict.gate
    if verdict.outcome is not Outcome.RED or value is None or bound is None:
        return False
    upper = gate.condition.operator in ("<", "<=", "==")
    if upper and gate.condition.aggregate == "count":  # it never falls
        return True
    if verdict.samples < _SAMPLES:
        return False
    if upper:
        return value >= FAR * bound
    if dimension_of(gate) is Dimension.RATIO:
        return 1 - value >= FAR * (1 - bound)
    return FAR * value <= bound
