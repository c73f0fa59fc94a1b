"""Numbers that the file settles: what rules may judge. What an input may change is not known."""

from collections.abc import Iterable

from vezaflow.model.load import Executor, Load
from vezaflow.syntax import Call, Expression, ListOf, Literal, Range
from vezaflow.units import Quantity

Most = float | None  # at most so many; None if the file does not say


def constant(expression: Expression | None) -> Most:
    """A number that is written out, a quantity in base units; of a range the smaller end."""
    match expression:
        case Range(low=low):
            return constant(low)
        case Literal(value=Quantity(amount=amount)):
            return amount
        case Literal(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case _:
            return None


def whole(expression: Expression | None) -> int | None:
    """A number of times that is written out."""
    found = constant(expression)
    return int(found) if found is not None else None


def length(items: Expression) -> int | None:
    """How many items a list has that is written out, or counted from 0."""
    match items:
        case ListOf(items=listed):
            return len(listed)
        case Call(function="range", arguments=(end,)):
            return whole(end)
        case _:
            return None


def total(numbers: Iterable[Most]) -> Most:
    """The sum, if all are known."""
    known = list(numbers)
    return None if None in known else sum(number for number in known if number is not None)


def peak(load: Load) -> Most:
    """The most VUs, or starts per second, that a ramp asks for."""
    first = load.start_rate if load.executor is Executor.RAMPING_ARRIVAL_RATE else load.start_vus
    default = 0 if load.executor is Executor.RAMPING_ARRIVAL_RATE else 1
    levels = [constant(first) if first else default, *(constant(stage.target) for stage in load.stages)]
    return None if None in levels else max(level for level in levels if level is not None)
