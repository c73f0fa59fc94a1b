"""A run from the machines of a Dask cluster, by real processes on loopback: it does what one machine would, and nothing
that dies goes unnoticed, is run twice or is left behind."""

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import DaskCluster, dask_cluster, gone
from distributed import Client
from processes import Running, Target, read_proc, result, target, until, write_suite

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

TOKEN = "tok-3n/+secret=42"
ENDLESS = """
load: {vus: 6, duration: 60s, graceful_stop: 200ms}
steps: [{get: "/x/${vu}/${iteration}"}]
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""
NOISE = ("Traceback", "distributed", "tornado", "asyncio", "CommClosed", "Task exception", "Exception ignored")


@pytest.fixture(scope="module")
def veza() -> Iterator[Target]:
    with target() as found:
        yield found


@pytest.fixture
def asked(veza: Target) -> list[str]:
    veza.asked.clear()
    return veza.asked


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A cluster of three that no test kills anything of."""
    environment = {"DASK_LOGGING__DISTRIBUTED": "debug", "PYTHONDONTWRITEBYTECODE": "1"}
    with dask_cluster(tmp_path_factory.mktemp("lasting"), 3, environment=environment) as found:
        yield found


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[DaskCluster]:
    """A cluster of two that a test may kill."""
    with dask_cluster(tmp_path / "dask", 2) as found:
        yield found


def running(cluster: DaskCluster, veza: Target, folder: Path, *words: str | Path, **env: str) -> Running:
    return Running(
        "run", "suite", "--cluster", cluster.address, *words, env={"BASE_URL": veza.base_url, **env}, folder=folder
    )


def is_quiet(run: Running) -> bool:
    return not [word for word in NOISE if word in run.text]


def left_on_scheduler(cluster: DaskCluster) -> list[str]:
    """The queues of runs that a scheduler still has."""
    with Client(cluster.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        found: list[str] = client.run_on_scheduler(lambda dask_scheduler: [*dask_scheduler.extensions["queues"].queues])
    return found


def test_the_machines_together_do_what_one_would(
    lasting: DaskCluster, veza: Target, asked: list[str], tmp_path: Path
) -> None:
    flow = """
    load: {executor: per-vu-iterations, vus: 10, iterations: 4}
    vars: {night: {each: run, value: "${uuid()}"}}
    data: {who: {csv: people.csv, pick: unique, each: iteration}}
    steps:
      - get: /${token}/${vu}/${iteration}
        name: mine
        query: {night: "${night}", day: "${day}"}
      - choose:
          - {weight: 3, do: [{get: "/often/${who.name}"}]}
          - {weight: 1, do: [{get: "/seldom/${who.name}"}]}
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
    (folder / "people.csv").write_text("name\n" + "".join(f"p{number}\n" for number in range(90)))
    with running(lasting, veza, tmp_path, "--summary", file) as run:
        assert run.end() == 0, run.text
    assert is_quiet(run), run.text
    nights = {path.partition("?")[2] for path in asked if "night=" in path}
    assert len(nights) == 1, "a value of the run is one for all machines"
    counts = Counter(path.partition("?")[0] for path in asked)
    assert [counts[path] for path in ("/preflight", "/setup", "/teardown")] == [1, 1, 1]
    mine = {f"/from-setup/{vu}/{iteration}" for vu in range(1, 11) for iteration in range(4)}
    assert {path for path in counts if path.startswith("/from-setup")} == mine
    assert all(counts[path] == 1 for path in mine)
    people = Counter(path.rpartition("/")[2] for path in counts if path.startswith(("/often", "/seldom")))
    assert len(people) == sum(people.values()) == 40, "no row is drawn twice, whatever the machine"
    assert sum(path.startswith("/often") for path in counts) == 30
    told = result(file)
    assert told["pooled"]["iterations"] == 40
    assert told["pooled"]["http_reqs"] == sum(point["requests"] for point in told["timeline"]) == 80
    assert told["concerns"] == []
    machines = told["machines"]
    assert len(machines) == 3
    assert sum(machine["requests"] for machine in machines) == 80
    assert all(0 < machine["clock_error"] < 1 and machine["lost"] == "" for machine in machines)
    assert all(machine["p95"] > 0 and machine["cpu_max"] > 0 for machine in machines)
    assert until(lambda: left_on_scheduler(lasting) == []) < 5


def test_a_secret_is_nowhere_but_in_its_requests(
    lasting: DaskCluster, veza: Target, asked: list[str], tmp_path: Path
) -> None:
    from distributed import Client

    flow = ENDLESS.replace("/x/", "/x/${env.TOKEN}/").replace("60s", "4s")
    write_suite(tmp_path / "suite", flow, "secrets: [TOKEN]")

    def remembered(dask_scheduler: Any) -> str:  # it travels by value, as it is within another
        tasks = {key: repr(task.run_spec) for key, task in dask_scheduler.tasks.items()}
        queues = {name: repr(queue) for name, queue in dask_scheduler.extensions["queues"].queues.items()}
        return repr((tasks, queues))

    with running(lasting, veza, tmp_path, TOKEN=TOKEN) as run:
        lasting.until_load(run, asked, 3)
        dask = [pid for each in (lasting.scheduler, *lasting.workers) for pid in each.family()]
        seen = {f"{pid} {name}": read_proc(pid, name) for pid in dask for name in ("cmdline", "environ")}
        with Client(lasting.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            events = repr(client.get_events())
            story = client.run_on_scheduler(remembered)
        assert run.end() in (0, 98), run.text  # a busy machine may miss a part of the load
    assert any("tok-3n" in path for path in asked), "it is in the requests"
    assert len(seen) >= 12
    assert [place for place, text in seen.items() if b"tok-3n" in text] == []
    assert "vezaflow" in story
    texts = (events, story, *(each.text for each in (lasting.scheduler, *lasting.workers)), run.text)
    assert [text for text in texts if "tok-3n" in text] == []


def test_files_reach_the_machines(lasting: DaskCluster, veza: Target, asked: list[str], tmp_path: Path) -> None:
    flow = """
    load: {executor: per-vu-iterations, vus: 6, iterations: 2}
    data: {who: {csv: rows/people.csv, each: vu}}
    steps:
      - {get: "/with/${who.name}", body: {file: bodies/small.bin}}
    gates: {http_req_failed: rate < 1 %}
    """
    folder = write_suite(tmp_path / "suite", flow)
    (folder / "rows").mkdir()
    (folder / "bodies").mkdir()
    (folder / "rows" / "people.csv").write_text("name\nanna\nbert\n")
    (folder / "bodies" / "small.bin").write_bytes(bytes(range(256)))
    with running(lasting, veza, tmp_path) as run:
        assert run.end() == 0, run.text
    assert sorted(set(asked)) == ["/with/anna", "/with/bert"]
    assert len(asked) == 12


def test_ctrl_c_reaches_all_machines(lasting: DaskCluster, veza: Target, asked: list[str], tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", ENDLESS)
    with running(lasting, veza, tmp_path) as run:
        pids = lasting.until_load(run, asked, 3)
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.end() == 130, run.text
        assert until(lambda: gone(pids)) < 3
    assert "(lost)" not in run.text
    assert is_quiet(run), run.text


@pytest.mark.long
def test_no_orphan_is_left_when_the_coordinator_is_killed(
    lasting: DaskCluster, veza: Target, asked: list[str], tmp_path: Path
) -> None:
    write_suite(tmp_path / "suite", ENDLESS)
    with running(lasting, veza, tmp_path) as run:
        pids = lasting.until_load(run, asked, 3)
        run.process.kill()
        assert until(lambda: gone(pids)) < 12


def test_explain_shows_the_machines_and_sends_no_request(
    lasting: DaskCluster, veza: Target, asked: list[str], tmp_path: Path
) -> None:
    write_suite(tmp_path / "suite", ENDLESS)
    words = ("explain", "suite", "--cluster", lasting.address)
    with Running(*words, "--format", "json", env={"BASE_URL": veza.base_url}, folder=tmp_path) as run:
        assert run.end() == 0, run.text
    told = json.loads(run.text)
    assert [machine["vus"]["flow"] for machine in told["machines"]] == [2, 2, 2]
    assert sum(machine["fraction"] for machine in told["machines"]) == pytest.approx(1)
    assert all(machine["problems"] == [] and machine["stamps"] for machine in told["machines"])
    with Running(*words, env={"BASE_URL": "http://127.0.0.1:1"}, folder=tmp_path) as run:
        assert run.end() == 97
    assert "can't reach the target 127.0.0.1:1: Connection refused" in run.text
    assert "Machines" in run.text
    assert asked == []


def test_a_lost_machine_is_noticed_named_and_not_replaced(
    mortal: DaskCluster, veza: Target, asked: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "s.json"
    write_suite(tmp_path / "suite", ENDLESS)
    with running(mortal, veza, tmp_path, "--summary", file) as run:
        pids = mortal.until_load(run, asked, 2)
        time.sleep(2.5)  # a report of each has come
        mortal.workers[1].stop()
        assert until(lambda: "sent nothing" in run.text) < 3
        assert run.end() == 98, run.text
        assert until(lambda: gone(pids)) < 9, "nor does the load go on below a Dask worker that stands still"
    assert is_quiet(run), run.text
    told = result(file)
    (concern,) = told["concerns"][:1]
    assert concern["kind"] == "worker_lost"
    lost = next(machine for machine in told["machines"] if machine["lost"])
    assert f"the machine {lost['name']} ({lost['address']}) was lost" in concern["text"]
    assert "3 of 6 VUs of flow are missing" in concern["text"]
    assert lost["requests"] > 0, "what it had reported is in the figures"
    assert max(Counter(asked).values()) == 1, "no iteration is run twice"


@pytest.mark.long
def test_no_orphan_is_left_when_the_scheduler_is_killed(
    mortal: DaskCluster, veza: Target, asked: list[str], tmp_path: Path
) -> None:
    write_suite(tmp_path / "suite", ENDLESS)
    with running(mortal, veza, tmp_path) as run:
        pids = mortal.until_load(run, asked, 2)
        time.sleep(1.5)
        begin = time.monotonic()
        mortal.scheduler.kill()
        assert until(lambda: gone(pids)) < 10
        assert run.end() == 98, run.text
        assert time.monotonic() - begin < 20
    assert is_quiet(run), run.text
    assert max(Counter(asked).values()) == 1


def test_a_task_that_dask_runs_again_puts_on_no_load(veza: Target, asked: list[str], tmp_path: Path) -> None:
    """A nanny restarts its worker at the same address, and the scheduler gives it the task again."""
    write_suite(tmp_path / "suite", ENDLESS)
    with dask_cluster(tmp_path / "dask", 1) as cluster:
        again = cluster.add_worker("--worker-port", str(_free_port()))
        cluster.wait()
        with running(cluster, veza, tmp_path) as run:
            pids = cluster.until_load(run, asked, 2)
            time.sleep(1)
            victim = next(pid for pid in again.family() if any(int(p) in again.loads() for p in _children(pid)))
            os.kill(victim, signal.SIGKILL)
            until(lambda: again.text.count("Registered to:") == 2)
            assert run.end() == 98, run.text
            assert until(lambda: gone(pids)) < 3
        assert is_quiet(run), run.text
        assert max(Counter(asked).values()) == 1
        assert cluster.loads() == []


def _children(pid: int) -> list[bytes]:
    tasks = Path(f"/proc/{pid}/task").glob("*")
    return [child for task in tasks for child in read_proc(pid, f"task/{task.name}/children").split()]


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_scheduler_without_workers_is_refused_with_the_way_to_start_one(veza: Target, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", ENDLESS)
    with dask_cluster(tmp_path / "dask", 0) as cluster, running(cluster, veza, tmp_path) as run:
        assert run.end() == 97, run.text
    assert "has no Dask workers" in run.text
    assert f"`dask worker {cluster.address}`" in run.text
    assert is_quiet(run), run.text
