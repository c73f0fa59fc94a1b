"""Gates: metrics that exist, labels that select something, aggregates and bounds that fit what the metric is."""

from dataclasses import dataclass

from vezaflow.diagnostics import Diagnostics, Span, suggest
from vezaflow.metrics import METRICS, Metric, Phase
from vezaflow.model.gate_reader import unknown_metric
from vezaflow.model.gates import Gate
from vezaflow.model.steps import Group, Parallel, Poll, Request, RequestDefaults, Step
from vezaflow.model.suite import Flow, Suite
from vezaflow.model.walks import all_steps, flow_steps, lacks_fragments, requests, suite_steps
from vezaflow.syntax import Condition
from vezaflow.units import EXAMPLES, Dimension, Quantity, ratio

_OF_STEPS = ("step_duration", "step_failed")
_OF_ATTEMPTS = ("http_req_retries", "backpressure_obeyed", "backpressure_ignored")


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the labels of a gate can select."""

    what: str  # for messages: "the suite", "the flow 'browse'"
    flows: set[str]
    phases: dict[str, tuple[Step, ...]]  # the steps of each; a gate that names no phase judges `iteration`
    tags: set[str]

    def lacks_fragments(self) -> bool:
        return any(lacks_fragments(steps) for steps in self.phases.values())

    def values(self, label: str, phase: str) -> set[str] | None:
        """The values that a label can have; None if the files don't say."""
        steps = self.phases.get(phase, ())
        if label in ("step", "group") and lacks_fragments(steps):
            return None
        match label:
            case "flow":
                return self.flows
            case "phase":
                return {each.value for each in Phase}
            case "method":
                return {request.method for request in requests(steps)}
            case "step":
                named = (step.name for step in all_steps(steps) if isinstance(step, Parallel) and step.name)
                return {*(request.name for request in requests(steps)), *named}
            case "group":
                return {step.name for step in all_steps(steps) if isinstance(step, Group)}
            case _:
                return None


def check_gates(suite: Suite, diagnostics: Diagnostics) -> None:
    """All gates of a suite, each in the scope that it judges."""
    scopes = [_flow_scope(suite, flow) for flow in suite.flows]
    for flow, scope in zip(suite.flows, scopes, strict=True):
        _check(flow.gates, scope, diagnostics)
        _check(suite.each_flow, scope, diagnostics)
    whole = _pooled(suite, scopes)
    if suite.whole:
        _check(suite.gates, whole, diagnostics)
    else:
        for gate in suite.gates:
            _check_condition(gate, diagnostics)


def check_watched(suite: Suite, diagnostics: Diagnostics) -> None:
    """Flows that no gate judges."""
    if suite.gates or suite.each_flow or diagnostics.failed:
        return
    for flow in suite.flows:
        if not flow.gates:
            diagnostics.warning(
                "VF507",
                flow.span,
                f"no gate judges the flow '{flow.name}'",
                help="for instance `gates: {http_req_failed: rate < 1 %}`",
            )


def _check(gates: tuple[Gate, ...], scope: _Scope, diagnostics: Diagnostics) -> None:
    for gate in gates:
        metric = _check_condition(gate, diagnostics)
        if metric is not None:
            if metric.name in (*_OF_STEPS, *_OF_ATTEMPTS) and not scope.lacks_fragments():
                _check_steps(gate, metric, scope, diagnostics)
            for name, value in gate.labels:
                _check_label(gate, metric, name, value, scope, diagnostics)


def _check_condition(gate: Gate, diagnostics: Diagnostics) -> Metric | None:
    metric = METRICS.get(gate.metric)
    if metric is None:
        unknown_metric(gate.metric, gate.span, diagnostics)
        return None
    condition = gate.condition
    if condition.aggregate not in metric.aggregates:
        _wrong_aggregate(metric, condition, diagnostics)
    else:
        _check_bound(metric, condition, diagnostics)
    return metric


def _check_steps(gate: Gate, metric: Metric, scope: _Scope, diagnostics: Diagnostics) -> None:
    """Figures that only some kinds of steps have."""
    steps = [step for steps in scope.phases.values() for step in all_steps(steps)]
    whole = metric.name in _OF_STEPS
    if not any(_repeats(step) or (whole and isinstance(step, Parallel) and step.name) for step in steps):
        diagnostics.error(
            "VF503",
            _piece(gate.span, gate.metric),
            f"no step in {scope.what} has a `retry` or is a `poll`" + (" or a `parallel` with a name" if whole else ""),
            help=f"only those have '{gate.metric}'",
        )


def _repeats(step: Step) -> bool:
    """Whether a step may send a request more than once."""
    return isinstance(step, Poll) or (isinstance(step, Request) and step.retry is not None)


def _wrong_aggregate(metric: Metric, condition: Condition, diagnostics: Diagnostics) -> None:
    shown = ", ".join("p(…)" if aggregate == "p" else aggregate for aggregate in metric.aggregates)
    diagnostics.error(
        "VF504",
        _piece(condition.span, condition.aggregate),
        f"'{metric.name}' has no '{condition.aggregate}'",
        help=f"it is a {metric.kind.value} and has {shown}",
    )


def _check_bound(metric: Metric, condition: Condition, diagnostics: Diagnostics) -> None:
    if condition.aggregate == "p" and not 0 < (condition.argument or 0) <= 100:
        diagnostics.error(
            "VF506", condition.span, "a percentile is above 0 and at most 100", help="for instance `p(95) < 500 ms`"
        )
    wanted = metric.dimension_of(condition.aggregate)
    bound = condition.bound
    if isinstance(bound, Quantity):
        if bound.dimension is not wanted:
            _wrong_bound(metric, condition, f"a {bound.dimension.value}", wanted, diagnostics)
    elif wanted is not None:
        _wrong_bound(metric, condition, "a number without a unit", wanted, diagnostics)


def _wrong_bound(
    metric: Metric, condition: Condition, is_: str, wanted: Dimension | None, diagnostics: Diagnostics
) -> None:
    needs = f"a {wanted.value}" if wanted else "a plain number"
    diagnostics.error(
        "VF505",
        _bound_span(condition),
        f"the bound on '{condition.aggregate}' of {metric.name} must be {needs}",
        label=f"this is {is_}",
        help=_example(condition, wanted),
    )


def _example(condition: Condition, wanted: Dimension | None) -> str:
    bound = condition.bound
    start = f"{condition.aggregate}({condition.argument:g})" if condition.argument else condition.aggregate
    if wanted is None:
        return f"for instance `{start} {condition.operator} 100`"
    if isinstance(bound, Quantity):
        return f"for instance `{start} {condition.operator} {EXAMPLES[wanted]}`"
    if wanted is Dimension.RATIO and bound < 1:
        return f"write `{start} {condition.operator} {ratio(bound)}`"
    units = {Dimension.TIME: " ms", Dimension.SIZE: " KiB", Dimension.RATIO: " %", Dimension.RATE: "/s"}
    return f"write `{start} {condition.operator} {bound:g}{units[wanted]}`"


def _check_label(gate: Gate, metric: Metric, name: str, value: str, scope: _Scope, diagnostics: Diagnostics) -> None:
    allowed = {*metric.labels, *(scope.tags if metric.name.startswith("http_req") else ())}
    if name not in allowed:
        near = suggest(name, allowed)
        diagnostics.error(
            "VF502",
            _piece(gate.span, name),
            f"'{metric.name}' has no label '{name}'",
            label=f"did you mean '{near}'?" if near else "",
            help="what k6 calls `name` is `step` here" if name == "name" else f"it has {', '.join(sorted(allowed))}",
        )
        return
    phase = dict(gate.labels).get("phase", Phase.ITERATION.value)
    values = scope.values(name, phase)
    if values is not None and value not in values:
        near = suggest(value, values)
        diagnostics.error(
            "VF503",
            _piece(gate.span, value),
            f"there is no {name} '{value}' in {_where(name, scope, phase)}",
            label=f"did you mean '{near}'?" if near else "",
            help=_elsewhere(name, value, scope) or ("" if near or not values else _listed(name, values)),
        )


def _where(name: str, scope: _Scope, phase: str) -> str:
    plain = phase == Phase.ITERATION.value or name not in ("step", "group")
    return scope.what if plain else f"the phase '{phase}' of {scope.what}"


def _elsewhere(name: str, value: str, scope: _Scope) -> str:
    """Where a step or a group stands, if in another phase than the one that the gate judges."""
    for phase in scope.phases:
        if name in ("step", "group") and value in (scope.values(name, phase) or ()):
            return f"it runs in the phase '{phase}', which a gate judges only with the label `phase:{phase}`"
    return ""


def _listed(name: str, values: set[str]) -> str:
    shown = sorted(values)[:12]
    return f"the {name}s are {', '.join(shown)}{', …' if len(values) > len(shown) else ''}"


def _flow_scope(suite: Suite, flow: Flow) -> _Scope:
    phases = {
        Phase.ITERATION.value: flow.steps,
        Phase.LOGIN.value: flow.login,
        Phase.FINALLY.value: flow.final,
    }
    return _Scope(
        f"the flow '{flow.name}'", {flow.name}, phases, _tags(flow_steps(flow), suite.defaults, flow.defaults)
    )


def _pooled(suite: Suite, scopes: list[_Scope]) -> _Scope:
    phases: dict[str, tuple[Step, ...]] = {
        Phase.PREFLIGHT.value: suite.preflight,
        Phase.SETUP.value: suite.setup,
        Phase.TEARDOWN.value: suite.teardown,
    }
    for phase in (Phase.ITERATION.value, Phase.LOGIN.value, Phase.FINALLY.value):
        phases[phase] = tuple(step for scope in scopes for step in scope.phases[phase])
    tags = set[str]().union(_tags(suite_steps(suite), suite.defaults), *(scope.tags for scope in scopes))
    return _Scope("the suite", {flow.name for flow in suite.flows}, phases, tags)


def _tags(steps: tuple[Step, ...], *layers: RequestDefaults) -> set[str]:
    found = [*layers, *(request.options for request in requests(steps))]
    return {name for defaults in found for name, _ in defaults.tags}


def _piece(span: Span, text: str) -> Span:
    """Where `text` stands within a span; the span itself if it is written differently there."""
    at = span.source.text.find(text, span.start, span.end)
    return Span(span.source, at, at + len(text)) if text and at >= 0 else span


def _bound_span(condition: Condition) -> Span:
    """What stands behind the comparison."""
    at = condition.span.text.find(condition.operator)
    if at < 0:
        return condition.span
    written = condition.span.text[at + len(condition.operator) :]
    start = condition.span.end - len(written.lstrip())
    return Span(condition.span.source, start, condition.span.end)
