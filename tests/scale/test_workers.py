"""A run on several cores, by real processes: it does what one process would, and nothing that dies goes unnoticed."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import Running, Target, read_proc, result, target, until, write_suite

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

TOKEN = "tok-3n/+secret=42"
ENDLESS = """
load: {vus: 6, duration: 30s, graceful_stop: 200ms}
steps: [{get: /x}]
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""


@pytest.fixture(scope="module")
def veza() -> Iterator[Target]:
    with target() as found:
        yield found


@pytest.fixture
def asked(veza: Target) -> list[str]:
    veza.asked.clear()
    return veza.asked


def test_the_workers_together_do_what_one_would(veza: Target, asked: list[str], tmp_path: Path) -> None:
    flow = """
    load: {executor: per-vu-iterations, vus: 10, iterations: 4}
    vars: {night: {each: run, value: "${uuid()}"}}
    steps:
      - get: /${token}/${vu}/${iteration}
        name: mine
        query: {night: "${night}", day: "${day}"}
      - choose:
          - {weight: 3, do: [{get: /often}]}
          - {weight: 1, do: [{get: /seldom}]}
    gates: {http_req_failed: rate < 1 %}
    """
    once = """
    vars: {day: {each: run, value: "${uuid()}"}}
    preflight: [{get: /preflight}]
    setup: [{get: /setup, extract: {token: {json: $.token}}}]
    teardown: [{get: /teardown}]
    """
    file = tmp_path / "s.json"
    folder = write_suite(tmp_path / "suite", flow, once)
    with Running("run", folder, "--workers", "2", "--summary", file, env={"BASE_URL": veza.base_url}) as run:
        assert run.end() == 0, run.text
    nights = {path.partition("?")[2] for path in asked if "?" in path}
    assert len(nights) == 1, "a value of the run is one for all workers"
    counts = Counter(path.partition("?")[0] for path in asked)
    assert [counts[path] for path in ("/preflight", "/setup", "/teardown")] == [1, 1, 1]
    mine = {f"/from-setup/{vu}/{iteration}" for vu in range(1, 11) for iteration in range(4)}
    assert {path for path in counts if path.startswith("/from-setup")} == mine
    assert all(counts[path] == 1 for path in mine)
    assert (counts["/often"], counts["/seldom"]) == (30, 10)
    told = result(file)
    assert told["pooled"]["iterations"] == 40
    assert told["pooled"]["http_reqs"] == sum(point["requests"] for point in told["timeline"]) == 80
    assert [worker["name"] for worker in told["health"]["workers"]] == ["1", "2"]
    assert told["health"]["vus_started"] == 10
    assert told["concerns"] == []


def test_a_killed_worker_is_noticed_and_its_figures_stay(veza: Target, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    folder = write_suite(tmp_path / "suite", ENDLESS)
    with Running("run", folder, "--workers", "2", "--summary", file, env={"BASE_URL": veza.base_url}) as run:
        victim = run.until_load(2)[0]
        time.sleep(1.2)  # a report of each has come
        os.kill(victim, signal.SIGKILL)
        assert until(lambda: "was killed by SIGKILL" in run.text) < 2
        assert run.end() == 98, run.text
        assert run.gone()
    told = result(file)
    assert told["concerns"][0]["kind"] == "worker_lost"
    assert "INCONCLUSIVE: worker 1" in run.text
    assert told["health"]["workers"][0]["lost"] != ""
    assert told["health"]["workers"][0]["cpu_mean"] > 0
    assert told["timeline"][0]["vus"] == 6, "what it had reported is in the figures"


def test_a_silent_worker_is_noticed_within_two_seconds(veza: Target, tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suite", ENDLESS)
    with Running("run", folder, "--workers", "2", env={"BASE_URL": veza.base_url}) as run:
        os.kill(run.until_load(2)[1], signal.SIGSTOP)
        assert until(lambda: "worker 2" in run.text and "sent nothing" in run.text) < 3
        assert run.end() == 98, run.text
        assert run.gone()


def test_one_ctrl_c_lets_all_end_in_order(veza: Target, tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suite", ENDLESS)
    with Running("run", folder, "--workers", "2", env={"BASE_URL": veza.base_url}) as run:
        run.until_load(2)
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.end() == 130, run.text
        assert run.gone()
    assert "ended early" not in run.text


def test_a_second_ctrl_c_ends_all_at_once(veza: Target, tmp_path: Path) -> None:
    flow = ENDLESS.replace("200ms", "60s").replace("steps: [{get: /x}]", "steps: [{get: /x}, {think: 60s}]")
    folder = write_suite(tmp_path / "suite", flow)
    with Running("run", folder, "--workers", "2", env={"BASE_URL": veza.base_url}) as run:
        run.until_load(2)
        os.kill(run.process.pid, signal.SIGINT)
        time.sleep(0.5)
        assert run.process.poll() is None
        os.kill(run.process.pid, signal.SIGINT)
        begin = time.monotonic()
        assert run.end() == 130, run.text
        assert time.monotonic() - begin < 10
        assert run.gone()
    assert "ended early" not in run.text


def test_ctrl_c_while_workers_start_sends_no_load(veza: Target, asked: list[str], tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suite", ENDLESS)
    with Running("run", folder, "--workers", "2", env={"BASE_URL": veza.base_url}) as run:
        until(lambda: len(run.workers()) == 2)
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130, run.text
        assert run.gone()
    assert ("stopped before any load was sent" in run.text) == (asked == [])
    assert "ended early" not in run.text


def test_no_orphan_is_left_when_the_coordinator_is_killed(veza: Target, tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suite", ENDLESS)
    with Running("run", folder, "--workers", "3", env={"BASE_URL": veza.base_url}) as run:
        run.until_load(3)
        run.process.kill()
        assert until(run.gone) < 5


def test_an_abort_gate_stops_all(veza: Target, tmp_path: Path) -> None:
    gate = "gates: {http_reqs: {condition: count < 10, abort: true}}"
    folder = write_suite(tmp_path / "suite", ENDLESS.replace("gates: {http_req_failed: rate < 1 %}", gate))
    with Running("run", folder, "--workers", "2", env={"BASE_URL": veza.base_url}) as run:
        assert run.end() == 99, run.text
        assert run.gone()
    assert "stopped early by the gate" in run.text


def test_a_stop_step_in_one_worker_stops_the_flow_in_all(veza: Target, tmp_path: Path) -> None:
    flow = ENDLESS.replace("{get: /x}", "{get: /x}, {if: vu == 1 and iteration == 5, do: [{stop: flow}]}")
    folder = write_suite(tmp_path / "suite", flow)
    with Running("run", folder, "--workers", "2", env={"BASE_URL": veza.base_url}) as run:
        assert run.end() in (0, 98), run.text  # 98: on a busy machine
    assert "stopped" not in run.text, "nobody was lost"


def test_another_terminal_steers_all_workers(veza: Target, tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suite", ENDLESS)
    env = {"BASE_URL": veza.base_url}
    file = tmp_path / "s.json"

    def order(*words: str) -> str:
        with Running(*words, env=env) as other:
            assert other.end() == 0, other.text
            return other.text

    with Running("run", folder, "--workers", "2", "--summary", file, env=env) as run:
        run.until_load(2)
        pid = str(run.process.pid)
        assert "all flows are paused" in order("pause", pid)
        time.sleep(0.3)
        before = len(veza.asked)
        time.sleep(0.5)
        assert len(veza.asked) == before, "nobody begins anything"
        order("resume", pid)
        order("scale", "flow=9", "--run", pid)
        until(lambda: '"vus":9' in order("status", "--json", pid))
        assert len(veza.asked) > before
        order("stop", pid)
        assert run.end() == 130, run.text
    told = result(file)
    assert "flow was scaled manually from 6 VUs to 9" in told["notes"][-1]
    assert told["health"]["vus_started"] == 9


def test_secrets_reach_workers_by_the_pipe_alone_and_come_back_masked(veza: Target, tmp_path: Path) -> None:
    flow = ENDLESS.replace("{get: /x}", '{get: "/${env.USER_TOKEN}"}, {log: "it is ${env.USER_TOKEN}"}')
    folder = write_suite(tmp_path / "suite", flow, "secrets: [USER_TOKEN]")
    env = {"BASE_URL": veza.base_url, "USER_TOKEN": TOKEN}
    with Running("run", folder, "--workers", "2", env=env) as run:
        for pid in run.until_load(2):
            assert TOKEN.encode() not in read_proc(pid, "environ") + read_proc(pid, "cmdline")
        until(lambda: "it is" in run.text)
        os.kill(run.process.pid, signal.SIGINT)
        assert run.end() == 130
    assert "it is •••" in run.text
    assert TOKEN not in run.text


def test_what_a_crashing_worker_says_is_shown_masked(veza: Target, tmp_path: Path) -> None:
    bug = f"""
    import os, sys, threading
    def crash():
        sys.stderr.write("Traceback: {TOKEN}\\n")
        sys.stderr.flush()
        os._exit(3)
    if "vezaflow.scale" in sys.orig_argv:
        threading.Timer(2, crash).start()
    """
    lines = bug.strip("\n").splitlines()
    (tmp_path / "sitecustomize.py").write_text("\n".join(line[4:] for line in lines))
    flow = ENDLESS.replace("get: /x", 'get: "/${env.USER_TOKEN}"')
    folder = write_suite(tmp_path / "suite", flow, "secrets: [USER_TOKEN]")
    env = {"BASE_URL": veza.base_url, "USER_TOKEN": TOKEN, "PYTHONPATH": str(tmp_path)}
    with Running("run", folder, "--workers", "2", env=env) as run:
        assert run.end() in (97, 98), run.text
    assert "ended early with exit code 3" in run.text
    assert ": Traceback: •••" in run.text
    assert TOKEN not in run.text


def test_a_folder_with_files_named_as_modules_disturbs_no_process(veza: Target, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", "load: {vus: 2, duration: 1s}\nsteps: [{get: /x}]\n")
    for name in ("queue", "json", "select", "trio", "vezaflow"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not this one')")
    env = {"BASE_URL": veza.base_url}
    with Running("run", "suite", "--workers", "2", "--sandbox", env=env, folder=tmp_path) as run:
        assert run.end() in (0, 98), run.text  # a busy machine may miss a part of the load
    assert "not this one" not in run.text


def test_files_that_make_no_plan_in_a_worker_are_refused(veza: Target, asked: list[str], tmp_path: Path) -> None:
    flow = "load: {vus: 2, duration: 5s}\nsteps: [{post: /x, body: {file: ./data.bin}}]\n"
    folder = write_suite(tmp_path / "suite", flow, "setup: [{get: /setup}, {think: 2s}]")
    (folder / "data.bin").write_bytes(b"data")
    with Running("run", folder, "--workers", "2", env={"BASE_URL": veza.base_url}) as run:
        until(lambda: "/setup" in asked or run.process.poll() is not None)
        (folder / "data.bin").unlink()
        assert run.end() == 2, run.text
    assert "data.bin" in run.text


def test_workers_deal_every_unique_row_once_and_stop_together(veza: Target, asked: list[str], tmp_path: Path) -> None:
    flow = """
    load: {vus: 4, duration: 30s}
    data:
      users: {csv: data/users.csv, pick: unique, at_end: %s}
      seats: {csv: data/users.csv, pick: per_vu, at_end: wrap}
    steps: [{get: "/${users.name}/${vu}/${seats.name}"}]
    gates: {http_req_failed: rate < 1 %%}
    """
    rows = [f"row{number}" for number in range(1, 301)]
    for end, code in (("stop_vu", 0), ("inconclusive", 98)):
        asked.clear()
        folder = write_suite(tmp_path / end, flow % end)
        (folder / "data").mkdir()
        (folder / "data" / "users.csv").write_text("name\n" + "\n".join(rows) + "\n")
        with Running("run", folder, "--workers", "2", env={"BASE_URL": veza.base_url}) as run:
            assert run.end() == code, run.text
        dealt = [path.split("/")[1] for path in asked]
        assert len(dealt) == len(set(dealt)), "no row twice"
        if end == "stop_vu":
            assert sorted(dealt) == sorted(rows), "none is left"
        assert {tuple(path.split("/")[2:]) for path in asked} == {(str(n), f"row{n}") for n in range(1, 5)}
        assert ("the data source 'users' was exhausted" in run.text) is (end == "inconclusive")
