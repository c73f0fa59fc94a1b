"""What a worker sends once a second is all that it has measured."""

import base64
import os
import pickle
import socket
import time
from dataclasses import astuple, fields
from pathlib import Path

import pytest
import trio
import trio.testing
from planned import plan_of

from vezaflow.metrics import Recorder, Summary
from vezaflow.plan import Segment
from vezaflow.samples import SampleFile
from vezaflow.scale.frames import Channel
from vezaflow.scale.report import Json
from vezaflow.scale.worker import Worker, to_json_slowly


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


@pytest.mark.slow
def test_the_load_is_over_before_its_samples_are_written(tmp_path: Path) -> None:
    plan = plan_of(
        "flow: f\nload: {executor: per-vu-iterations, vus: 1, iterations: 1}\nsteps: [{get: /}]",
        suite="suite: test\nbase_url: http://127.0.0.1:1",
    )
    fifo = tmp_path / "run.1.jsonl"
    os.mkfifo(fifo)
    order = {
        "number": 1,
        "others": False,
        "every": 1,
        "samples": [list(astuple(SampleFile("json", str(tmp_path / "run.jsonl"), 10**6, 1)))],
        "segment": astuple(Segment()),
        "handed": base64.b64encode(pickle.dumps({"f": {}})).decode(),
    }
    mine, its = (trio.socket.from_stdlib_socket(end) for end in socket.socketpair())

    async def read_late() -> None:
        """Who opens a FIFO to write waits for who reads it."""
        await trio.sleep(2)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        try:
            await trio.sleep_forever()
        finally:
            os.close(reader)

    async def report() -> Json:
        worker, coordinator = Worker(Channel(its), order, plan), Channel(mine)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker.run)
            nursery.start_soon(read_late)
            while (message := await coordinator.receive()) is not None and not message.get("over"):
                if message["is"] == "ready":
                    await coordinator.send({"do": "start", "at": time.perf_counter()})
            nursery.cancel_scope.cancel()
        assert message is not None
        return message

    with mine, its:
        told = trio.run(report)
    assert 0 < told["report"]["seconds"] < 1.9
    assert told["report"]["notes"] == []
