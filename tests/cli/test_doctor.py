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
    assert "this is not an http:// or https:// URL" in wrong.err


@pytest.mark.parametrize("option", [("--scale", "0.1"), ("--base-url", "http://127.0.0.1:9"), ("-e", "A=1")])
def test_an_option_that_only_files_have_a_use_for_wants_files(option: tuple[str, str]) -> None:
    done = vezaflow("doctor", *option)
    assert (done.code, done.out) == (2, "")
    assert "is for flows: give the suite as well" in done.err


def test_it_looks_at_this_machine_and_takes_no_cluster(suite: Write) -> None:
    done = vezaflow("doctor", suite(FLOW), "--cluster", "local:2")
    assert (done.code, "no such option '--cluster'" in done.err) == (2, True)


def test_a_prometheus_that_is_down_stops_no_run() -> None:
    done = vezaflow("doctor", "--prometheus", "http://127.0.0.1:9")
    assert done.code in (0, 98)
    assert "Prometheus http://127.0.0.1:9" in done.out
    assert "can't be read: refused: connection refused" in done.out


OBSERVING = """
suite: s
observe:
  prometheus:
    url: http://127.0.0.1:9
    metrics:
      waiting: {gauge: db_waiting}
"""


@pytest.mark.parametrize(("gates", "code"), [("", {0, 98}), ("gates: {server.waiting: max < 10}", {98})])
def test_the_prometheus_of_the_suite_is_asked_and_gates_on_it_need_it(
    tmp_path: Path, gates: str, code: set[int]
) -> None:
    (tmp_path / "suite.yml").write_text(OBSERVING + gates)
    (tmp_path / "one.yml").write_text(FLOW)
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        done = vezaflow("doctor", str(tmp_path), "--base-url", base, "--format", "json")
    assert done.code in code, done.text
    (found,) = (each for each in json.loads(done.out)["findings"] if each["name"].startswith("Prometheus"))
    assert (found["name"], found["grade"]) == ("Prometheus http://127.0.0.1:9", "poor")
    assert (found["exit_code"] == 98) == bool(gates)
    assert "observe" in found["remedy"]


def test_audits_of_the_suite_need_their_programs(tmp_path: Path) -> None:
    (tmp_path / "suite.yml").write_text("suite: s\naudit: {after: audit/pages.yml}\n")
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "pages.yml").write_text(
        "audit: pages\npages: {start: /}\ngates: {lighthouse.performance: score >= 50}\n"
    )
    (tmp_path / "one.yml").write_text(FLOW)
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        done = vezaflow("doctor", str(tmp_path), "--base-url", base, env={"PATH": "/nowhere"})
    assert done.code == 97, done.text
    assert "bad   Chromium" in done.out
