"""Units: what people write is read, what we write people read, and the one is the inverse of the other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow import units
from vezaflow.units import Dimension, parse, parse_as


@pytest.mark.parametrize(
    ("text", "amount", "dimension"),
    [
        ("300 ms", 0.3, Dimension.TIME),
        ("300ms", 0.3, Dimension.TIME),
        ("1.5s", 1.5, Dimension.TIME),
        ("12 us", 12e-6, Dimension.TIME),
        ("12 µs", 12e-6, Dimension.TIME),
        ("12 μs", 12e-6, Dimension.TIME),
        ("5m", 300, Dimension.TIME),
        ("2h", 7200, Dimension.TIME),
        ("1d", 86400, Dimension.TIME),
        ("1m30s", 90, Dimension.TIME),
        ("1h0m1.5s", 3601.5, Dimension.TIME),
        ("512 B", 512, Dimension.SIZE),
        ("1 kB", 1000, Dimension.SIZE),
        ("10 MiB", 10 * 2**20, Dimension.SIZE),
        ("0.5 %", 0.005, Dimension.RATIO),
        ("100%", 1, Dimension.RATIO),
        ("500/s", 500, Dimension.RATE),
        ("30 / m", 0.5, Dimension.RATE),
        ("7200/h", 2, Dimension.RATE),
    ],
)
def test_a_quantity_is_kept_in_base_units(text: str, amount: float, dimension: Dimension) -> None:
    quantity = parse(text)
    assert quantity.dimension is dimension
    assert quantity.amount == amount
    assert quantity.text == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("500", "'500' has no unit"),
        ("5 min", "did you mean 'm'?"),
        ("5 mb", "did you mean 'MB'?"),
        ("5 parsecs", "unknown unit 'parsecs'"),
        ("30s1m", "out of order"),
        ("1s1s", "out of order"),
        ("ms", "not a number with a unit"),
        ("", "not a number with a unit"),
        ("-5 s", "not a number with a unit"),
        ("1e400 s", "too large"),
        ("٣ ms", "not a number with a unit"),
    ],
)
def test_what_is_no_quantity_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        parse(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bare_number_gets_a_message_with_the_expected_unit() -> None:
    with pytest.raises(ValueError, match="write '500ms' or '500s'"):
        parse_as("500", Dimension.TIME)
    with pytest.raises(ValueError, match="write '500/s'"):
        parse_as("500", Dimension.RATE)


def test_another_dimension_is_refused() -> None:
    assert parse_as("5m", Dimension.TIME).amount == 300
    with pytest.raises(ValueError, match="is a size, not a time"):
        parse_as("10 MiB", Dimension.TIME)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.000000412, "0.412 µs"),
        (0.000412, "412 µs"),
        (0.41234, "412 ms"),
        (0.00095, "950 µs"),
        (0.9996, "1 s"),
        (1.2375, "1.24 s"),
        (30.0, "30 s"),
        (59.96, "1m"),
        (90, "1m30s"),
        (300, "5m"),
        (3599.7, "1h"),
        (7500, "2h5m"),
        (86400 * 3 + 3600 * 4, "3d4h"),
        (-0.25, "-250 ms"),
        (math.inf, "∞"),
        (math.nan, "–"),
    ],
)
def test_durations_for_people(seconds: float, shown: str) -> None:
    assert units.duration(seconds) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023.9, "1 KiB"),
        (1536, "1.5 KiB"),
        (10 * 2**20, "10 MiB"),
        (2.5 * 2**30, "2.5 GiB"),
        (5000 * 2**30, "5,000 GiB"),
    ],
)
def test_sizes_for_people(amount: float, shown: str) -> None:
    assert units.size(amount) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0, "0 %"),
        (0.0031, "0.31 %"),
        (0.00001, "0.001 %"),
        (0.123456, "12.3 %"),
        (1, "100 %"),
        (0.9997, "99.97 %"),
        (0.99999999, "99.9999 %"),
    ],
)
def test_only_all_of_it_is_100_percent(fraction: float, shown: str) -> None:
    assert units.ratio(fraction) == shown


@pytest.mark.parametrize(
    ("n", "shown"), [(4012, "4,012"), (4012.4, "4,012"), (12.345, "12.3"), (0.01234, "0.0123"), (999.7, "1,000")]
)
def test_numbers_and_rates_for_people(n: float, shown: str) -> None:
    assert units.number(n) == shown
    assert units.rate(n) == f"{shown}/s"


def test_one_thing_has_no_plural() -> None:
    assert [units.counted(n, "flow") for n in (0, 1, 1650)] == ["0 flows", "1 flow", "1,650 flows"]


@given(st.sampled_from(Dimension), st.floats(1e-3, 999))
def test_what_is_written_reads_back_within_its_digits(dimension: Dimension, amount: float) -> None:
    shown = units.text(amount, dimension).replace(",", "")
    read = parse_as(shown, dimension)
    digits = 0.0085 if dimension is Dimension.TIME and amount >= 60 else 0.0051  # from a minute on, whole seconds
    assert math.isclose(read.amount, amount, rel_tol=digits), shown


@given(st.floats(60, 1e8))
def test_long_durations_read_back_within_their_smaller_unit(seconds: float) -> None:
    read = parse_as(units.duration(seconds), Dimension.TIME).amount
    assert abs(read - seconds) <= (0.51 if seconds < 3600 else 31 if seconds < 86400 else 1801)


@given(st.text(max_size=30))
def test_parsing_gives_a_quantity_or_a_value_error(text: str) -> None:
    amount = 0.0
    try:
        amount = parse(text).amount
    except ValueError:
        pass
    assert math.isfinite(amount)
