"""Expressions: functions that exist and are called right, responses read only where there is one, like with like."""

from collections.abc import Iterator
from enum import Enum

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import Place, Suite, Use, all_uses
from vezaflow.syntax import (
    Binary,
    Call,
    Conditional,
    Expression,
    Literal,
    Needs,
    Range,
    Unary,
    check_call,
    walk,
)
from vezaflow.units import EXAMPLES, Dimension, Quantity

_COMPARING = ("==", "!=", "<", "<=", ">", ">=")


class _Plain(Enum):
    """What a value can be that is no quantity."""

    NUMBER = "a plain number"
    TEXT = "a text"


_Nature = Dimension | _Plain | None  # None: not known before the run
_OF_FUNCTIONS: dict[str, _Nature] = {
    "duration": Dimension.TIME,
    "certificate": Dimension.TIME,
    "size": Dimension.SIZE,
    **dict.fromkeys(("len", "status", "random", "int", "float", "now", "sum"), _Plain.NUMBER),
    **dict.fromkeys(("body", "uuid", "upper", "lower", "letters", "concat", "text", "base64"), _Plain.TEXT),
}


_READING = (Place.EXPECT, Place.MESSAGE, Place.ACK)  # where there is a response, or a message that is read as one


def check_calls(suite: Suite, diagnostics: Diagnostics) -> None:
    """Functions that don't exist, arguments that don't fit, and responses read where there is none."""
    for use in all_uses(suite):
        for call in (part for part in walk(use.expression) if isinstance(part, Call)):
            function = check_call(call, diagnostics)
            if function is not None and function.needs is Needs.RESPONSE and use.place not in _READING:
                diagnostics.error(
                    "VF225",
                    call.span,
                    f"'{call.function}' has no response to read here",
                    help="extract the value with the request's `extract`, and use its name",
                )


def check_units(suite: Suite, diagnostics: Diagnostics) -> None:
    """Comparisons, sums and ranges of quantities that are not of one kind."""
    for use in all_uses(suite):
        for left, right, whole in _partners(use):
            one, two = _nature(left), _nature(right)
            if _unlike(one, two):
                diagnostics.error(
                    "VF226",
                    whole.span,
                    f"{_called(one)} and {_called(two)} can't be compared or combined",
                    label=_remedy(one, two),
                )


def _partners(use: Use) -> Iterator[tuple[Expression, Expression, Expression]]:
    for part in walk(use.expression):
        if isinstance(part, Binary) and part.operator in (*_COMPARING, "+", "-"):
            yield part.left, part.right, part
        elif isinstance(part, Range):
            yield part.low, part.high, part


def _nature(expression: Expression) -> _Nature:
    match expression:
        case Literal(value=Quantity(dimension=dimension)):
            return dimension
        case Literal(value=bool() | None):
            return None
        case Literal(value=int() | float()):
            return _Plain.NUMBER
        case Literal():
            return _Plain.TEXT
        case Call(function=name):
            return _OF_FUNCTIONS.get(name)
        case Unary(operator="-", operand=operand):
            return _nature(operand)
        case Binary(operator="+" | "-", left=left, right=right):
            return _nature(left) if _nature(left) == _nature(right) else None
        case Conditional(then=then, otherwise=otherwise):
            return _nature(then) if _nature(then) == _nature(otherwise) else None
        case _:
            return None


def _unlike(one: _Nature, two: _Nature) -> bool:
    if one is None or two is None or one == two:
        return False
    if {one, two} <= {_Plain.NUMBER, Dimension.RATIO}:  # a share is a number
        return False
    return isinstance(one, Dimension) or isinstance(two, Dimension)


def _called(nature: _Nature) -> str:
    return f"a {nature.value}" if isinstance(nature, Dimension) else nature.value if nature else "a value"


def _remedy(one: _Nature, two: _Nature) -> str:
    quantity = next((n for n in (one, two) if isinstance(n, Dimension)), None)
    if quantity is not None and _Plain.NUMBER in (one, two):
        return f"add a unit to the number, as in `{EXAMPLES[quantity]}`"
    return ""
