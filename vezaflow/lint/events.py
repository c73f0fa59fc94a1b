"""Events that can't happen as they are written, and gates on events that there are none of."""

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.metrics import OUTSIDE, Metric, Of, windowed
from vezaflow.model import (
    Flow,
    Gate,
    HAProxyAction,
    MarkAction,
    ProfileAction,
    Suite,
    SuiteEvent,
    constant,
    total,
)
from vezaflow.syntax import Labels, Literal, Reference

DURING = "during"
EVENT = "event"


def check_events(suite: Suite, diagnostics: Diagnostics) -> None:
    """The events of a suite, so far as their times are written out."""
    longest = _longest(suite.flows) if suite.whole else None
    _check_profiles(suite.events, longest, diagnostics)
    for event in suite.events:
        _check_address(event, diagnostics)
        every, lasts = constant(event.every), max(constant(event.lasts) or 0.0, _profiled(event) or 0.0)
        if event.every is not None and every is not None and every <= lasts:
            shorter = "fewer `seconds`" if isinstance(event.action, ProfileAction) else "a shorter `for`"
            diagnostics.error(
                "VF450",
                event.every.span,
                "the event must be over before it happens again",
                help=f"use a longer `every`, or {shorter}" if every else "for instance `every: 5m`",
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


def _check_profiles(events: tuple[SuiteEvent, ...], longest: float | None, diagnostics: Diagnostics) -> None:
    """Profiles that the end of the load cuts off, and those over a time that another one takes."""
    taken: list[tuple[SuiteEvent, str, float, float]] = []  # with the URL, from when and to when
    for event in events:
        action, seconds = event.action, _profiled(event)
        if not isinstance(action, ProfileAction) or not seconds:
            continue
        first = event.at or event.every
        begin = 0.0 if action.on_red else constant(first) if first is not None else None
        if begin is None:
            continue
        where = event.span if first is None else first.span
        if longest is not None and begin < longest < begin + seconds:
            diagnostics.warning(
                "VF453",
                where,
                "the load is over before the profile is complete, so it is lost",
                help="use fewer `seconds`, an earlier time, or a longer load",
            )
        url = action.request.url.value if isinstance(action.request.url, Literal) else None
        if event.at is None or not isinstance(url, str):
            continue
        end = begin + seconds
        together = (each for each, of, since, until in taken if of == url and since < end and begin < until)
        other = next(together, None)
        if other is not None:
            diagnostics.warning(
                "VF454",
                where,
                f"the profile '{other.name}' is being taken at this time",
                help="a process takes one CPU profile at a time: let this one start later",
                related=((other.span, "the other one"),),
            )
        taken.append((event, url, begin, end))


def _profiled(event: SuiteEvent) -> float | None:
    """Over how many seconds the profile of an event is taken, if that is written out."""
    action = event.action
    seconds = action.seconds if isinstance(action, ProfileAction) else None
    value = seconds.value if isinstance(seconds, Literal) else None
    return float(value) if isinstance(value, int) else None


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
