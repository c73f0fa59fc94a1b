"""Event streams: what they don't do yet, and what `message` is where they are open."""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, did_you_mean, suggest
from vezaflow.model import (
    OpenEventStream,
    OpenWebSocket,
    Place,
    Receive,
    RequestDefaults,
    Step,
    Suite,
    Use,
    all_steps,
    flow_steps,
    inner,
    suite_steps,
)
from vezaflow.syntax import Member, Name, walk

_FIELDS = ("event", "id", "data")


def check_event_streams(suite: Suite, diagnostics: Diagnostics) -> None:
    """HTTP/2, and fields of `message` that there are not."""
    own = [(suite_steps(suite), (suite.defaults,))]
    said: set[object] = set()
    for steps, layers in (*own, *((flow_steps(flow), (flow.defaults, suite.defaults)) for flow in suite.flows)):
        for step in all_steps(steps):
            if isinstance(step, OpenEventStream) and step.span not in said:
                said.add(step.span)
                _check_version(step, layers, diagnostics)
        for use, streams in _read(steps, None):
            for part in walk(use.expression):
                if isinstance(part, Member) and part.span not in said and _is_message(part):
                    said.add(part.span)
                    _check_field(part, streams, diagnostics)


def _check_version(step: OpenEventStream, layers: tuple[RequestDefaults, ...], diagnostics: Diagnostics) -> None:
    options = (step.request.options, *layers)
    versions = (each.http.version for each in options if each.http is not None and each.http.version is not None)
    if next(versions, None) == "2":
        diagnostics.error(
            "VF443",
            step.span,
            "event streams go over HTTP/1.1, and this one would go over HTTP/2",
            help="add `http: {version: 1.1}` to the step",
        )


def _is_message(part: Member) -> bool:
    return isinstance(part.target, Name) and part.target.name == "message"


def _check_field(part: Member, streams: bool, diagnostics: Diagnostics) -> None:
    if not streams:
        diagnostics.error(
            "VF444",
            part.span,
            f"a message of a WebSocket has no '{part.name}': it is a text",
            help='`message` is the text itself, and `json("$.x")` reads it as JSON',
        )
    elif part.name not in _FIELDS:
        diagnostics.error(
            "VF444",
            part.span,
            f"an event has no '{part.name}'",
            label=did_you_mean(suggest(part.name, _FIELDS)),
            help='an event has `message.event`, `message.id` and `message.data`; `json("$.x")` reads its data as JSON',
        )


def _read(steps: tuple[Step, ...], around: OpenEventStream | OpenWebSocket | None) -> Iterator[tuple[Use, bool]]:
    """Each expression on a message, and whether that is an event; where it is known what is open."""
    for step in steps:
        if isinstance(step, OpenEventStream | OpenWebSocket):
            yield from ((use, isinstance(step, OpenEventStream)) for use in step.uses() if _sees(use))
        elif isinstance(step, Receive) and around is not None and not step.to:
            yield from ((use, isinstance(around, OpenEventStream)) for use in step.uses() if _sees(use))
        within = step if isinstance(step, OpenEventStream | OpenWebSocket) else around
        for part in inner(step):
            yield from _read(part, within)


def _sees(use: Use) -> bool:
    return use.place in (Place.MESSAGE, Place.ACK)
