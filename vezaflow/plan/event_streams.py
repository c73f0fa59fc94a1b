"""Event streams, planned: what opens one, and when its events were sent."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite
from typing import Any

from vezaflow.diagnostics import Span
from vezaflow.model import Block, OnFailure, OpenEventStream
from vezaflow.plan.compiled import Evaluate
from vezaflow.plan.evaluate import Compiler, Sees
from vezaflow.plan.outgoing import PlannedRequest
from vezaflow.plan.requests import DEFAULT_TIMEOUT, RequestCompiler
from vezaflow.plan.settings import Settings
from vezaflow.plan.websockets import MAX_MESSAGE, PlannedReconnect
from vezaflow.protocols import EventStreamOptions

_MILLISECONDS = 1e11  # from here on: as seconds they would be after the year 5000


@dataclass(frozen=True, slots=True)
class PlannedEventStream:
    """`slot` is where the steps within it find the stream; `sent` sees an event as `message`."""

    request: PlannedRequest
    slot: int
    options: EventStreamOptions
    sent: Evaluate | None
    reconnect: PlannedReconnect | None
    on_failure: OnFailure
    steps: "tuple[Any, ...]"  # planned steps, which plan/steps.py knows
    span: Span

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def shape(self) -> "Block[Any]":
        return Block((self.request, *self.steps), holds=True)

    def rebuilt(self, change: Callable[[Any], Any]) -> "PlannedEventStream":
        return replace(self, steps=change(self.steps))


def seconds_since_1970(value: Any) -> float | None:
    """A time as servers write it: seconds or milliseconds since 1970, or RFC 3339; None: it is none."""
    if isinstance(value, str):
        try:
            return _seconds(float(value))
        except ValueError:
            pass
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return moment.timestamp() if moment.tzinfo is not None else None
    return _seconds(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _seconds(number: float) -> float | None:
    if not isfinite(number):
        return None
    return number / 1000 if number >= _MILLISECONDS else number


def plan_event_stream(
    step: OpenEventStream,
    slot: int,
    steps: tuple[Any, ...],
    reconnect: PlannedReconnect | None,
    *,
    compiler: Compiler,
    requests: RequestCompiler,
    settings: Settings,
) -> PlannedEventStream:
    """The step; `steps` are those within it, planned."""
    request = requests.request(step.request)
    return PlannedEventStream(
        request=request,
        slot=slot,
        options=EventStreamOptions(
            timeout=request.options.timeout or DEFAULT_TIMEOUT,
            max_event=settings.size(step.max_event) if step.max_event is not None else MAX_MESSAGE,
        ),
        sent=compiler.seeing(Sees.MESSAGE).expression(step.sent) if step.sent is not None else None,
        reconnect=reconnect,
        on_failure=request.on_failure,
        steps=steps,
        span=step.span,
    )
