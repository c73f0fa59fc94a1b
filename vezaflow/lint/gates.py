"""Gates: metrics that exist and that something in the flows gives samples of."""

from collections.abc import Mapping
from typing import assert_never

from vezaflow.diagnostics import Diagnostics
from vezaflow.lint.events import check_during, check_labels_of_events
from vezaflow.lint.gate_bounds import check_condition
from vezaflow.lint.gate_labels import check_labels
from vezaflow.lint.gate_scopes import OF_STEPS, GateScope, flow_scope, pooled
from vezaflow.lint.gates_elsewhere import check_elsewhere
from vezaflow.metrics import Metric, Of
from vezaflow.model import (
    Beside,
    Block,
    Ends,
    Flow,
    Gate,
    Leaf,
    Loop,
    OneOf,
    Pause,
    Sends,
    Step,
    Suite,
    all_steps,
    gate_metrics,
)
from vezaflow.read import unknown_metric
from vezaflow.syntax import Reference

_OF_ARRIVALS = ("dropped_iterations", "iteration_delay", "iteration_response_time")
_CHANNELS = {Of.CHANNELS: ("a WebSocket", "websocket"), Of.STREAMS: ("an event stream", "sse")}
_OF_REQUESTS = (Of.REQUESTS, Of.FAILURES, Of.INTERRUPTED, Of.CONNECTIONS)
_OF_ATTEMPTS = ("http_req_retries", "backpressure_obeyed", "backpressure_ignored")


def check_gates(suite: Suite, diagnostics: Diagnostics) -> None:
    """All gates of a suite, each in the scope that it judges."""
    known = gate_metrics(suite.observe, suite.events)
    scopes = [flow_scope(suite, flow) for flow in suite.flows]
    for flow, scope in zip(suite.flows, scopes, strict=True):
        _check(suite, flow.gates, known, scope, diagnostics)
        _check_arrivals(flow.gates, (flow,), scope, diagnostics)
        _check(suite, suite.each_flow, known, scope, diagnostics)
    whole = pooled(suite, scopes)
    if suite.whole:
        _check(suite, suite.gates, known, whole, diagnostics)
        _check_arrivals(suite.gates, suite.flows, whole, diagnostics)
    else:
        for gate in suite.gates:
            _check_metric(gate, known, diagnostics)


def check_watched(suite: Suite, diagnostics: Diagnostics) -> None:
    """Flows that no gate judges."""
    if suite.gates or suite.each_flow or diagnostics.failed:
        return
    for flow in suite.flows:
        if not flow.gates:
            diagnostics.warning(
                "VF507",
                flow.span,
                f"no gate covers the flow '{flow.name}'",
                help="for instance `gates: {http_req_failed: rate < 1 %}`",
            )


def _check(
    suite: Suite, gates: tuple[Gate, ...], known: Mapping[str, Metric], scope: GateScope, diagnostics: Diagnostics
) -> None:
    for gate in gates:
        metric = _check_metric(gate, known, diagnostics)
        if metric is not None and metric.of is not Of.ELSEWHERE:
            if metric.name in (*OF_STEPS, *_OF_ATTEMPTS) and not scope.lacks_fragments():
                _check_steps(gate, metric, scope, diagnostics)
            if metric.of is Of.LISTENING and not scope.lacks_fragments():
                _check_listeners(gate, scope, diagnostics)
            check_during(gate, diagnostics)
            check_labels_of_events(gate.span, gate.labels, metric, suite.events, diagnostics)
            if not _has_samples(metric, scope):
                _report_kind(gate, metric, scope, diagnostics)
                continue
            check_labels(gate.span, gate.labels, gate.labels, metric, scope, diagnostics)
            if isinstance(bound := gate.condition.bound, Reference):
                check_labels_of_events(bound.span, bound.labels, metric, suite.events, diagnostics)
                check_labels(bound.span, bound.labels, bound.labels_beside(gate.labels), metric, scope, diagnostics)


def _has_samples(metric: Metric, scope: GateScope) -> bool:
    """Whether there are channels for figures of them, or requests for those of requests."""
    if scope.lacks_fragments() or not scope.series or metric.of not in (*_OF_REQUESTS, *_CHANNELS):
        return True
    return any(each.is_of(metric) for each in scope.series)


def _report_kind(gate: Gate, metric: Metric, scope: GateScope, diagnostics: Diagnostics) -> None:
    if metric.of in _CHANNELS:
        what, verb = _CHANNELS[metric.of]
        what, help_ = f"opens {what}", f"only `{verb}` steps have '{metric.name}'"
    else:
        own = "sse_connection_failures" if any(each.stream for each in scope.series) else "ws_connection_failures"
        of = "event streams" if own.startswith("sse") else "WebSockets"
        what, help_ = "sends a request", f"{of} have metrics of their own, such as `{own}`"
    diagnostics.error("VF503", gate.span.piece(gate.metric), f"no step in {scope.what} {what}", help=help_)


def _check_metric(gate: Gate, known: Mapping[str, Metric], diagnostics: Diagnostics) -> Metric | None:
    metric = known.get(gate.metric)
    if metric is None:
        unknown_metric(gate.metric, gate.span, diagnostics, known)
        return None
    check_condition(gate, metric, diagnostics)
    if metric.of is Of.ELSEWHERE:
        check_elsewhere(gate, metric, diagnostics)
    return metric


def _check_arrivals(
    gates: tuple[Gate, ...], flows: tuple[Flow, ...], scope: GateScope, diagnostics: Diagnostics
) -> None:
    """Figures that only open models have."""
    if any(flow.load.executor.is_open for flow in flows):
        return
    for gate in gates:
        if gate.metric in _OF_ARRIVALS:
            diagnostics.error(
                "VF503",
                gate.span.piece(gate.metric),
                f"{scope.what} has no arrival rate",
                help=f"only loads with an arrival rate have '{gate.metric}'",
            )


def _check_steps(gate: Gate, metric: Metric, scope: GateScope, diagnostics: Diagnostics) -> None:
    """Figures that only some kinds of steps have."""
    steps = [step for steps in scope.phases.values() for step in all_steps(steps)]
    whole = metric.name in OF_STEPS
    if not any(_repeats(step) or (whole and _is_whole(step)) for step in steps):
        kinds = (
            "a `poll`, a `paginate`, an `upload`, an `hls` or a `parallel` with a name"
            if whole
            else "a `poll` or a `paginate`"
        )
        diagnostics.error(
            "VF503",
            gate.span.piece(gate.metric),
            f"no step in {scope.what} has a `retry` or is {kinds}",
            help=f"only those have '{gate.metric}'",
        )


def _check_listeners(gate: Gate, scope: GateScope, diagnostics: Diagnostics) -> None:
    """Figures that only those have who listen."""
    if not any(each.plays for each in scope.series):
        diagnostics.error(
            "VF503",
            gate.span.piece(gate.metric),
            f"no step in {scope.what} is an `hls`",
            help=f"only those have '{gate.metric}'",
        )


def _is_whole(step: Step) -> bool:
    """Whether a step of several requests has figures of its own."""
    match step.shape:
        case Beside():
            return bool(step.name)
        case Sends(request=request):
            return request is not step
        case Loop(plays=plays):
            return plays
        case Leaf() | Pause() | Block() | OneOf() | Ends():
            return False
        case never:
            assert_never(never)


def _repeats(step: Step) -> bool:
    """Whether a step may send a request more than once."""
    shape = step.shape
    return isinstance(shape, Sends) and (shape.waits or shape.by_page or shape.request.retry is not None)
