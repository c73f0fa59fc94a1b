"""Gates on the baseline: against the centre of its runs, and only where the run's own samples say enough."""

import pytest
from two_runs import LIST, timed_run

from vezaflow.compare import GateBaseline, baseline_of
from vezaflow.diagnostics import Diagnostics, Source, Span
from vezaflow.gates import Outcome, Verdict, judge
from vezaflow.metrics import (
    FlowKey,
    Iterations,
    Phase,
    RequestKey,
    Requests,
    Seconds,
    StepKey,
    Summary,
    merged,
)
from vezaflow.plan import PlannedGate
from vezaflow.results import RunResult
from vezaflow.syntax import Scalar, parse_condition

pytestmark = pytest.mark.slow
NIGHTS = [timed_run(f"n{seed}", seed=seed, level=1 + seed % 3 / 100, seconds=60) for seed in range(2, 7)]
BASELINE = baseline_of(NIGHTS)


def gate(condition: str, metric: str = "http_req_duration", **labels: str) -> PlannedGate:
    span = Span(Source("flow.yml", condition), 0, len(condition))
    read = parse_condition(Scalar(condition, span, plain=True), Diagnostics())
    assert read is not None
    return PlannedGate(LIST[0], metric, tuple(sorted(({"step": LIST[1]} | labels).items())), read, span)


def summary_of(seconds: Seconds) -> Summary:
    """The figures of a run by its seconds."""
    requests: dict[RequestKey, Requests] = {}
    for name in seconds.steps:
        at = StepKey(name[0], Phase.ITERATION, name[1], name[2], "", (), True)
        held = [step for _, step in seconds.of(name)]
        times = merged(step.duration for step in held)
        requests[RequestKey(at, 200, "")] = Requests(sum(step.requests for step in held), duration=times)
    flows = {FlowKey(LIST[0], True): Iterations(seconds=60.0)}
    return Summary(requests=requests, flows=flows)


def verdict(run: RunResult, asked: PlannedGate, seconds: Seconds | None = None) -> Verdict:
    seconds = run.seconds if seconds is None else seconds
    (found,) = judge([asked], summary_of(run.seconds), baseline=GateBaseline(BASELINE, run.run_id, seconds))
    return found


def test_a_run_like_the_others_holds_and_a_slower_one_breaks() -> None:
    asked = gate("p(95) < 120 % of baseline")
    same = verdict(timed_run("same", seed=20, seconds=60), asked)
    slower = verdict(timed_run("slower", seed=20, slower=1.6, seconds=60), asked)
    assert (same.outcome, slower.outcome) == (Outcome.GREEN, Outcome.RED)
    assert same.compared == pytest.approx(
        BASELINE.centre((LIST, next(k for (n, k) in BASELINE.figures if k.value == "p95")))
    )
    assert same.bound == pytest.approx(1.2 * (same.compared or 0))
    assert "for the baseline = " in slower.reason


def test_a_bound_within_the_runs_own_interval_settles_nothing() -> None:
    run = timed_run("near", seed=20, slower=1.1, seconds=60)
    value = verdict(run, gate("p(95) < 500 % of baseline"))
    assert value.value is not None
    assert value.compared is not None
    share = 100 * value.value / value.compared
    found = verdict(run, gate(f"p(95) < {share:.3f} % of baseline"))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "lies within" in found.reason


def test_a_run_without_seconds_is_too_little() -> None:
    found = verdict(timed_run("bare", seed=20, seconds=60), gate("p(95) < 120 % of baseline"), Seconds())
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "too few samples to compare with the baseline")


def test_without_a_baseline_nothing_is_judged() -> None:
    run = timed_run("same", seed=20, seconds=60)
    (found,) = judge([gate("p(95) < 120 % of baseline")], summary_of(run.seconds))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "vezaflow baseline set" in found.reason


@pytest.mark.parametrize(
    "asked",
    [
        gate("p(90) < 120 % of baseline"),
        gate("p(95) < 120 % of baseline", status="200"),
        gate("avg < 120 % of baseline"),
    ],
    ids=["another percentile", "another label", "an average"],
)
def test_what_the_baseline_does_not_keep_is_not_judged(asked: PlannedGate) -> None:
    found = verdict(timed_run("same", seed=20, seconds=60), asked)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.compared is None


def test_requests_per_second_and_failures_are_kept_too() -> None:
    run = timed_run("same", seed=20, seconds=60)
    rate = verdict(run, gate("rate > 80 % of baseline", "http_reqs"))
    assert rate.compared is not None
    assert rate.compared > 0
    assert verdict(run, gate("rate <= 200 % of baseline", "http_req_failed")).compared == 0
