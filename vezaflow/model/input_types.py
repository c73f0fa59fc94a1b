"""The types of a fragment's inputs, and which values fit them.

Values come from YAML, from expressions, and from the environment, where all are texts: a text that reads as a number, a
boolean, a duration or a size fits where one is wanted, and becomes it.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

from vezaflow.units import Dimension, Quantity, parse_as


class InputType(Enum):
    """What an input takes."""

    ANY = "any"
    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DURATION = "duration"
    SIZE = "size"
    LIST = "list"
    MAPPING = "mapping"


_WANTED = {
    InputType.TEXT: "a text",
    InputType.NUMBER: "a number",
    InputType.INTEGER: "a whole number",
    InputType.BOOLEAN: "`true` or `false`",
    InputType.DURATION: "a duration such as `5m`",
    InputType.SIZE: "a size such as `1 MiB`",
    InputType.LIST: "a list",
    InputType.MAPPING: "a mapping",
}


def fit(wanted: InputType, value: Any) -> Any:
    """The value as the type has it, quantities in base units. ValueError says what is wanted instead."""
    if wanted is InputType.ANY:
        return value
    if isinstance(value, Quantity):
        value = value.text
    try:
        return _FITS[wanted](value)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"expected {_WANTED[wanted]}") from None


def _of(*kinds: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, kinds):
            raise TypeError
        return value

    return check


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    if isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    return value


def _integer(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError
    return int(number)


def _boolean(value: Any) -> bool:
    if value not in (True, False, "true", "false") or isinstance(value, int) is not isinstance(value, bool):
        raise TypeError
    return value in (True, "true")


def _quantity(dimension: Dimension) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        return parse_as(value, dimension).amount if isinstance(value, str) else _of(int, float)(value)

    return check


_FITS: dict[InputType, Callable[[Any], Any]] = {
    InputType.TEXT: _of(str),
    InputType.NUMBER: _number,
    InputType.INTEGER: _integer,
    InputType.BOOLEAN: _boolean,
    InputType.DURATION: _quantity(Dimension.TIME),
    InputType.SIZE: _quantity(Dimension.SIZE),
    InputType.LIST: _of(list, tuple),
    InputType.MAPPING: _of(dict),
}
