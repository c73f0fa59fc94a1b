"""A Dask worker that leaves before the load: between the question who is there and its hello, after the checks, while
its processes start. The run ends within seconds and says which part of the load would have been missing; it never waits
for a minute, never puts on the rest of the load in silence."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_cluster import DaskCluster, dask_cluster
from distributed import Client
from processes import Running, Target, target, until, write_suite

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

FLOW = """
load: {vus: 12, duration: 60s, graceful_stop: 200ms}
steps: [{get: "/x/${vu}/${iteration}"}]
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""
SOON = 15  # seconds: six of silence, and a busy machine


@pytest.fixture
def veza() -> Iterator[Target]:
    with target() as found:
        yield found


@pytest.fixture(scope="module")
def shrinking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A cluster of four, of which each test takes the last away."""
    with dask_cluster(tmp_path_factory.mktemp("shrinking"), 4) as found:
        yield found


def running(cluster: DaskCluster, veza: Target, folder: Path, setup: str = "") -> Running:
    write_suite(folder / "suite", FLOW, setup)
    words = ("run", "suite", "--cluster", cluster.address, "--no-history")
    return Running(*words, env={"BASE_URL": veza.base_url}, folder=folder)


def load(veza: Target) -> list[str]:
    return [path for path in veza.asked if path.startswith("/x/")]


def test_one_that_leaves_before_its_hello_is_named(shrinking: DaskCluster, veza: Target, tmp_path: Path) -> None:
    leaves = shrinking.workers.pop()
    leaves.stop()
    try:
        with running(shrinking, veza, tmp_path) as run:
            with Client(shrinking.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
                until(lambda: all(client.processing().values()))  # each has the run's task
            leaves.kill()
            begin = time.monotonic()
            assert run.end() == 97, run.text
            assert time.monotonic() - begin < SOON
    finally:
        leaves.end()
    assert "left the cluster before the load" in run.text
    assert load(veza) == []


def test_one_that_leaves_after_the_checks_is_named_with_its_share(
    shrinking: DaskCluster, veza: Target, tmp_path: Path
) -> None:
    """What setup made is taken away."""
    once = "setup: [{get: /setup}, {think: 1s}]\nteardown: [{get: /teardown}]\n"
    leaves = shrinking.workers.pop()
    with running(shrinking, veza, tmp_path, once) as run:
        until(lambda: veza.asked or run.process.poll() is not None)
        leaves.kill()
        begin = time.monotonic()
        assert run.end() == 97, run.text
        assert time.monotonic() - begin < SOON
    leaves.end()
    assert "was lost: " in run.text
    assert "nothing was heard of it for 6 s (it had 4 of 12 VUs of flow), before any load was sent" in run.text
    assert veza.asked == ["/setup", "/teardown"]
    assert shrinking.loads() == []


@pytest.mark.long
def test_one_that_is_retired_while_its_processes_start_is_named(
    shrinking: DaskCluster, veza: Target, tmp_path: Path
) -> None:
    leaves = shrinking.workers.pop()
    with running(shrinking, veza, tmp_path) as run:
        until(lambda: leaves.loads() or run.process.poll() is not None)
        with Client(shrinking.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            served = [each for each in client.scheduler_info(n_workers=-1)["workers"] if each in leaves.text]
            client.retire_workers(served, close_workers=True)
        begin = time.monotonic()
        assert run.end() in (97, 98), run.text
        assert time.monotonic() - begin < SOON
    leaves.end()
    assert "was lost: " in run.text
    assert " of 12 VUs of flow" in run.text
    assert shrinking.loads() == []
