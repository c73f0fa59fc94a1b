"""When a run's figures can't be trusted, what is said about it, and what is not held against it."""

from dataclasses import replace

import pytest
from planned import plan_of

from vezaflow.engine import Delivered, Vitals
from vezaflow.gates import Concern, ConcernKind
from vezaflow.metrics import Recorder, Summary, Timeline
from vezaflow.plan import Division, Segment
from vezaflow.results import load_missing
from vezaflow.scale import MachinePart, Report, WorkerState
from vezaflow.syntax import Labels
from vezaflow.trust import MISSED, concerns_of_run

FLOWS = plan_of("""
flow: browse
load: {vus: 10, duration: 20s}
steps: [{get: /}, {think: 1s}]
""").flows
USERS = 200.0  # seconds that ten of them live in twenty


def timeline() -> Timeline:
    recorder = Recorder(0.0)
    recorder.begin(0.0)
    recorder.flow("browse").vus = 10
    for second in range(1, 21):
        recorder.fold(float(second))
    return recorder.timeline()


def vitals(*, cpu: float = 0.3, lag: float = 0.004, away: float = 0.01, clock: str = "kernel") -> Vitals:
    return Vitals(cpu, cpu, cpu, lag, lag, 50 << 20, receive_clock=clock, lag_share=away)


def concerns(*workers: Vitals, seconds: float = 20.0, missing: float = 0.0) -> tuple[Concern, ...]:
    states = tuple(WorkerState(str(number), each) for number, each in enumerate(workers, 1))
    delivered = {"browse": Delivered(requested=10, started=10, lived=USERS, time_lost=missing * USERS)}
    report = Report(seconds, Recorder(0.0).snapshot(), timeline(), delivered, states)
    return concerns_of_run(FLOWS, (), report, interrupted=False)


def test_a_generator_that_keeps_up_gives_no_concern() -> None:
    assert concerns(vitals()) == ()


def test_a_load_of_a_moment_is_too_short_to_saturate() -> None:
    busy = (WorkerState("1", vitals(cpu=1.0)),)
    delivered = {"browse": Delivered(requested=10, started=10)}
    report = Report(0.008, Recorder(0.0).snapshot(), Timeline(()), delivered, busy)
    assert concerns_of_run(FLOWS, (), report, interrupted=False) == ()


@pytest.mark.parametrize(
    ("reading", "kind", "words"),
    [
        (vitals(cpu=0.93), ConcernKind.SATURATED, "it used 93 % of its core (limit 90 %)"),
        (vitals(away=0.12), ConcernKind.SATURATED, "its event loop was late for 12 % of the time (limit 10 %)"),
        (vitals(lag=0.025, clock="read"), ConcernKind.SATURATED, "event-loop lag p99 25 ms"),
    ],
    ids=["CPU", "loop", "loop without stamps"],
)
def test_a_generator_that_does_not_is_told_with_its_remedy(reading: Vitals, kind: ConcernKind, words: str) -> None:
    (concern,) = concerns(reading)
    assert concern.kind is kind
    assert words in concern.text
    assert "--workers 2" in concern.remedy
    assert "fewer VUs" in concern.remedy
    assert "a bigger machine" in concern.remedy


def test_who_has_several_workers_is_not_told_to_take_two() -> None:
    (concern,) = concerns(vitals(), vitals(cpu=0.95))
    assert "it used 95 % of its core" in concern.text
    assert "more workers if there are cores for them" in concern.remedy


def test_who_has_machines_is_told_to_take_more_of_them() -> None:
    delivered = {"browse": Delivered(requested=10, started=10, lived=USERS)}
    busy = (WorkerState("1", vitals(cpu=0.95)),)
    report = Report(20.0, Recorder(0.0).snapshot(), timeline(), delivered, busy)
    machine = MachinePart("load-1", "tls://10.0.0.5:1", 4, range(1, 2), 0.001, Recorder(0.0).snapshot())
    (concern,) = concerns_of_run(FLOWS, (), report, interrupted=False, machines=[machine])
    assert "use more machines, use fewer VUs" in concern.remedy
    assert "--workers" not in concern.remedy


@pytest.mark.parametrize("reading", [vitals(cpu=0.89), vitals(away=0.09), vitals(lag=0.019, clock="read")])
def test_just_below_a_bound_nothing_is_said(reading: Vitals) -> None:
    assert concerns(reading) == ()


def test_load_that_is_missing_is_told_with_its_remedy() -> None:
    (concern,) = concerns(vitals(), missing=MISSED + 0.001)
    assert concern.kind is ConcernKind.LOAD_NOT_REACHED
    assert concern.flow == "browse"
    assert "1.1 % of the requested load is missing" in concern.text
    assert "--workers 2" in concern.remedy
    assert concerns(vitals(), missing=MISSED) == ()


def test_times_that_the_kernel_took_are_trusted_however_late_the_loop_came_now_and_then() -> None:
    assert concerns(vitals(lag=0.3)) == ()


def test_a_load_that_was_over_at_once_says_nothing_about_the_generator() -> None:
    assert concerns(vitals(cpu=1.0, away=0.9), seconds=0.9, missing=0.1) == ()


def test_one_worker_that_cannot_keep_up_is_enough() -> None:
    (concern,) = concerns(vitals(), vitals(cpu=0.97))
    assert "97 %" in concern.text


def test_a_small_flow_whose_load_is_missing_does_not_hide_behind_a_large_one() -> None:
    delivered = {"browse": Delivered(10, 10, lived=1000.0), "checkout": Delivered(1, 1, lived=10.0, time_lost=2.0)}
    report = Report(20.0, Recorder(0.0).snapshot(), timeline(), delivered, ())
    assert load_missing(report.delivered.values()) == pytest.approx(2.0 / 1010.0)
    (concern,) = concerns_of_run(FLOWS, (), report, interrupted=False)
    assert concern.text == ("checkout: 20 % of the requested load is missing: the generator was too slow for it")


def test_without_pauses_nobody_was_held_up() -> None:
    report = Report(20.0, Recorder(0.0).snapshot(), timeline(), {"browse": Delivered(10, 10)}, ())
    assert load_missing(report.delivered.values()) == 0


LOADS = {
    "ramp": "{executor: ramping-vus, stages: [{duration: 10s, target: 20}]}",
    "open": "{executor: constant-arrival-rate, rate: 100/s, duration: 10s, pre_allocated_vus: 5}",
}


def shortfall(load: str, delivered: Delivered, gates: str = "") -> str:
    plan = plan_of(f"flow: f\nload: {LOADS[load]}\nsteps: [{{get: /}}]\n{gates}")
    report = Report(10.0, Recorder(0.0).snapshot(), Timeline(()), {"f": delivered}, ())
    return "; ".join(concern.text for concern in concerns_of_run(plan.flows, plan.gates, report, interrupted=False))


def test_a_ramps_vus_that_come_twice_make_up_for_none() -> None:
    assert shortfall("ramp", Delivered(requested=19, started=30, most=19)) == ""
    assert shortfall("ramp", Delivered(requested=19, started=30, most=15)) == "f: only 15 of 19 VUs were started"


def test_one_dropped_start_in_a_hundred_is_still_the_load() -> None:
    assert shortfall("open", Delivered(5, 5, due=1000, dropped={"no_free_vu": 10})) == ""
    assert "11 of 1,000 scheduled iterations" in shortfall(
        "open", Delivered(5, 5, due=1000, dropped={"no_free_vu": 11})
    )


def test_a_stop_step_excuses_no_dropped_start() -> None:
    stopped = Delivered(5, 5, due=1000, dropped={"generator_late": 500}, stopped_by_author=True)
    assert "500 came too late (the generator was overloaded)" in shortfall("open", stopped)


def test_an_open_load_that_starts_nothing_proves_nothing() -> None:
    assert shortfall("open", Delivered(5, 5)) == "f: no iteration was scheduled within its 10 s"


def test_a_gate_on_dropped_iterations_says_itself_how_many_are_too_many() -> None:
    gate = "gates: {dropped_iterations: count < 500}"
    free = Delivered(5, 5, due=1000, dropped={"no_free_vu": 400})
    late = Delivered(5, 5, due=1000, dropped={"generator_late": 400})
    assert shortfall("open", free)
    assert shortfall("open", free, gate) == ""
    assert shortfall("open", late, gate), "what the generator missed is no figure of the target"


@pytest.mark.parametrize(
    ("gate", "excused"),
    [
        ("dropped_iterations{reason:no_free_vu}: count < 500", True),
        ("dropped_iterations{flow:f}: count < 500", True),
        ("dropped_iterations: count == 0", True),
        ("dropped_iterations{reason:generator_late}: count < 500", False),
        ("dropped_iterations: count > 5", False),
    ],
)
def test_only_a_gate_on_those_without_a_free_vu_says_how_many_they_may_be(gate: str, excused: bool) -> None:
    metric, condition = gate.split(": ")
    free = Delivered(5, 5, due=1000, dropped={"no_free_vu": 400})
    assert (shortfall("open", free, f"gates: {{'{metric}': {condition}}}") == "") is excused


@pytest.mark.parametrize("labels", [(("flow", "other"),), (("during", "failover"),)])
def test_a_gate_on_another_flow_or_a_part_of_the_time_excuses_no_dropped_start(labels: Labels) -> None:
    plan = plan_of(f"flow: f\nload: {LOADS['open']}\nsteps: [{{get: /}}]\ngates: {{dropped_iterations: count < 500}}")
    gates = [replace(gate, labels=labels) for gate in plan.gates]
    delivered = {"f": Delivered(5, 5, due=1000, dropped={"no_free_vu": 400})}
    report = Report(10.0, Recorder(0.0).snapshot(), Timeline(()), delivered, ())
    assert concerns_of_run(plan.flows, plan.gates, report, interrupted=False) == ()
    (concern,) = concerns_of_run(plan.flows, gates, report, interrupted=False)
    assert concern.kind is ConcernKind.LOAD_NOT_REACHED


def test_rows_that_must_last_and_did_not_make_a_run_inconclusive() -> None:
    flows = plan_of("""
    flow: browse
    load: {vus: 10, duration: 20s}
    data: {terms: {list: [rock, jazz], pick: unique}, other: {list: [rock, jazz], pick: unique}}
    steps: [{get: "/${terms}/${other}"}]
    """).flows
    delivered = {"browse": Delivered(requested=10, started=10, stopped_by_author=True, exhausted={"terms": 3})}
    report = Report(20.0, Recorder(0.0).snapshot(), timeline(), delivered, (WorkerState("1", vitals()),))
    (concern,) = concerns_of_run(flows, (), report, interrupted=False)
    assert concern.kind is ConcernKind.DATA_EXHAUSTED
    assert concern.text == "browse: the data source 'terms' was exhausted: 2 rows in the flow"


MIXED = (
    plan_of("""
flow: browse
load: {vus: 10, duration: 20s}
steps: [{get: /}]
""").flows
    + plan_of("""
flow: spike
load: {executor: constant-arrival-rate, rate: 10/s, duration: 20s, pre_allocated_vus: 5}
steps: [{get: /}]
""").flows
)


def lost_of(*lost: str, division: Division | None, machines: tuple[MachinePart, ...] = ()) -> list[str]:
    """What is told of workers that were lost for these reasons (empty: they were not)."""
    states = tuple(WorkerState(str(number), vitals(), why) for number, why in enumerate(lost, 1))
    report = Report(20.0, Recorder(0.0).snapshot(), timeline(), {}, states)
    found = concerns_of_run(MIXED, (), report, interrupted=False, division=division, machines=machines)
    return [concern.text for concern in found if concern.kind is ConcernKind.WORKER_LOST]


def test_a_lost_worker_is_told_with_its_part_of_each_flow() -> None:
    (text,) = lost_of("", "", "worker 3 closed", "", division=Division(4))
    assert text == "worker 3 closed; from then on 2 of 10 VUs of browse and 25 % of the starts of spike are missing"
    (text,) = lost_of("worker 1 closed", "", division=Division(2, Segment(1, 2)))
    assert "3 of 5 VUs of browse and 50 % of the starts of spike" in text
    first, eighth = lost_of("worker 1 closed", *6 * [""], "worker 8 closed", division=Division(8))
    assert first.endswith("2 of 10 VUs of browse and 20 % of the starts of spike are missing")
    assert eighth.endswith("1 of 10 VUs of browse are missing"), "of five VUs it has none, and so none of the starts"
    assert lost_of("worker 1 closed", "", division=None) == ["worker 1 closed"]


def test_a_lost_machine_is_told_once_with_all_its_workers() -> None:
    pods = tuple(
        MachinePart(name, f"tcp://{name}:1", 2, numbers, 0.001, Summary())
        for name, numbers in (("pod-a", range(1, 3)), ("pod-b", range(3, 5)))
    )
    (text,) = lost_of("", "", "worker 3 is silent", "worker 4 is silent", division=Division(4), machines=pods)
    assert text == (
        "the machine pod-b (tcp://pod-b:1) was lost: worker 3 is silent; from then on 4 of 10 VUs of browse "
        "and 50 % of the starts of spike are missing"
    )
    (text,) = lost_of("", "", "worker 3 crashed", "", division=Division(4), machines=pods)
    assert text.startswith("worker 3 crashed; from then on 2 of 10 VUs"), "its machine is still there"
