"""Events that can't happen as they are written, and gates on events that there are none of."""

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.metrics import OUTSIDE, Metric, Of, windowed
from vezaflow.model import Flow, Gate, HAProxyAction, MarkAction, Suite, SuiteEvent, constant, total
from vezaflow.syntax import Labels, Reference

DURING = "during"
EVENT = "event"


def check_events(suite: Suite, diagnostics: Diagnostics) -> None:
    """The events of a suite, so far as their times are written out."""
    longest = _longest(suite.flows) if suite.whole else None
    for event in suite.events:
        _check_address(event, diagnostics)
        every, lasts = constant(event.every), constant(event.lasts)
        if event.every is not None and every is not None and every <= (lasts or 0):
            diagnostics.error(
                "VF450",
                event.every.span,
                "the event must be over before it happens again",
                help="use a longer `every`, or a shorter `for`" if every else "for instance `every: 5m`",
            )
        first = event.at or event.every
        start = constant(first)
        if first is not None and start is not None and longest is not None and start >= longest:
            diagnostics.warning(
                "VF452",
                first.span,
                "the load is over by then, so the event never happens",
                help="use an earlier time, or a longer load",
            )


def check_labels_of_events(
    span: Span, labels: Labels, metric: Metric, events: tuple[SuiteEvent, ...], diagnostics: Diagnostics
) -> None:
    """The labels `during` and `event` that stand in the span of a gate, or of a figure in its bound."""
    if metric.of is Of.EVENTS and not events:
        diagnostics.error(
            "VF503",
            span,
            "the suite has no events",
            help="write them under `events:` in suite.yml",
        )
        return
    for name, value in labels:
        if name == DURING and windowed(metric.name):
            _check_name(span, value, events, (OUTSIDE,), diagnostics)
        elif name == EVENT and metric.of is Of.EVENTS:
            _check_name(span, value, events, (), diagnostics)


def check_during(gate: Gate, diagnostics: Diagnostics) -> None:
    """A gate with the window of an event and one of its own."""
    bound = gate.condition.bound
    labels = dict(bound.labels_beside(gate.labels) if isinstance(bound, Reference) else ()) | dict(gate.labels)
    if DURING in labels and gate.window is not None:
        diagnostics.error(
            "VF520",
            gate.window.span,
            "a gate with `during` has the window of its event",
            help="remove `window` here; events have a `window` of their own",
        )


def _check_name(
    span: Span, value: str, events: tuple[SuiteEvent, ...], also: tuple[str, ...], diagnostics: Diagnostics
) -> None:
    names = [event.name for event in events]
    if value in also:
        return
    if value not in names:
        near = suggest(value, [*names, *also])
        known = f"the events are {', '.join(names)}" if names else "write events under `events:` in suite.yml"
        diagnostics.error(
            "VF503",
            _value(span, value),
            f"unknown event '{value}'",
            label=did_you_mean(near),
            help="" if near else known,
        )
        return
    event = events[names.index(value)]
    if isinstance(event.action, MarkAction) and event.lasts is None and event.window is None:
        diagnostics.warning(
            "VF521",
            _value(span, value),
            f"the event '{value}' has no length",
            help="give it a `window`, such as `window: 10s`",
            related=((event.span, "a mark"),),
        )


def _value(span: Span, value: str) -> Span:
    """Where a label's value stands."""
    found = span.piece(f":{value}")
    return span if found == span else Span(span.source, found.start + 1, found.end)


def _check_address(event: SuiteEvent, diagnostics: Diagnostics) -> None:
    known = False
    for action in (event.action, event.final):
        if isinstance(action, HAProxyAction):
            known = known or action.socket is not None or action.tcp is not None
            if not known:
                diagnostics.error(
                    "VF451",
                    action.span,
                    "it is not known which HAProxy is meant",
                    help="add `socket: /run/haproxy.sock`, or `tcp: 127.0.0.1:9999`",
                )
                return


def _longest(flows: tuple[Flow, ...]) -> float | None:
    """When the load is over at the latest, without graceful stops; None if the files don't say."""
    ends = [_end(flow) for flow in flows]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _end(flow: Flow) -> float | None:
    load = flow.load
    start = constant(load.start_time) if load.start_time is not None else 0.0
    if load.stages:
        return total((start, *(constant(stage.duration) for stage in load.stages)))
    return total((start, constant(load.duration))) if load.duration is not None else None
