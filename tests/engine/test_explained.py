"""What `explain` says of a load is what is then played: no less than at least, no more than at most."""

import pytest
import trio.testing
from planned import plan_of
from stage import Reply, always, play

from vezaflow.explain import explain
from vezaflow.limits import Machine
from vezaflow.plan import Division

pytestmark = pytest.mark.trio
STEPS = "steps: [{get: /}, {post: '/b/${vu}', json: {a: '${iteration}'}}]\ngates: {http_req_failed: rate < 1 %}\n"
RAMP = "[{duration: 5s, target: 9}, {duration: 5s, target: 0}]"
LOADS = {
    "constant-vus": "load: {vus: 7, duration: 10s}\nthink: 2s\n",
    "ramping-vus": f"load: {{executor: ramping-vus, start_vus: 0, stages: {RAMP}}}\nthink: 1s\n",
    "per-vu-iterations": "load: {executor: per-vu-iterations, vus: 3, iterations: 4}\n",
    "shared-iterations": "load: {executor: shared-iterations, vus: 3, iterations: 20}\nthink: 1s\n",
    "constant-arrival-rate": "load: {executor: constant-arrival-rate, rate: 7/s, duration: 5s, pre_allocated_vus: 9}\n",
    "login and finally": "load: {vus: 3, duration: 4s}\nlogin: [{get: /in}]\nfinally: [{get: /out}]\nthink: 1s\n",
}


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
async def test_a_run_keeps_to_the_bounds_that_were_explained(load: str, autojump_clock: trio.testing.MockClock) -> None:
    plan = plan_of(load + STEPS)
    flow = explain(plan, Machine(None, None, None, None), Division()).flows[0]
    played = await play(plan, always(Reply(after=0.001)))
    iterations = played.count("iterations")
    once = flow.vus * (flow.login + flow.final)  # their requests are no part of the load's figures
    assert 0 < flow.iterations <= iterations
    assert flow.iterations_most is None or iterations <= flow.iterations_most
    assert 0 < flow.requests - once <= played.count("http_reqs")
    assert flow.sent > 0
