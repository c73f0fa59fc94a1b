"""A day takes no more memory than its first half hour."""

import tracemalloc
from random import Random

import pytest

from vezaflow.metrics import Recorder

DAY = 86_400
EVERY = 10  # seconds between two folds: each is what a second's would be
WARM = 1800


@pytest.mark.slow
def test_a_day_of_folds_with_drawn_times_and_failures_holds_its_memory() -> None:
    draw = Random(1)
    recorder = Recorder(0.0)
    steps = [recorder.step(f"flow {n}", "step", "GET", checks=("a", "b")) for n in range(2)]
    recorder.begin(0.0)
    tracemalloc.start()
    try:
        for now in range(EVERY, DAY + 1, EVERY):
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
                before, _ = tracemalloc.get_traced_memory()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / (DAY - WARM) < 3  # bytes a second
