"""Steps with everything about them decided: data and callables, ready for the engine to interpret; and how a step as
written becomes one.

One dataclass a kind, mirroring model/steps.py; slots instead of names, callables instead of expressions. Each says its
shape. Those of requests are in outgoing.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, assert_never

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.keys import MOST_WEIGHT
from vezaflow.model import Beside, Block, Ends, Leaf, Loop, Nameless, OneOf, Pause, StopScope, Whole, assigned
from vezaflow.model.steps import (
    Choose,
    For,
    Group,
    Hls,
    If,
    Include,
    Log,
    OpenEventStream,
    OpenWebSocket,
    Paginate,
    Parallel,
    Ping,
    Poll,
    Receive,
    Repeat,
    Request,
    Send,
    Set,
    Skip,
    Step,
    Stop,
    Think,
    Upload,
    While,
)
from vezaflow.plan.compiled import Constant, Evaluate
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.event_streams import PlannedEventStream, plan_event_stream
from vezaflow.plan.hls import PlannedHls
from vezaflow.plan.includes import enter
from vezaflow.plan.outgoing import PlannedRequest, PlannedUpload
from vezaflow.plan.requests import RequestCompiler
from vezaflow.plan.scope import Scope
from vezaflow.plan.settings import Settings
from vezaflow.plan.websockets import (
    OpenHere,
    PlannedAck,
    PlannedPing,
    PlannedReceive,
    PlannedSend,
    PlannedWebSocket,
    WebSocketPlanner,
)

Steps = tuple["PlannedStep", ...]
Change = Callable[[Steps], Steps]


@dataclass(frozen=True, slots=True)
class PlannedThink(Nameless, Whole):
    duration: Evaluate  # seconds, or (low, high)
    span: Span

    @property
    def shape(self) -> Pause:
        return Pause(*_ends(self.duration))


@dataclass(frozen=True, slots=True)
class PlannedChoose(Nameless):
    weights: tuple[int, ...]
    branches: tuple[Steps, ...]
    span: Span

    @property
    def shape(self) -> "OneOf[PlannedStep]":
        return OneOf(self.branches, self.weights)

    def rebuilt(self, change: Change) -> "PlannedChoose":
        return replace(self, branches=tuple(map(change, self.branches)))


@dataclass(frozen=True, slots=True)
class PlannedRepeat(Nameless):
    times: Evaluate
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Loop[PlannedStep]":
        return Loop(self.steps, _count(self.times), _count(self.times))

    def rebuilt(self, change: Change) -> "PlannedRepeat":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class PlannedFor(Nameless):
    slot: int
    items: Evaluate
    at_once: int  # rounds at the same time
    sets: tuple[int, ...]  # the slots that a round sets
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Loop[PlannedStep]":
        return Loop(self.steps, _length(self.items), _length(self.items), self.at_once)

    def rebuilt(self, change: Change) -> "PlannedFor":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class PlannedWhile(Nameless):
    condition: Evaluate
    most: Evaluate
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Loop[PlannedStep]":
        return Loop(self.steps, 0, _count(self.most), asks=True)

    def rebuilt(self, change: Change) -> "PlannedWhile":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class PlannedIf(Nameless):
    condition: Evaluate
    then: Steps
    otherwise: Steps
    span: Span

    @property
    def shape(self) -> "OneOf[PlannedStep]":
        taken = (0 if self.condition.value else 1) if isinstance(self.condition, Constant) else None
        return OneOf((self.then, self.otherwise), taken=taken)

    def rebuilt(self, change: Change) -> "PlannedIf":
        return replace(self, then=change(self.then), otherwise=change(self.otherwise))


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    name: str
    steps: Steps
    span: Span

    @property
    def shape(self) -> "Block[PlannedStep]":
        return Block(self.steps, group=self.name)

    def rebuilt(self, change: Change) -> "PlannedGroup":
        return replace(self, steps=change(self.steps))


class PlannedBranch(NamedTuple):
    """One of the ways of a `parallel`, and the slots that it sets."""

    steps: Steps
    sets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlannedParallel:
    branches: tuple[PlannedBranch, ...]
    name: str  # of its own figures; empty: there are none
    per_host: int  # requests on their way together, at most
    span: Span

    @property
    def shape(self) -> "Beside[PlannedStep]":
        return Beside(tuple(branch.steps for branch in self.branches), self.per_host)

    def rebuilt(self, change: Change) -> "PlannedParallel":
        return replace(self, branches=tuple(each._replace(steps=change(each.steps)) for each in self.branches))


@dataclass(frozen=True, slots=True)
class PlannedSet(Nameless, Whole):
    values: tuple[tuple[int, Evaluate], ...]
    names: tuple[str, ...]
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf()


@dataclass(frozen=True, slots=True)
class PlannedLog(Nameless, Whole):
    message: Callable[[Scope], str]
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf()


@dataclass(frozen=True, slots=True)
class PlannedSkip(Nameless, Whole):
    reason: Callable[[Scope], Any]
    span: Span

    @property
    def shape(self) -> Ends:
        return Ends()


@dataclass(frozen=True, slots=True)
class PlannedStop(Nameless, Whole):
    scope: StopScope
    span: Span

    @property
    def shape(self) -> Ends:
        return Ends()


@dataclass(frozen=True, slots=True)
class PlannedInclude(Nameless):
    """A fragment's steps. Before them its inputs are set and what it set the last time is forgotten."""

    path: str
    inputs: tuple[tuple[int, Evaluate], ...]
    own: tuple[int, ...]
    steps: Steps
    outputs: tuple[tuple[int, int], ...]  # slot in the fragment, slot outside
    path_span: Span
    span: Span

    @property
    def shape(self) -> "Block[PlannedStep]":
        return Block(self.steps, own_names=True)

    def rebuilt(self, change: Change) -> "PlannedInclude":
        return replace(self, steps=change(self.steps))


PlannedStep = (
    PlannedRequest
    | PlannedInclude
    | PlannedUpload
    | PlannedHls
    | PlannedThink
    | PlannedChoose
    | PlannedRepeat
    | PlannedFor
    | PlannedWhile
    | PlannedIf
    | PlannedGroup
    | PlannedParallel
    | PlannedWebSocket
    | PlannedEventStream
    | PlannedSend
    | PlannedReceive
    | PlannedPing
    | PlannedSet
    | PlannedLog
    | PlannedSkip
    | PlannedStop
)


class StepPlanner:
    """Plans the steps of one scope."""

    def __init__(
        self,
        compiler: Compiler,
        requests: RequestCompiler,
        diagnostics: Diagnostics,
        per_host: int,
        open_: tuple[OpenHere, ...] = (),
    ) -> None:
        self._compiler = compiler
        self._per_host = per_host  # of a `parallel` that says nothing of it
        self.requests = requests
        self._diagnostics = diagnostics
        self._settings = Settings(compiler, diagnostics)
        self._sockets = WebSocketPlanner(compiler, requests, diagnostics, open_)

    def steps(self, steps: Iterable[Step]) -> tuple[PlannedStep, ...]:
        return tuple(self._step(step) for step in steps)

    def _step(self, step: Step) -> PlannedStep:
        value = self._compiler.expression
        slot = self._compiler.names.slot
        match step:
            case Request():
                return self.requests.request(step)
            case Poll():
                return self.requests.poll(step)
            case Paginate():
                return self.requests.paginate(step)
            case Upload():
                return self.requests.upload(step)
            case Hls():
                return self.requests.hls(step)
            case Include():
                return self._include(step)
            case Think(duration, span):
                return PlannedThink(self._settings.pause(duration), span)
            case Choose(branches, span):
                weights = tuple(self._settings.count(b.weight, most=MOST_WEIGHT) for b in branches)
                return PlannedChoose(weights, tuple(self.steps(b.steps) for b in branches), span)
            case Repeat(times, steps, span):
                return PlannedRepeat(self._settings.rounds(times), self.steps(steps), span)
            case For():
                return self._for(step)
            case Parallel():
                return self._parallel(step)
            case While(condition, most, steps, span):
                return PlannedWhile(value(condition), self._settings.rounds(most), self.steps(steps), span)
            case If(condition, then, otherwise, span):
                return PlannedIf(value(condition), self.steps(then), self.steps(otherwise), span)
            case Group(name, steps, span):
                return PlannedGroup(name, self.steps(steps), span)
            case OpenWebSocket():
                return self._websocket(step)
            case OpenEventStream():
                return self._event_stream(step)
            case Send():
                return self._sockets.send(step)
            case Receive():
                return self._sockets.receive(step)
            case Ping():
                return self._sockets.ping(step)
            case Set(values, span):
                compiled = tuple((slot(name), self._compiler.kept(tree)) for name, tree, _ in values)
                return PlannedSet(compiled, tuple(name for name, _, _ in values), span)
            case Log(message, span):
                return PlannedLog(self._compiler.text(message), span)
            case Skip(reason, span):
                return PlannedSkip(self._compiler.expression(reason), span)
            case Stop(scope, span):
                return PlannedStop(scope, span)
        assert_never(step)

    def _include(self, step: Include) -> PlannedInclude:
        """The fragment's steps, in its own scope."""
        entry = enter(step, self._compiler, self._diagnostics)
        inside = self._within(entry.compiler, self._sockets.around)
        steps = inside.steps(step.steps)
        there, here = entry.compiler.names, self._compiler.names
        outputs = tuple((there.slot(name), here.slot(outside)) for name, outside in step.outputs)
        return PlannedInclude(entry.path, entry.inputs, entry.own, steps, outputs, step.path_span, step.span)

    def _within(self, compiler: Compiler, open_: tuple[OpenHere, ...]) -> "StepPlanner":
        """The same for steps that have names of their own, or more channels around them."""
        requests = self.requests if compiler is self._compiler else self.requests.within(compiler)
        return StepPlanner(compiler, requests, self._diagnostics, self._per_host, open_)

    def _websocket(self, step: OpenWebSocket) -> PlannedWebSocket:
        slot = self._sockets.slot(step)
        inside = self._within(self._compiler, (*self._sockets.around, OpenHere(step.alias, slot)))
        return self._sockets.websocket(step, slot, inside.steps(step.steps))

    def _event_stream(self, step: OpenEventStream) -> PlannedEventStream:
        slot = self._sockets.slot(step)
        inside = self._within(self._compiler, (*self._sockets.around, OpenHere(step.alias, slot, takes=False)))
        return plan_event_stream(
            step,
            slot,
            inside.steps(step.steps),
            self._sockets.reconnect(step.reconnect),
            compiler=self._compiler,
            requests=self.requests,
            settings=self._settings,
        )

    def _for(self, step: For) -> PlannedFor:
        at_once = self._settings.count(step.at_once) if step.at_once is not None else 1
        slot, items = self._compiler.names.slot(step.variable), self._compiler.expression(step.items)
        return PlannedFor(slot, items, at_once, self._sets(step), self.steps(step.steps), step.span)

    def _parallel(self, step: Parallel) -> PlannedParallel:
        per_host = self._settings.count(step.per_host) if step.per_host is not None else self._per_host
        branches = tuple(PlannedBranch(self.steps((branch,)), self._sets(branch)) for branch in step.branches)
        return PlannedParallel(branches, step.name, per_host, step.span)

    def _sets(self, step: Step) -> tuple[int, ...]:
        """The slots that a step sets, with all in it."""
        return tuple(sorted({self._compiler.names.slot(name) for name in assigned((step,))}))


def delivery_of(step: PlannedStep) -> PlannedAck | None:
    """By what a message that the step sends is to reach the others in its room."""
    return step.deliver if isinstance(step, PlannedSend) else None


def _ends(seconds: Evaluate) -> tuple[float, float] | tuple[None, None]:
    """Of a constant or a range of constants."""
    if not isinstance(seconds, Constant):
        return None, None
    value = seconds.value
    low, high = value if isinstance(value, tuple) else (value, value)
    return low, high


def _count(number: Evaluate) -> int | None:
    """A constant number of rounds."""
    value = number.value if isinstance(number, Constant) else None
    return max(0, int(value)) if isinstance(value, int | float) else None


def _length(items: Evaluate) -> int | None:
    value = items.value if isinstance(items, Constant) else None
    return len(value) if isinstance(value, list | tuple | dict) else None
