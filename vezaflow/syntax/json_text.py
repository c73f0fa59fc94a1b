"""Values as JSON texts and back: whole numbers of any length keep their digits, both ways.

orjson does the work. What it does not read is read again: whole numbers beyond 64 bits, of which it makes floats; half
a surrogate pair (RFC 8259, 8.2), which becomes U+FFFD so that every text can be sent; a byte order mark (8.1), which is
passed over. A number has one form in all texts, that of JavaScript's Number::toString.
What JSON has no text for is an error and never `null` instead: infinite numbers, what is nested too deep, half of a
surrogate pair.
"""

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

_MARK = b"\xef\xbb\xbf"
_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 19  # the fewest digits that may be beyond 64 bits
_STRIDE = 4
_SAMPLE = _LONG[: 19 // _STRIDE]  # what at least is left of them in every fourth byte
_ESCAPE = re.compile(  # group 1: half a surrogate pair
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_NOT_FINITE = "JSON has no infinity and no NaN"


class JsonError(ValueError):
    """A text that is no JSON. `reason` in one line; `position` in the text, from 0."""

    def __init__(self, reason: str, position: int, line: int, column: int) -> None:
        super().__init__(f"{reason}: line {line} column {column} (char {position})")
        self.reason, self.position, self.line, self.column = reason, position, line, column


def json_value(text: bytes | str) -> Any:
    """The value of a JSON text. Raises JsonError."""
    try:
        return _exactly(text)
    except json.JSONDecodeError as error:
        body = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        try:
            return _leniently(body)
        except (ValueError, RecursionError):
            raise JsonError(error.msg, error.pos, error.lineno, error.colno) from None


def _exactly(text: bytes | str) -> Any:
    import orjson  # here, so that lint starts without it

    value = orjson.loads(text)
    if len(text) < len(_LONG):
        return value
    body = text.encode("utf-8", "replace") if isinstance(text, str) else text
    # every fourth byte first: 1 µs where a look at all of 2.7 KB takes 4 and orjson 10
    if _SAMPLE not in body[::_STRIDE].translate(_ZEROS) or _LONG not in body.translate(_ZEROS):
        return value
    try:
        return _slowly(body)
    except (ValueError, RecursionError):  # deeper than the standard library goes, or of more digits than it reads
        return value


def _leniently(body: bytes) -> Any:
    """The value of what orjson refuses for a mark, for half a pair or for a number of very many digits."""
    plain = _ESCAPE.sub(_whole_pairs, body.removeprefix(_MARK))
    try:
        return _exactly(plain)
    except json.JSONDecodeError:
        return _slowly(plain)


def _whole_pairs(found: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if found[1] else found[0]


def _slowly(body: bytes) -> Any:
    return json.loads(body.decode(), parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"JSON has no {text}")
    return number


def number_text(value: int | float) -> str:
    """A number as it stands in a text, as JavaScript writes it: `1` for 1.0, all digits below 1e21 and from 1e-6 on."""
    if not isinstance(value, float):
        return str(value) if value.bit_length() < 4096 else f"{value:x}"
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0")
    if 1e-6 <= abs(value) < 1e21:
        return f"{Decimal(text):f}"
    return text.replace("e-0", "e-")


def json_bytes(value: Any, default: Callable[[Any], Any] | None = None, *, pretty: bool = False) -> bytes:
    """The value as JSON in UTF-8, compact, or `pretty` over several lines. TypeError says what can't be written."""
    import orjson  # here, so that lint starts without it

    try:
        written = orjson.dumps(value, default=default, option=orjson.OPT_INDENT_2 if pretty else None)
    except TypeError:  # also of a whole number that needs more than 64 bits
        return _long(value, default, pretty)
    if b"null" in written and not all_finite(value):  # what orjson writes for them
        raise TypeError(_NOT_FINITE)
    return written


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


def _long(value: Any, default: Callable[[Any], Any] | None, pretty: bool) -> bytes:
    indent, separators = (2, (",", ": ")) if pretty else (None, (",", ":"))
    try:
        text = json.dumps(
            value, default=default, ensure_ascii=False, indent=indent, separators=separators, allow_nan=False
        )
        return text.encode()
    except RecursionError:
        raise TypeError("nested too deep") from None
    except UnicodeEncodeError:
        raise TypeError("an unpaired surrogate is not a character") from None
    except ValueError as error:
        raise TypeError(_NOT_FINITE if "range" in str(error) else str(error)) from None
