"""Audited pages in the reports: a table of pages, scores and metrics, and what stands against single pages."""

import json
from collections.abc import Iterator, Sequence

from vezaflow import __version__, units
from vezaflow.audit import AuditRecord, PageAudit, audit_to_json
from vezaflow.diagnostics import printable
from vezaflow.gates import Outcome, Verdict
from vezaflow.metrics import LIGHTHOUSE, PageMetric
from vezaflow.reports.look import DIM, Look, table, wrapped
from vezaflow.reports.markdown import markdown_table, markdown_text
from vezaflow.units import Dimension

_HEAD = ("page", *(metric.key for metric in LIGHTHOUSE.values()))
_SPARE = ("speed-index", "fcp")
_MARKS = {Outcome.GREEN: "held ", Outcome.RED: "BROKE", Outcome.INCONCLUSIVE: "?    "}
_HEADLINES = {
    Outcome.GREEN: "GREEN: every page holds its gates",
    Outcome.RED: "RED: {} broke",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE: {}",
}
SCHEMA = 1


def audit_lines(records: Sequence[AuditRecord], look: Look) -> Iterator[str]:
    """The lines of a page for people."""
    for record in records:
        about = (
            f" ({record.form_factor}, Lighthouse {record.lighthouse}, median of {units.counted(record.runs, 'run')})"
        )
        yield look.title(f"Pages: {printable(record.title)}") + look.paint(about, DIM)
        seen = [page for page in record.pages if not page.problem]
        if seen:
            yield from table(_HEAD, [_cells(page) for page in seen], look, _SPARE)
        for page in record.pages:
            for remark in (page.problem,) if page.problem else page.warnings:
                yield from wrapped(printable(f"{page.page}: {remark}"), look, "  ")
            if page.report:
                yield f"  written: {printable(page.report)}"


def audit_sections(records: Sequence[AuditRecord]) -> Iterator[str]:
    """The same in Markdown."""
    for record in records:
        yield f"### Pages: {markdown_text(record.title)}"
        yield ""
        yield from markdown_table(_HEAD, [_row(page) for page in record.pages])
        for page in record.pages:
            if page.problem:
                yield f"> ⚠️ {markdown_text(page.page)}: {markdown_text(page.problem)}"
                yield ""
        yield f"{record.form_factor}, Lighthouse {markdown_text(record.lighthouse)}, median of {record.runs}"
        yield ""


def _row(page: PageAudit) -> tuple[str, ...]:
    name, *figures = _cells(page)
    return (markdown_text(name), *figures)


def _cells(page: PageAudit) -> tuple[str, ...]:
    return (page.page, *(_figure(page, metric) for metric in LIGHTHOUSE.values()))


def _figure(page: PageAudit, metric: PageMetric) -> str:
    value = (page.scores if metric.is_score else page.metrics).get(metric.key)
    if value is None:
        return "–"
    return units.text(value, metric.dimension) if metric.dimension is Dimension.TIME else units.number(value)


def audit_console(
    records: Sequence[AuditRecord], verdicts: Sequence[Verdict], outcome: Outcome, look: Look
) -> Iterator[str]:
    """An audit without a load, for people: verdict, gates, pages."""
    yield look.title(headline_of(records, verdicts, outcome))
    yield ""
    for verdict in verdicts:
        if verdict.outcome is not Outcome.GREEN:
            yield f"  {_MARKS[verdict.outcome]} {printable(verdict.gate.text)}  {verdict.shown}"
            if verdict.outcome is Outcome.INCONCLUSIVE:
                yield from wrapped(printable(verdict.reason), look, "        ")
    held = sum(verdict.outcome is Outcome.GREEN for verdict in verdicts)
    yield f"  {held} of {units.counted(len(verdicts), 'gate')} held"
    yield ""
    yield from audit_lines(records, look)


def headline_of(records: Sequence[AuditRecord], verdicts: Sequence[Verdict], outcome: Outcome) -> str:
    """The verdict of an audit in one line."""
    broken = sum(verdict.outcome is Outcome.RED for verdict in verdicts)
    unseen = sum(bool(page.problem) for record in records for page in record.pages)
    match outcome:
        case Outcome.RED:
            return _HEADLINES[outcome].format(units.counted(broken, "gate"))
        case Outcome.INCONCLUSIVE:
            why = f"{units.counted(unseen, 'page')} could not be audited" if unseen else "there are no gates"
            return _HEADLINES[outcome].format(why)
        case Outcome.GREEN:
            return _HEADLINES[outcome]


def audit_json(
    suite: str, records: Sequence[AuditRecord], verdicts: Sequence[Verdict], outcome: Outcome, exit_code: int
) -> str:
    """An audit without a load as JSON: `audits` are those of a run's summary.json."""
    document = {
        "schema": SCHEMA,
        "suite": suite,
        "outcome": outcome.value,
        "headline": headline_of(records, verdicts, outcome),
        "exit_code": exit_code,
        "gates": [
            {
                "gate": verdict.gate.text,
                "page": dict(verdict.gate.labels)["page"],
                "outcome": verdict.outcome.value,
                "value": verdict.value,
                "shown": verdict.shown,
                "reason": verdict.reason,
            }
            for verdict in verdicts
        ],
        "audits": [audit_to_json(record) for record in records],
        "versions": {"vezaflow": __version__},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def audit_summary(suite: str, records: Sequence[AuditRecord], verdicts: Sequence[Verdict], outcome: Outcome) -> str:
    """An audit without a load in Markdown, for the page of a CI job."""
    lines = [f"## {markdown_text(suite)}: {markdown_text(headline_of(records, verdicts, outcome))}", ""]
    failed = [verdict for verdict in verdicts if verdict.outcome is not Outcome.GREEN]
    if failed:
        cells = [(f"`{verdict.gate.text}`", verdict.shown, markdown_text(verdict.reason)) for verdict in failed]
        lines += markdown_table(("gate", "value", "why"), cells)
    return "\n".join([*lines, *audit_sections(records)]) + "\n"
