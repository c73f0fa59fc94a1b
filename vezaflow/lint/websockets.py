"""Steps that go over a WebSocket or an event stream: there must be one around them, and the one that they name."""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.model import (
    OpenEventStream,
    OpenWebSocket,
    Ping,
    Receive,
    Send,
    Step,
    Suite,
    all_steps,
    flow_steps,
    inner,
    suite_steps,
)


def check_websockets(suite: Suite, diagnostics: Diagnostics) -> None:
    """`send`, `receive` and `ping` where nothing is open that they could go over, or not what they name."""
    said: set[Span] = set()
    _check_rooms(suite, diagnostics)
    for steps in (suite_steps(suite), *map(flow_steps, suite.flows)):
        for step, around in _spoken(steps, ()):
            fitting = [each.alias for each in around if isinstance(each, OpenWebSocket) or isinstance(step, Receive)]
            if not fitting and step.span not in said:
                said.add(step.span)
                _report_none(step, bool(around), diagnostics)
            elif step.to and step.to not in fitting and step.to_span not in said:
                said.add(step.to_span)
                near = suggest(step.to, fitting)
                names = ", ".join(f"'{name}'" for name in fitting if name)
                others = f"named here: {names}" if names else "name it: `websocket: …`, `as: …`"
                diagnostics.error(
                    "VF441",
                    step.to_span,
                    f"no {_WHAT[isinstance(step, Receive)]} around this step is called '{step.to}'",
                    label=did_you_mean(near),
                    help="" if near else others,
                )


def _check_rooms(suite: Suite, diagnostics: Diagnostics) -> None:
    """Deliveries to a room where no WebSocket says which one it is in."""
    lists = (suite_steps(suite), *map(flow_steps, suite.flows))
    steps = [step for steps in lists for step in all_steps(steps)]
    if any(isinstance(step, OpenWebSocket) and step.room is not None for step in steps):
        return
    for step in steps:
        if isinstance(step, Send) and step.deliver is not None:
            diagnostics.error(
                "VF442",
                step.deliver.span,
                "no WebSocket is in a room, so nobody would get this",
                help="add `room` to the `websocket` step",
            )


_WHAT = {False: "WebSocket", True: "WebSocket or event stream"}


def _report_none(step: Send | Receive | Ping, hears: bool, diagnostics: Diagnostics) -> None:
    """`hears`: an event stream is open."""
    what = step.span.text
    message = f"no {_WHAT[isinstance(step, Receive)]} is open here for '{what}'"
    help_ = "put it under the `do` of a `websocket` step"
    if isinstance(step, Receive):
        help_ = "put it under the `do` of a `websocket` or an `sse` step"
    elif hears:
        message = f"an event stream has no '{what}': messages come over it, and none go out"
        help_ = "send a request: `post: …`"
    diagnostics.error("VF441", step.span, message, help=help_)


_Opened = OpenWebSocket | OpenEventStream


def _spoken(
    steps: tuple[Step, ...], around: tuple[_Opened, ...]
) -> Iterator[tuple[Send | Receive | Ping, tuple[_Opened, ...]]]:
    """Each step that goes over a channel, with what is open around it."""
    for step in steps:
        if isinstance(step, Send | Receive | Ping):
            yield step, around
        within = (*around, step) if isinstance(step, _Opened) else around
        for part in inner(step):
            yield from _spoken(part, within)
