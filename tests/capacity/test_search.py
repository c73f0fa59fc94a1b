"""The search finds the edge of targets of every kind, and ends."""

import math
import random
from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vezaflow.capacity.search import Bracket, LevelOutcome, TriedLevel, bracket, distinct, grid, rungs_of

HELD, BROKE, UNCLEAR = LevelOutcome.HELD, LevelOutcome.BROKE, LevelOutcome.UNCLEAR
Target = Callable[[float], LevelOutcome]


def searched(factors: tuple[float, ...], target: Target, steps: int = 6) -> tuple[Bracket, list[TriedLevel]]:
    """The end of a search on a target, and all that was tried."""
    rungs = rungs_of(len(factors), steps)
    seen: list[TriedLevel] = []
    while (found := bracket(len(factors), rungs, seen)).next is not None:
        seen.append(TriedLevel(found.next, target(factors[found.next])))
        assert len(seen) <= 4 * len(factors), "the search does not end"
    return found, seen


def up_to(limit: float) -> Target:
    return lambda factor: HELD if factor <= limit else BROKE


SIZES = st.integers(2, 80)
STEPS = st.integers(1, 12)


@given(SIZES, STEPS, st.data())
def test_the_edge_of_a_target_without_noise_is_found_exactly(size: int, steps: int, data: st.DataObject) -> None:
    factors = tuple(float(n) for n in range(1, size + 1))
    edge = data.draw(st.integers(0, size))
    found, seen = searched(factors, up_to(edge), steps)
    assert found.holds == (edge - 1 if edge else None)
    assert found.ends == (edge if edge < size else None)
    assert len(seen) <= steps + 1 + math.ceil(math.log2(size)) + 2


@given(SIZES, STEPS, st.integers())
def test_the_search_ends_whatever_the_target_does(size: int, steps: int, seed: int) -> None:
    draw = random.Random(seed)
    found, seen = searched(tuple(map(float, range(1, size + 1))), lambda _: draw.choice((HELD, BROKE, UNCLEAR)), steps)
    if found.holds is not None and found.ends is not None:
        assert found.ends == found.holds + 1
    for at in filter(None, (found.holds, found.ends)):
        assert any(each.at == at for each in seen)


@given(st.floats(0.6, 3.8), st.integers(), st.floats(0.0, 0.04))
def test_noise_near_the_edge_moves_it_by_no_more_than_the_noise_and_a_step(
    limit: float, seed: int, noise: float
) -> None:
    draw = random.Random(seed)
    factors = grid(0.5, 4, 0.05)
    found, _ = searched(factors, lambda factor: up_to(limit)(factor * (1 + draw.uniform(-noise, noise))))
    assert found.holds is not None
    assert found.ends is not None
    assert factors[found.holds] <= limit * (1 + noise) / (1 - noise)
    assert factors[found.ends] >= limit * (1 - noise) / (1 + noise)


@given(st.floats(0.5, 3.0), st.floats(0.3, 2.0))
def test_a_target_that_holds_again_above_is_not_believed(breaks: float, width: float) -> None:
    """It breaks from one factor to another, and holds above: what holds is below the first break that was seen."""
    factors = grid(0.5, 4, 0.05)
    found, seen = searched(factors, lambda f: BROKE if breaks <= f < breaks + width else HELD, steps=20)
    if any(each.outcome is BROKE for each in seen):
        assert found.ends is not None
        assert factors[found.ends] >= breaks
        assert found.holds is None or factors[found.holds] < breaks


def test_nobody_goes_above_a_level_that_did_not_hold() -> None:
    _, seen = searched(grid(0.5, 4, 0.05), up_to(1.3))
    for number, each in enumerate(seen):
        broken = [earlier.at for earlier in seen[:number] if earlier.outcome is BROKE]
        assert not broken or each.at <= min(broken)


def test_a_target_that_never_breaks_costs_a_level_for_each_rung() -> None:
    found, seen = searched(grid(0.5, 4, 0.05), lambda _: HELD)
    assert found == Bracket(len(grid(0.5, 4, 0.05)) - 1, None, None)
    assert [each.at for each in seen] == list(rungs_of(len(grid(0.5, 4, 0.05)), 6))


def test_a_target_that_breaks_at_once_is_tried_twice() -> None:
    found, seen = searched(grid(0.5, 4, 0.05), lambda _: BROKE)
    assert found == Bracket(None, 0, None)
    assert len(seen) == 2


def test_an_unclear_level_is_not_held_and_is_closed_in_on() -> None:
    """A generator that ends at 2.3 times the load: what is sure lies just below."""
    factors = grid(0.5, 4, 0.05)
    found, seen = searched(factors, lambda factor: HELD if factor <= 2.3 else UNCLEAR)
    assert found.holds is not None
    assert found.ends is not None
    assert factors[found.holds] <= 2.3 < factors[found.ends]
    assert {each.outcome for each in seen if each.at == found.ends} == {UNCLEAR}


def test_a_bad_moment_of_the_generator_costs_two_levels() -> None:
    bad = [True]

    def target(factor: float) -> LevelOutcome:
        if factor >= 1.0 and bad:
            bad.clear()
            return UNCLEAR
        return HELD

    _, quiet = searched(grid(0.5, 4, 0.05), lambda _: HELD)
    found, seen = searched(grid(0.5, 4, 0.05), target)
    assert found.ends is None
    assert len(seen) == len(quiet) + 2


def test_both_sides_of_the_edge_are_repeated() -> None:
    found, seen = searched(grid(0.5, 4, 0.05), up_to(1.7))
    assert [sum(each.at == at for each in seen) for at in (found.holds, found.ends)] == [2, 2]


def test_one_stroke_of_bad_luck_is_outvoted() -> None:
    factors, unlucky = grid(0.5, 4, 0.05), [True]

    def target(factor: float) -> LevelOutcome:
        if factor > 1.5 and unlucky:
            unlucky.clear()
            return BROKE
        return up_to(2.5)(factor)

    found, _ = searched(factors, target)
    assert found.holds is not None
    assert factors[found.holds] <= 2.5 < factors[found.holds + 1]


@given(st.floats(0.01, 10), st.floats(1.01, 100), st.floats(0.01, 1))
def test_a_grid_goes_from_end_to_end_in_steps_of_the_precision(low: float, ratio: float, precision: float) -> None:
    high = low * ratio
    factors = grid(low, high, precision)
    assert (factors[0], factors[-1]) == (low, high)
    for below, above in pairwise(factors):
        assert below < above <= below * (1 + precision) * 1.011


def test_marks_are_on_the_grid() -> None:
    assert {1.0, 1.5} <= set(grid(0.5, 4, 0.2, (1.0, 1.5, 9.0)))
    assert 9.0 not in grid(0.5, 4, 0.2, (1.0, 1.5, 9.0))


def test_factors_of_the_same_load_are_one_level() -> None:
    factors = grid(0.5, 4, 0.05, (1.0, 1.5))
    levels = distinct(factors, lambda factor: round(factor * 4), (1.5, 1.0))
    assert len({round(factor * 4) for factor in levels}) == len(levels) == 15
    assert {1.0, 1.5} <= set(levels)


@given(st.integers(2, 100), st.integers(1, 200))
def test_rungs_go_from_the_first_level_to_the_last(size: int, steps: int) -> None:
    rungs = rungs_of(size, steps)
    assert (rungs[0], rungs[-1]) == (0, size - 1)
    assert len(rungs) == min(steps, size - 1) + 1
