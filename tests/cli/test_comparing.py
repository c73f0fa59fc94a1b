"""`compare`, `baseline` and `trends` as the shell sees them: words, files and exit codes."""

import json
from pathlib import Path

import pytest
from program import Done
from program import vezaflow as program
from two_runs import timed_run

from vezaflow.reports import summary_json
from vezaflow.results import RunResult

pytestmark = pytest.mark.slow


@pytest.fixture
def file(tmp_path: Path) -> "Files":
    return Files(tmp_path)


class Files:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, result: RunResult) -> Path:
        path = self.folder / f"{result.run_id}.json"
        path.write_bytes(summary_json(result))
        return path


def vezaflow(files: Files, *words: str | Path) -> Done:
    return program(*words, env={"XDG_STATE_HOME": str(files.folder / "state")}, cwd=files.folder)


SLOW = timed_run("b", slower=1.5, seed=2, seconds=60)


def test_what_got_worse_fails_only_where_that_is_wanted(file: Files) -> None:
    a, b = file(timed_run("a", seconds=60)), file(SLOW)
    plain, strict = vezaflow(file, "compare", a, b), vezaflow(file, "compare", a, b, "--fail-on", "worse")
    assert (plain.code, strict.code) == (0, 99)
    assert plain.out == strict.out
    assert "browse › list: p95 got worse" in plain.out
    assert vezaflow(file, "compare", b, a, "--fail-on", "worse").code == 0


def test_json_has_what_the_page_has(file: Files) -> None:
    done = vezaflow(file, "compare", file(timed_run("a", seconds=60)), file(SLOW), "--json")
    record = json.loads(done.out)
    assert record["worse"] is True
    assert {"p50", "p95", "p99", "failed", "rate"} == {each["metric"] for each in record["changes"]}


def test_a_baseline_is_set_compared_with_shown_and_cleared(file: Files) -> None:
    runs = [file(timed_run(f"n{seed}", seed=seed, seconds=60)) for seed in range(3, 6)]
    suite = timed_run("a", seconds=60).suite
    assert vezaflow(file, "compare", "baseline", runs[0]).code == 2
    assert vezaflow(file, "baseline", "set", *runs).code == 0
    assert vezaflow(file, "compare", "baseline", file(SLOW), "--fail-on", "worse").code == 99
    assert "n3" in vezaflow(file, "baseline", "show", suite).out
    assert vezaflow(file, "baseline", "clear", suite).code == 0
    assert vezaflow(file, "baseline", "show", suite).code == 2


def test_a_baseline_may_be_kept_in_the_repository(file: Files) -> None:
    a = file(timed_run("a", seconds=60))
    assert vezaflow(file, "baseline", "set", a, "--file", "ours.json").code == 0
    assert json.loads((file.folder / "ours.json").read_text())["runs"][0]["run_id"] == "a"
    assert vezaflow(file, "compare", "baseline", file(SLOW), "--file", "ours.json").code == 0


def test_the_last_green_runs_need_runs_in_the_history(file: Files) -> None:
    done = vezaflow(file, "baseline", "set", "--last", "3", "green", "--suite", "x")
    assert done.code == 2
    assert "no green run" in done.err


def test_a_document_is_written_between_its_markers(file: Files) -> None:
    a = file(timed_run("a", seconds=60))
    assert vezaflow(file, "baseline", "write", "doc.md", "--run", a).out == "written: doc.md\n"
    assert vezaflow(file, "baseline", "write", "doc.md", "--run", a).out == "unchanged: doc.md\n"
    assert "| list | GET | 6,000 |" in (file.folder / "doc.md").read_text()
    (file.folder / "bare.md").write_text("# nothing\n")
    assert vezaflow(file, "baseline", "write", "bare.md", "--run", a).code == 2


def test_trends_tell_the_night(file: Files) -> None:
    nights = [
        file(timed_run(f"n{night:02}", night=night, seed=night, seconds=32, slower=1.3 if night > 5 else 1.0))
        for night in range(10)
    ]
    done = vezaflow(file, "trends", *nights)
    assert done.code == 0
    assert "browse › list: p95 went from" in done.out
    assert "on 7 Nov 2026" in done.out
    assert vezaflow(file, "trends").code == 2
