"""Reports of the whole so far → what came since the last one."""

from dataclasses import replace

import pytest
from sample_run import VITALS

from vezaflow.engine import Delivered
from vezaflow.metrics import Phase, Recorder, Timeline
from vezaflow.scale import Report, WorkerState
from vezaflow.session.reading import Reader


def report(recorder: Recorder, seconds: float, lag_share: float, lived: float, lost: float) -> Report:
    workers = tuple(
        WorkerState(name, replace(VITALS, lag_share=lag_share, cpu=cpu)) for name, cpu in (("1", 0.4), ("2", 0.7))
    )
    delivered = {"browse": Delivered(10, lived=lived, time_lost=lost)}
    return Report(seconds, recorder.snapshot(), Timeline(), delivered, workers)


def test_each_reading_has_what_came_since_the_last() -> None:
    recorder, reader = Recorder(0.0), Reader()
    step = recorder.step("browse", "search", "GET")
    login = recorder.step("browse", "login", "POST", phase=Phase.LOGIN)
    step.answered(503, 0.1, 0.0, 0.0, 1, 1, "status", 0.5, "no")
    login.unanswered("timeout_wait", 0.6)
    recorder.fold(1.0)
    first = reader.take(report(recorder, 1.0, 0.0, 10.0, 0.0))
    step.answered(503, 0.1, 0.0, 0.0, 1, 1, "status", 1.5, "no")
    step.unanswered("timeout_wait", 1.6)
    recorder.fold(2.0)
    second = reader.take(report(recorder, 2.0, 0.25, 20.0, 5.0))
    assert first is not None
    assert second is not None
    assert first.failures == {"browse": {"status 503": 1}}
    assert second.failures == {"browse": {"status 503": 1, "timeout_wait": 1}}
    assert [first.late, second.late] == pytest.approx([0.0, 0.5])
    assert (first.missing, second.missing) == (0.0, 0.5)
    assert second.cpu == 0.7


def test_no_time_is_no_reading() -> None:
    recorder, reader = Recorder(0.0), Reader()
    assert reader.take(report(recorder, 1.0, 0.0, 0.0, 0.0)) is not None
    assert reader.take(report(recorder, 1.0, 0.0, 0.0, 0.0)) is None
