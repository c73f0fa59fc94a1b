"""A baseline is what it was made of; a run is held against where one more such run would be."""

import json
from dataclasses import replace

import pytest
from two_runs import LIST, timed_run

from vezaflow.compare import Baseline, FigureKind, Judgement, baseline_of, baseline_page, compare_with_baseline, page

pytestmark = pytest.mark.slow
NIGHTS = [timed_run(f"n{seed}", seed=seed, level=1 + seed % 3 / 100, seconds=60) for seed in range(2, 8)]


def test_a_baseline_is_read_back_as_it_was_written() -> None:
    made = baseline_of(NIGHTS)
    assert Baseline.from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize("record", [None, [], {}, {"schema": 2}, {"schema": 1, "suite": "x"}])
def test_what_is_no_baseline_is_refused(record: object) -> None:
    with pytest.raises(ValueError, match=r"baseline|invalid"):
        Baseline.from_json(record)


def test_a_damaged_baseline_is_refused() -> None:
    record = baseline_of(NIGHTS[:2]).to_json()
    record["figures"][0][-1] = [0.1]
    with pytest.raises(ValueError, match="not of its runs"):
        Baseline.from_json(record)


def test_another_night_like_the_others_shows_no_change() -> None:
    found = compare_with_baseline(baseline_of(NIGHTS), timed_run("x", seed=20, seconds=60))
    assert not found.real
    assert "no change seen" in page(found)


def test_a_night_a_fifth_slower_is_worse() -> None:
    found = compare_with_baseline(baseline_of(NIGHTS), timed_run("x", seed=20, slower=1.2, seconds=60))
    assert {change.step for change in found.real} == {LIST}
    assert found.worse


def test_a_night_that_stands_out_is_kept_out() -> None:
    fast = timed_run("fast", seed=9, level=0.5, seconds=60)
    made = baseline_of([*NIGHTS, fast])
    assert made.kept_out == ("fast",)
    assert "excluded, since it differs from the others: fast" in baseline_page(made)


def test_one_run_is_a_baseline_that_is_slow_to_claim() -> None:
    made = baseline_of(NIGHTS[:1])
    slower = compare_with_baseline(made, timed_run("x", seed=20, slower=1.08, seconds=60))
    assert not slower.real
    assert "assumed spread of 3 %" in " ".join(page(slower).split())
    assert compare_with_baseline(made, timed_run("x", seed=20, slower=1.5, seconds=60)).worse


def test_a_run_of_the_baseline_is_not_held_against_itself() -> None:
    found = compare_with_baseline(baseline_of(NIGHTS), NIGHTS[0])
    assert found.before == "baseline of 5 runs"


def test_another_target_is_told() -> None:
    other = replace(timed_run("x", seed=20, seconds=60), base_url="https://other")
    (difference,) = compare_with_baseline(baseline_of(NIGHTS), other).differences
    assert "different targets" in difference.text


def test_its_centre_is_that_of_its_runs() -> None:
    p50 = baseline_of(NIGHTS).centre((LIST, FigureKind.P50))
    assert p50 == pytest.approx(0.081, rel=0.02)
    assert Judgement.SAME.real is False
