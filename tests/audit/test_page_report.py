"""A report of Lighthouse is doubted: what it lacks, or has in another shape, is a problem of the run in words."""

import json
from pathlib import Path
from typing import Any

import pytest

from vezaflow.audit.report import PageRun, read_report

REPORT: dict[str, Any] = {
    "lighthouseVersion": "12.2.3",
    "requestedUrl": "http://127.0.0.1/",
    "finalDisplayedUrl": "http://127.0.0.1/#top",
    "runWarnings": ["slow  disk"],
    "environment": {"hostUserAgent": "HeadlessChrome/156"},
    "categories": {"performance": {"score": 0.57}, "accessibility": {"score": None}, "best-practices": {"score": 1}},
    "audits": {
        "first-contentful-paint": {"numericValue": 812.5},
        "interactive": {"numericValue": 1500},
        "cumulative-layout-shift": {"numericValue": 0},
        "is-on-https": {"score": 1},
    },
}


def read(tmp_path: Path, report: object) -> PageRun:
    path = tmp_path / "page.report.json"
    path.write_text(report if isinstance(report, str) else json.dumps(report))
    return read_report(path)


def test_scores_are_out_of_a_hundred_and_times_in_seconds(tmp_path: Path) -> None:
    run = read(tmp_path, REPORT)
    assert run.problem == ""
    assert run.scores == {"performance": 57.0, "best-practices": 100.0}
    assert run.metrics == {"fcp": 0.8125, "cls": 0.0}
    assert (run.paint, run.interactive) == (812.5, 1500)
    assert (run.lighthouse, run.warnings) == ("12.2.3", ("slow disk",))


def test_a_page_that_did_not_load_has_a_problem(tmp_path: Path) -> None:
    error = {"code": "NO_FCP", "message": "The page did not paint\nany content."}
    run = read(tmp_path, {**REPORT, "runtimeError": error})
    assert run.problem == "NO_FCP: The page did not paint any content."


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        ("{", "its report is not JSON"),
        ("[]", "its report has an invalid `.`"),
        ({**REPORT, "audits": {"interactive": {"numericValue": "soon"}}}, "`audits.interactive.numericValue`"),
        ({**REPORT, "categories": {"performance": 1}}, "`categories.performance`"),
        ({key: value for key, value in REPORT.items() if key != "lighthouseVersion"}, "`lighthouseVersion`"),
    ],
    ids=["no JSON", "a list", "a text for a time", "a number for a category", "no version"],
)
def test_another_shape_is_said(tmp_path: Path, report: object, problem: str) -> None:
    run = read(tmp_path, report)
    assert problem in run.problem
    assert not run.scores


def test_a_report_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert read_report(tmp_path / "page.report.json").problem == "it wrote no report"
