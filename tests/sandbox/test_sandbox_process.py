"""The sandbox as a process: started, told to misbehave, counted, ended with its parent."""

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import httpx
import pytest

from vezaflow.errors import VezaflowError
from vezaflow.sandbox import Sandbox, SandboxSettings, start
from vezaflow.sandbox.catalog import write_cursor

TRACKS = "/api/v1/tracks"


def accepts(address: str) -> bool:
    """Whether somebody listens there."""
    url = urlsplit(address)
    with socket.socket() as probe:
        return probe.connect_ex((url.hostname, url.port)) == 0


def wait_for(pid_gone: int) -> bool:
    """Whether a process that is not our child ends within five seconds."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid_gone}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
    return False


def test_the_environment_is_what_the_shipped_flows_ask_for(sandbox: Sandbox) -> None:
    assert sandbox.environment == {
        "BASE_URL": sandbox.base_url,
        "STREAM_TRACK_ID": sandbox.track_id,
        "USER_TOKEN": sandbox.token,
    }


@pytest.mark.slow
def test_two_sandboxes_share_tracks_but_neither_port_nor_token(sandbox: Sandbox) -> None:
    with start() as other:
        assert other.track_id == sandbox.track_id
        assert other.base_url != sandbox.base_url
        assert other.token != sandbox.token


@pytest.mark.slow
def test_it_is_gone_when_the_block_ends() -> None:
    with start(SandboxSettings(token="given")) as sandbox:
        assert sandbox.token == "given"
        assert accepts(sandbox.base_url)
    assert not accepts(sandbox.base_url)


@pytest.mark.slow
def test_ctrl_c_at_the_terminal_does_not_reach_it(sandbox: Sandbox) -> None:
    assert os.getpgid(sandbox.pid) != os.getpgrp()


@pytest.mark.slow
def test_no_orphan_is_left_when_the_parent_is_killed() -> None:
    program = "from vezaflow.sandbox import start\nwith start() as s:\n print(s.pid, s.base_url, flush=True)\n input()"
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid, base_url = parent.stdout.readline().split()
        assert accepts(base_url)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert wait_for(int(pid))


@pytest.mark.slow
def test_the_token_stands_in_no_process_list(sandbox: Sandbox) -> None:
    with open(f"/proc/{sandbox.pid}/cmdline") as command, open(f"/proc/{sandbox.pid}/environ") as environment:
        assert sandbox.token not in command.read() + environment.read()


@pytest.mark.slow
def test_serve_prints_the_three_inputs_and_ends_with_ctrl_c() -> None:
    program = "from vezaflow.sandbox import SandboxSettings, serve\nserve(SandboxSettings(token='t0ken'))"
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout is not None
        lines = [server.stdout.readline().strip() for _ in range(4)]
        exports = dict(line.removeprefix("export ").split("=", 1) for line in lines[:3])
        assert sorted(exports) == ["BASE_URL", "STREAM_TRACK_ID", "USER_TOKEN"]
        assert exports["USER_TOKEN"] == "t0ken"
        assert httpx.get(exports["BASE_URL"] + "/health", trust_env=False).status_code == 200
        server.send_signal(signal.SIGINT)
        assert server.wait(5) == 0


@pytest.mark.slow
def test_a_port_that_is_taken_is_said_so(sandbox: Sandbox) -> None:
    taken = SandboxSettings(port=urlsplit(sandbox.base_url).port or 0)
    with pytest.raises(VezaflowError, match="can't listen on 127"), start(taken):
        pass


@pytest.mark.slow
def test_with_every_request_failing_only_health_is_well() -> None:
    everything = SandboxSettings(error_rate=1.0)
    with start(everything) as broken, httpx.Client(base_url=broken.base_url, trust_env=False) as client:
        assert client.get("/api/v1/health").status_code == 200
        assert client.get("/health").status_code == 200
        assert client.get(TRACKS).status_code == 503
        login = client.post("/api/v1/auth/login", json={})
        assert (login.status_code, login.headers["retry-after"]) == (503, "1")
        assert client.put("/api/v1/uploads/x/chunks/0", content=bytes(300_000)).status_code == 503
        assert client.get(TRACKS).status_code == 503


@pytest.mark.slow
def test_latency_is_added_and_seen_in_the_servers_own_figures() -> None:
    late = SandboxSettings(latency=0.02)
    with start(late) as slow, httpx.Client(base_url=slow.base_url, trust_env=False) as client:
        for _ in range(5):
            client.get(TRACKS)
        stats = client.get("/__stats").json()
    assert stats["requests"] == {"GET /api/v1/tracks": 5}
    assert stats["total"]["seconds"]["p50"] >= 0.0195


@pytest.mark.slow
def test_a_page_costs_more_the_more_pages_lie_before_it() -> None:
    deep = SandboxSettings(page_latency=0.02)
    with start(deep) as slow, httpx.Client(base_url=slow.base_url, trust_env=False) as client:
        third = client.get(TRACKS, params={"limit": "50", "cursor": write_cursor(100)})
    assert third.elapsed.total_seconds() >= 0.04


@pytest.mark.slow
def test_what_comes_beyond_the_rate_limit_is_told_when_to_come_again() -> None:
    limited = SandboxSettings(rate_limit=1.0)
    with start(limited) as busy, httpx.Client(base_url=busy.base_url, trust_env=False) as client:
        assert client.get(TRACKS).status_code == 200
        refused = client.put("/api/v1/uploads/x/chunks/0", content=bytes(300_000))
        assert client.get("/api/v1/health").status_code == 200
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")


@pytest.mark.slow
def test_requests_are_counted_by_template_and_status() -> None:
    with start() as fresh, httpx.Client(base_url=fresh.base_url, trust_env=False) as client:
        client.get(f"{TRACKS}/{fresh.track_id}")
        client.get(f"{TRACKS}/unknown")
        client.get("/api/v1/users/me")
        client.post("/api/v1/uploads/unknown/complete")
        client.get("/nowhere")
        statuses = client.get("/__stats").json()["statuses"]
        client.delete("/__stats")
        cleared = client.get("/__stats").json()["statuses"]
    assert statuses == {
        "GET /api/v1/tracks/{id}": {"200": 1, "404": 1},
        "GET /api/v1/users/me": {"401": 1},
        "POST /api/v1/uploads/{id}/complete": {"401": 1},
        "no such route": {"404": 1},
    }
    assert cleared == {}
