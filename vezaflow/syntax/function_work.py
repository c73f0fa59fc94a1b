"""What the functions of the table do. Each checks what it is given and raises CallError, never anything else.

Texts end at 4 Mi characters, lists at 100,000 items and whole numbers at 4,096 bits, whatever is asked for (bounds.py).
"""

import base64 as _base64
import binascii
import hashlib
import hmac as _hmac
import math
import re
import time
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import quote, urljoin

from vezaflow.syntax.bounds import LONGEST, MOST_BITS, MOST_ITEMS, bounded_value
from vezaflow.syntax.json_text import json_bytes, json_value, number_text
from vezaflow.syntax.jsonpath import compile_jsonpath

MOST_RANGE = 10_000
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_FORMAT = re.compile(r"%[YmdHMSfjybBaAz%]|[^%]")


class CallError(ValueError):
    """A function was given what it can't work on; the text is one line for the author."""


def _kind(value: object) -> str:
    known: dict[type, str] = {
        bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", tuple: "a list",
        dict: "a mapping",
    }  # fmt: skip
    return "null" if value is None else known.get(type(value), "a value")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        if value is None or isinstance(value, dict | list | tuple):
            raise CallError(f"expected a text, got {_kind(value)}")
        return as_text(value)
    return _bounded(value)


def _bounded(text: str) -> str:
    if len(text) > LONGEST:
        raise CallError(f"a text of more than {LONGEST:,} characters")
    return text


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CallError(f"expected a number, got {_kind(value)}")
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise CallError(f"a number of more than {MOST_BITS:,} bits")
    return value


def _whole(value: Any) -> int:
    number = _number(value)
    if isinstance(number, float):
        if not number.is_integer():
            raise CallError(f"expected a whole number, got {number}")
        return int(number)
    return number


def _list(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise CallError(f"expected a list, got {_kind(value)}")
    return value


def _bytes(value: Any) -> bytes:
    return _text(value).encode("utf-8", "surrogatepass")


def as_text(value: Any) -> str:
    """A value as it stands in a text: numbers without a needless .0, lists and mappings as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return number_text(value)
    return json_encode(value)


# chance


def pick(random: Random, items: Any) -> Any:
    values = _list(items)
    if not values:
        raise CallError("nothing to pick from: the list is empty")
    return values[int(random.random() * len(values))]


def random(random: Random, low: Any, high: Any) -> int:
    least, most = _whole(low), _whole(high)
    if least > most:
        raise CallError(f"no number between {least} and {most}: write the lower bound first")
    return random.randint(least, most)


def uniform(random: Random, low: Any, high: Any) -> float:
    return random.uniform(_number(low), _number(high))


def chance(random: Random, share: Any) -> bool:
    return random.random() < _number(share)


def uuid(random: Random) -> str:
    bits = f"{random.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | 4 << 76 | 2 << 62:032x}"
    return f"{bits[:8]}-{bits[8:12]}-{bits[12:16]}-{bits[16:20]}-{bits[20:]}"


def letters(random: Random, count: Any) -> str:
    many = _whole(count)
    if not 0 <= many <= MOST_RANGE:
        raise CallError(f"0 to {MOST_RANGE:,} letters can be had, not {many:,}")
    return "".join(random.choices(_ALPHABET, k=many))


# time


def now() -> float:
    return time.time()


def timestamp(form: Any = "%Y-%m-%dT%H:%M:%SZ") -> str:
    text = _text(form)
    if len(text) > 200 or "".join(_FORMAT.findall(text)) != text:
        raise CallError("supported in a format: %Y %m %d %H %M %S %f %j %y %b %B %a %A %z and plain characters")
    return datetime.now(UTC).strftime(text)


# text


def length(value: Any) -> int:
    if not isinstance(value, str | list | tuple | dict):
        raise CallError(f"{_kind(value)} has no length")
    return len(value)


def upper(text: Any) -> str:
    return _text(text).upper()


def lower(text: Any) -> str:
    return _text(text).lower()


def trim(text: Any) -> str:
    return _text(text).strip()


def replace(text: Any, old: Any, new: Any) -> str:
    whole, before, after = _text(text), _text(old), _text(new)
    if not before:
        raise CallError("an empty text can't be replaced")
    if len(whole) + whole.count(before) * len(after) > LONGEST:
        raise CallError(f"a text of more than {LONGEST:,} characters")
    return whole.replace(before, after)


def split(text: Any, separator: Any) -> list[str]:
    whole, between = _text(text), _text(separator)
    if not between:
        raise CallError("the separator is empty")
    if whole.count(between) >= MOST_ITEMS:
        raise CallError(f"a list of more than {MOST_ITEMS:,} items")
    return whole.split(between)


def join(items: Any, separator: Any) -> str:
    parts, between = [_text(item) for item in _list(items)], _text(separator)
    if sum(map(len, parts)) + len(parts) * len(between) > LONGEST:
        raise CallError(f"a text of more than {LONGEST:,} characters")
    return between.join(parts)


def concat(*values: Any) -> str:
    return join(values, "")


def substr(text: Any, start: Any, length: Any = None) -> str:
    whole, at = _text(text), _whole(start)
    first = max(0, len(whole) + at) if at < 0 else at
    return whole[first:] if length is None else whole[first : first + max(0, _whole(length))]


def contains(value: Any, part: Any) -> bool:
    return _text(part) in value if isinstance(value, str) else part in _list(value)


def starts_with(text: Any, start: Any) -> bool:
    return _text(text).startswith(_text(start))


def ends_with(text: Any, end: Any) -> bool:
    return _text(text).endswith(_text(end))


# numbers


def integer(value: Any) -> int:
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[-+]?[0-9]{1,400}(\.[0-9]*)?\s*", value):
            raise CallError(f"'{value[:40]}' is not a number")
        return int(value.split(".")[0]) if value.strip().split(".")[0] not in ("+", "-") else 0
    number = value if isinstance(value, bool) else _number(value)
    if not math.isfinite(number):
        raise CallError(f"{number} is not a whole number")
    return int(number)


def floating(value: Any) -> float:
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,4})?\s*", value, re.ASCII):
            raise CallError(f"'{value[:40]}' is not a number")
        return float(value)
    try:
        return float(_number(value))
    except OverflowError:
        raise CallError("a number that is too large") from None


def rounded(number: Any, digits: Any = 0) -> int | float:
    value, places = _number(number), _whole(digits)
    if not -20 <= places <= 20:
        raise CallError("-20 to 20 digits are supported")
    if isinstance(value, float) and not math.isfinite(value):
        raise CallError(f"{value} can't be rounded")
    return round(value) if places == 0 else round(value, places)


def absolute(number: Any) -> int | float:
    return abs(_number(number))


def _numbers(values: tuple[Any, ...]) -> list[int | float]:
    items = _list(values[0]) if len(values) == 1 and isinstance(values[0], list | tuple) else values
    if not items:
        raise CallError("the list is empty")
    return [_number(item) for item in items]


def least(*values: Any) -> int | float:
    return min(_numbers(values))


def most(*values: Any) -> int | float:
    return max(_numbers(values))


def mod(number: Any, divisor: Any) -> int | float:
    value, by = _number(number), _number(divisor)
    if by == 0:
        raise CallError("remainder of a division by zero")
    return value % by


def total(items: Any) -> int | float:
    return sum(_number(item) for item in _list(items))


# lists and mappings


def first(items: Any) -> Any:
    values = _list(items)
    return values[0] if values else None


def last(items: Any) -> Any:
    values = _list(items)
    return values[-1] if values else None


def keys(mapping: Any) -> list[Any]:
    if not isinstance(mapping, dict):
        raise CallError(f"expected a mapping, got {_kind(mapping)}")
    return list(mapping)


def integers(count: Any) -> list[int]:
    many = _whole(count)
    if not 0 <= many <= MOST_RANGE:
        raise CallError(f"a range has 0 to {MOST_RANGE:,} numbers, not {many:,}")
    return list(range(many))


# encodings and digests


def base64(text: Any) -> str:
    return _base64.b64encode(_bytes(text)).decode()


def base64_decode(text: Any) -> str:
    plain = _text(text).strip().rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        return _base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise CallError("not Base64 of a UTF-8 text") from None


def absolute_url(link: Any, base: Any) -> str:
    whole, page = _text(link).strip(), _text(base).strip()
    try:
        return _bounded(urljoin(page, whole))
    except ValueError as error:
        raise CallError(f"not a valid URL: {error}") from None


def urlencode(text: Any) -> str:
    return quote(_bytes(text), safe="")


def raw(text: Any) -> str:
    return _bytes(text).decode()


def hexadecimal(text: Any) -> str:
    return _bytes(text).hex()


def sha256(text: Any) -> str:
    return hashlib.sha256(_bytes(text)).hexdigest()


def md5(text: Any) -> str:
    return hashlib.md5(_bytes(text), usedforsecurity=False).hexdigest()


def hmac_sha256(key: Any, text: Any) -> str:
    return _hmac.new(_bytes(key), _bytes(text), "sha256").hexdigest()


def json_encode(value: Any) -> str:
    try:
        return _bounded(json_bytes(bounded_value(value)).decode())
    except (TypeError, ValueError) as error:
        raise CallError(f"not serializable to JSON: {error}") from None


def json_decode(text: Any) -> Any:
    try:
        return json_value(_bytes(text))
    except ValueError as error:
        raise CallError(f"not valid JSON: {error}") from None


# the response; its own errors are its own words


def json(response: Any, path: Any) -> Any:
    try:
        find = compile_jsonpath(_text(path))
    except ValueError as reason:
        raise CallError(f"not a JSONPath: {reason}") from None
    document = response.json()
    try:
        found = find(document)
    except ValueError as reason:
        raise CallError(str(reason)) from None
    return (found[0] if found else None) if find.definite else found


def header(response: Any, name: Any) -> str | None:
    value: str | None = response.header(_text(name))
    return value


def cookie(response: Any, name: Any) -> str | None:
    value: str | None = response.cookie(_text(name))
    return value


def body(response: Any) -> str:
    text: str = response.text()
    return text


def status(response: Any) -> int:
    code: int = response.status
    return code


def duration(response: Any) -> float:
    seconds: float = response.duration
    return seconds


def size(response: Any) -> int:
    count: int = response.size
    return count


def certificate(response: Any) -> float | None:
    seconds: float | None = response.certificate
    return seconds
