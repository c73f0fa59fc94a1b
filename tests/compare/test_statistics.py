"""The statistics against values of printed tables and of other people's programs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.compare.blocks import block_length, weights
from vezaflow.compare.change_points import change_points
from vezaflow.compare.robust import centre, deviation
from vezaflow.compare.significance import discoveries
from vezaflow.compare.student import both_tails, incomplete_beta, quantile


@pytest.mark.parametrize(
    ("p", "freedom", "t"),
    [
        (0.975, 1, 12.7062), (0.975, 2, 4.30265), (0.975, 4, 2.77645), (0.995, 4, 4.60409), (0.995, 9, 3.24984),
        (0.95, 30, 1.69726), (0.975, 120, 1.97993), (0.975, float("inf"), 1.95996), (0.025, 4, -2.77645),
    ],
)  # fmt: skip
def test_quantiles_are_those_of_the_tables(p: float, freedom: float, t: float) -> None:
    assert quantile(p, freedom) == pytest.approx(t, rel=1e-5)


def test_tails_are_those_of_the_tables() -> None:
    assert both_tails(2.228, 10) == pytest.approx(0.05, abs=1e-4)
    assert both_tails(0, 5) == 1.0
    assert incomplete_beta(2, 3, 0.4) == pytest.approx(0.5248)  # 1 − Σ binomial(4, i) 0.4^i 0.6^(4−i), i < 2


@pytest.mark.slow
@given(p=st.floats(0.001, 0.999), freedom=st.floats(0.5, 1e5))
def test_a_quantile_is_where_its_tail_begins(p: float, freedom: float) -> None:
    t = quantile(p, freedom)
    assert both_tails(t, freedom) == pytest.approx(2 * min(p, 1 - p), rel=1e-6)


def autocorrelated(seconds: int, phi: float, seed: int = 1) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    drawn = np.random.default_rng(seed).standard_normal(seconds)
    for at in range(1, seconds):
        drawn[at] = phi * drawn[at - 1] + np.sqrt(1 - phi**2) * drawn[at]
    return drawn


def test_blocks_are_longer_where_neighbours_resemble_each_other() -> None:
    lengths = [np.mean([block_length(autocorrelated(300, phi, seed)) for seed in range(20)]) for phi in (0.0, 0.5, 0.9)]
    assert lengths[0] < lengths[1] < lengths[2]


@pytest.mark.slow
@given(seconds=st.integers(32, 900), phi=st.floats(0, 0.95))
def test_a_block_is_between_the_cube_root_and_an_eighth(seconds: int, phi: float) -> None:
    assert round(seconds ** (1 / 3), 9) <= block_length(autocorrelated(seconds, phi)) <= seconds // 8


def test_a_series_that_never_varies_has_the_shortest_blocks() -> None:
    assert block_length(np.ones(64)) == 4


def test_each_resample_has_as_many_seconds_as_the_run() -> None:
    drawn = weights(50, 7, 100, np.random.default_rng(1))
    assert (drawn.sum(axis=1) == 50).all()
    assert drawn.mean(axis=0) == pytest.approx(1, abs=0.5)


def test_centre_and_spread_forget_one_night_that_is_off() -> None:
    calm = [1.0, 1.1, 0.9, 1.05, 0.95, 1.02]
    assert centre([*calm, 9.0]) == pytest.approx(centre(calm), abs=0.1)
    assert deviation([*calm, 9.0]) < 0.3
    assert (centre([3.0]), deviation([3.0])) == (3.0, 0.0)


def test_the_spread_of_a_normal_distribution_is_its_sd() -> None:
    assert deviation(list(np.random.default_rng(1).standard_normal(200))) == pytest.approx(1, abs=0.15)


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    """The example of their paper: 15 tests, of which four are discoveries at 5 %."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    assert discoveries(p, 0.05).count(True) == 4
    assert discoveries([], 0.05) == ()


def test_a_step_of_a_tenth_is_found_within_five_nights_at_its_place() -> None:
    found = 0
    for seed in range(20):
        series = np.log(0.08) + 0.02 * np.random.default_rng(seed).standard_normal(35)
        series[30:] += np.log(1.1)
        found += any(abs(point.at - 30) <= 1 for point in change_points(list(series)))
    assert found >= 18


def test_two_changes_that_follow_each_other_are_both_found() -> None:
    random = np.random.default_rng(3)
    series = 0.01 * random.standard_normal(30) + np.repeat([0.0, 0.15, 0.0], 10)
    assert [point.at for point in change_points(list(series))] == [10, 20]


def test_two_nights_are_no_change() -> None:
    series = [*(0.01 * np.random.default_rng(1).standard_normal(30)), 1.0, 1.0]
    assert change_points(series) == ()


def test_a_series_that_never_varies_has_its_step_and_none_else() -> None:
    assert [point.at for point in change_points([1.0] * 10 + [2.0] * 5)] == [10]
    assert change_points([1.0] * 40) == ()
    assert change_points([]) == ()
