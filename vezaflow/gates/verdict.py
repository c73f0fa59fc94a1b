"""What became of a gate, and its figures as people write them.

A verdict knows its value and what that was compared with; whether it holds was judged before (judge.py).
"""

from dataclasses import dataclass
from enum import Enum

from vezaflow import units
from vezaflow.plan import PlannedGate
from vezaflow.syntax import OfBaseline, Reference
from vezaflow.units import AtLeast, Dimension, Quantity


class Outcome(Enum):
    GREEN = "green"
    RED = "red"
    INCONCLUSIVE = "inconclusive"


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


def aggregate_text(gate: PlannedGate) -> str:
    """`p(95)`, `rate`."""
    condition = gate.condition
    if condition.argument is None:
        return condition.aggregate
    return f"{condition.aggregate}({condition.argument:g})"


def _amount(bound: float | Quantity) -> float:
    return bound.amount if isinstance(bound, Quantity) else float(bound)


def _bound(reference: Reference, compared: float | None) -> float | None:
    if compared is None:
        return None
    bound = amount_beside(reference, compared)
    return AtLeast(bound) if isinstance(compared, AtLeast) else bound


def amount_beside(reference: Reference, compared: float) -> float:
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
