"""Events from the command line: what happens at a time of the load, what somebody marks, and what is shown of it."""

import json
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from processes import Running, target, until, write_suite
from program import vezaflow

from vezaflow.control import call
from vezaflow.errors import ExitCode

pytestmark = pytest.mark.slow
FLOW = """
load: {vus: 2, duration: 4s}
steps: [{get: /work}, {think: 20ms}]
"""
SUITE = """
events:
  - {name: flush, at: 1s, for: 1s, do: [{get: /off}], finally: [{get: /on}]}
  - {name: deploy, for: 500ms}
gates:
  http_req_failed{during:flush}: rate < 1 %
  http_reqs{during:flush}: rate > 1/s
  http_req_failed{during:none}: rate < 1 %
  recovery_time{event:flush}: max < 2 s
  http_reqs{during:deploy}: count > 5
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_events_happen_once_and_what_somebody_marks_with_them(workers: str, tmp_path: Path) -> None:
    summary, lines = tmp_path / "summary.json", tmp_path / "run.jsonl"
    suite = write_suite(tmp_path / "suite", FLOW, SUITE)
    options = ("--workers", workers, "--summary", summary, "--out", f"json={lines}")
    with target() as found, TemporaryDirectory(dir="/tmp") as runtime:
        env = {"BASE_URL": found.base_url, "XDG_RUNTIME_DIR": runtime, "XDG_STATE_HOME": str(tmp_path)}
        with Running("run", suite, *options, env=env) as run:
            until(lambda: "VUs" in run.text or run.process.poll() is not None)
            until(lambda: "/off" in found.asked)
            with call("test", [Path(runtime) / "vezaflow"]) as caller:  # a program takes its time to start
                assert caller.order({"do": "mark", "text": "looks slow"}).startswith("marked at")
                assert caller.order({"do": "mark", "text": "deploy"}).startswith("event 'deploy' starts at")
            code = run.end()
    assert (found.asked.count("/off"), found.asked.count("/on")) == (1, 1)
    record = json.loads(summary.read_text())
    assert {gate["outcome"] for gate in record["gates"]} == {"green"}, run.text
    assert code in (ExitCode.GREEN, ExitCode.INCONCLUSIVE)  # a busy machine is no fault of this test
    assert [(each["name"], each["manual"]) for each in record["events"]] == [
        ("flush", False),
        ("looks slow", True),
        ("deploy", True),
    ]
    assert {each["event"] for each in record["event_windows"]} == {"flush", "deploy"}
    flush = next(each for each in record["event_windows"] if each["event"] == "flush")
    spare = 0.3 if workers == "1" else 1.5
    assert flush["begin"] <= record["events"][0]["begin"] + 0.01
    assert flush["begin"] == pytest.approx(1.0, abs=spare)
    assert flush["end"] == pytest.approx(2.0, abs=spare)
    for shown in ("flush at 1", "looks slow at", "(manual)", "gates with `during:flush` cover"):
        assert shown in run.text
    last = json.loads(lines.read_text().splitlines()[-1])
    assert [each["name"] for each in last["events"]] == ["flush", "looks slow", "deploy"]
    kept = vezaflow("history", "show", "last", env=env)
    assert "flush at 1" in kept.text


def test_an_event_is_undone_when_a_gate_aborts_the_run(tmp_path: Path) -> None:
    aborting = """
    events:
      - {name: "off", at: 500ms, do: [{get: /off}], finally: [{get: /on}]}
    gates:
      http_reqs: {condition: count < 5, abort: true, delay: 1s}
    """
    suite = write_suite(tmp_path / "suite", FLOW.replace("4s", "1m"), aborting)
    with target() as found:
        done = vezaflow("run", suite, env={"BASE_URL": found.base_url})
    assert done.code == ExitCode.RED
    assert found.asked[-1] == "/on"


def test_a_second_ctrl_c_does_not_keep_an_event_from_being_undone(tmp_path: Path) -> None:
    slow = """
    events:
      - {name: "off", at: 200ms, do: [{get: /off}], finally: [{think: 1s}, {get: /on}]}
    """
    suite = write_suite(tmp_path / "suite", FLOW.replace("4s", "1m"), slow)
    env = {"XDG_STATE_HOME": str(tmp_path)}
    with target() as found, Running("run", suite, env={**env, "BASE_URL": found.base_url}) as run:
        until(lambda: "/off" in found.asked)
        run.process.send_signal(signal.SIGINT)
        until(lambda: "stopping" in run.text)
        run.process.send_signal(signal.SIGINT)
        run.end()
        assert found.asked[-1] == "/on", run.text
