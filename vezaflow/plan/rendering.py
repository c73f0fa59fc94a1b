"""Values as texts: as they stand in what is sent, and as messages show them.

A number that its author wrote in a way of his own is sent as it was written.
"""

from collections.abc import Callable
from typing import Any

from vezaflow.plan.scope import UNSET
from vezaflow.syntax import bounded_text, bounded_value, json_bytes, number_text

_BEHIND = 64 << 10  # characters behind a cut in which a secret that it falls into may end


class WrittenInt(int):
    """A whole number that its author wrote in another way than `render` does (`007`, `0x1F`): as a text it is what was
    written."""

    written: str


class WrittenFloat(float):
    """The same of another number: `1.50`."""

    written: str


def as_written(value: Any, written: str) -> Any:
    """A constant that remembers how it was written, where that matters."""
    if type(value) not in (int, float) or written == render(value):
        return value
    number = WrittenInt(value) if type(value) is int else WrittenFloat(value)
    number.written = written
    return number


def show(value: object, width: int = 60, mask: Callable[[str], str] = str) -> str:
    """A value on one line, cut, for messages. `mask`: what is done with the text before it is cut."""
    if isinstance(value, str):
        text = f'"{value}"'
    elif value is UNSET:
        return repr(value)
    else:
        try:
            text = json_bytes(bounded_value(value), default=_in_json).decode()
        except TypeError:
            text = str(value)
        except ValueError as too_large:
            return str(too_large)
    text = mask(" ".join(text.split())[: width + _BEHIND])
    return text if len(text) <= width else f"{text[: width - 1]}…"


def kind_of(value: object) -> str:
    """What a value is, in an author's words."""
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        tuple: "a list",
        dict: "a mapping",
    }
    return names.get(type(value), "a value")


def render(value: Any) -> str:
    """A value as it stands in a text: numbers and booleans as JSON writes them, lists and mappings as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.written
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) else number_text(value)
    if value is None or value is UNSET:
        raise ValueError("null can't be inserted into a text; give it a default with `??`")
    return bounded_text(json_bytes(bounded_value(value), default=_in_json).decode())


def _in_json(value: Any) -> Any:
    """What orjson does not know: a number that remembers how it was written, or what is no value of JSON."""
    return float(value) if isinstance(value, float) else str(value)
