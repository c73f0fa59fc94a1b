"""What a worker sends once a second is all that it has measured."""

from dataclasses import fields

import pytest
import trio.testing

from vezaflow.metrics import Recorder, Summary
from vezaflow.scale.worker import to_json_slowly


def measured() -> Summary:
    recorder = Recorder(0.0)
    step = recorder.step("f", "s", "GET", tags=(("page", "1"),), checks=("status",))
    recorder.flow("f").vus = 1
    recorder.flow("f").iteration(0.2)
    step.connected(0.0, 0.01, 0.0)
    step.answered(200, 0.1, 0.0, 0.0, 10, 20)
    step.unanswered("refused", 0.5)
    step.attempts().retried()
    step.attempts().ended(0.3, failed=False)
    step.listeners().started(0.3)
    step.channels().opened(0.3)
    step.streams().opened(0.3)
    recorder.fold(1.0)
    return recorder.snapshot()


@pytest.mark.trio
async def test_no_row_is_left_out(autojump_clock: trio.testing.MockClock) -> None:
    summary = measured()
    assert all(getattr(summary, part.name) for part in fields(Summary))
    assert await to_json_slowly(summary) == summary.to_json()
