"""Histograms of Prometheus: what came between two scrapes, and quantiles as its own functions have them."""

from math import inf, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.observe import Bucket, Increase, NativeSample, Period, classic, quantile, since, united

LAYOUT = (0.1, 0.25, 0.5, inf)


def of(*counts: float) -> tuple[tuple[float, float], ...]:
    """Cumulative counts of LAYOUT."""
    return tuple(zip(LAYOUT, counts, strict=True))


@pytest.mark.parametrize(
    ("counts", "share", "value", "low", "high"),
    [
        ((10, 10, 10, 10), 0.5, 0.05, 0.0, 0.1),
        ((0, 10, 10, 10), 0.95, 0.2425, 0.1, 0.25),
        ((5, 10, 10, 10), 0.5, 0.1, 0.0, 0.1),  # exactly at the bound
        ((5, 5, 10, 10), 0.75, 0.375, 0.25, 0.5),
        ((0, 0, 0, 10), 0.95, 0.5, 0.5, inf),  # only known to be above the highest bound
        ((5, 4, 10, 10), 0.5, 0.1, 0.0, 0.1),  # counts that fall are raised
    ],
)
def test_a_quantile_is_interpolated_in_its_bucket(
    counts: tuple[float, ...], share: float, value: float, low: float, high: float
) -> None:
    found = quantile(classic(of(*counts)), share)
    assert found is not None
    assert (found.low, found.high) == (low, high)
    assert isclose(found.value, value)


def test_without_observations_there_is_no_quantile() -> None:
    assert quantile(classic(of(0, 0, 0, 0)), 0.95) is None
    assert quantile((), 0.95) is None


@given(st.lists(st.floats(0.001, 20), min_size=1, max_size=200), st.floats(0.01, 1))
def test_the_true_quantile_lies_in_the_bucket_that_is_named(values: list[float], share: float) -> None:
    found = quantile(classic([(edge, sum(value <= edge for value in values)) for edge in LAYOUT]), share)
    assert found is not None
    rank = max(1, -(-len(values) * share // 1))  # nearest rank
    true = sorted(values)[int(rank) - 1]
    assert found.low < true <= found.high
    assert found.low <= found.value <= found.high


@given(st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4), min_size=1, max_size=4))
def test_a_sum_of_like_histograms_has_the_sum_of_each_bucket(parts: list[list[int]]) -> None:
    cumulative = [[sum(part[: n + 1]) for n in range(4)] for part in parts]
    whole = united(classic(of(*counts)) for counts in cumulative)
    assert [bucket.count for bucket in whole] == [sum(part[n] for part in parts) for n in range(4)]


def test_unlike_layouts_are_summed_where_all_of_them_have_a_bound() -> None:
    fine = (Bucket(0.0, 1.0, 2.0), Bucket(1.0, 2.0, 3.0), Bucket(2.0, inf, 1.0))
    coarse = (Bucket(0.0, 2.0, 4.0), Bucket(2.0, inf, 0.0))
    assert united((fine, coarse)) == (Bucket(0.0, 2.0, 9.0), Bucket(2.0, inf, 1.0))


def test_what_became_coarser_is_subtracted_from_the_wide_bucket() -> None:
    before = (Bucket(1.0, 1.41, 2.0), Bucket(1.41, 2.0, 1.0))
    assert since((Bucket(1.0, 2.0, 7.0),), before) == (Bucket(1.0, 2.0, 4.0),)


def test_a_histogram_with_fewer_observations_was_reset() -> None:
    assert since((Bucket(0.0, 1.0, 1.0),), (Bucket(0.0, 1.0, 2.0),)) is None
    assert since((), (Bucket(0.0, 1.0, 2.0),)) is None


def taken(period: Period, *samples: tuple[float, float]) -> Increase:
    increase = Increase(period)
    for at, value in samples:
        increase.take(at, value)
    return increase


def test_an_increase_is_from_the_last_scrape_before_to_the_first_after() -> None:
    found = taken(Period(10, 20), (5, 1.0), (9, 3.0), (14, 4.0), (19, 6.0), (21, 9.0), (26, 99.0))
    assert (found.begin, found.end, found.total) == (9, 21, 6.0)
    assert found.covered


def test_scrapes_on_the_ends_are_the_ends() -> None:
    found = taken(Period(10, 20), (9, 1.0), (10, 3.0), (20, 8.0), (21, 9.0))
    assert (found.begin, found.end, found.total) == (10, 20, 5.0)


def test_a_counter_that_falls_counts_from_zero_again() -> None:
    found = taken(Period(10, 20), (9, 100.0), (12, 110.0), (15, 3.0), (18, 4.0), (20, 1.0))
    assert found.total == 10 + 3 + 1 + 1


def test_what_was_read_twice_counts_once() -> None:
    assert taken(Period(10, 20), (9, 1.0), (15, 4.0), (15, 4.0), (9, 1.0), (20, 6.0)).total == 5.0


def test_a_series_that_begins_within_the_period_began_at_zero_if_its_target_was_there() -> None:
    samples = ((13.0, 4.0), (17.0, 6.0), (21.0, 7.0))
    assert taken(Period(10, 20), *samples).total == 3.0
    found = taken(Period(10, 20), *samples)
    found.from_zero(9.5)
    assert (found.begin, found.end, found.total) == (9.5, 21.0, 7.0)


def native(count: float, *buckets: Bucket) -> NativeSample:
    return NativeSample(count, count * 1.5, tuple(buckets))


def test_native_histograms_increase_with_resets() -> None:
    increase = Increase(Period(10, 20))
    for at, sample in (
        (9.0, native(2, Bucket(1, 2, 2))),
        (14.0, native(5, Bucket(1, 2, 3), Bucket(2, 4, 2))),
        (17.0, native(1, Bucket(2, 4, 1))),
        (20.0, native(2, Bucket(2, 4, 2))),
    ):
        increase.take(at, sample)
    assert increase.native is not None
    assert increase.native.count == 3 + 1 + 1
    assert increase.native.buckets == (Bucket(1, 2, 1), Bucket(2, 4, 4))


def test_native_buckets_are_interpolated_on_their_own_scale_if_asked() -> None:
    buckets = (Bucket(1.0, 2.0, 2.0), Bucket(2.0, 4.0, 2.0))
    linear, exponential = quantile(buckets, 0.25), quantile(buckets, 0.25, exponential=True)
    assert linear is not None
    assert exponential is not None
    assert isclose(linear.value, 1.5)
    assert isclose(exponential.value, 2**0.5)
