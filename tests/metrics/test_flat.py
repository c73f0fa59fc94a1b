"""Hours take no more memory than their first ten minutes."""

import gc
import tracemalloc
from random import Random

import pytest

from vezaflow.metrics import Recorder

HOURS = 3 * 3600
EVERY = 10  # seconds between two folds: each is what a second's would be
WARM = 600


def held() -> int:
    gc.collect()  # also what Python holds in reserve for its own small objects
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.slow
def test_hours_of_folds_with_drawn_times_and_failures_hold_their_memory() -> None:
    draw = Random(1)
    recorder = Recorder(0.0)
    steps = [recorder.step("flow 0", "step", "GET", checks=("a", "b"))]
    recorder.begin(0.0)
    tracemalloc.start()
    try:
        for now in range(EVERY, HOURS + 1, EVERY):
            for number, step in enumerate(steps):
                flow = recorder.flow(f"flow {number}")
                flow.vus = 3
                for _ in range(4):
                    duration = draw.lognormvariate(-6, 0.7) * (300 if draw.random() < 0.001 else 1)
                    step.answered(200, duration, duration * 0.01, duration * 0.3, 100, 2000)
                    flow.iteration(duration)
                    flow.group("browse", duration)
                step.connected(0.0, draw.lognormvariate(-8, 0.5), 0.0)
                step.answered(503, draw.lognormvariate(-6, 0.7), 1e-5, 1e-5, 9, 9, "status", now, f"request {now}")
                step.unanswered("timeout_wait", now, f"{now} ms", waited=draw.uniform(1, 1.1))
                step.check_failed("a")
            recorder.fold(float(now))
            recorder.snapshot()
            recorder.latest()
            if now == WARM:
                before = held()
        after = held()
    finally:
        tracemalloc.stop()
    assert (after - before) / (HOURS - WARM) < 10  # bytes a second
