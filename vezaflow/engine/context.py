"""What the steps of one flow are interpreted with, and who looks on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from vezaflow.diagnostics import Span
from vezaflow.engine.incidents import Incidents
from vezaflow.engine.pauses import Sleep
from vezaflow.engine.rooms import SocketRooms
from vezaflow.engine.vu import VU
from vezaflow.metrics import FlowRecorder, Phase, Recorder, RequestRecorder
from vezaflow.plan import EvaluationError, Failure, Outgoing, PlannedRequest, PlannedStep, Segment, Targets
from vezaflow.protocols import ErrorKind, Exchange

Run = Callable[[VU], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class StepPlace:
    """Where a step is: in which phase, how deep in blocks, and where its file is included, the nearest first."""

    phase: Phase
    depth: int
    included: tuple[Span, ...]


class Observer(Protocol):
    """Sees every step before it runs and every exchange as it was: how `vezaflow try` shows them. A run under load
    has none."""

    async def before(self, step: PlannedStep, vu: VU, place: StepPlace) -> int:
        """A step is due, and no time that is measured has begun. Any signal but GO_ON is the step's, which is left
        out then."""

    def answered(
        self,
        request: PlannedRequest,
        outgoing: Outgoing,
        exchange: Exchange,
        failure: Failure | None,
        extracted: dict[str, Any],
        included: tuple[Span, ...],
    ) -> None: ...

    def unsent(self, request: PlannedRequest, failure: Failure, included: tuple[Span, ...]) -> None:
        """A request could not be made."""

    def failed(self, failure: Failure, included: tuple[Span, ...]) -> None:
        """What is no request failed, or a request whose last response was right."""

    def said(self, message: str) -> None:
        """A step has something to say."""

    def set(self, values: dict[str, Any]) -> None:
        """Variables have these values now."""

    def dealt(self, source: str, number: int, row: Any) -> None:
        """The VU has this row (its number from 0) of a data source now."""


@dataclass(frozen=True, slots=True)
class FlowContext:
    """One flow in one phase, and a place in its steps: how deep in blocks, in which groups, and where their file is
    included, the nearest place first. `seed` is that of its decks."""

    flow: str
    phase: Phase
    targets: Targets
    recorder: Recorder
    incidents: Incidents
    clock: Callable[[], float]
    sleep_until: Sleep
    observer: Observer | None
    say: Callable[[str], None]
    seed: str
    segment: Segment
    rooms: SocketRooms[Any]  # of all flows
    depth: int = -1
    groups: tuple[str, ...] = ()
    included: tuple[Span, ...] = ()
    traces: bool = False  # whether some of its requests have a trace

    @property
    def flow_recorder(self) -> FlowRecorder:
        return self.recorder.flow(self.flow)

    @property
    def place(self) -> StepPlace:
        return StepPlace(self.phase, self.depth, self.included)

    @property
    def group(self) -> str:
        """The label of what is sent here, with all groups around it: `outer::inner`."""
        return "::".join(self.groups)

    def deeper(self) -> "FlowContext":
        """In a block."""
        return replace(self, depth=self.depth + 1)

    def within(self, group: str) -> "FlowContext":
        """In a group."""
        return replace(self, groups=(*self.groups, group))

    def including(self, path: Span) -> "FlowContext":
        """In a fragment that is included at a place."""
        return replace(self, included=(path, *self.included))

    def step(
        self,
        name: str,
        method: str = "",
        tags: tuple[tuple[str, str], ...] = (),
        checks: tuple[str, ...] = (),
        *,
        judged: bool = True,
    ) -> RequestRecorder:
        """The recorder of a step here."""
        return self.recorder.step(
            self.flow, name, method, phase=self.phase, group=self.group, tags=tags, checks=checks, judged=judged
        )

    def tell(self, message: str) -> None:
        """Show a message to an observer."""
        if self.observer is not None:
            self.observer.said(message)

    def uncomputed(self, error: EvaluationError) -> Failure:
        """What could not be computed outside of a request, shown to an observer."""
        failure = Failure(ErrorKind.EXPRESSION, "VF605", error.message, error.span)
        if self.observer is not None:
            self.observer.failed(failure, self.included)
        return failure
