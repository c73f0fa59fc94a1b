"""What came of an audit: the pages with their figures, as it stands in results, reports and the history.

Figures are those of the median run. A page without figures has a problem in words, and never a score of 0. Nothing in a
record is secret.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from vezaflow.untrusted import MappingOf, Shape

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PageAudit:
    """A page. Scores from 0 to 100 and metrics (times in seconds) by PageMetric.key."""

    page: str
    url: str
    runs: int  # that counted
    scores: dict[str, float]
    metrics: dict[str, float]
    problem: str = ""  # why it has no figures, or too few runs; empty: it has them
    warnings: tuple[str, ...] = ()
    report: str = ""  # the HTML file of the median run, where it is kept


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """The pages of one file. `when`: before, during or after the load; empty where there was none."""

    audit: str
    when: str
    started: datetime  # UTC
    duration: float  # seconds
    form_factor: str
    runs: int  # asked for, of each page
    lighthouse: str  # its version
    browser: str  # its version
    pages: tuple[PageAudit, ...]

    @property
    def title(self) -> str:
        """What it is called in reports: `pages, during the load`."""
        return f"{self.audit}, {self.when} the load" if self.when else self.audit


AUDIT_SHAPE: Shape = {
    "audit": str, "when": str, "started": str, "duration": float, "form_factor": str, "runs": int, "lighthouse": str,
    "browser": str,
    "pages": [{"page": str, "url": str, "runs": int, "scores": MappingOf(float), "metrics": MappingOf(float),
               "problem": str, "warnings": [str], "report": str}],
}  # fmt: skip


def audit_to_json(record: AuditRecord) -> Json:
    """The record as a JSON object."""
    pages = [{**asdict(page), "warnings": list(page.warnings)} for page in record.pages]
    return {**asdict(record), "started": record.started.isoformat(), "pages": pages}


def audit_from_json(found: Json) -> AuditRecord:
    """The record of an object that has AUDIT_SHAPE. ValueError where its time is none."""
    pages = tuple(
        PageAudit(
            **{name: page[name] for name in ("page", "url", "runs", "scores", "metrics", "problem", "report")},
            warnings=tuple(page["warnings"]),
        )
        for page in found["pages"]
    )
    names = ("audit", "when", "duration", "form_factor", "runs", "lighthouse", "browser")
    started = datetime.fromisoformat(found["started"])
    return AuditRecord(**{name: found[name] for name in names}, started=started, pages=pages)
