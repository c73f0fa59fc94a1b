"""Values as JSON texts, whole numbers of any length among them."""

import json
from collections.abc import Callable
from typing import Any


def json_bytes(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """The value as compact JSON in UTF-8. TypeError says what can't be written."""
    import orjson  # here, so that lint starts without it

    try:
        return orjson.dumps(value, default=default)
    except TypeError:  # also of a whole number that needs more than 64 bits
        return _long(value, default)


def _long(value: Any, default: Callable[[Any], Any] | None) -> bytes:
    try:
        text = json.dumps(value, default=default, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise TypeError(str(error)) from None
    return text.encode()
