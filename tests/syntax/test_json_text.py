"""JSON keeps every digit, half a pair is no stumbling block, and a number is written in one way."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.syntax import JsonError, json_bytes, json_value, number_text

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.integers(-(10**40), 10**40) | st.integers(2**63 - 3, 2**64 + 3) | FLOATS
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=30) | st.text("0123456789", max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab1234567890", max_size=9), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Equal, 1 and 1.0 told apart."""
    return repr(one) == repr(other)


@given(VALUES, st.booleans(), st.booleans())
def test_what_is_read_is_what_the_standard_library_reads(value: Any, ascii_only: bool, spaced: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1 if spaced else None)
    assert same(json_value(text), json.loads(text))
    assert same(json_value(text.encode()), json.loads(text))


@given(VALUES, st.booleans())
def test_what_is_written_is_read_again_by_the_standard_library(value: Any, pretty: bool) -> None:
    assert same(json.loads(json_bytes(value, pretty=pretty)), value)


@pytest.mark.parametrize("offset", range(8))
@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "9" * 400, "18446744073709551615"])
def test_a_whole_number_keeps_its_digits_wherever_it_stands(number: str, offset: int) -> None:
    assert json_value(b"[" + b" " * offset + number.encode() + b"]") == [int(number)]


@given(st.lists(st.sampled_from(["\\ud83d", "\\ude00", "\\\\", "\\u0041", "\\uDBFF", "\\uDC00", "a", "\\n", "ud83d"])))
def test_half_a_surrogate_pair_becomes_a_replacement_character(pieces: list[str]) -> None:
    text = '{"t": "' + "".join(pieces) + '", "id": 7}'
    expected = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in json.loads(text)["t"])
    assert json_value(text) == json_value(text.encode()) == {"t": expected, "id": 7}


@pytest.mark.parametrize("text", [b"{}", b'{"a": 12345678901234567890123}', b'"\\ud83d"'])
def test_a_byte_order_mark_is_passed_over(text: bytes) -> None:
    assert json_value(b"\xef\xbb\xbf" + text) == json_value(text) == json_value("\ufeff" + text.decode())


@pytest.mark.parametrize(
    "text", [b"", b"{", b"NaN", b"[Infinity]", b"1e400", b'"caf\xe9"', b'"a\tb"', b"[" * 5000, b"9" * 5000,
             b"\xef\xbb\xbf", b"[12345678901234567890123, NaN]", b'"\\ud83d', b"\xef\xbb\xbf\xef\xbb\xbf1"]
)  # fmt: skip
def test_what_is_no_json_is_so_in_one_line(text: bytes) -> None:
    with pytest.raises(JsonError, match=r"^[^\n]+: line \d+ column \d+ \(char \d+\)$"):
        json_value(text)


@given(st.binary(max_size=40) | st.text('[]{}",:0123456789\\ud8e+-. ', max_size=60).map(str.encode))
def test_any_bytes_are_a_value_or_a_json_error(text: bytes) -> None:
    said = "nothing is wrong"
    try:
        json_value(text)
    except JsonError as error:
        said = error.reason
    assert said


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"), (-0.0, "0"), (10.1, "10.1"), (1e15, "1000000000000000"), (1764000000123456.0, "1764000000123456"),
        (1e20, "100000000000000000000"), (1.2345678901234568e20, "123456789012345680000"), (1e21, "1e+21"),
        (1e-6, "0.000001"), (1.5e-5, "0.000015"), (1e-7, "1e-7"), (-2.5e-10, "-2.5e-10"), (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (12345678901234567890123, "12345678901234567890123"),
    ],
)  # fmt: skip
def test_a_number_in_a_text_is_written_as_javascript_writes_it(number: float, text: str) -> None:
    assert number_text(number) == text


@given(FLOATS)
def test_a_number_in_a_text_is_that_number(number: float) -> None:
    text = number_text(number)
    assert float(text) == number
    assert not text.endswith(".0")
    assert ("e" in text) == (number != 0 and not 1e-6 <= math.fabs(number) < 1e21)
