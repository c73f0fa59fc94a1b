"""Functions of two runs' profiles: what changed for real, what chance may have done, and what can't be told."""

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import sample_run

from vezaflow.compare import Judgement, as_json, compare, page, side_by_side
from vezaflow.compare.functions import MOST, FunctionChanges, function_changes, newcombe
from vezaflow.profiles import FunctionShare, ProfileRecord
from vezaflow.profiles.record import KEPT
from vezaflow.reports import html_comparison
from vezaflow.results import RunResult


def profile(shares: Mapping[str, float], samples: int = 3000, *, rest: float = 0.0, name: str = "cpu") -> ProfileRecord:
    top = tuple(FunctionShare(function, share, share) for function, share in shares.items())
    return ProfileRecord(name, 10.0, 40.0, "cpu", "nanoseconds", samples * 1e7, samples, 30.0, len(top), top, rest)


def told(found: FunctionChanges) -> list[tuple[str, Judgement]]:
    return [(change.function, change.judgement) for change in found.functions]


def run(number: int, *profiles: ProfileRecord) -> RunResult:
    return replace(sample_run.run(sample_run.GREEN), run_id=f"run-{number}", profiles=profiles)


BEFORE = {"main.search": 0.12, "main.render": 0.30, "runtime.gc": 0.58}
AFTER = {"main.search": 0.24, "main.render": 0.295, "runtime.gc": 0.465}


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((0, 20), (0, 10), -0.1611, 0.2775),
    ],
)
def test_the_interval_is_that_of_newcombes_table(
    before: tuple[int, int], after: tuple[int, int], low: float, high: float
) -> None:
    found = newcombe(before[0] / before[1], before[1], after[0] / after[1], after[1], 1.959964)
    assert found == pytest.approx((low, high), abs=5e-5)


def test_a_function_whose_share_doubled_is_told_with_both_shares() -> None:
    found = function_changes([profile(BEFORE)], [profile(AFTER)])
    assert told(found)[:2] == [("main.search", Judgement.DIFFERENT), ("runtime.gc", Judgement.DIFFERENT)]
    change = found.functions[0]
    assert (change.before, change.after) == (0.12, 0.24)
    assert 0.05 < change.low < 0.12 < change.high < 0.19
    assert found.notes == ("profile cpu (cpu): 2 functions changed, of 3 with at least 1 % by themselves "
                           "(3,000 and 3,000 samples)",)  # fmt: skip


def test_the_same_shares_of_few_samples_are_too_little_to_tell() -> None:
    found = function_changes([profile(BEFORE, 100)], [profile(AFTER, 105)])
    assert {judgement for _, judgement in told(found)} == {Judgement.UNCLEAR}
    few = "100 and 105 samples are too few for a change of this size"
    assert found.functions[0].reason == few
    assert found.notes[1] == f"profile cpu (cpu): too little to tell of 3 functions: {few}"


def test_a_difference_as_small_as_between_runs_of_one_plan_is_not_told_as_a_change() -> None:
    many = 1_000_000
    found = function_changes([profile({"a": 0.50, "b": 0.50}, many)], [profile({"a": 0.52, "b": 0.48}, many)])
    assert {judgement for _, judgement in told(found)} == {Judgement.UNCLEAR}
    assert "no more than those of one plan may" in found.functions[0].reason


@pytest.mark.parametrize(("samples", "why"), [(0, "no count of samples"), (99, "99 and 3,000 samples, and 100 are")])
def test_a_profile_that_allows_no_statement_says_so(samples: int, why: str) -> None:
    found = function_changes([profile(BEFORE, samples)], [profile(AFTER)])
    assert found.functions == ()
    assert why in found.notes[0]


def test_a_function_that_the_other_run_has_not_kept_had_at_most_the_rest() -> None:
    found = function_changes([profile(BEFORE, rest=0.02)], [profile({**BEFORE, "new": 0.14})])
    (new,) = (change for change in found.functions if change.function == "new")
    assert (new.before, new.before_at_most, new.judgement) == (0.02, True, Judgement.DIFFERENT)
    found = function_changes([profile(BEFORE, rest=0.2)], [profile({**BEFORE, "new": 0.14})])
    assert "new" not in dict(told(found))


def test_a_new_function_is_told_though_those_that_are_not_kept_call_much() -> None:
    kept = {f"f{number}": 0.006 for number in range(KEPT)} | {"main": 0.0}
    before = profile(kept, 20_000, rest=0.06)
    found = function_changes([before], [profile({**kept, "newHot": 0.05}, 20_000)])
    (new,) = (change for change in found.functions if change.function == "newHot")
    assert (new.before, new.before_at_most, new.judgement) == (0.006, True, Judgement.DIFFERENT)
    assert "1 function changed" in found.notes[0]


def test_a_function_that_one_of_several_profiles_has_not_kept_had_at_most_the_rest_there() -> None:
    before = [profile({"a": 0.1, "b": 0.9}, 10_000), profile({"b": 0.92}, 10_000, rest=0.08)]
    found = function_changes(before, [profile({"a": 0.14, "b": 0.86}, 20_000)])
    (change,) = (each for each in found.functions if each.function == "a")
    assert change.before == pytest.approx(0.09)
    assert change.before_at_most
    found = function_changes(before, [profile({"a": 0.07, "b": 0.93}, 20_000)])
    assert "a" not in dict(told(found)), "it may have been as much"
    found = function_changes(before, [profile({"a": 0.02, "b": 0.98}, 20_000)])
    (change,) = (each for each in found.functions if each.function == "a")
    assert change.before == pytest.approx(0.05), "what is known of it"
    assert not change.before_at_most


def test_several_profiles_of_one_name_count_together() -> None:
    before = [profile({"a": 0.1, "b": 0.9}, 1000), profile({"a": 0.4, "b": 0.6}, 2000)]
    found = function_changes(before, [profile({"a": 0.6, "b": 0.4})])
    assert found.functions[0].before == pytest.approx(0.3 if found.functions[0].function == "a" else 0.7)
    assert "3,000 and 3,000 samples" in found.notes[0]


def test_profiles_of_one_run_only_and_those_that_failed_are_not_compared() -> None:
    failed = replace(profile(BEFORE), problem="status 500")
    assert function_changes([profile(BEFORE, name="other"), failed], [profile(AFTER)]) == FunctionChanges()


def test_at_most_ten_functions_are_told_the_real_changes_first() -> None:
    before = {f"f{n}": (0.03 if n % 2 else 0.06) for n in range(20)}
    after = {f"f{n}": (0.06 if n % 2 else 0.03) for n in range(20)}
    found = function_changes([profile(before, 20_000)], [profile(after, 20_000)])
    assert len(found.functions) == MOST
    assert all(change.judgement is Judgement.DIFFERENT for change in found.functions)


def test_the_same_profile_twice_seldom_shows_a_change() -> None:
    random = np.random.default_rng(1)
    shares = 1 / np.arange(1, 61)
    shares /= shares.sum()
    alarms = 0
    for _ in range(300):
        records = []
        for samples in (1500, 900):
            drawn = shares * random.normal(1, 0.02, 60)
            counts = random.multinomial(samples, drawn / drawn.sum())
            records.append(profile({f"f{at}": count / samples for at, count in enumerate(counts)}, samples))
        found = function_changes(records[:1], records[1:])
        alarms += any(change.judgement is Judgement.DIFFERENT for change in found.functions)
    assert alarms <= 15  # of 300


def test_text_json_and_the_page_have_them() -> None:
    before, after = run(1, profile(BEFORE)), run(2, profile(AFTER))
    found = compare(before, after)
    text = page(found, width=140)
    assert "Profiles (functions by flat share)" in text
    assert "main.search" in text
    assert "+12.00 points" in text
    record = json.loads(json.dumps(as_json(found)))
    assert record["functions"][0]["judgement"] == "different"
    assert record["functions"][0]["difference"] == pytest.approx(0.12)
    assert record["functions_notes"] == list(found.functions.notes)
    shown = html_comparison([before, after], [side_by_side(found)]).decode()
    assert "main.search" in shown
    assert "2 functions changed" in shown


def test_runs_without_profiles_have_no_such_section() -> None:
    found = compare(run(1), run(2))
    assert found.functions == FunctionChanges()
    assert "Profiles" not in page(found)
    assert "Profiles" not in html_comparison([run(1), run(2)], [side_by_side(found)]).decode()
