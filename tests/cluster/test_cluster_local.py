"""`--cluster local:N`: Dask workers of one's own, which end with the run, however that ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_cluster import gone
from processes import PATIENCE, Running, Target, read_proc, result, target, until, write_suite

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
FLOW = """
load: {vus: 6, duration: 60s, graceful_stop: 200ms}
steps: [{get: "/x/${vu}/${iteration}"}]
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""
NOISE = ("Traceback", "distributed", "tornado", "asyncio", "KeyboardInterrupt", "Exception ignored")


@pytest.fixture
def veza() -> Iterator[Target]:
    with target() as found:
        yield found


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*"):
            found += [int(child) for child in read_proc(each, f"task/{task.name}/children").split()]
    return found


def lives(pid: int) -> bool:
    return bool(read_proc(pid, "cmdline"))


def test_ctrl_c_on_the_terminal_ends_all_in_order(veza: Target, tmp_path: Path) -> None:
    """The terminal sends it to the whole group, Dask's processes among them."""
    write_suite(tmp_path / "suite", FLOW)
    file = tmp_path / "s.json"
    words = ("run", "suite", "--cluster", "local:2", "--summary", file)
    with Running(*words, env={"BASE_URL": veza.base_url}, folder=tmp_path) as run:
        until(lambda: len(veza.asked) > 100 or run.process.poll() is not None, 2 * PATIENCE)
        pids = family(run.process.pid)
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.end() == 130, run.text
        assert until(lambda: not any(map(lives, pids))) < 5
    assert [word for word in NOISE if word in run.text] == []
    assert [machine["lost"] for machine in result(file)["machines"]] == ["", ""]


def test_ctrl_c_before_the_load_leaves_nothing(veza: Target, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW)
    with Running("run", "suite", "--cluster", "local:2", env={"BASE_URL": veza.base_url}, folder=tmp_path) as run:
        until(lambda: len(family(run.process.pid)) > 2 or run.process.poll() is not None, 2 * PATIENCE)
        pids = family(run.process.pid)
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.end() == 130, run.text
        assert until(lambda: not any(map(lives, pids))) < 5
    assert [word for word in NOISE if word in run.text] == []
    assert veza.asked == []


def test_the_levels_of_a_capacity_search_are_carried_one_after_another(veza: Target, tmp_path: Path) -> None:
    load = "{executor: constant-arrival-rate, rate: 20/s, duration: 5s, pre_allocated_vus: 20}"
    gates = "gates: {http_req_failed: rate < 1 %}"
    write_suite(tmp_path / "suite", f"load: {load}\nsteps: [{{get: /x}}]\n{gates}")
    short = ("--from", "1", "--to", "2", "--steps", "1", "--settle", "200ms", "--measure", "1s", "--no-history")
    words = ("capacity", "suite", "--cluster", "local:2", *short, "--json", "found.json")
    with Running(*words, env={"BASE_URL": veza.base_url}, folder=tmp_path) as search:
        until(lambda: search.process.poll() is not None, 3 * PATIENCE)
        assert search.end() == 0, search.text
    assert result(tmp_path / "found.json")["holds"] == 2.0
    assert len(veza.asked) > 50


def test_nothing_is_left_when_the_coordinator_is_killed(veza: Target, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW)
    with Running("run", "suite", "--cluster", "local:2", env={"BASE_URL": veza.base_url}, folder=tmp_path) as run:
        until(lambda: len(veza.asked) > 10 or run.process.poll() is not None, 2 * PATIENCE)
        pids = family(run.process.pid)
        run.process.kill()
        assert until(lambda: gone(pids)) < 12
        assert until(lambda: not any(map(lives, pids[1:]))) < 60


def test_too_few_open_files_are_said_in_a_sentence(tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW)
    line = f"ulimit -n 60; exec {sys.executable} -P -m vezaflow run suite --cluster local:16"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "BASE_URL": "http://127.0.0.1:1"}
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 97, done.stderr
    assert "of 17 processes could be started: Too many open files" in done.stderr
    assert "Traceback" not in done.stderr


def test_processes_that_are_started_here_inherit_no_input_of_the_run(veza: Target, tmp_path: Path) -> None:
    secret = "tok-3n-secret-42"
    write_suite(tmp_path / "suite", FLOW.replace("/x/", "/x/${env.TOKEN}/"), "secrets: [TOKEN]")
    by_ssh = {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"}  # of who started the run: its own way here
    given = {"BASE_URL": veza.base_url, "TOKEN": secret, "UNASKED": "stays", **by_ssh}
    with Running("run", "suite", "--cluster", "local:2", env=given, folder=tmp_path) as run:
        until(lambda: len(veza.asked) > 10 or run.process.poll() is not None, 2 * PATIENCE)
        seen = {pid: read_proc(pid, "environ") for pid in family(run.process.pid)[1:]}
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.end() == 130, run.text
    assert any(secret in path for path in veza.asked), "it is in the requests"
    assert len(seen) >= 4, "two Dask workers with a load process each"
    assert [pid for pid, text in seen.items() if secret.encode() in text] == []
    assert all(b"UNASKED" in text for text in seen.values() if text)
