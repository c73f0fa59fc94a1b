"""`vezaflow doctor` as the shell sees it."""

import json
import socket
from pathlib import Path

import pytest
from program import Write, vezaflow

pytestmark = pytest.mark.slow

FLOW = "load: {vus: 5, duration: 1s}\nsteps: [{get: /}]\ngates: {http_req_failed: rate < 1 %}\n"


def test_it_fits_eighty_columns_and_says_what_the_machine_can_carry() -> None:
    done = vezaflow("doctor", env={"COLUMNS": "80"})
    assert done.code in (0, 98), done.text
    assert "at most about" in done.out
    for name in ("cores", "open files", "local ports", "memory", "kernel timestamps", "clock", "Python", "Node.js"):
        assert f"  {name}  " in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines() if "(/" not in line)


def test_with_files_it_reaches_for_their_target(suite: Write) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        done = vezaflow("doctor", suite(FLOW), "--base-url", base, "--format", "json")
        server.settimeout(5)
        taken, _ = server.accept()
        with taken:
            assert taken.recv(1) == b""  # a connection, and not a byte
    assert done.code in (0, 98), done.text
    findings = json.loads(done.out)["findings"]
    assert {finding["name"] for finding in findings if finding["part"] == "load"} >= {"open files", "local ports"}
    (target,) = (finding for finding in findings if finding["part"] == "network")
    assert (target["name"], target["grade"]) == (base, "good")


def test_a_target_that_is_down_is_97(suite: Write) -> None:
    done = vezaflow("doctor", suite(FLOW), "--base-url", "http://127.0.0.1:9")
    assert done.code == 97
    assert done.out.startswith("a run would not start here\n")
    assert "http://127.0.0.1:9" in done.out


def test_a_load_that_the_machine_can_not_carry_is_97(suite: Write) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        done = vezaflow("doctor", suite(FLOW.replace("vus: 5", "vus: 900000")), "--base-url", base)
    assert done.code == 97, done.text
    assert "Load of these files" in done.out


def test_mistakes_in_the_files_or_the_options_are_2(suite: Write, tmp_path: Path) -> None:
    assert vezaflow("doctor", suite(FLOW.replace("steps", "stpes"))).code == 2
    wrong = vezaflow("doctor", "--prometheus", "localhost:9090")
    assert wrong.code == 2
    assert "is not an http:// or https:// URL" in wrong.err


def test_a_prometheus_that_is_down_stops_no_run() -> None:
    done = vezaflow("doctor", "--prometheus", "http://127.0.0.1:9")
    assert done.code in (0, 98)
    assert "Prometheus http://127.0.0.1:9" in done.out
    assert "can't be reached: connection refused" in done.out
