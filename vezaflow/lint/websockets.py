"""Steps that go over a WebSocket: there must be one around them, and the one that they name."""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, Span, did_you_mean, suggest
from vezaflow.model import OpenWebSocket, Ping, Receive, Send, Step, Suite, all_steps, flow_steps, inner, suite_steps


def check_websockets(suite: Suite, diagnostics: Diagnostics) -> None:
    """`send`, `receive` and `ping` where no WebSocket is open, or not that one."""
    said: set[Span] = set()
    _check_rooms(suite, diagnostics)
    for steps in (suite_steps(suite), *map(flow_steps, suite.flows)):
        for step, around in _spoken(steps, ()):
            if not around and step.span not in said:
                said.add(step.span)
                diagnostics.error(
                    "VF441",
                    step.span,
                    f"no WebSocket is open here for '{step.span.text}'",
                    help="put it under the `do` of a `websocket` step",
                )
            elif step.to and step.to not in around and step.to_span not in said:
                said.add(step.to_span)
                near = suggest(step.to, around)
                names = ", ".join(f"'{name}'" for name in around if name)
                others = f"named here: {names}" if names else "name it: `websocket: …`, `as: …`"
                diagnostics.error(
                    "VF441",
                    step.to_span,
                    f"no WebSocket around this step is called '{step.to}'",
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


def _spoken(
    steps: tuple[Step, ...], around: tuple[str, ...]
) -> Iterator[tuple[Send | Receive | Ping, tuple[str, ...]]]:
    """Each step that goes over a WebSocket, with the names of those around it."""
    for step in steps:
        if isinstance(step, Send | Receive | Ping):
            yield step, around
        within = (*around, step.alias) if isinstance(step, OpenWebSocket) else around
        for part in inner(step):
            yield from _spoken(part, within)
