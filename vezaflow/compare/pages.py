"""The audited pages of two runs side by side, score by score.

Figures are set beside each other and not judged: how much a page's scores vary by chance is not known from two runs.
Audits of two major versions of Lighthouse, or of two form factors, are never compared: they weigh differently.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from vezaflow.audit import AuditRecord, PageAudit
from vezaflow.metrics import LIGHTHOUSE
from vezaflow.results import RunResult


@dataclass(frozen=True, slots=True)
class PageChange:
    """A page whose figures are known in both runs: by the metric's key, before and after."""

    audit: str  # its title
    page: str
    figures: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class PageChanges:
    """What audits of two runs have in common. `apart`: which can't be compared, and why."""

    pages: tuple[PageChange, ...] = ()
    apart: tuple[str, ...] = ()


def page_changes(before: RunResult, after: RunResult) -> PageChanges:
    """The pages that both runs have audited at the same moment."""
    earlier = {(record.audit, record.when): record for record in before.audits}
    pages: list[PageChange] = []
    apart: list[str] = []
    for record in after.audits:
        other = earlier.get((record.audit, record.when))
        if other is None:
            continue
        if why := _unlike(other, record):
            apart.append(f"pages: {record.title}: not compared: {why}")
        else:
            pages += _pages(other, record)
    return PageChanges(tuple(pages), tuple(apart))


def _unlike(before: AuditRecord, after: AuditRecord) -> str:
    """Why two audits can't be compared; empty if they can."""
    if before.form_factor != after.form_factor:
        return f"{before.form_factor} and {after.form_factor}"
    if before.lighthouse.partition(".")[0] != after.lighthouse.partition(".")[0]:
        return f"Lighthouse {before.lighthouse} and {after.lighthouse} weigh differently"
    return ""


def _pages(before: AuditRecord, after: AuditRecord) -> Iterator[PageChange]:
    earlier = {page.page: _figures(page) for page in before.pages if not page.problem}
    for page in after.pages:
        known, now = earlier.get(page.page, {}), _figures(page)
        keys = [metric.key for metric in LIGHTHOUSE.values() if metric.key in known and metric.key in now]
        if keys and not page.problem:
            yield PageChange(after.title, page.page, {key: (known[key], now[key]) for key in keys})


def _figures(page: PageAudit) -> dict[str, float]:
    return {**page.scores, **page.metrics}
