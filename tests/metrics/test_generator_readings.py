"""Readings of the generator and of failures: bounded, and nothing is lost when they become fewer."""

from collections import Counter

import pytest

from vezaflow.metrics import Reading, ReadingsKeeper, fewest_kinds, side_by_side


def reading(second: float, cpu: float = 0.5, missing: float | None = None, **failures: int) -> Reading:
    return Reading(second, 1.0, cpu, 0.1, missing, {"browse": failures} if failures else {})


def test_a_long_run_has_a_bounded_number_and_loses_no_failure() -> None:
    keeper = ReadingsKeeper(most=8)
    for second in range(100):
        keeper.put(reading(second + 1.0, cpu=second / 100, timeout=1))
    found = keeper.readings()
    assert len(found) <= 9
    assert sum(each.failures["browse"]["timeout"] for each in found) == 100
    assert sum(each.length for each in found) == 100
    assert max(each.cpu for each in found) == 0.99
    assert found[-1].second == 100


def test_what_is_missing_is_a_mean_of_the_time_in_which_it_is_known() -> None:
    keeper = ReadingsKeeper(most=2)
    for missing in (None, 0.1, 0.3):
        keeper.put(reading(1.0, missing=missing))
    first, _ = keeper.readings()
    assert first.missing == 0.1


def test_segments_side_by_side_show_the_worst_generator_and_all_failures() -> None:
    (found,) = side_by_side([[reading(1.1, cpu=0.2, timeout=2)], [reading(0.9, cpu=0.9, missing=0.2, timeout=1)]])
    assert (found.cpu, found.missing, found.length) == (0.9, 0.2, 1.0)
    assert found.failures == {"browse": {"timeout": 3}}


def test_many_kinds_become_a_dozen() -> None:
    found = fewest_kinds(Counter({f"status {number}": number for number in range(400, 440)}))
    assert len(found) == 12
    assert sum(found.values()) == sum(range(400, 440))
    assert found["status 439"] == 439


@pytest.mark.parametrize("missing", [None, 0.25])
def test_a_reading_is_read_back(missing: float | None) -> None:
    whole = reading(2.0, missing=missing, timeout=2)
    assert Reading(**whole.to_json()) == whole
