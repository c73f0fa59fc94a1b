"""Machines of their own, each in a network namespace with its own link: what a link does to one of them shows.

One has a clock that is an hour ahead (a time namespace). It needs the rights of an administrator, and is skipped where
they are missing.
"""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from dask_cluster import DaskCluster, dask_cluster, gone
from processes import Running, Target, result, target, until, write_suite

NET = f"10.{64 + os.getpid() // 256 % 128}.{os.getpid() % 256}"  # not that of a run that was killed
HOST = f"{NET}.1"
FLOW = """
load: {vus: 6, duration: 60s, graceful_stop: 200ms}
steps: [{get: "/x/${vu}/${iteration}"}]
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""
GUARD = f"guard: {{allow: [{HOST}]}}"
AHEAD = ("unshare", "--time", "--monotonic", "3600", "--fork", "--kill-child")


def ip(*words: str) -> bool:
    """Whether `ip` did it."""
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode == 0


@cache
def allowed() -> bool:
    """Whether namespaces can be made here."""
    if sys.platform != "linux" or os.geteuid() or not all(map(shutil.which, ("ip", "unshare"))):
        return False
    name = f"vz-{os.getpid()}-try"
    clocks = subprocess.run([*AHEAD, "true"], capture_output=True, check=False).returncode == 0
    return clocks and ip("netns", "add", name) and ip("netns", "delete", name)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not allowed(), reason="needs the right to make namespaces"),
]


@dataclass
class Networks:
    """Two machines on a bridge. `links`: the bridge's end of each one's cable."""

    names: list[str]
    links: list[str]

    def inside(self, number: int, *words: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.names[number], *words)


@pytest.fixture
def networks() -> Iterator[Networks]:
    tag = f"{os.getpid() % 100_000}"
    bridge = f"vzb{tag}"
    found = Networks([f"vz-{tag}-{number}" for number in range(2)], [f"vz{tag}{letter}" for letter in "ab"])
    try:
        made = [ip("link", "add", bridge, "type", "bridge"), ip("address", "add", f"{HOST}/24", "dev", bridge)]
        made.append(ip("link", "set", bridge, "up"))
        for number, (name, link) in enumerate(zip(found.names, found.links, strict=True)):
            made += [
                ip("netns", "add", name),
                ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name),
                ip("link", "set", link, "master", bridge, "up"),
                ip("-n", name, "address", "add", f"{NET}.{number + 2}/24", "dev", "eth0"),
                ip("-n", name, "link", "set", "eth0", "up"),
                ip("-n", name, "link", "set", "lo", "up"),
            ]
        if not all(made):
            pytest.skip("no bridge or cables can be made here")
        yield found
    finally:
        for name in found.names:
            ip("netns", "delete", name)
        for link in found.links:
            ip("link", "delete", link)
        ip("link", "delete", bridge)


@pytest.fixture
def apart(networks: Networks, tmp_path: Path) -> Iterator[DaskCluster]:
    """A scheduler here, and a Dask worker in each namespace; the second one's clock is an hour ahead."""
    with dask_cluster(tmp_path / "dask", 0, host=HOST) as cluster:
        cluster.add_worker(prefix=networks.inside(0))
        cluster.add_worker(prefix=networks.inside(1, *AHEAD))
        cluster.wait()
        yield cluster


@pytest.fixture
def veza() -> Iterator[Target]:
    with target(HOST) as found:
        yield found


def running(cluster: DaskCluster, veza: Target, folder: Path, *words: str | Path) -> Running:
    words = ("run", "suite", "--cluster", cluster.address, "--insecure-cluster", *words)
    return Running(*words, env={"BASE_URL": veza.base_url}, folder=folder)


@pytest.mark.long
def test_machines_whose_clocks_are_an_hour_apart_start_together(
    apart: DaskCluster, veza: Target, tmp_path: Path
) -> None:
    file = tmp_path / "s.json"
    write_suite(tmp_path / "suite", FLOW.replace("60s", "4s"), GUARD)
    with running(apart, veza, tmp_path, "--summary", file) as run:
        assert run.end() in (0, 98), run.text  # a busy machine may miss a part of the load
    told = result(file)
    assert all(machine["clock_error"] < 0.5 for machine in told["machines"])
    assert 3.5 < told["duration"] < 6
    firsts = [next(at for at, path in enumerate(veza.asked) if path == f"/x/{vu}/0") for vu in range(1, 7)]
    assert max(firsts) < 100, "nobody began an hour, or a second, after the others"
    assert told["timeline"][0]["vus"] == 6


def test_a_machine_that_is_cut_off_is_noticed_and_ends_by_itself(
    apart: DaskCluster, networks: Networks, veza: Target, tmp_path: Path
) -> None:
    file = tmp_path / "s.json"
    write_suite(tmp_path / "suite", FLOW, GUARD)
    with running(apart, veza, tmp_path, "--summary", file) as run:
        pids = apart.until_load(run, veza.asked)
        time.sleep(2.5)  # a report of each has come
        assert ip("link", "set", networks.links[1], "down")
        assert until(lambda: "sent nothing" in run.text) < 3
        assert run.end() == 98, run.text
        assert until(lambda: gone(pids)) < 15, "also the one that nobody can reach"
    told = result(file)
    (lost,) = [machine for machine in told["machines"] if machine["lost"]]
    assert lost["requests"] > 0
    assert f"({lost['address']}) was lost" in told["concerns"][0]["text"]
    assert f"{NET}.3" in lost["address"]
    assert "3 of 6 VUs of flow are missing" in told["concerns"][0]["text"]
    assert max(Counter(veza.asked).values()) == 1
    assert "Traceback" not in run.text


def test_a_target_on_this_machine_s_loopback_is_another_one_there(apart: DaskCluster, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW, GUARD)
    with target() as here, running(apart, here, tmp_path) as run:
        assert run.end() == 97, run.text
        assert here.asked == []
    assert run.text.count("127.0.0.1 is that machine itself there, and not the target") == 2


@pytest.mark.long
def test_a_slow_link_shows_as_that_machine_s(
    apart: DaskCluster, networks: Networks, veza: Target, tmp_path: Path
) -> None:
    narrow = f"tc qdisc add dev {networks.links[1]} root tbf rate 128kbit burst 3kb latency 500ms".split()
    if shutil.which("tc") is None or subprocess.run(narrow, capture_output=True, check=False).returncode:
        pytest.skip("the kernel can't make a link narrow")
    file = tmp_path / "s.json"
    write_suite(tmp_path / "suite", FLOW.replace("60s", "8s").replace("vus: 6", "vus: 16"), GUARD)
    with running(apart, veza, tmp_path, "--summary", file) as run:
        assert run.end() in (0, 98), run.text  # a busy machine may miss a part of the load
    (note,) = result(file)["notes"]
    assert "look at its link and its load before you look at the server" in note
    slow, other = sorted(result(file)["machines"], key=lambda machine: f"{NET}.3" not in machine["address"])
    assert slow["p95"] > 1.2 * other["p95"]
    assert note.startswith(f"{slow['name']} measured a p95 of ")
