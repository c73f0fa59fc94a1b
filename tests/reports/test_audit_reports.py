"""Audited pages in a result: judged, shown, written and read back."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import jsonschema_rs
import pytest
import sample_run

from vezaflow.audit import AuditRecord, PageAudit, judge_pages
from vezaflow.errors import ExitCode
from vezaflow.gates import Outcome, Verdict
from vezaflow.plan import PlannedGate
from vezaflow.reports import console, from_json, junit, step_summary, summary_schema, to_json
from vezaflow.results import RunResult
from vezaflow.session import with_audits
from vezaflow.units import Dimension, Quantity

SEEN = PageAudit(
    "search", "http://127.0.0.1/search", 3, {"performance": 88.0, "accessibility": 100.0},
    {"fcp": 0.4, "lcp": 2.25, "tbt": 0.0, "cls": 0.01, "speed-index": 0.9}, report="reports/pages-search.html",
)  # fmt: skip
UNSEEN = PageAudit("profile", "http://127.0.0.1/profile", 0, {}, {}, problem="it led to http://127.0.0.1/login")
RECORD = AuditRecord(
    "pages", "during", datetime(2026, 11, 30, 2, 30, tzinfo=UTC), 42.5, "desktop", 3, "12.2.3", "156.0", (SEEN, UNSEEN)
)
LCP = sample_run.gate(
    "lighthouse.lcp", "value", "<", Quantity(2.5, Dimension.TIME), "value < 2.5 s", labels=(("page", "search"),)
)


def score(least: float, name: str = "performance", *labels: tuple[str, str]) -> PlannedGate:
    return sample_run.gate(f"lighthouse.{name}", "score", ">=", least, f"score >= {least:g}", labels=labels)


def judged(*gates: PlannedGate) -> dict[str, Verdict]:
    return {verdict.gate.text: verdict for verdict in judge_pages(gates, RECORD)}


def result(*gates: PlannedGate) -> RunResult:
    return with_audits(sample_run.run(sample_run.GREEN), [RECORD], tuple(judge_pages(gates, RECORD)))


def test_a_gate_judges_each_page_and_a_page_without_figures_is_inconclusive() -> None:
    found = judged(score(90), LCP)
    assert {text: verdict.outcome for text, verdict in found.items()} == {
        "lighthouse.performance{audit:pages,page:search,when:during}: score >= 90": Outcome.RED,
        "lighthouse.performance{audit:pages,page:profile,when:during}: score >= 90": Outcome.INCONCLUSIVE,
        "lighthouse.lcp{audit:pages,page:search,when:during}: value < 2.5 s": Outcome.GREEN,
    }
    red, unseen, green = found.values()
    assert red.reason == "search: score = 88, expected >= 90"
    assert (unseen.value, unseen.reason) == (None, UNSEEN.problem)
    assert (green.shown, green.shown_bound) == ("2.25 s", "< 2.5 s")


def test_a_score_that_lighthouse_does_not_give_is_inconclusive() -> None:
    (verdict,) = judged(score(90, "best-practices", ("page", "search"))).values()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "no best-practices" in verdict.reason


@pytest.mark.parametrize(
    ("gates", "outcome", "code"),
    [
        ((LCP,), Outcome.GREEN, ExitCode.GREEN),
        ((LCP, score(50)), Outcome.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
        ((score(90),), Outcome.RED, ExitCode.RED),
    ],
)
def test_the_gates_of_pages_are_a_part_of_the_verdict(
    gates: tuple[PlannedGate, ...], outcome: Outcome, code: ExitCode
) -> None:
    found = result(*gates)
    assert (found.outcome, found.exit_code) == (outcome, code)


def test_the_reports_have_a_table_of_the_pages() -> None:
    found = result(score(90))
    text, page = console(found), step_summary(found)
    assert "Pages: pages, during the load (desktop, Lighthouse 12.2.3, median of 3 runs)" in text
    assert "  search             88            100               –  400 ms  2.25 s  0 s  0.01       900 ms" in text
    assert "profile: it led to http://127.0.0.1/login" in text
    assert "written: reports/pages-search.html" in text
    assert "| search | 88 | 100 | – | 400 ms | 2.25 s | 0 s | 0.01 | 900 ms |" in page
    assert max(map(len, console(found, width=80).split("Pages: ")[1].splitlines()[2:4])) <= 80


def test_they_are_read_back_and_every_view_is_the_same() -> None:
    found = result(score(90), LCP)
    record = json.loads(json.dumps(to_json(found)))
    back = from_json(record)
    assert back.audits == (RECORD,)
    assert json.loads(json.dumps(to_json(back))) == record
    for view in (console, junit, step_summary):
        assert view(back) == view(replace(found, files=back.files))
    assert jsonschema_rs.Draft7Validator(summary_schema()).is_valid(record)


def test_an_earlier_file_without_them_is_read() -> None:
    record = json.loads(json.dumps(to_json(sample_run.run(sample_run.GREEN))))
    del record["audits"]
    assert from_json(record).audits == ()
