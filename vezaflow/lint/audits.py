"""What gates on audited pages name and ask: Lighthouse's figures, pages that are there, a bound of the right kind."""

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.metrics import LIGHTHOUSE, PageMetric
from vezaflow.model import Audit, Gate, Suite
from vezaflow.syntax import OfBaseline, Reference
from vezaflow.units import EXAMPLES, Quantity

_HIGHEST = 100.0  # score


def check_audits(suite: Suite, diagnostics: Diagnostics) -> None:
    """All gates of all audits; audits of one name, and those that nothing judges."""
    first: dict[str, Audit] = {}
    for audit in suite.audit_files:
        other = first.setdefault(audit.name, audit)
        if other is not audit:
            diagnostics.error(
                "VF130",
                audit.flow.span,
                f"two audits are named '{audit.name}'",
                label="the second",
                help="rename one of them",
                related=((other.flow.span, "the first"),),
            )
        for gate in audit.gates:
            _check_gate(gate, audit, diagnostics)
        if not audit.gates and not diagnostics.failed:
            diagnostics.warning(
                "VF507",
                audit.flow.span,
                f"no gate covers the audit '{audit.name}'",
                help="for instance `gates: {lighthouse.performance: score >= 90}`",
            )


def _check_gate(gate: Gate, audit: Audit, diagnostics: Diagnostics) -> None:
    metric = LIGHTHOUSE.get(gate.metric)
    if metric is None:
        near = suggest(gate.metric, LIGHTHOUSE) or suggest(f"lighthouse.{gate.metric}", LIGHTHOUSE)
        diagnostics.error(
            "VF501",
            gate.span.piece(gate.metric),
            f"unknown metric '{gate.metric}'",
            label=did_you_mean(near),
            help="" if near else f"an audit has {', '.join(LIGHTHOUSE)}",
        )
        return
    _check_labels(gate, audit, diagnostics)
    _check_condition(gate, metric, diagnostics)


def _check_labels(gate: Gate, audit: Audit, diagnostics: Diagnostics) -> None:
    names = [page.name for page in audit.pages]
    for label, value in gate.labels:
        if label != "page":
            diagnostics.error(
                "VF502",
                gate.span.piece(label),
                f"'{gate.metric}' has no label '{label}'",
                help="the only label of audited pages is `page`",
            )
        elif value not in names:
            near = suggest(value, names)
            diagnostics.error(
                "VF503",
                gate.span.piece(value),
                f"there is no page '{value}' in this audit",
                label=did_you_mean(near),
                help="" if near else f"the pages are {', '.join(names)}",
            )


def _check_condition(gate: Gate, metric: PageMetric, diagnostics: Diagnostics) -> None:
    condition = gate.condition
    if condition.aggregate != metric.aggregate:
        diagnostics.error(
            "VF504",
            condition.span.piece(condition.aggregate),
            f"'{metric.name}' has no '{condition.aggregate}'",
            help=f"write `{metric.aggregate} {condition.operator} …`",
        )
        return
    bound, example = condition.bound, EXAMPLES[metric.dimension] if metric.dimension else "0.1"
    place = _behind_operator(condition.span, condition.operator)
    example = "90" if metric.is_score else example
    if isinstance(bound, Reference | OfBaseline):
        diagnostics.error("VF505", place, "an audit is compared with a fixed bound", help=f"for instance `{example}`")
    elif (bound.dimension if isinstance(bound, Quantity) else None) is not metric.dimension:
        wanted = "a duration" if metric.dimension else "a number without a unit"
        diagnostics.error("VF505", place, f"the bound must be {wanted}", help=f"for instance `{example}`")
    elif metric.is_score and isinstance(bound, int | float) and not 0 <= bound <= _HIGHEST:
        diagnostics.warning(
            "VF510",
            condition.span,
            "this condition does not depend on the page",
            label="a score is from 0 to 100",
            help="fix the comparison or the bound, or remove the gate",
        )


def _behind_operator(span: Span, operator: str) -> Span:
    """The bound of a condition."""
    text = span.text
    start = text.find(operator) + len(operator)
    start += len(text[start:]) - len(text[start:].lstrip())
    return Span(span.source, span.start + start, span.end)
