"""Verdicts on audited pages: each gate on each page that it names. A page without the figure is inconclusive."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from vezaflow.audit.record import AuditRecord, PageAudit
from vezaflow.gates import Outcome, Verdict, holds
from vezaflow.metrics import LIGHTHOUSE
from vezaflow.plan import PlannedGate
from vezaflow.units import Quantity


def judge_pages(gates: Sequence[PlannedGate], record: AuditRecord) -> Iterator[Verdict]:
    """The verdicts, in the order of the gates."""
    for gate in gates:
        wanted = dict(gate.labels).get("page")
        for page in record.pages:
            if wanted in (None, page.page):
                yield _verdict(replace(gate, labels=_labels(page, record)), page)


def _labels(page: PageAudit, record: AuditRecord) -> tuple[tuple[str, str], ...]:
    """What tells a page's gate from all others of the run."""
    own = (("page", page.page),)
    return (("audit", record.audit), *own, ("when", record.when)) if record.when else own


def _verdict(gate: PlannedGate, page: PageAudit) -> Verdict:
    metric, bound = LIGHTHOUSE[gate.metric], gate.condition.bound
    value = (page.scores if metric.is_score else page.metrics).get(metric.key)
    if value is None or page.problem:
        reason = page.problem or f"Lighthouse has no {metric.key} of this page"
        return Verdict(gate, Outcome.INCONCLUSIVE, None, 0, reason)
    assert isinstance(bound, Quantity | float | int), "lint lets no other pass"
    amount = bound.amount if isinstance(bound, Quantity) else float(bound)
    if holds(value, gate.condition.operator, amount):
        return Verdict(gate, Outcome.GREEN, value, page.runs)
    verdict = Verdict(gate, Outcome.RED, value, page.runs)
    return replace(
        verdict, reason=f"{page.page}: {gate.condition.aggregate} = {verdict.shown}, expected {verdict.shown_bound}"
    )
