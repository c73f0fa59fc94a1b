"""What `--vus`, `--duration` and `--scale` make of each executor; what no load can be made of is told."""

from typing import Any

import pytest
from planned import ROOT, SUITE, inputs, plan_of, plan_or_faults

from vezaflow.diagnostics import Diagnostics
from vezaflow.errors import VezaflowError
from vezaflow.model import Executor
from vezaflow.plan import PlannedLoad, build, starts, vu_changes
from vezaflow.read import read_suite

RAMP = "stages: [{duration: 10s, target: 20}, {duration: 0s, target: 2}, {duration: 30s, target: 0}]"
RATES = "stages: [{duration: 10s, target: 20/s}, {duration: 30s, target: 20/s}], pre_allocated_vus: 10, max_vus: 40"
LOADS = {
    Executor.CONSTANT_VUS: "vus: 10, duration: 40s",
    Executor.RAMPING_VUS: f"start_vus: 10, {RAMP}",
    Executor.PER_VU_ITERATIONS: "vus: 10, iterations: 6, max_duration: 40s",
    Executor.SHARED_ITERATIONS: "vus: 10, iterations: 60, max_duration: 40s",
    Executor.CONSTANT_ARRIVAL_RATE: "rate: 20/s, duration: 40s, pre_allocated_vus: 10, max_vus: 40",
    Executor.RAMPING_ARRIVAL_RATE: RATES,
    Executor.EXTERNALLY_CONTROLLED: "vus: 10, max_vus: 40, duration: 40s",
}
POOLS = (Executor.CONSTANT_ARRIVAL_RATE, Executor.RAMPING_ARRIVAL_RATE, Executor.EXTERNALLY_CONTROLLED)
STEPS = "steps: [{get: /}]"


def flow(load: str) -> str:
    return f"flow: f\nload: {{{load}}}\n{STEPS}"


def planned(executor: Executor, **options: Any) -> PlannedLoad:
    return plan_of(flow(f"executor: {executor.value}, {LOADS[executor]}"), inputs=inputs(**options)).flows[0].load


def test_every_executor_has_a_load_here() -> None:
    assert set(LOADS) == set(Executor)


@pytest.mark.parametrize("executor", Executor)
def test_a_duration_is_the_whole_loads(executor: Executor) -> None:
    before, load = planned(executor), planned(executor, duration=20.0)
    assert (before.duration, load.duration) == (40, 20)
    assert (load.vus, load.max_vus, load.iterations) == (before.vus, before.max_vus, before.iterations)
    assert load.stages == tuple((stage.duration / 2, stage.target) for stage in before.stages)


@pytest.mark.parametrize("executor", Executor)
def test_a_scale_multiplies_vus(executor: Executor) -> None:
    before, load = planned(executor), planned(executor, scale=0.5)
    assert (load.vus, load.max_vus) == (before.vus / 2, before.max_vus / 2)
    assert load.duration == before.duration


def test_a_scale_multiplies_shared_iterations_and_not_those_of_each_vu() -> None:
    assert planned(Executor.SHARED_ITERATIONS, scale=0.5).iterations == 30
    assert planned(Executor.PER_VU_ITERATIONS, scale=0.5).iterations == 6


@pytest.mark.parametrize("executor", [executor for executor in Executor if executor.is_open])
def test_a_scale_multiplies_arrivals_and_vus_do_not_change_them(executor: Executor) -> None:
    def arrivals(**options: object) -> int:
        return sum(1 for _ in starts(planned(executor, **options)))

    before = arrivals()
    assert before in (700, 800)
    assert arrivals(scale=0.5) == before / 2
    assert arrivals(vus={"f": 3}) == before


def test_a_small_scale_leaves_one_of_what_is_not_nothing() -> None:
    load = planned(Executor.RAMPING_VUS, scale=0.01)
    assert (load.start, [stage.target for stage in load.stages]) == (1, [1, 1, 0])
    assert planned(Executor.CONSTANT_VUS, scale=0.01).vus == 1
    assert planned(Executor.SHARED_ITERATIONS, scale=0.01).iterations == 1


@pytest.mark.parametrize("executor", Executor)
def test_vus_are_the_most_at_once(executor: Executor) -> None:
    load = planned(executor, vus={"f": 4}, scale=3.0)
    assert load.vus == 4, "as said, not scaled"
    assert load.max_vus == (120 if executor is Executor.EXTERNALLY_CONTROLLED else 4)
    if not load.is_open:
        assert max(change.vus for change in vu_changes(load)) == 4


def test_a_ramp_keeps_its_shape_below_the_most() -> None:
    load = planned(Executor.RAMPING_VUS, vus={"f": 4})
    assert (load.start, [stage.target for stage in load.stages]) == (2, [4, 1, 0])


def test_no_more_vus_than_shared_iterations() -> None:
    assert planned(Executor.SHARED_ITERATIONS, vus={"f": 500}).vus == 60


def test_vus_of_a_flow_that_is_left_out_are_told() -> None:
    overlay = {ROOT / "suite.yml": SUITE, ROOT / "a.yml": STEPS, ROOT / "b.yml": STEPS}
    diagnostics = Diagnostics()
    suite = read_suite([ROOT], diagnostics, overlay=overlay)
    assert suite is not None
    with pytest.raises(VezaflowError, match="--vus: --only excludes the flow 'b'"):
        build(suite, inputs(vus={"b": 4}, only=("a",)), diagnostics)


@pytest.mark.parametrize("executor", POOLS)
def test_a_limit_below_what_stands_ready_is_an_error_when_inputs_make_it(executor: Executor) -> None:
    load = LOADS[executor].replace("max_vus: 40", "max_vus: '${env.MOST}'")
    text = flow(f"executor: {executor.value}, {load}")
    plan, diagnostics = plan_or_faults(text, inputs=inputs({"MOST": "9"}))
    assert plan is None
    assert [d.message for d in diagnostics] == ['expected a whole number of at least 10, got "9"']
    assert plan_of(text, inputs=inputs({"MOST": "10"})).flows[0].load.max_vus == 10


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ("vus: 1, duration: '${env.ZERO}s'", "zero duration"),
        ("executor: ramping-vus, stages: [{duration: '${env.ZERO}s', target: 5}]", "zero duration"),
        (
            "executor: ramping-vus, start_vus: 0, stages: [{duration: 5s, target: '${env.ZERO}'}]",
            "zero from start to end",
        ),
        (
            "executor: constant-arrival-rate, rate: '${env.ZERO}/s', duration: 1m, pre_allocated_vus: 1",
            "zero from start to end",
        ),
    ],
)
def test_a_load_of_nothing_is_an_error_when_inputs_make_it(load: str, message: str) -> None:
    plan, diagnostics = plan_or_faults(flow(load), inputs=inputs({"ZERO": "0"}))
    assert plan is None
    assert [d.code for d in diagnostics] == ["VF420"]
    assert message in next(iter(diagnostics)).message
