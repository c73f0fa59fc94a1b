"""Two runs are compared as a person would want to: nothing is claimed that other seconds or another run could undo."""

from dataclasses import replace

import numpy as np
import pytest
from sample_run import GREEN, run
from two_runs import LIST, SEARCH, provenance, timed_run

from bench.calibrate_compare import Case, found_in
from bench.simulated_runs import Truth, as_histogram, bucket_numbers
from vezaflow.compare import Change, Comparison, FigureKind, Judgement, as_json, compare, counts_of, page, spread_of
from vezaflow.metrics import Histogram, StepName
from vezaflow.results import Host

pytestmark = pytest.mark.slow  # each resamples two runs two thousand times


def change(comparison: Comparison, step: StepName, metric: FigureKind) -> Change:
    (found,) = (each for each in comparison.changes if (each.step, each.metric) == (step, metric))
    return found


def test_a_step_that_became_a_third_slower_is_found_and_the_other_is_not() -> None:
    found = compare(timed_run("a"), timed_run("b", slower=1.33, seed=2))
    assert {each.metric for each in found.real} >= {FigureKind.P50, FigureKind.P95}
    assert {each.step for each in found.real} == {LIST}
    p95 = change(found, LIST, FigureKind.P95)
    assert p95.judgement is Judgement.WORSE
    assert p95.low is not None
    assert p95.high is not None
    assert 1.05 < p95.low < 1.33 < p95.high < 1.7
    assert found.worse


def test_a_step_that_became_faster_is_better_and_nothing_is_worse() -> None:
    found = compare(timed_run("a"), timed_run("b", slower=0.7, seed=2))
    assert change(found, LIST, FigureKind.P95).judgement is Judgement.BETTER
    assert not found.worse


def test_the_same_runs_give_the_same_comparison() -> None:
    runs = timed_run("a"), timed_run("b", slower=1.1, seed=2)
    assert as_json(compare(*runs)) == as_json(compare(*runs))


def test_without_earlier_runs_a_tenth_is_too_little_to_tell_and_with_them_it_is_found() -> None:
    runs = timed_run("a"), timed_run("b", slower=1.1, seed=2)
    unclear = change(compare(*runs), LIST, FigureKind.P95)
    assert unclear.judgement is Judgement.UNCLEAR
    assert "these two runs differ" in unclear.reason
    spread = spread_of([timed_run(f"e{seed}", seed=seed) for seed in range(3, 9)])
    assert change(compare(*runs, spread), LIST, FigureKind.P95).judgement is Judgement.WORSE


def test_earlier_runs_that_differ_widen_the_interval() -> None:
    runs = timed_run("a"), timed_run("b", slower=1.1, seed=2)
    calm = spread_of([timed_run(f"e{seed}", seed=seed) for seed in range(3, 8)])
    restless = spread_of([timed_run(f"e{seed}", seed=seed, level=0.85 + seed / 20) for seed in range(3, 8)])
    wide, narrow = (change(compare(*runs, spread), LIST, FigureKind.P50) for spread in (restless, calm))
    assert wide.judgement is not Judgement.WORSE
    assert wide.high is not None
    assert narrow.high is not None
    assert wide.high > narrow.high


def test_two_earlier_runs_say_nothing_about_spread() -> None:
    assert spread_of([timed_run("a"), timed_run("b", seed=2)]) is None


def test_a_change_below_two_milliseconds_is_none() -> None:
    found = compare(timed_run("a", level=0.01), timed_run("b", level=0.01, slower=1.5, seed=2))
    assert change(found, LIST, FigureKind.P95).judgement is Judgement.SAME


def test_a_percentile_of_few_requests_is_too_little_to_tell() -> None:
    found = compare(timed_run("a", requests=10), timed_run("b", requests=10, slower=2, seed=2))
    p95 = change(found, LIST, FigureKind.P95)
    assert p95.judgement is Judgement.UNCLEAR
    assert p95.reason == "1,200 requests, and p95 needs 2,000"
    assert change(found, LIST, FigureKind.P50).judgement is Judgement.WORSE


def test_a_run_of_a_few_seconds_is_too_little_to_tell() -> None:
    found = compare(timed_run("a", seconds=20), timed_run("b", seconds=20, slower=3, seed=2))
    assert {each.judgement for each in found.changes} == {Judgement.UNCLEAR}


def test_a_run_without_figures_by_the_second_is_too_little_to_tell() -> None:
    found = compare(run(GREEN), run(GREEN))
    assert not found.real
    assert "there is no step that both runs have" in page(found)


def test_failures_that_came_are_worse() -> None:
    found = compare(timed_run("a"), timed_run("b", failed=5, seed=2))
    assert [(each.step, each.metric) for each in found.real] == [(LIST, FigureKind.FAILED)]
    assert change(found, LIST, FigureKind.FAILED).difference == pytest.approx(0.05)


def test_a_single_failure_is_no_change() -> None:
    seconds = timed_run("b", seed=2)
    assert not compare(timed_run("a"), seconds).real


def test_requests_that_time_out_make_the_percentile_a_lower_bound_that_is_worse() -> None:
    found = change(compare(timed_run("a"), timed_run("b", cut=10, seed=2)), LIST, FigureKind.P95)
    assert found.judgement is Judgement.WORSE
    assert found.bounded
    assert found.after is not None
    assert found.after >= 0.99


def test_a_percentile_at_timeouts_of_both_runs_is_too_little_to_tell() -> None:
    found = change(compare(timed_run("a", cut=10), timed_run("b", cut=10, seed=2)), LIST, FigureKind.P95)
    assert found.judgement is Judgement.UNCLEAR
    assert "timed out" in found.reason


def test_what_differs_is_told_before_any_figure() -> None:
    other = provenance({"browse: load": "2", "browse: step list": "1"}, Host("laptop", 2, "Linux 6.1"))
    after = replace(timed_run("b", seed=2), provenance=other, base_url="https://other", manual_changes=("paused 5 s",))
    text = page(compare(timed_run("a"), after), width=200)
    before_figures = text.partition("step  ")[0]
    for words in (
        "browse: step list is new; browse: load changed",
        "different targets: https://staging.veza.fr, then https://other",
        "different machines: runner (4 cores, Linux 6.1), then laptop (2 cores, Linux 6.1)",
        "second run: paused 5 s",
    ):
        assert words in before_figures


def test_two_runs_of_the_same_differ_in_nothing() -> None:
    assert compare(timed_run("a"), timed_run("b")).differences == ()


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_page_keeps_to_its_width(width: int) -> None:
    text = page(compare(timed_run("a"), timed_run("b", slower=1.5, seed=2)), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "browse › list: p95 got worse, from" in " ".join(text.split())


def test_the_matrices_of_the_simulation_have_the_buckets_of_the_program() -> None:
    times = np.exp(np.random.default_rng(1).standard_normal(1000)) / 10
    numbers, counts = as_histogram(times).buckets()
    assert sorted(bucket_numbers(times)) == sorted(np.repeat(numbers, counts))


def test_a_run_s_percentiles_are_those_of_its_histogram() -> None:
    before = timed_run("a")
    found = change(compare(before, before), SEARCH, FigureKind.P95)
    whole = Histogram()
    for _, step in before.seconds.of(SEARCH):
        whole.add(step.duration)
    assert found.before == pytest.approx(whole.quantile(0.95), rel=2e-3)
    assert counts_of("a", before.seconds).steps[SEARCH].known.sum() == 12_000


SHORT = Truth(seconds=120, steps=3, rate=40.0)


def test_pairs_without_a_change_show_one_in_five_percent_at_most() -> None:
    assert found_in(Case("", SHORT), 40, resamples=300).alarms <= 2
    assert found_in(Case("", replace(SHORT, between=0.03)), 40, resamples=300).alarms <= 3


def test_a_change_of_a_fifth_is_found_in_runs_of_which_nothing_else_is_known() -> None:
    calm = replace(SHORT, mood=0.03, rate=60.0)
    assert found_in(Case("", calm, slower=0.2), 20, resamples=300).p95 >= 18
