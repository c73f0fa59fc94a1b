"""What a gate's condition asks of a metric: a figure that it has, and a bound of the same kind."""

from math import inf

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.metrics import Metric, MetricKind, Of
from vezaflow.model import Gate
from vezaflow.syntax import Condition, OfBaseline, Reference
from vezaflow.units import EXAMPLES, Dimension, Quantity, ratio


def check_condition(gate: Gate, metric: Metric, diagnostics: Diagnostics) -> None:
    """The condition of a gate on this metric."""
    condition = gate.condition
    if not _check_figure(metric, condition, diagnostics):
        return
    if isinstance(condition.bound, Reference):
        _check_reference(gate, metric, condition.bound, diagnostics)
    elif isinstance(condition.bound, OfBaseline):
        _check_baseline(gate, condition.bound, diagnostics)
    else:
        _check_amount(metric, condition, condition.bound, _bound_span(condition), diagnostics)
        _check_range(metric, condition, diagnostics)


_OF_BASELINE = {
    "http_req_duration": ("p(50)", "med", "p(95)", "p(99)"),
    "http_req_failed": ("rate",),
    "http_reqs": ("rate",),
}
_POSITIVE = ("http_req_duration", "http_req_waiting", "iteration_duration", "group_duration", "step_duration")


def _check_range(metric: Metric, condition: Condition, diagnostics: Diagnostics) -> None:
    """A bound beside all values that the figure can have."""
    bound, wanted = condition.bound, metric.dimension_of(condition.aggregate)
    if metric.of is Of.ELSEWHERE and metric.kind is MetricKind.GAUGE:  # it may have any value
        return
    if isinstance(bound, Reference | OfBaseline) or isinstance(bound, Quantity) is (wanted is None):
        return
    amount = bound.amount if isinstance(bound, Quantity) else float(bound)
    share = metric.kind is MetricKind.RATE and condition.aggregate == "rate"
    if (always := _settled(condition.operator, amount, 1.0 if share else inf, metric.name in _POSITIVE)) is None:
        return
    what = "a percentage is between 0 % and 100 %" if share else "it is never below zero"
    if amount == 0 and always and condition.operator == ">":
        what = "a time is always above zero"
    diagnostics.warning(
        "VF510",
        condition.span,
        "this condition is always met" if always else "this condition is never met",
        label=what,
        help="fix the comparison or the bound, or remove the gate",
    )


def _settled(operator: str, bound: float, highest: float, positive: bool) -> bool | None:
    """Whether a figure from 0 to `highest` always compares so, or never; None: that depends. `positive`: never 0."""
    above, below = bound > highest, bound < 0  # the bound, of all that the figure can be
    match operator:
        case "<":
            return True if above else False if below or bound == 0 else None
        case "<=":
            return True if above or bound == highest else False if below else None
        case ">":
            return False if above or bound == highest else True if below or (positive and bound == 0) else None
        case ">=":
            return False if above else True if below or bound == 0 else None
        case "==":
            return False if above or below else None
        case _:
            return True if above or below else None


def _check_figure(metric: Metric, figure: Condition | Reference, diagnostics: Diagnostics) -> bool:
    """Whether the metric has this aggregate; a percentile that is none is reported as well."""
    if figure.aggregate not in metric.aggregates:
        shown = ", ".join("p(…)" if aggregate == "p" else aggregate for aggregate in metric.aggregates)
        diagnostics.error(
            "VF504",
            figure.span.piece(figure.aggregate),
            f"'{metric.name}' has no '{figure.aggregate}'",
            help=f"it is a {metric.kind.value} and has {shown}",
        )
        return False
    if figure.aggregate == "p" and not 0 < (figure.argument or 0) <= 100:
        diagnostics.error(
            "VF506", figure.span, "a percentile is above 0 and at most 100", help="for instance `p(95) < 500 ms`"
        )
    return True


def _check_baseline(gate: Gate, bound: OfBaseline, diagnostics: Diagnostics) -> None:
    """A baseline is compared with at the end of a run: nothing is stopped by it, nor does equality mean anything."""
    if gate.abort:
        diagnostics.error(
            "VF511", bound.span, "a gate on the baseline can't abort the run", help="give the abort gate a fixed bound"
        )
    if gate.condition.operator in ("==", "!="):
        diagnostics.error(
            "VF511", bound.span, "no figure is exactly that of the baseline", help="write `< 110 % of baseline`"
        )
    kept = _OF_BASELINE.get(gate.metric, ())
    said = gate.condition.aggregate if gate.condition.argument is None else f"p({gate.condition.argument:g})"
    if said not in kept:
        diagnostics.error(
            "VF511",
            gate.condition.span.piece(gate.condition.aggregate),
            f"a baseline keeps no {said} of {gate.metric}",
            help="it keeps p(50), p(95) and p(99) of http_req_duration, and the rate of http_req_failed and http_reqs",
        )
    labels = dict(gate.labels)
    if not kept:
        return
    if "step" not in labels or set(labels) - {"flow", "step", "method"}:
        diagnostics.error(
            "VF511",
            gate.span,
            "a gate on the baseline is about one step",
            help="select it, as in `http_req_duration{step:login}`; with `flow` and `method` if needed",
        )


def _check_reference(gate: Gate, metric: Metric, bound: Reference, diagnostics: Diagnostics) -> None:
    condition = gate.condition
    if not _check_figure(metric, bound, diagnostics):
        return
    wanted, there = (metric.dimension_of(figure.aggregate) for figure in (condition, bound))
    if there is not wanted:
        is_ = f"a {there.value}" if there else "a plain number"
        _wrong_bound(metric, condition, None, bound.span, is_, diagnostics)
    elif bound.plus is not None:
        _check_amount(metric, condition, bound.plus, bound.span, diagnostics)
    if bound.factor == 0:
        diagnostics.error(
            "VF505", bound.span, ("0 times a figure is not a valid bound"), help="remove the factor, or fix it"
        )
    mine = (condition.aggregate, condition.argument, gate.labels)
    if mine == (bound.aggregate, bound.argument, bound.labels_beside(gate.labels)):
        diagnostics.error(
            "VF509",
            bound.span,
            "this is the same figure as on the left",
            help="add labels, as in `p(95) < 1.5 * p(95){page:1}`",
        )


def _check_amount(
    metric: Metric, condition: Condition, amount: float | Quantity, span: Span, diagnostics: Diagnostics
) -> None:
    wanted = metric.dimension_of(condition.aggregate)
    if isinstance(amount, Quantity):
        if amount.dimension is not wanted:
            _wrong_bound(metric, condition, amount, span, f"a {amount.dimension.value}", diagnostics)
    elif wanted is not None:
        _wrong_bound(metric, condition, amount, span, "a number without a unit", diagnostics)


def _wrong_bound(
    metric: Metric,
    condition: Condition,
    amount: float | Quantity | None,
    span: Span,
    is_: str,
    diagnostics: Diagnostics,
) -> None:
    wanted = metric.dimension_of(condition.aggregate)
    needs = f"a {wanted.value}" if wanted else "a plain number"
    diagnostics.error(
        "VF505",
        span,
        f"the bound on '{condition.aggregate}' of {metric.name} must be {needs}",
        label=f"this is {is_}",
        help=_example(condition, amount, wanted),
    )


def _example(condition: Condition, amount: float | Quantity | None, wanted: Dimension | None) -> str:
    start = f"{condition.aggregate}({condition.argument:g})" if condition.argument else condition.aggregate
    if wanted is None:
        return f"for instance `{start} {condition.operator} 100`"
    if amount is None or isinstance(amount, Quantity) or isinstance(condition.bound, Reference | OfBaseline):
        return f"for instance `{start} {condition.operator} {EXAMPLES[wanted]}`"
    if wanted is Dimension.RATIO and amount < 1:
        return f"write `{start} {condition.operator} {ratio(amount)}`"
    units = {Dimension.TIME: " ms", Dimension.SIZE: " KiB", Dimension.RATIO: " %", Dimension.RATE: "/s"}
    return f"write `{start} {condition.operator} {amount:g}{units[wanted]}`"


def _bound_span(condition: Condition) -> Span:
    """What stands behind the comparison."""
    at = condition.span.text.find(condition.operator)
    if at < 0:
        return condition.span
    written = condition.span.text[at + len(condition.operator) :]
    start = condition.span.end - len(written.lstrip())
    return Span(condition.span.source, start, condition.span.end)
