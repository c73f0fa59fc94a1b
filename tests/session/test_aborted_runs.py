"""A run that a gate stopped: what stopped it stays broken, though the whole run may add up to less."""

from datetime import UTC, datetime

import pytest
from planned import plan_of

from vezaflow.engine import NO_VITALS, Delivered
from vezaflow.errors import ExitCode
from vezaflow.gates import AbortWatch, Outcome, Verdict
from vezaflow.metrics import Recorder
from vezaflow.scale import Report, WorkerState
from vezaflow.session.outcome import Circumstances, result_of

FLOW = """
flow: browse
base_url: http://127.0.0.1
load: {vus: 1, duration: 10m}
steps: [{get: /, name: home}]
gates:
  http_req_failed: {condition: rate < 5 %, abort: true, delay: 5s, window: 5s}
"""
BEGAN = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
PLAN = plan_of(FLOW)


def stopped() -> tuple[Report, Verdict]:
    """300 seconds without a failure, then five with one in five."""
    recorder = Recorder(0.0)
    recorder.begin(0.0)
    home = recorder.step("browse", "home", "GET")
    watch = AbortWatch(PLAN.gates)
    for second in range(1, 400):
        for number in range(10):
            bad = second > 300 and number < 2
            home.answered(503 if bad else 200, 0.01, 0.0, 0.0, 10, 10, "status" if bad else "", float(second))
        recorder.fold(float(second))
        if (verdict := watch.broken(float(second), recorder.snapshot())) is not None:
            delivered = {"browse": Delivered(requested=1, started=1, stopped_by_author=True, lived=float(second))}
            workers = (WorkerState("1", NO_VITALS),)
            return Report(float(second), recorder.snapshot(), recorder.timeline(), delivered, workers), verdict
    pytest.fail("nothing broke")


def test_the_gate_that_stopped_a_run_is_red_over_its_window_though_the_whole_run_holds() -> None:
    report, broken = stopped()
    run = Circumstances("run", BEGAN, aborted=broken.gate.text, broken=broken)
    result = result_of(PLAN, report, run)
    assert (result.outcome, result.exit_code) == (Outcome.RED, ExitCode.RED)
    (verdict,) = result.verdicts
    assert verdict.reason.endswith("which stopped the run")


def test_a_merged_run_whose_segment_stopped_itself_is_not_green() -> None:
    report, broken = stopped()
    result = result_of(PLAN, report, Circumstances("run", BEGAN, aborted=broken.gate.text))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "stopped early by its gate" in result.concerns[-1].text
