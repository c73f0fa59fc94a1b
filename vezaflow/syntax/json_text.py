"""Values as JSON texts, whole numbers of any length among them.

Law: what JSON has no text for is an error and never `null` instead: infinite numbers, what is nested too deep, half
of a surrogate pair.
"""

import json
import math
from collections.abc import Callable
from typing import Any

_NOT_FINITE = "JSON has no infinite numbers, and none that are no number"


def json_bytes(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """The value as compact JSON in UTF-8. TypeError says what can't be written."""
    import orjson  # here, so that lint starts without it

    try:
        text = orjson.dumps(value, default=default)
    except TypeError:  # also of a whole number that needs more than 64 bits
        return _long(value, default)
    if b"null" in text and not all_finite(value):  # what orjson writes for them
        raise TypeError(_NOT_FINITE)
    return text


def all_finite(value: Any) -> bool:
    """Whether no number in it is infinite or none at all."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, float):
            if not math.isfinite(each):
                return False
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
    return True


def _long(value: Any, default: Callable[[Any], Any] | None) -> bytes:
    try:
        text = json.dumps(value, default=default, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except RecursionError:
        raise TypeError("it is nested too deep") from None
    except UnicodeEncodeError:
        raise TypeError("half of a surrogate pair stands for no character") from None
    except ValueError as error:
        raise TypeError(_NOT_FINITE if "range" in str(error) else str(error)) from None
