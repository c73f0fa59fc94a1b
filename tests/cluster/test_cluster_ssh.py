"""`--cluster ssh:hosts.txt`, with OpenSSH's own server and client: what is started on the hosts, and that it ends."""

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import PATIENCE, Running, read_proc, result, target, until, write_suite
from ssh_hosts import MISSING, SshHosts, available, ssh_hosts

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not available(), reason=MISSING)]
FLOW = """
load: {vus: 6, duration: 3s, graceful_stop: 200ms}
steps: [{get: "/x/${vu}/${iteration}"}]
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[SshHosts]:
    with ssh_hosts(tmp_path / "ssh") as found:
        yield found


def test_hosts_that_ssh_reaches_carry_a_load_together(hosts: SshHosts, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW.replace("/x/", "/x/${env.TOKEN}/"), "secrets: [TOKEN]")
    (tmp_path / "hosts.txt").write_text(f"loader-1  # the scheduler is there as well\n\nloader-2 {sys.executable}\n")
    file = tmp_path / "s.json"
    secret = "tok-3n-secret-42"
    with target() as veza:
        words = ("run", "suite", "--cluster", "ssh:hosts.txt", "--summary", file)
        env = {"BASE_URL": veza.base_url, "TOKEN": secret, "PATH": hosts.path}
        with Running(*words, env=env, folder=tmp_path) as run:
            until(lambda: len(veza.asked) > 10 or run.process.poll() is not None, 2 * PATIENCE)
            seen = hosts.processes()
            shown = b"".join([*seen.values(), *(read_proc(pid, "environ") for pid in seen)])
            assert run.end() in (0, 98), run.text  # a busy machine may miss a part of the load
    assert sum(b"vezaflow.cluster.station" in line for line in seen.values()) >= 3, "a scheduler and two workers"
    assert any(secret in path for path in veza.asked), "it is in the requests"
    assert secret.encode() not in shown
    assert b"PRIVATE KEY" not in shown
    machines = result(file)["machines"]
    assert [re.sub(r":\d+$", "", machine["address"]) for machine in machines] == ["tls://127.0.0.1", "tls://127.0.0.2"]
    assert until(lambda: not any(map(running, seen))) < 10


def test_nothing_stays_on_the_hosts_when_the_coordinator_is_killed(hosts: SshHosts, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW.replace("3s", "60s"))
    (tmp_path / "hosts.txt").write_text("loader-1\nloader-2\n")
    with target() as veza:
        env = {"BASE_URL": veza.base_url, "PATH": hosts.path}
        with Running("run", "suite", "--cluster", "ssh:hosts.txt", env=env, folder=tmp_path) as run:
            until(lambda: len(veza.asked) > 10 or run.process.poll() is not None, 2 * PATIENCE)
            seen = hosts.processes()
            run.process.kill()
            assert until(lambda: not any(map(running, seen))) < 15


def test_what_is_wrong_with_each_host_is_told(hosts: SshHosts, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW)
    (tmp_path / "hosts.txt").write_text("loader-1\nstranger\nunknown\nno-such-host.invalid\nloader-2 /no/python\n")
    env = {"BASE_URL": "http://127.0.0.1:1", "PATH": hosts.path}
    with Running("explain", "suite", "--cluster", "ssh:hosts.txt", env=env, folder=tmp_path) as told:
        assert told.end() == 97, told.text
        assert until(lambda: not hosts.processes()) < 10
    assert "stranger: " in told.text
    assert "Permission denied (publickey)" in told.text
    assert "unknown: Host key verification failed" in told.text
    assert "no-such-host.invalid: ssh: Could not resolve hostname" in told.text
    assert "/no/python" in told.text
    assert "loader-1" not in told.text
    assert "Traceback" not in told.text


def test_ctrl_c_while_hosts_are_connected_to_leaves_nothing(hosts: SshHosts, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW)
    (tmp_path / "hosts.txt").write_text("loader-1\nloader-2\n")
    env = {"BASE_URL": "http://127.0.0.1:1", "PATH": hosts.path}
    with Running("run", "suite", "--cluster", "ssh:hosts.txt", env=env, folder=tmp_path) as run:
        until(lambda: hosts.processes() or run.process.poll() is not None)
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130, run.text
        assert until(lambda: not hosts.processes()) < 10
    assert run.text.strip() == ""


def running(pid: int) -> bool:
    return bool(read_proc(pid, "cmdline"))
