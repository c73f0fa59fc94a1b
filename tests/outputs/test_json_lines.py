"""`--out json=FILE`, read back by the standard library: names, units, secrets, and that a line is there at once."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from planned import plan_of

from vezaflow.engine import Vitals
from vezaflow.gates import judge
from vezaflow.metrics import Recorder
from vezaflow.outputs import Tick, output_of, tick_of
from vezaflow.plan import Plan, PlannedOutput, Secrets
from vezaflow.results import Health
from vezaflow.scale import WorkerState

pytestmark = pytest.mark.trio

PLAN = plan_of("""
flow: browse
load: {vus: 2, duration: 10s}
steps: [{get: /search, timeout: 1s}]
gates: {http_req_duration: p(95) < 50 ms}
""")


BUSY = Health((WorkerState("1", Vitals(0.5, 0.5, 0.6, 0.002, 0.01, 50 << 20)),))


def tick(*, last: bool = False, timeouts: int = 0) -> Tick:
    recorder = Recorder(0.0)
    step, flow = recorder.step("browse", "GET /search", "GET"), recorder.flow("browse")
    flow.vus = 2
    for _ in range(10 - timeouts):
        step.answered(200, 0.1, 0.0, 0.0, 50, 200)
    for _ in range(timeouts):
        step.unanswered("timeout_wait", 1.0, waited=1.0, waiting=1.0)
    flow.iteration(0.5)
    recorder.fold(2.0)
    summary = recorder.snapshot()
    verdicts = judge(PLAN.gates, summary)
    found = tick_of(PLAN, summary, recorder.timeline(), verdicts, elapsed=2.0, health=BUSY, last=last)
    return replace(found, manual_changes=("browse was paused manually for 4 s",))


async def written(file: Path, *ticks: Tick, plan: Plan = PLAN) -> list[dict[str, Any]]:
    send, receive = trio.open_memory_channel[Tick](len(ticks))
    async with send:
        for each in ticks:
            send.send_nowait(each)
    await output_of(PlannedOutput("json", "--out json", str(file)), plan, print).run(receive)
    return [json.loads(line) for line in file.read_text().splitlines()]  # noqa: ASYNC240 (a test)


async def test_a_line_has_the_names_and_units_of_the_summary(tmp_path: Path) -> None:
    first, last = await written(tmp_path / "run.jsonl", tick(), tick(last=True))
    assert (first["elapsed"], first["remaining"], first["last"], last["last"]) == (2.0, 8.0, False, True)
    (flow,) = first["flows"]
    duration, gates = flow.pop("http_req_duration"), flow.pop("gates")
    assert flow == {
        "flow": "browse", "vus": 2, "vus_requested": 2, "iterations": 1, "dropped_iterations": 0, "http_reqs": 10,
        "http_reqs_per_second": 5.0, "http_req_failed": 0.0, "data_sent": 500, "data_received": 2000,
    }  # fmt: skip
    assert duration["p95"] == pytest.approx(0.1, rel=0.001)
    assert (duration["count"], duration["at_least"]) == (10, [])
    assert [(gate["gate"], gate["so_far"]) for gate in gates] == [("http_req_duration: p(95) < 50 ms", "red")]
    assert first["pooled"]["http_reqs"] == 10
    assert first["health"]["cpu_mean"] == 0.5
    assert first["manual_changes"] == ["browse was paused manually for 4 s"]


async def test_the_moment_is_iso_8601_in_utc(tmp_path: Path) -> None:
    (line,) = await written(tmp_path / "run.jsonl", tick())
    assert line["time"].endswith("+00:00")


async def test_percentiles_among_timeouts_are_marked_as_lower_bounds(tmp_path: Path) -> None:
    (line,) = await written(tmp_path / "run.jsonl", tick(timeouts=3))
    duration = line["pooled"]["http_req_duration"]
    assert duration["p95"] == pytest.approx(1.0, rel=0.001)
    assert "p95" in duration["at_least"]
    assert "p50" not in duration["at_least"]


async def test_what_is_not_known_yet_is_null(tmp_path: Path) -> None:
    nothing = tick_of(PLAN, Recorder(0.0).snapshot(), Recorder(0.0).timeline(), (), elapsed=0.0, health=Health())
    (line,) = await written(tmp_path / "run.jsonl", nothing)
    assert line["flows"][0]["http_req_duration"]["p95"] is None


async def test_secrets_are_masked(tmp_path: Path) -> None:
    plan = replace(PLAN, secrets=Secrets.of(["hunter2-and-more"]))
    (line,) = await written(
        tmp_path / "run.jsonl", replace(tick(), manual_changes=("it is hunter2-and-more",)), plan=plan
    )
    assert line["manual_changes"] == ["it is •••"]


async def test_a_file_of_an_earlier_run_is_replaced_and_each_line_is_there_at_once(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text("the last one\n")
    send, receive = trio.open_memory_channel[Tick](0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(output_of(PlannedOutput("json", "--out json", str(file)), PLAN, print).run, receive)
        await send.send(tick())
        await send.send(tick())  # taken when the first is written
        assert json.loads(file.read_text().splitlines()[0])["elapsed"] == 2.0
        await send.aclose()


async def test_a_pipe_that_nobody_reads_is_given_up_with_the_output(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    _, receive = trio.open_memory_channel[Tick](0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            output_of(PlannedOutput("json", "--out json", str(tmp_path / "pipe")), PLAN, print).run, receive
        )
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    os.close(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK))  # lets the thread go
