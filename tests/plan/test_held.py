"""A level of a capacity search: each load held at its highest, and the gates that it can judge."""

import json
from typing import Any

import pytest
from planned import SUITE, inputs, plan_of

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import Executor
from vezaflow.plan import Bundle, HeldLevel, Inputs, Plan, PlannedLoad, starts
from vezaflow.read import read_suite
from vezaflow.untrusted import misfit, shape_of

LEVEL = HeldLevel(10.0, 30.0)
CLOSED = {
    Executor.CONSTANT_VUS: "vus: 10, duration: 5m",
    Executor.RAMPING_VUS: "start_vus: 0, stages: [{duration: 1m, target: 10}, {duration: 1m, target: 0}]",
    Executor.PER_VU_ITERATIONS: "vus: 10, iterations: 1",
    Executor.SHARED_ITERATIONS: "vus: 10, iterations: 40",
    Executor.EXTERNALLY_CONTROLLED: "vus: 10, max_vus: 40, duration: 5m",
}
OPEN = {
    Executor.CONSTANT_ARRIVAL_RATE: "rate: 20/s, duration: 5m, pre_allocated_vus: 8, max_vus: 40, start_time: 1m",
    Executor.RAMPING_ARRIVAL_RATE: (
        "stages: [{duration: 1m, target: 20/s}, {duration: 1m, target: 0/s}], pre_allocated_vus: 8, max_vus: 40"
    ),
}

OBSERVED = f"""{SUITE}
observe:
  prometheus:
    url: http://127.0.0.1:9090
    metrics:
      latency: {{histogram: http_request_duration_seconds}}
      requests: {{counter: http_requests_total}}
      cpu: {{gauge: process_cpu_ratio}}
profile: [{{name: cpu, url: /debug/pprof/profile, seconds: 5, at: 10s}}]
"""


def held(load: str, gates: str = "", *, suite: str = SUITE, **options: Any) -> Plan:
    text = f"flow: f\nload: {{{load}}}\nsteps: [{{get: /}}]\nmeasure: {{skip: 2m}}\n{gates}"
    return plan_of(text, suite=suite, inputs=inputs(held=LEVEL, **options))


def load_of(executor: Executor, load: str, **options: Any) -> PlannedLoad:
    return held(f"executor: {executor.value}, {load}", **options).flows[0].load


@pytest.mark.parametrize("executor", CLOSED)
def test_a_closed_load_holds_the_most_vus_that_it_has_from_start_to_end(executor: Executor) -> None:
    load = load_of(executor, CLOSED[executor], scale=1.5)
    assert (load.executor, load.vus, load.max_vus, load.iterations) == (Executor.CONSTANT_VUS, 15, 15, None)
    assert (load.duration, load.start_time) == (40.0, 0.0)


@pytest.mark.parametrize("executor", OPEN)
def test_an_open_load_holds_its_highest_rate_with_its_pool(executor: Executor) -> None:
    load = load_of(executor, OPEN[executor], scale=1.5)
    assert (load.executor, load.peak_rate, load.vus, load.max_vus) == (Executor.CONSTANT_ARRIVAL_RATE, 30.0, 12, 60)
    assert (load.duration, load.start_time) == (40.0, 0.0)
    assert sum(1 for _ in starts(load)) == pytest.approx(1200, abs=1)


def test_what_is_judged_begins_when_the_level_has_settled() -> None:
    assert held("vus: 1, duration: 5m").flows[0].judged_from == 10.0


@pytest.mark.parametrize(
    ("gate", "judged"),
    [
        ("http_req_duration: p(95) < 300 ms", True),
        ("http_req_failed: rate < 1 %", True),
        ("http_req_failed: rate == 0 %", True),
        ("dropped_iterations: count < 10", True),
        ("http_req_failed: count == 0", True),
        ("iterations: count >= 100", False),
        ("iterations: count > 0", False),
        ("http_req_duration: count >= 100", False),
        ("http_reqs: rate >= 50/s", False),
        ("http_reqs: rate < 500/s", True),
        ("vus: max >= 10", False),
        ("http_req_duration: p(95) < 110 % of baseline", False),
    ],
)
def test_a_gate_on_how_much_load_there_was_is_not_judged(gate: str, judged: bool) -> None:
    plan = held("vus: 1, duration: 5m", f"gates: {{{gate}}}")
    assert bool(plan.gates) is judged


@pytest.mark.parametrize(
    ("gate", "judged"),
    [
        ("server.latency: p(95) < 300 ms", True),
        ("server.cpu: max < 80 %", True),
        ("server.requests: count > 100", False),
        ("server.requests: rate < 500/s", True),
        ("profile.cpu{function:main.search}: share < 25 %", True),
    ],
)
def test_a_gate_on_the_server_s_own_figures_is_judged_like_one_on_those_of_the_load(gate: str, judged: bool) -> None:
    plan = held("vus: 1, duration: 5m", f"gates: {{'{gate.split(': ')[0]}': {gate.split(': ')[1]}}}", suite=OBSERVED)
    assert bool(plan.gates) is judged


def test_a_level_is_the_same_in_a_worker() -> None:
    from pathlib import Path

    diagnostics = Diagnostics()
    overlay = {Path("s/suite.yml"): SUITE, Path("s/f.yml"): "flow: f\nload: {vus: 4, duration: 1m}\nsteps: [{get: /}]"}
    suite = read_suite([Path("s")], diagnostics, overlay=overlay)
    assert suite is not None
    given = Inputs({}, scale=1.5, held=LEVEL)
    record = json.loads(json.dumps(Bundle.of(suite, given).to_json()))
    assert not misfit(record["inputs"], shape_of(Inputs))
    there = Bundle.from_json(record)
    assert there.inputs == given
    assert there.plan().flows[0].load.vus == 6


def test_a_bundle_from_before_there_were_levels_is_read() -> None:
    record = {"files": [], "flows": [], "secret_names": [], "inputs": {"environment": {}, "only": [], "seed": 1}}
    assert Bundle.from_json(record).inputs == Inputs({}, seed=1)
