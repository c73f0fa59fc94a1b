"""Whether a figure is as a condition wants it, of which perhaps only bounds are known.

True and False are said only where they are so whatever the true values are; None: it can't be said.
"""

from collections.abc import Callable
from math import inf
from operator import eq, ge, gt, le, lt, ne

from vezaflow.gates.figures import JudgedFigure
from vezaflow.gates.verdict import amount_beside
from vezaflow.syntax import Reference
from vezaflow.units import AtLeast

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne,
}  # fmt: skip
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}  # as read from the right


def holds(value: float, operator: str, bound: float) -> bool:
    """Whether a figure of which all is known is as a condition wants it."""
    return _COMPARE[operator](value, bound)


def holds_as_known(value: float, operator: str, bound: float) -> bool | None:
    """Whether the condition holds; None if that can't be said. Who timed out got no response at all, and what failed
    was never done: as a figure that is above any bound. As a bound it is only known to be no lower than this."""
    highest = inf if isinstance(value, AtLeast) else value
    holds = _COMPARE[operator](highest, bound)
    if not isinstance(bound, AtLeast) or highest < bound or (highest == inf and operator in ("<", "<=")):
        return holds
    return None


def holds_between(between: tuple[float, float], operator: str, bound: float) -> bool | None:
    """Whether the condition holds for every value above the first and at most the second; None: for some of them."""
    low, high = between
    if low < bound < high or operator in ("==", "!="):
        return None if low < bound <= high else operator == "!="
    return (high <= bound) is (operator in ("<", "<="))


def bounds_beside(reference: Reference, between: tuple[float, float]) -> tuple[float, float]:
    """What is known of the bound, where the figure that it is made of is an estimate: the same as of that."""
    low, high = sorted(amount_beside(reference, end) for end in between)
    return low, high


def holds_for_all(found: JudgedFigure, operator: str, bounds: tuple[float, float]) -> bool | None:
    """Whether the condition holds for every bound above the first and at most the second, and whatever is known of
    the value; None: for some of them."""
    assert found.value is not None
    if found.between is None or not found.is_estimate:
        return holds_between(bounds, _TURNED[operator], found.value)
    if found.between[1] <= bounds[0]:
        return operator in ("<", "<=", "!=")
    return operator in (">", ">=", "!=") if found.between[0] >= bounds[1] else None
