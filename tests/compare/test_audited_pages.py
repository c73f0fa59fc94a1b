"""Audited pages of two runs stand side by side, unless their scores mean different things."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sample_run

from vezaflow.audit import AuditRecord, PageAudit
from vezaflow.compare import as_json, compare, page
from vezaflow.results import RunResult

BEGUN = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)


def run(
    number: int, score: float, lcp: float, *, lighthouse: str = "12.2.3", form_factor: str = "desktop"
) -> RunResult:
    seen = PageAudit("search", "http://127.0.0.1/search", 3, {"performance": score}, {"lcp": lcp})
    unseen = PageAudit("profile", "http://127.0.0.1/profile", 0, {}, {}, problem="it led elsewhere")
    record = AuditRecord("pages", "after", BEGUN, 40.0, form_factor, 3, lighthouse, "156.0", (seen, unseen))
    return replace(sample_run.run(sample_run.GREEN), run_id=f"run-{number}", audits=(record,))


def test_the_pages_that_both_have_seen_are_set_side_by_side() -> None:
    found = compare(run(1, 97.0, 1.2), run(2, 71.0, 2.9, lighthouse="12.8.0"))
    (change,) = found.pages.pages
    assert (change.page, change.figures) == ("search", {"performance": (97.0, 71.0), "lcp": (1.2, 2.9)})
    text = page(found)
    assert "Pages: pages, after the load (before → after)" in text
    assert "97 → 71" in text
    assert "1.2 s → 2.9 s" in text
    assert as_json(found)["pages"][0]["figures"] == {"performance": (97.0, 71.0), "lcp": (1.2, 2.9)}


@pytest.mark.parametrize(
    "unlike", [{"lighthouse": "13.0.1"}, {"form_factor": "mobile"}], ids=["version", "form factor"]
)
def test_what_weighs_differently_is_not_compared(unlike: dict[str, str]) -> None:
    found = compare(run(1, 97.0, 1.2), run(2, 71.0, 2.9, **unlike))
    assert found.pages.pages == ()
    assert "not compared" in page(found)
    assert "97 → 71" not in page(found)
