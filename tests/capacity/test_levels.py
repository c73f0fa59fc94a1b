"""What one level's run says, and when a level is lost before its end."""

from dataclasses import replace

import pytest
from sample_run import GREEN, RED, VITALS, arriving, failed, gate, p95, recorded, run

from vezaflow.capacity import LevelOutcome, LevelWatch, level_run
from vezaflow.capacity.watch import is_lost
from vezaflow.gates import Concern, ConcernKind, judge
from vezaflow.metrics import Recorder
from vezaflow.plan import HeldLevel, PlannedGate
from vezaflow.results import Health
from vezaflow.scale import WorkerState

BUSY = Concern(ConcernKind.SATURATED, "the generator was overloaded: it used 97 % of its core", "use `--workers 2`")
MISSING = Concern(ConcernKind.LOAD_NOT_REACHED, "browse: 4 % of the requested load is missing", "more cores", "browse")
NO_VU = Concern(ConcernKind.LOAD_NOT_REACHED, "arriving: 15 had no free VU", "raise `max_vus`", "arriving")
LEVEL = HeldLevel(10.0, 30.0)


def test_a_green_run_holds_and_has_its_figures() -> None:
    level = level_run(1.5, run(GREEN))
    assert (level.outcome, level.why, level.broken) == (LevelOutcome.HELD, "", ())
    assert (level.factor, level.vus, level.rate, level.run_id) == (1.5, 1500, 0.0, "20261124T023000Z-abc123")
    assert level.p95 == pytest.approx(0.38, rel=0.1)
    assert level.requests_per_second is not None


def test_a_red_run_broke_and_names_the_gate_that_broke_most_first() -> None:
    level = level_run(1.5, run((p95(380.0, "browse"), p95(200.0, "browse"), p95(500.0))))
    assert level.outcome is LevelOutcome.BROKE
    assert level.broken == ("browse p(95) of http_req_duration",) * 2
    assert "expected < 200 ms" in level.why


@pytest.mark.parametrize("gates", [GREEN, RED])
def test_an_overloaded_generator_makes_a_level_unclear_whatever_broke(gates: tuple[PlannedGate, ...]) -> None:
    level = level_run(2.3, run(gates, [BUSY]))
    assert (level.outcome, level.generator) == (LevelOutcome.UNCLEAR, True)
    assert (level.why, level.remedy, level.broken) == (BUSY.text, BUSY.remedy, ())


@pytest.mark.parametrize("gates", [GREEN, RED])
def test_so_does_load_that_the_generator_owes(gates: tuple[PlannedGate, ...]) -> None:
    late = Health((WorkerState("1", VITALS),), 1500, load_missing=0.04)
    level = level_run(2.3, replace(run(gates, [MISSING]), health=late))
    assert (level.outcome, level.generator, level.why) == (LevelOutcome.UNCLEAR, True, MISSING.text)


def test_so_do_iterations_that_it_started_too_late() -> None:
    level = level_run(2.3, replace(arriving(), concerns=(NO_VU,)))  # 5 of 200 were too late
    assert (level.outcome, level.generator) == (LevelOutcome.UNCLEAR, True)


def test_load_that_is_missing_since_the_target_is_slow_is_no_fault_of_the_generator() -> None:
    assert level_run(2.0, run(RED, [NO_VU])).outcome is LevelOutcome.BROKE
    level = level_run(2.0, run(GREEN, [NO_VU]))
    assert (level.outcome, level.generator, level.remedy) == (LevelOutcome.UNCLEAR, False, "raise `max_vus`")


def test_too_few_samples_are_unclear_and_want_more_time() -> None:
    few = gate("http_req_duration", "p", "<", 9.0, "p(95) < 9 s", argument=95.0, samples=10**6)
    level = level_run(1.0, run((few,)))
    assert (level.outcome, level.generator, level.remedy) == (LevelOutcome.UNCLEAR, False, "use a longer --measure")


@pytest.mark.parametrize(
    ("condition", "lost"),
    [
        (p95(380.0, "browse"), False),  # 384 ms: it may recover
        (p95(100.0, "browse"), True),
        (failed(0.4), False),  # 0.5 % of 2,010
        (failed(0.1), True),
        (gate("http_req_failed", "count", "<", 5.0, "count < 5"), True),
        (gate("http_req_failed", "count", "<", 5000.0, "count < 5000"), False),
        (p95(500.0), False),
        (p95(1.0, "nobody"), False),
    ],
)
def test_a_level_is_lost_where_a_gate_is_broken_beyond_doubt(condition: PlannedGate, lost: bool) -> None:
    (verdict,) = judge((condition,), recorded().snapshot())
    assert is_lost(verdict) is lost


def test_nobody_gives_up_before_a_part_of_the_time_is_over() -> None:
    watch, summary = LevelWatch((p95(100.0, "browse"),), LEVEL), recorded().snapshot()
    assert watch.broken(12.0, summary) is None
    assert watch.broken(17.0, summary) is None
    assert watch.broken(17.5, summary) is not None


def test_few_samples_are_no_reason_to_give_up() -> None:
    recorder = Recorder(0.0)
    step = recorder.step("browse", "search", "GET")
    for _ in range(19):
        step.answered(200, 2.0, 0.0, 0.0, 100, 100)
    recorder.fold(20.0)
    watch = LevelWatch((p95(100.0, "browse"),), LEVEL)
    assert watch.broken(20.0, recorder.snapshot()) is None
    step.answered(200, 2.0, 0.0, 0.0, 100, 100)
    recorder.fold(21.0)
    assert watch.broken(21.0, recorder.snapshot()) is not None


def test_a_gate_that_aborts_runs_aborts_levels() -> None:
    aborting = replace(p95(380.0, "browse"), abort=True, delay=5.0)
    watch = LevelWatch((aborting,), LEVEL)
    assert watch.broken(4.0, recorded().snapshot()) is None
    assert watch.broken(6.0, recorded().snapshot()) is not None
