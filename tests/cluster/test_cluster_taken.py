"""A Dask worker that does something else, or that can't hold the suite, is said before any load; two runs never share
one."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_cluster import DaskCluster, dask_cluster, gone
from processes import Running, Target, target, until, write_suite

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

ENDLESS = """
load: {vus: 2, duration: 90s, graceful_stop: 200ms}
steps: [{get: "/x/${vu}/${iteration}"}]
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""


@pytest.fixture(scope="module")
def veza() -> Iterator[Target]:
    with target() as found:
        yield found


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A cluster of one Dask worker that has time for two tasks, and whose disk takes 300 kB in a file."""
    with dask_cluster(tmp_path_factory.mktemp("one"), 0) as found:
        found.add_worker("--nthreads", "2", prefix=("prlimit", "--fsize=300000"))
        found.wait()
        yield found


def running(cluster: DaskCluster, veza: Target, folder: Path) -> Running:
    return Running("run", "suite", "--cluster", cluster.address, env={"BASE_URL": veza.base_url}, folder=folder)


def test_two_runs_do_not_share_a_machine(one: DaskCluster, veza: Target, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", ENDLESS)
    veza.asked.clear()
    with running(one, veza, tmp_path) as run:
        pids = one.until_load(run, veza.asked, 1)
        with running(one, veza, tmp_path) as second:
            assert second.end() == 97, second.text
            assert "carries another run of vezaflow" in second.text
            assert "wait for its end" in second.text
        assert one.loads() == pids, "the first goes on"
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.end() == 130, run.text
        assert "was lost" not in run.text
        until(lambda: gone(pids))


@pytest.mark.long
def test_a_machine_with_other_tasks_is_named_with_one_of_them(one: DaskCluster, veza: Target, tmp_path: Path) -> None:
    from distributed import Client

    write_suite(tmp_path / "suite", ENDLESS)
    veza.asked.clear()
    with Client(one.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        tasks = [client.submit(time.sleep, 40, key=f"training-{number}") for number in range(2)]
        until(lambda: any(client.processing().values()))
        with running(one, veza, tmp_path) as run:
            assert run.end() == 97, run.text
        del tasks
    assert "is busy with 2 other tasks (such as 'training-" in run.text
    assert veza.asked == []


def test_a_machine_whose_disk_is_full_says_so(veza: Target, one: DaskCluster, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", ENDLESS)
    (tmp_path / "suite" / "large.bin").write_bytes(bytes(400_000))
    veza.asked.clear()
    for worker in one.workers:
        worker.kill()
    one.workers.clear()
    one.add_worker(prefix=("prlimit", "--fsize=300000"))
    one.wait()
    with running(one, veza, tmp_path) as run:
        assert run.end() == 97, run.text
    assert "can't continue: File too large" in run.text
    assert veza.asked == []
