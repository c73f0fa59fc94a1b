"""What is done over and over takes nothing into CPython's reserve of tuples, which holds 2,000 of each length for good.

A tuple of a generator comes from the reserve of one length and goes back into that of another. Nothing holds it and no
profiler of memory shows it; it is what the collector counts as made and never taken away.
"""

import gc
from collections.abc import Callable

from planned import plan_of

from vezaflow.gates import judge
from vezaflow.metrics import Recorder
from vezaflow.outputs import tick_of
from vezaflow.plan import Chance, PlannedRequest, Scope
from vezaflow.results import Health

FLOW = """
flow: shop
load: {vus: 2, duration: 10s}
steps:
  - post: http://127.0.0.1/
    multipart: {title: "${iteration} a", file: {bytes: 1 KiB}}
gates:
  http_req_duration: p(95) < 500 ms
"""


def made(work: Callable[[], object], times: int = 300) -> int:
    """Objects that were made beyond those taken away, while `work` was done so many times."""
    for _ in range(20):
        work()
    gc.collect()
    gc.disable()
    try:
        before = gc.get_count()[0]
        for _ in range(times):
            work()
        return gc.get_count()[0] - before
    finally:
        gc.enable()


def test_a_multipart_body() -> None:
    plan = plan_of(FLOW)
    (request,) = plan.flows[0].steps
    assert isinstance(request, PlannedRequest)
    scope = Scope([None] * 9, Chance("1"), 1)
    assert made(lambda: request.prepare(scope)) < 50


def test_a_second_of_a_run() -> None:
    plan, recorder = plan_of(FLOW), Recorder(0.0)
    step, flow = recorder.step("shop", "POST /", "POST"), recorder.flow("shop")
    flow.vus = 2
    seconds = iter(range(1, 1000))

    def second() -> None:
        now = float(next(seconds))
        step.answered(200, 0.1, 0.01, 0.01, 1, 1)
        flow.iteration(0.5)
        recorder.fold(now)
        summary = recorder.snapshot()
        verdicts = judge(plan.gates, summary, seconds=now)
        tick_of(plan, summary, recorder.latest(), verdicts, elapsed=now, health=Health())

    assert made(second) < 150
