"""Audited pages: scores in Lighthouse's three ranges, told by colour and by a word; metrics, problems, reports."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from vezaflow import units
from vezaflow.audit import AuditRecord, PageAudit
from vezaflow.metrics import LIGHTHOUSE
from vezaflow.reports.page.tables import Cell, Grid, TableLine, heads, named, word
from vezaflow.results import RunResult
from vezaflow.units import Dimension

_RANGES = ((90, "good", "better"), (50, "fair", "different"), (0, "poor", "worse"))  # Lighthouse's green, orange, red
_TITLES = {
    "performance": "performance", "accessibility": "accessibility", "best-practices": "best practices", "fcp": "FCP",
    "lcp": "LCP", "tbt": "TBT", "cls": "CLS", "speed-index": "Speed Index",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """What stands against a page."""

    page: str
    text: str


@dataclass(frozen=True, slots=True)
class PageReport:
    """Lighthouse's own report of a page. `link`: empty where the page can't lead there."""

    page: str
    path: str
    link: str


@dataclass(frozen=True, slots=True)
class AuditPart:
    """One file's pages."""

    title: str
    about: str
    grid: Grid
    remarks: tuple[Remark, ...]
    reports: tuple[PageReport, ...]


def audit_parts(result: RunResult) -> tuple[AuditPart, ...]:
    return tuple(_part(record, number) for number, record in enumerate(result.audits))


def _part(record: AuditRecord, number: int) -> AuditPart:
    lines = tuple(
        TableLine((word(page.page), *(figure_of(page, metric.key) for metric in LIGHTHOUSE.values()), word(page.url)))
        for page in record.pages
    )
    head = (*named("page"), *heads(*(title_of(metric.key) for metric in LIGHTHOUSE.values())), *named("URL"))
    caption = "Scores are from 0 to 100: good from 90, poor below 50. Figures are those of the median run."
    about = (
        f"{record.form_factor}, Lighthouse {record.lighthouse}, browser {record.browser}, "
        f"{units.counted(record.runs, 'run')} of each page, {units.duration(round(record.duration))}"
    )
    remarks = tuple(Remark(page.page, text) for page in record.pages for text in (page.problem, *page.warnings) if text)
    reports = tuple(PageReport(page.page, page.report, _link(page.report)) for page in record.pages if page.report)
    return AuditPart(record.title, about, Grid(f"audit-{number}", record.title, caption, head, lines), remarks, reports)


def title_of(key: str) -> str:
    """What people call a figure."""
    return _TITLES.get(key, key)


def figure_of(page: PageAudit, key: str) -> Cell:
    """A score with its range, or a metric."""
    metric = LIGHTHOUSE[f"lighthouse.{key}"]
    value = (page.scores if metric.is_score else page.metrics).get(metric.key)
    if value is None:
        return Cell("–")
    if metric.is_score:
        _, range_, tone = next(each for each in _RANGES if value >= each[0])
        return Cell(f"{units.number(value)} {range_}", value, tone)
    if metric.dimension is Dimension.TIME:
        return Cell(units.duration(value), value)
    return Cell(units.number(value), value)


def _link(report: str) -> str:
    """The report as a link from where the page is made, the folder of the run. A path on another machine leads nowhere,
    so only those below are links."""
    path = PurePosixPath(report)
    if path.is_absolute() or ".." in path.parts or ":" in report:
        return ""
    from urllib.parse import quote

    return quote(str(path))
