"""The histogram keeps its promises: exact counts, 0.1 % of error, merging without loss."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.metrics import Histogram
from vezaflow.metrics.histogram import RELATIVE_ERROR
from vezaflow.units import AtLeast

times = st.floats(min_value=1e-6, max_value=4000.0)
samples = st.lists(st.one_of(st.just(0.0), times), min_size=1, max_size=200)
shares = st.floats(min_value=0.0, max_value=1.0)


def of(values: list[float]) -> Histogram:
    histogram = Histogram()
    histogram.record_many(np.array(values, dtype=float))
    return histogram


def nearest_rank(values: list[float], q: float) -> float:
    return sorted(values)[max(1, ceil(round(q * len(values), 6))) - 1]


@given(samples, shares)
def test_a_quantile_is_the_nearest_rank_sample_to_a_thousandth(values: list[float], q: float) -> None:
    true = nearest_rank(values, q)
    assert of(values).quantile(q) == pytest.approx(true, rel=RELATIVE_ERROR * 1.001, abs=0)


@given(samples, st.lists(shares, min_size=2, max_size=10))
def test_quantiles_never_fall_as_the_share_grows(values: list[float], qs: list[float]) -> None:
    found = of(values).quantiles(sorted(qs))
    assert list(found) == sorted(q for q in found if q is not None)


@given(samples, st.integers(0, 200))
def test_the_merge_of_any_split_equals_the_whole(values: list[float], cut: int) -> None:
    one = of(values[:cut])
    one.add(of(values[cut:]))
    assert one == of(values)


@given(samples, samples)
def test_taking_an_earlier_state_away_leaves_what_came_since(first: list[float], then: list[float]) -> None:
    histogram = of(first)
    earlier = histogram.copy()
    histogram.record_many(np.array(then))
    since = histogram.minus(earlier)
    assert (since.count, since.zeros, since.nanoseconds) == (
        len(then), then.count(0.0), of(then).nanoseconds
    )  # fmt: skip
    assert since.quantile(0.5) == pytest.approx(nearest_rank(then, 0.5), rel=0.002)


def test_where_only_zeros_came_since_nothing_else_is_left() -> None:
    earlier = of([0.5, 2.0])
    now = earlier.copy()
    now.record_zeros(3)
    since = now.minus(earlier)
    assert since == of([0.0, 0.0, 0.0])
    since.record(1.0)
    assert since == of([0.0, 0.0, 0.0, 1.0])
    assert earlier == of([0.5, 2.0])


@given(samples)
def test_json_brings_the_same_histogram_back(values: list[float]) -> None:
    assert Histogram.from_json(of(values).to_json()) == of(values)


@given(samples)
def test_count_sum_least_and_most_are_exact(values: list[float]) -> None:
    histogram = of(values)
    assert histogram.count == len(values)
    assert (histogram.minimum, histogram.maximum) == (min(values), max(values))
    assert histogram.mean == pytest.approx(sum(values) / len(values), abs=1e-9)


@given(samples, samples)
def test_a_copy_is_not_touched_by_what_comes_later(first: list[float], then: list[float]) -> None:
    histogram = of(first)
    copy = histogram.copy()
    histogram.record_many(np.array(then))
    assert copy == of(first)


def test_without_samples_there_is_no_quantile_and_no_mean() -> None:
    assert (Histogram().quantile(0.95), Histogram().mean) == (None, None)


def test_times_out_of_range_count_and_keep_their_extremes() -> None:
    histogram = of([1e-9, 90_000.0])
    assert (histogram.count, histogram.minimum, histogram.quantile(1.0)) == (2, 1e-9, 90_000.0)


def test_a_typical_distribution_takes_less_than_64_kilobytes() -> None:
    histogram = of(list(np.geomspace(0.001, 2.0, 10_000)))
    assert histogram._counts is not None
    assert histogram._counts.nbytes < 64 * 1024


def with_cut(values: list[float], cut: list[float]) -> Histogram:
    histogram = of(values)
    histogram.record_cut(np.array(cut, dtype=float))
    return histogram


@given(samples, st.lists(times, max_size=50), shares)
def test_what_timed_out_ranks_behind_all_that_is_known(values: list[float], cut: list[float], q: float) -> None:
    found = with_cut(values, cut).quantile(q)
    assert found is not None
    rank = max(1, ceil(round(q * (len(values) + len(cut)), 6)))
    if rank <= len(values):
        assert not isinstance(found, AtLeast)
        assert found == pytest.approx(sorted(values)[rank - 1], rel=RELATIVE_ERROR * 1.001, abs=0)
    else:
        assert isinstance(found, AtLeast)
        assert found == pytest.approx(sorted([*values, *cut])[rank - 1], rel=RELATIVE_ERROR * 1.001, abs=0)


@given(samples, st.lists(times, min_size=1, max_size=50), shares, st.floats(0.0, 10.0))
def test_a_timeout_never_makes_a_quantile_better(values: list[float], cut: list[float], q: float, more: float) -> None:
    before, after = of(values).quantile(q), with_cut(values, cut).quantile(q)
    true = nearest_rank([*values, *(time + more for time in cut)], q)
    assert before is not None
    assert after is not None
    if isinstance(after, AtLeast):
        assert after <= true * (1 + RELATIVE_ERROR * 1.001)
    else:
        assert after >= before * (1 - RELATIVE_ERROR * 2.01)


@given(st.lists(times, max_size=50), st.lists(times, min_size=1, max_size=50), st.integers(0, 50))
def test_lower_bounds_are_merged_kept_and_taken_away_without_loss(
    values: list[float], cut: list[float], at: int
) -> None:
    whole = with_cut(values, cut)
    one = with_cut(values[:at], cut[:at])
    earlier = one.copy()
    one.add(with_cut(values[at:], cut[at:]))
    assert one == whole
    assert Histogram.from_json(whole.to_json()) == whole
    since = one.minus(earlier)
    assert since.samples == len(values[at:]) + len(cut[at:])
    assert isinstance(since.most, AtLeast) is bool(cut[at:])
    assert earlier == with_cut(values[:at], cut[:at])


def test_mean_and_most_among_timeouts_are_lower_bounds_and_the_least_is_known() -> None:
    histogram = with_cut([0.1, 0.2], [0.3])
    assert histogram.samples == 3
    assert isinstance(histogram.mean, AtLeast)
    assert histogram.mean == pytest.approx(0.2)
    assert (histogram.least, histogram.most) == (0.1, 0.3)
    assert [isinstance(figure, AtLeast) for figure in (histogram.least, histogram.most)] == [False, True]
    assert isinstance(with_cut([], [0.3]).least, AtLeast)


def test_rare_times_of_a_long_run_take_no_more_memory() -> None:
    histogram = of([0.001 + n * 1e-5 for n in range(16)])
    assert histogram._counts is not None
    before = histogram._counts.nbytes
    for rare in (0.0006, 0.02, 0.2):
        histogram.record(rare)
    assert histogram._counts.nbytes == before


def test_a_single_time_takes_one_octave() -> None:
    counts = of([0.25])._counts
    assert counts is not None
    assert counts.nbytes == 2048


def test_more_samples_than_32_bits_count_stay_exact() -> None:
    histogram = of([0.001, 0.002, 0.002, 0.004])
    for _ in range(40):
        histogram.add(histogram.copy())
    assert histogram.count == 4 * 2**40
    assert histogram.quantiles((0.25, 0.5, 0.75, 1.0)) == pytest.approx((0.001, 0.002, 0.002, 0.004), rel=0.001)
    assert Histogram.from_json(histogram.to_json()) == histogram
    small = of([0.008])
    small.add(histogram)
    assert small.minus(of([0.008])).quantile(0.75) == histogram.quantile(0.75)
    histogram.add(of([0.008]))
    assert small == histogram
