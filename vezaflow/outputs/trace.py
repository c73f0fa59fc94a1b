"""The engine's Observer of `vezaflow try`: what it is shown becomes values, for whoever draws or keeps them.

An exchange is its client's own until the next request: all that is kept of one is taken here.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import trio

from vezaflow import units
from vezaflow.diagnostics import Diagnostic, Severity, Span
from vezaflow.engine import GO_ON, VU, StepPlace, is_followed
from vezaflow.metrics import Phase
from vezaflow.model import Pause
from vezaflow.outputs.traced import (
    Timing,
    Traced,
    TracedFailure,
    TracedMessage,
    TracedPhase,
    TracedRequest,
    TracedResponse,
    TracedValues,
)
from vezaflow.plan import Failure, Outgoing, PlannedRequest, PlannedStep, show
from vezaflow.protocols import ErrorKind, Exchange

_ROW_WIDTH = 100
Sink: TypeAlias = Callable[[Traced], None]
Before: TypeAlias = Callable[[PlannedStep, VU, StepPlace], Awaitable[int]]


class Trace:
    """Tells `sinks` what happens; `hooks` are asked before each step, and the first that says no is obeyed."""

    def __init__(self, *sinks: Sink, hooks: tuple[Before, ...] = ()) -> None:
        self._sinks = sinks
        self._hooks = hooks
        self._phase = Phase.ITERATION
        self._stopped = False
        self._turns: dict[tuple[int, int], int] = {}  # by the task and the request, of which several run at once
        self.reached: set[str] = set()  # names of steps that were due
        self.requests = 0
        self.failures = 0

    async def before(self, step: PlannedStep, vu: VU, place: StepPlace) -> int:
        if place.phase is not self._phase and not self._stopped:
            self._phase = place.phase
            self._tell(TracedPhase(place.phase))
        for hook in self._hooks:
            if signal := await hook(step, vu, place):
                self._stopped = True
                return signal
        self.reached.add(step.name)
        self._turns.pop(_here(step), None)
        if isinstance(step.shape, Pause):
            self.said(f"think {_length(step.shape)}".rstrip())
        return GO_ON

    def answered(
        self,
        request: PlannedRequest,
        outgoing: Outgoing,
        exchange: Exchange,
        failure: Failure | None,
        extracted: dict[str, Any],
        included: tuple[Span, ...],
    ) -> None:
        """One request and what came of it."""
        self.requests += 1
        turn = self._turns[_here(request)] = self._turns.get(_here(request), 0) + 1
        redirected = failure is None and is_followed(request, exchange)
        held = failure is None and not redirected
        self._tell(
            TracedRequest(
                phase=self._phase,
                name=request.name,
                span=request.span,
                included=included,
                turn=turn,
                outgoing=outgoing,
                sent=exchange.wire,
                response=_response(exchange),
                redirected=redirected,
                passed=("status", *(check.name for check in request.checks)) if held else (),
                extracted=tuple(extracted.items()) if held else (),
                fault=None if failure is None else self._fault(failure, included, _remedy(outgoing, exchange)),
            )
        )

    def unsent(self, request: PlannedRequest, failure: Failure, included: tuple[Span, ...]) -> None:
        self._tell(TracedFailure(self._phase, request.name, request.span, included, self._fault(failure, included)))

    def dealt(self, source: str, number: int, row: Any) -> None:
        self._tell(TracedMessage(self._phase, f"row {number + 1} of {source}: {show(row, _ROW_WIDTH)}"))

    def failed(self, failure: Failure, included: tuple[Span, ...]) -> None:
        self._tell(TracedFailure(self._phase, "", None, included, self._fault(failure, included)))

    def said(self, message: str) -> None:
        self._tell(TracedMessage(self._phase, message))

    def set(self, values: dict[str, Any]) -> None:
        self._tell(TracedValues(self._phase, tuple(values.items())))

    def _fault(self, failure: Failure, included: tuple[Span, ...], remedy: str = "") -> Diagnostic:
        self.failures += 1
        way = tuple((span, "included here") for span in included)
        return Diagnostic(
            failure.code,
            Severity.ERROR,
            failure.message,
            failure.span,
            help=failure.suggestions() or remedy,
            related=way,
        )

    def _tell(self, traced: Traced) -> None:
        for sink in self._sinks:
            sink(traced)


def _here(step: PlannedStep) -> tuple[int, int]:
    """The step where it runs now: rounds at the same time are tasks of their own."""
    return id(trio.lowlevel.current_task()) if trio.lowlevel.in_trio_task() else 0, id(step)


def _length(pause: Pause) -> str:
    """How long a pause is, where that is known before it."""
    if pause.low is None or pause.high is None:
        return ""
    low, high = units.duration(pause.low), units.duration(pause.high)
    return low if pause.low == pause.high else f"{low} to {high}"


def _remedy(outgoing: Outgoing, exchange: Exchange) -> str:
    """What to look at when no response came."""
    origin = outgoing.target.origin
    match exchange.error:
        case ErrorKind.REFUSED | ErrorKind.DNS if exchange.at_proxy:
            return "see `http: {proxy: …}`, in the step, the flow or suite.yml: is the proxy up, and is this its port?"
        case ErrorKind.REFUSED:
            return f"nothing listens at {origin.authority}: is the target up, and is this its port?"
        case ErrorKind.DNS:
            return f"no address is known for {origin.host}: see the URL, or `base_url`"
        case _:
            return ""


def _response(exchange: Exchange) -> TracedResponse | None:
    if not exchange.status:
        return None
    return TracedResponse(exchange.status, tuple(exchange.headers), exchange.body, Timing.of(exchange))
