"""Pages audited for real: Lighthouse and Chromium on the sandbox's pages, and on a page of the tests' own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from families import Process, gone, started_by
from lighthouse import path_with_lighthouse
from program import Done, environment, vezaflow
from served import QuietHandler, served

from vezaflow.audit import PINNED
from vezaflow.errors import ExitCode

pytestmark = pytest.mark.slow

LOGIN = """
login:
  - post: /login
    form: {email: listener@veza.fr, password: sandbox}
    expect: 303
    follow: false
"""
LONGEST = 240  # seconds for an audit of two pages, on a machine with much else to do


@pytest.fixture(scope="module")
def path() -> str:
    return path_with_lighthouse()


def suite(folder: Path, pages: str, *, order: str = "", duration: str = "1s") -> Path:
    """A suite with one file of pages; returns that file."""
    (folder / "audit").mkdir(parents=True)
    base = "base_url: ${env.BASE_URL}\n"
    (folder / "suite.yml").write_text(f"suite: web\n{base}{f'audit: {order}' if order else ''}\n")
    (folder / "flow.yml").write_text(
        f"load: {{vus: 2, duration: {duration}}}\nsteps: [{{get: /api/v1/health}}]\nthink: 100ms\n"
        "gates: {http_req_failed: rate < 1 %}\n"
    )
    file = folder / "audit" / "pages.yml"
    file.write_text(f"runs: 1\nform_factor: desktop\n{pages}")
    return file


def audit(file: Path, path: str, *words: str, **env: str) -> tuple[Done, dict[str, Any]]:
    """What the program said, and the JSON that it wrote."""
    summary = file.parents[1] / "out" / "audit.json"
    done = vezaflow("audit", file, "--summary", summary, *words, env={"PATH": path, **env}, limit=LONGEST)
    return done, json.loads(summary.read_text()) if summary.exists() else {}


def pages_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {page["page"]: page for record in document["audits"] for page in record["pages"]}


def browsers() -> set[str]:
    """Browsers of audits that are running."""
    found = subprocess.run(
        ["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return {line.split()[0] for line in found if "user-data-dir=" in line and "vezaflow-audit-" in line}


def test_a_page_behind_a_login_is_audited_as_the_user_sees_it(tmp_path: Path, path: str) -> None:
    gates = "gates: {lighthouse.accessibility: score >= 90, lighthouse.cls: value < 0.1}\n"
    file = suite(tmp_path, f"{LOGIN}pages: {{dashboard: /dashboard}}\n{gates}")
    reports = tmp_path / "reports"
    done, document = audit(file, path, "--sandbox", "--audit-reports", str(reports))
    assert done.code == ExitCode.GREEN, done.text
    page = pages_of(document)["dashboard"]
    assert (page["problem"], page["runs"]) == ("", 1)
    assert page["url"].endswith("/dashboard")
    assert page["scores"].keys() == {"performance", "accessibility", "best-practices"}
    assert page["metrics"].keys() == {"fcp", "lcp", "tbt", "cls", "speed-index"}
    assert 0 < page["metrics"]["fcp"] < 60
    assert document["audits"][0]["lighthouse"] == PINNED
    assert "<html" in (reports / "pages-dashboard.html").read_text()
    assert [gate["outcome"] for gate in document["gates"]] == ["green", "green"]


@pytest.mark.long
def test_a_slow_page_and_an_inaccessible_one_break_their_gates(tmp_path: Path, path: str) -> None:
    gates = "gates: {lighthouse.performance: score >= 90, lighthouse.accessibility: score >= 90}\n"
    file = suite(tmp_path, f"pages: {{tracks: /tracks, search: /search}}\n{gates}")
    done, document = audit(file, path, "--sandbox", "--page-slow", "tracks", "--page-inaccessible", "search")
    assert done.code == ExitCode.RED, done.text
    red = {(gate["page"], gate["gate"].partition("{")[0]) for gate in document["gates"] if gate["outcome"] == "red"}
    assert {("tracks", "lighthouse.performance"), ("search", "lighthouse.accessibility")} <= red
    assert ("tracks", "lighthouse.accessibility") not in red
    assert "BROKE" in done.out


@pytest.mark.long
def test_pages_that_can_not_be_seen_are_inconclusive_and_have_no_scores(tmp_path: Path, path: str) -> None:
    pages = "pages: {dashboard: /dashboard, nothing: /nothing}\n"
    file = suite(tmp_path, f"{pages}gates: {{lighthouse.performance: score >= 1}}\n")
    done, document = audit(file, path, "--sandbox")
    assert done.code == ExitCode.INCONCLUSIVE, done.text
    found = pages_of(document)
    assert found["dashboard"]["problem"].startswith("it led to http://127.0.0.1:")
    assert "/login" in found["dashboard"]["problem"]
    assert found["nothing"]["problem"].startswith("ERRORED_DOCUMENT_REQUEST")
    assert not any(page["scores"] for page in found.values())
    assert {(gate["outcome"], gate["value"]) for gate in document["gates"]} == {("inconclusive", None)}


GUARDED = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>In</title></head><body><h1>In</h1>
<script>if (localStorage.getItem("token") !== "abc/1") location = "/out"; </script></body></html>"""


class _Guarded(QuietHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(GUARDED)))
        self.end_headers()
        self.wfile.write(GUARDED)


@contextmanager
def guarded() -> Iterator[str]:
    with served(_Guarded) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.long
def test_a_page_finds_its_local_storage(tmp_path: Path, path: str) -> None:
    storage = "vars: {id: 1}\nlocal_storage: {token: 'abc/${id}', more: {a: [1]}}\n"
    file = suite(tmp_path, f"{storage}pages: {{in: /in}}\ngates: {{lighthouse.accessibility: score >= 50}}\n")
    with guarded() as url:
        done, document = audit(file, path, BASE_URL=url)
    assert done.code == ExitCode.GREEN, done.text
    assert pages_of(document)["in"]["problem"] == ""


def test_a_failed_login_says_why_and_starts_no_browser(tmp_path: Path, path: str) -> None:
    login = LOGIN.replace("sandbox", "wrong")
    gates = "gates: {lighthouse.performance: score >= 1}\n"
    done, document = audit(suite(tmp_path, f"{login}pages: {{profile: /profile}}\n{gates}"), path, "--sandbox")
    assert done.code == ExitCode.INCONCLUSIVE, done.text
    assert pages_of(document)["profile"]["problem"].startswith("the login failed: ")
    assert "401" in done.out


def test_a_secret_in_a_url_is_not_put_on_a_command_line(tmp_path: Path, path: str) -> None:
    pages = "pages: {search: '/search?key=${env.KEY}'}\ngates: {lighthouse.performance: score >= 1}\n"
    file = suite(tmp_path, pages)
    with (tmp_path / "suite.yml").open("a") as opened:
        opened.write("secrets: [KEY]\n")
    done, document = audit(file, path, "--sandbox", KEY="hJ7kQ2vX9mR4")
    assert done.code == ExitCode.INCONCLUSIVE, done.text
    assert "its URL holds a secret" in pages_of(document)["search"]["problem"]
    assert "hJ7kQ2vX9mR4" not in done.text + json.dumps(document)


def test_a_host_that_the_guard_does_not_allow_is_refused(tmp_path: Path, path: str) -> None:
    file = suite(tmp_path, "pages: {home: 'https://www.example.org/'}\ngates: {lighthouse.performance: score >= 1}\n")
    done, _ = audit(file, path, BASE_URL="http://127.0.0.1:9")
    assert done.code == ExitCode.REFUSED, done.text
    assert "www.example.org" in done.err


def test_without_a_browser_it_is_refused_and_check_says_what_is_missing(tmp_path: Path) -> None:
    file = suite(
        tmp_path, "pages: {home: /}\ngates: {lighthouse.performance: score >= 1}\n", order="{after: audit/pages.yml}"
    )
    nowhere = {"PATH": str(tmp_path / "empty"), "BASE_URL": "http://127.0.0.1:9"}
    for words in (("audit", file), ("run", tmp_path)):
        done = vezaflow(*words, env=nowhere)
        assert done.code == ExitCode.REFUSED, done.text
        assert "pages can't be audited" in done.err
    check = vezaflow("audit", "--check", env=nowhere)
    assert check.code == ExitCode.REFUSED
    assert check.out.count("to fix: ") == 3


def test_a_run_audits_after_its_load_and_its_verdict_has_the_gates(tmp_path: Path, path: str) -> None:
    gates = "gates: {lighthouse.accessibility: score >= 90}\n"
    suite(tmp_path, f"pages: {{search: /search}}\n{gates}", order="{after: audit/pages.yml}")
    summary, page = tmp_path / "out" / "summary.json", tmp_path / "step.md"
    done = vezaflow(
        "run", tmp_path, "--sandbox", "--page-inaccessible", "search", "--summary", summary,
        env={"PATH": path, "GITHUB_STEP_SUMMARY": str(page)}, limit=LONGEST,
    )  # fmt: skip
    assert done.code == ExitCode.RED, done.text
    document = json.loads(summary.read_text())
    (record,) = document["audits"]
    assert (record["audit"], record["when"]) == ("pages", "after")
    assert document["headline"] == "RED: 1 gate broke"
    assert "lighthouse.accessibility{audit:pages,page:search,when:after}: score >= 90" in page.read_text()
    assert "### Pages: pages, after the load" in page.read_text()


def test_what_the_load_leaves_no_time_for_is_inconclusive(tmp_path: Path, path: str) -> None:
    gates = "gates: {lighthouse.performance: score >= 1}\n"
    suite(tmp_path, f"pages: {{tracks: /tracks}}\n{gates}", order="{during: audit/pages.yml}")
    summary = tmp_path / "out" / "summary.json"
    done = vezaflow("run", tmp_path, "--sandbox", "--summary", summary, env={"PATH": path}, limit=LONGEST)
    assert done.code == ExitCode.INCONCLUSIVE, done.text
    document = json.loads(summary.read_text())
    assert pages_of(document)["tracks"]["problem"] == "the load ended before this page was audited"
    assert document["duration"] < 30
    assert not browsers()


def test_ctrl_c_ends_the_browser_with_all_that_it_started(tmp_path: Path, path: str) -> None:
    file = suite(tmp_path, "pages: {tracks: /tracks}\ngates: {lighthouse.performance: score >= 1}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "vezaflow", "audit", str(file), "--sandbox"],
        env=environment({"PATH": path}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not browsers():
        assert time.monotonic() < deadline, "no browser was started"
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(30) == ExitCode.INTERRUPTED
    assert not browsers()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_leaves_neither_a_process_nor_a_folder(tmp_path: Path, path: str, workers: int) -> None:
    """Of the whole tree: the sandbox, the workers, Chromium and Lighthouse."""
    gates = "gates: {lighthouse.performance: score >= 1}\n"
    suite(tmp_path, f"pages: {{tracks: /tracks}}\n{gates}", order="{during: audit/pages.yml}", duration="2m")
    words = ["run", str(tmp_path), "--sandbox", "--page-slow", "tracks", "--workers", str(workers)]
    with (
        tempfile.TemporaryDirectory() as scratch,
        subprocess.Popen(
            [sys.executable, "-m", "vezaflow", *words],
            env=environment({"PATH": path, "TMPDIR": scratch}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            family = _whole_family(process, workers)
        finally:
            process.kill()
        assert gone(family, 10) == []
        assert os.listdir(scratch) == []


def _whole_family(process: "subprocess.Popen[bytes]", workers: int) -> list[Process]:
    """What a run has started, once all of it is there."""
    parts = ["vezaflow.sandbox", "--type=renderer", "--only-categories=", *(["vezaflow.scale"] if workers > 1 else [])]
    deadline = time.monotonic() + 90
    while True:
        family = started_by(process.pid)
        if all(any(part in each.words for each in family) for part in parts):
            return family
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, [each.words[:200] for each in family]
        time.sleep(0.1)
