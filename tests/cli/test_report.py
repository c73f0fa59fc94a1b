"""`report` and `run --html` as the shell sees them: one run, several, and what can't be."""

from pathlib import Path

import pytest
from lxml import html
from page_run import page_run
from program import Write, vezaflow
from two_runs import timed_run

from vezaflow.reports import summary_json
from vezaflow.results import RunResult, headline

pytestmark = pytest.mark.slow
FLOW = """
load: {executor: per-vu-iterations, vus: 2, iterations: 3}
steps: [{get: /api/v1/health, name: health}]
gates: {http_req_failed: rate < 1 %}
"""


def kept(folder: Path, result: RunResult) -> Path:
    path = folder / f"{result.run_id}.json"
    path.write_bytes(summary_json(result))
    return path


def text(path: Path) -> str:
    return " ".join(html.document_fromstring(path.read_text(encoding="utf-8")).text_content().split())


def test_a_summary_has_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = page_run()
    done = vezaflow("report", kept(tmp_path, result), "--html", page)
    assert (done.code, done.out) == (0, f"written: {page}\n")
    assert headline(result.outcome, result.verdicts, result.concerns).partition(": ")[2] in text(page)


def test_a_run_writes_its_page_and_the_history_can_write_it_again(tmp_path: Path, suite: Write) -> None:
    first, again = tmp_path / "a.html", tmp_path / "b.html"
    history = tmp_path / "history.db"
    done = vezaflow("run", suite(FLOW), "--quiet", "--html", first, "--history", history)
    assert done.code == 0, done.text
    assert f"written: {first}" in done.out
    assert vezaflow("report", "last", "--html", again, "--history", history).code == 0
    for page in (first, again):
        assert "http_req_failed: rate < 1 %" in text(page)
        assert "steps: [{get: /api/v1/health, name: health}]" in text(page)
    assert text(first) == text(again)


def test_several_runs_are_compared_on_one_page(tmp_path: Path) -> None:
    runs = [timed_run("a", seconds=60), timed_run("b", slower=1.5, seed=2, seconds=60), timed_run("c", seconds=60)]
    page = tmp_path / "page.html"
    done = vezaflow("report", *(kept(tmp_path, run) for run in runs), "--html", page)
    assert done.code == 0, done.text
    said = text(page)
    assert "3 runs compared" in said
    assert "browse › list: p95 got worse" in said
    assert all(run.run_id in said for run in runs)


def test_standard_output_has_the_page_alone(tmp_path: Path) -> None:
    done = vezaflow("report", kept(tmp_path, page_run(seconds=1)), "--html", "-")
    assert done.out.startswith("<!doctype html>")
    assert done.out.endswith("</html>\n")


def test_what_can_not_be_reported_is_refused(tmp_path: Path) -> None:
    run = kept(tmp_path, page_run(seconds=1))
    twice = vezaflow("report", run, run, "--html", tmp_path / "page.html")
    assert twice.code == 2
    assert "the same run is named twice" in twice.err
    assert vezaflow("report", run).code == 2
    assert not (tmp_path / "page.html").exists()
