"""Each finding as a pure function of facts, and the facts as this machine really has them."""

import http.server
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from prometheus import needs_prometheus
from prometheus import prometheus as running

from vezaflow.audit import PINNED, find_tools
from vezaflow.doctor import Aspect, Examination, Finding, Grade, of_addresses, page, prometheus, reached, to_json
from vezaflow.doctor.clocks import ClockTrial, clock, kernel_stamps, timer, try_clock, wall_clock
from vezaflow.doctor.resources import resources
from vezaflow.doctor.software import tools
from vezaflow.errors import ExitCode
from vezaflow.limits import Estimate, Machine, MostVus, estimate
from vezaflow.protocols import StampTrial, try_stamps

ROOMY = Machine(open_files=1_000_000, ports=28_232, memory=8 << 30, cores=4)
UNKNOWN = Machine(None, None, None, None)
PATIENCE = 0.2


def of(part: Aspect, grade: Grade, code: ExitCode = ExitCode.GREEN) -> Finding:
    remedy = "" if grade is Grade.GOOD else "use more words, " * 20 + "and wrap them"
    return Finding(part, "a thing", grade, "as it is found, in a number of words " * 4, remedy, code)


def with_findings(*findings: Finding) -> Examination:
    return Examination(findings, estimate(ROOMY))


def test_a_roomy_machine_has_nothing_to_fix() -> None:
    found = list(resources(ROOMY, 1024))
    assert [finding.name for finding in found] == ["cores", "open files", "local ports", "memory"]
    assert {finding.grade for finding in found} == {Grade.GOOD}
    assert "soft limit 1,024" in found[1].text


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("cores", Machine(1_000_000, 28_232, 8 << 30, 1)),
        ("open files", Machine(1024, 28_232, 8 << 30, 4)),
        ("local ports", Machine(1_000_000, 5000, 8 << 30, 4)),
        ("memory", Machine(1_000_000, 28_232, 100 << 20, 4)),
    ],
)
def test_what_is_scarce_has_a_remedy_and_does_not_decide_about_runs(name: str, there: Machine) -> None:
    (poor,) = (finding for finding in resources(there, 1024) if finding.grade is not Grade.GOOD)
    assert (poor.name, poor.grade, poor.code) == (name, Grade.POOR, ExitCode.GREEN)
    assert poor.remedy


def test_what_is_not_known_is_neither_good_nor_poor() -> None:
    grades = {finding.name: finding.grade for finding in resources(UNKNOWN, 1024)}
    assert grades.pop("open files") is Grade.GOOD  # not known means without a limit
    assert set(grades.values()) == {Grade.UNKNOWN}


@pytest.mark.parametrize(
    ("there", "limit"),
    [
        (ROOMY, "local ports"),
        (Machine(1064, 28_232, 8 << 30, 1), "open files"),
        (Machine(1_000_000, 28_232, 500 << 20, 1), "memory"),
    ],
)
def test_the_estimate_names_the_limit_that_is_met_first(there: Machine, limit: str) -> None:
    assert estimate(there).https.limit == limit


def test_the_estimate_grows_with_cores_and_is_never_negative() -> None:
    assert estimate(Machine(1064, None, None, 1)).http == MostVus(1000, "open files")
    assert estimate(Machine(1064, None, None, 2)).http == MostVus(2000, "open files")
    assert estimate(ROOMY).requests == 4 * estimate(Machine(None, None, None, 1)).requests
    assert estimate(Machine(10, None, 1 << 20, 8)).http.vus == 0
    assert estimate(UNKNOWN) == Estimate(MostVus(None, ""), MostVus(None, ""), 60_000, 1)


def test_https_takes_more_memory_than_http() -> None:
    small = estimate(Machine(None, None, 1 << 30, 1))
    assert (small.https.vus or 0) < (small.http.vus or 0)


def test_the_kernel_of_this_machine_is_really_asked_for_stamps() -> None:
    trial = try_stamps()
    assert 0 <= trial.stamped <= trial.rounds == 20
    assert 0 <= trial.latest < 1
    assert (trial.stamped == 0) == (trial.latest == 0)


@pytest.mark.parametrize("stamped", [0, 19])
def test_reads_without_stamps_may_make_runs_inconclusive(stamped: int) -> None:
    found = kernel_stamps(StampTrial(20, stamped))
    assert (found.grade, found.code) == (Grade.POOR, ExitCode.INCONCLUSIVE)
    assert kernel_stamps(StampTrial(20, 20, 0.0001)).grade is Grade.GOOD


@pytest.mark.parametrize(
    ("trial", "grade"),
    [
        (ClockTrial("tsc", 4e-8, 4e-8), Grade.GOOD),
        (ClockTrial("", 4e-8, 4e-8), Grade.GOOD),
        (ClockTrial("hpet", 9e-7, 4e-7), Grade.POOR),
        (ClockTrial("xen", 3e-6, 4e-8), Grade.POOR),
        (ClockTrial("tsc", 4e-8, 1e-3), Grade.POOR),
    ],
)
def test_a_clock_is_judged_by_its_source_its_cost_and_its_steps(trial: ClockTrial, grade: Grade) -> None:
    assert clock(trial).grade is grade


def test_the_clock_of_this_machine_advances_in_steps() -> None:
    trial = try_clock()
    assert 0 < trial.step < 0.001
    assert 0 < trial.read < 0.001


def test_timers_that_are_late_without_load_may_make_runs_inconclusive() -> None:
    assert timer([0.0001] * 60).grade is Grade.GOOD
    late = timer([0.0001] * 58 + [0.05] * 2)
    assert (late.grade, late.code, late.value) == (Grade.POOR, ExitCode.INCONCLUSIVE, 0.05)


def test_a_time_of_day_that_nobody_keeps_has_a_remedy() -> None:
    assert [wall_clock(kept).grade for kept in (True, False, None)] == [Grade.GOOD, Grade.POOR, Grade.UNKNOWN]


@contextmanager
def web(status: int, body: bytes, seen: list[str]) -> Iterator[str]:
    """A server that gives every request the same response, and keeps each Authorization in `seen`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer()

        def answer(self) -> None:
            seen.append(self.headers["Authorization"] or "")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


BOTH = {"resultType": "scalar", "result": [1764547200.5, "1764547200.5"], "version": "3.5.0"}
ANSWER = json.dumps({"status": "success", "data": BOTH}).encode()  # to a query, and to what it is a build of


def test_a_prometheus_says_its_version() -> None:
    with web(200, ANSWER, []) as url:
        found = prometheus(f"{url}/")
    assert (found.grade, found.text) == (Grade.GOOD, "reached, version 3.5.0")


@needs_prometheus
@pytest.mark.slow
def test_a_real_prometheus_is_one() -> None:
    with running() as server:
        found = prometheus(server.url)
        without = prometheus(f"{server.url}/graph")
    assert (found.grade, found.text.partition(" 2.")[0].partition(" 3.")[0]) == (Grade.GOOD, "reached, version")
    assert (without.grade, without.code) == (Grade.POOR, ExitCode.GREEN)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"", "can't be read: status 401"),
        (503, b"<html>Service Unavailable</html>", "can't be read: status 503: <html>Service Unavailable</html>"),
        (302, b"", "can't be read: status 302"),
        (200, b"<html>", "can't be read: the response is not one of Prometheus"),
        (200, b"[]", "can't be read: the response is not one of Prometheus"),
        (200, b'{"status": "success", "data": null}', "can't be read: the response is not one of Prometheus"),
        (200, b"[" * 100_000, "can't be read: the response is not one of Prometheus"),
    ],
)
def test_what_is_not_a_prometheus_is_said_and_stops_no_run(status: int, body: bytes, said: str) -> None:
    with web(status, body, []) as url:
        found = prometheus(url)
    assert (found.grade, found.text, found.code) == (Grade.POOR, said, ExitCode.GREEN)
    assert found.remedy


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"], "time|closed|reset"),
        ([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 200], "time"),  # one byte and another, for ever
        ([], "time"),
    ],
    ids=["half a response", "drips", "silent"],
)
def test_a_server_that_never_answers_is_waited_for_no_longer_than_patience(pieces: list[bytes], said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server, pieces))
        thread.start()
        begun = time.monotonic()
        found = prometheus(f"http://127.0.0.1:{server.getsockname()[1]}", PATIENCE)
        took = time.monotonic() - begun
        thread.join()
    assert (found.grade, found.code) == (Grade.POOR, ExitCode.GREEN)
    assert re.search(said, found.text), found.text
    assert took < PATIENCE + 1


def test_a_server_of_another_protocol_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server, [b"SSH-2.0-OpenSSH_9.2\r\n"]))
        thread.start()
        found = prometheus(f"http://127.0.0.1:{server.getsockname()[1]}", 10)
        thread.join()
    assert "not HTTP" in found.text


def drip(server: socket.socket, pieces: list[bytes]) -> None:
    """Send the pieces to the first who connects, each a while after the one before, until nobody reads."""
    taken, _ = server.accept()
    with taken:
        taken.settimeout(PATIENCE / 10)
        for piece in pieces:
            try:
                taken.sendall(piece)
                while taken.recv(4096):
                    pass
                return
            except TimeoutError:
                continue
            except OSError:
                return
        taken.settimeout(5)
        with suppress(OSError):
            while taken.recv(4096):
                pass


def test_a_password_of_the_url_goes_into_the_header_alone() -> None:
    seen: list[str] = []
    with web(200, ANSWER, seen) as url:
        found = prometheus(url.replace("//", "//ann:pa%3A55@"))
    assert set(seen) == {"Basic YW5uOnBhOjU1"}
    assert found.name == f"Prometheus {url}"


def test_a_prometheus_that_is_down_is_named_without_its_password() -> None:
    found = prometheus("http://ann:pa55@127.0.0.1:9", PATIENCE)
    assert found.name == "Prometheus http://127.0.0.1:9"
    assert found.text == "can't be read: refused: connection refused"


def test_the_programs_of_audits_are_a_condition_only_where_pages_are_audited(tmp_path: Path) -> None:
    nothing = find_tools({"PATH": str(tmp_path)})
    unwanted, wanted = (list(tools(nothing, wanted=each)) for each in (False, True))
    assert [finding.name for finding in wanted] == ["Node.js", "Lighthouse", "Chromium"]
    assert {(finding.grade, finding.code) for finding in unwanted} == {(Grade.ABSENT, ExitCode.GREEN)}
    assert {(finding.grade, finding.code) for finding in wanted} == {(Grade.BAD, ExitCode.REFUSED)}
    assert all(finding.remedy for finding in (*unwanted, *wanted))


def test_programs_are_found_as_audits_find_them(tmp_path: Path) -> None:
    for name, said in (("node", "v20.1.0"), ("npx", "10.0.0"), ("my-browser", "Chromium 156.0.1")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {said}\n")
        (tmp_path / name).chmod(0o755)
    found = find_tools({"PATH": str(tmp_path), "CHROME_PATH": str(tmp_path / "my-browser")})
    node, lighthouse, chromium = tools(found, wanted=True)
    assert (node.grade, node.value) == (Grade.GOOD, "20.1.0")
    assert lighthouse.text == f"{PINNED} ({tmp_path}/npx, which fetches it)"
    assert (chromium.grade, chromium.text) == (Grade.GOOD, f"156.0.1 ({tmp_path}/my-browser)")


def test_a_local_address_that_the_machine_does_not_have_stops_runs() -> None:
    assert list(of_addresses((), ())) == []
    (good,), (bad,) = of_addresses(["127.0.0.1"], []), of_addresses(["127.0.0.1", "192.0.2.7"], ["192.0.2.7"])
    assert (good.grade, good.code) == (Grade.GOOD, ExitCode.GREEN)
    assert (bad.grade, bad.code, bad.text) == (Grade.BAD, ExitCode.REFUSED, "this machine does not have 192.0.2.7")


def test_names_are_resolved_as_a_run_resolves_them() -> None:
    """`*.localhost` is loopback to a run, whatever the system's resolver says of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        (found,) = reached([("it", "a.b.localhost", server.getsockname()[1])], PATIENCE)
    assert found.grade is Grade.GOOD


def test_a_target_that_listens_is_reached_and_one_that_is_not_there_stops_runs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        targets = [("it", "127.0.0.1", port), ("gone", "127.0.0.1", 9), ("nameless", "no.such.invalid", 80)]
        good, gone, nameless = reached(targets, PATIENCE)
    assert (good.name, good.grade, good.code) == ("it", Grade.GOOD, ExitCode.GREEN)
    assert (gone.grade, gone.code, gone.text) == (
        Grade.BAD,
        ExitCode.REFUSED,
        "can't be reached: connection refused",
    )
    assert nameless.code is ExitCode.REFUSED


DOUBTFUL = of(Aspect.TIME, Grade.POOR, ExitCode.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("findings", "code", "said"),
    [
        ((of(Aspect.TIME, Grade.GOOD),), ExitCode.GREEN, "ready\n"),
        ((of(Aspect.TOOLS, Grade.ABSENT),), ExitCode.GREEN, "ready\n"),
        ((of(Aspect.TIME, Grade.POOR),), ExitCode.GREEN, "ready; 1 thing could be better\n"),
        (
            (DOUBTFUL,),
            ExitCode.INCONCLUSIVE,
            "runs may be inconclusive here\n",
        ),
        (
            (DOUBTFUL, of(Aspect.NETWORK, Grade.BAD, ExitCode.REFUSED)),
            ExitCode.REFUSED,
            "a run would not start here\n",
        ),
    ],
)
def test_the_worst_finding_decides(findings: tuple[Finding, ...], code: ExitCode, said: str) -> None:
    found = with_findings(*findings)
    assert found.exit_code is code
    assert page(found).startswith(said)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    found = with_findings(*(of(part, grade) for part in Aspect for grade in Grade))
    long = Finding(Aspect.NETWORK, "https://" + "a" * 40 + ".example.org", Grade.GOOD, "reached", value=0.1)
    lines = page(Examination((*found.findings, long), found.estimate), width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(f"{part.value}" in lines for part in Aspect)


def test_colours_are_added_only_where_they_are_wanted() -> None:
    found = with_findings(of(Aspect.TIME, Grade.POOR))
    assert "\x1b[33m" in page(found, colour=True)
    assert "\x1b" not in page(found)


def test_the_document_has_all_of_it() -> None:
    document = json.loads(json.dumps(to_json(with_findings(of(Aspect.NETWORK, Grade.BAD, ExitCode.REFUSED)))))
    assert document["exit_code"] == 97
    assert document["estimate"]["vus_http"] == {"vus": 28_232, "limit": "local ports"}
    (finding,) = document["findings"]
    assert (finding["part"], finding["grade"], finding["exit_code"]) == ("network", "bad", 97)
