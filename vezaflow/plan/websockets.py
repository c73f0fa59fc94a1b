"""WebSocket steps, planned: messages as callables, conditions on messages, and what acknowledges which.

An `ack` whose condition says `… == …`, a value of what came on one side and one of what was sent on the other, is
found by that value: else each message would be held against each that is under way.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import (
    Ack,
    Block,
    Leaf,
    Message,
    MessageForm,
    Nameless,
    OnFailure,
    OpenEventStream,
    OpenWebSocket,
    Ping,
    Receive,
    Reconnect,
    Send,
    Whole,
)
from vezaflow.plan.bodies import HALF_PAIR
from vezaflow.plan.checks import PlannedCheck, plan_check
from vezaflow.plan.compiled import UNKNOWN, Constant, Evaluate
from vezaflow.plan.evaluate import Compiler, Sees
from vezaflow.plan.extractors import PlannedExtract, plan_extract
from vezaflow.plan.outgoing import PlannedRequest
from vezaflow.plan.rendering import show
from vezaflow.plan.requests import DEFAULT_TIMEOUT, RequestCompiler
from vezaflow.plan.scope import EvaluationError, Scope
from vezaflow.plan.settings import Settings
from vezaflow.protocols import WebSocketOptions
from vezaflow.syntax import FUNCTIONS, Binary, Call, Expression, Member, Name, Needs, json_bytes, walk

WITHIN = 10.0  # seconds that a message, an ack or a pong may take
MAX_MESSAGE = 1 << 20
PING_EVERY = 25.0  # nginx takes a connection for idle after 60 s, HAProxy after its `timeout tunnel`
_ATTEMPTS = 5
_FIRST_WAIT = 1.0
_NORMAL = 1000


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """`render` gives what goes out, and what it is called in an `ack`: the value of JSON, else the text."""

    render: Callable[[Scope], tuple[str | bytes, Any]]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedAck:
    """`where` sees the message and what was sent. `of_message` and `of_sent` are equal where it holds; None: only
    `where` itself tells. `exact`: it holds wherever they are equal. `reads`: the slots of the sender that it reads;
    `fields`: what it reads of what was sent, None: all of it."""

    where: Evaluate
    of_message: Evaluate | None
    of_sent: Evaluate | None
    within: float
    reads: tuple[int, ...]
    fields: tuple[str, ...] | None
    exact: bool
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedRepeated:
    each: Evaluate  # seconds, or (low, high)
    message: PlannedMessage
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedReply:
    where: Evaluate
    message: PlannedMessage
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedReconnect:
    most: int  # attempts in a row
    wait: float  # seconds before the first


@dataclass(frozen=True, slots=True)
class PlannedWebSocket:
    """`slot` is where the steps within it find the WebSocket."""

    request: PlannedRequest
    slot: int
    options: WebSocketOptions
    room: Callable[[Scope], str] | None
    every: tuple[PlannedRepeated, ...]
    replies: tuple[PlannedReply, ...]
    code: int
    reason: Callable[[Scope], str]
    reconnect: PlannedReconnect | None
    on_failure: OnFailure
    steps: tuple[Any, ...]  # planned steps, which plan/steps.py knows
    span: Span

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def shape(self) -> Block[Any]:
        return Block((self.request, *self.steps), holds=True)

    def rebuilt(self, change: Callable[[Any], Any]) -> "PlannedWebSocket":
        return replace(self, steps=change(self.steps))


@dataclass(frozen=True, slots=True)
class PlannedSend(Nameless, Whole):
    slot: int
    message: PlannedMessage
    ack: PlannedAck | None
    deliver: PlannedAck | None
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf()


@dataclass(frozen=True, slots=True)
class PlannedReceive(Nameless, Whole):
    slot: int
    where: Evaluate | None
    within: float
    checks: tuple[PlannedCheck, ...]
    extracts: tuple[PlannedExtract, ...]
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf(may_wait=True)


@dataclass(frozen=True, slots=True)
class PlannedPing(Nameless, Whole):
    slot: int
    within: float
    span: Span

    @property
    def shape(self) -> Leaf:
        return Leaf(may_wait=True)


class OpenHere(NamedTuple):
    """What is open where a step stands: by which name, in which slot, and whether it takes messages."""

    alias: str
    slot: int
    takes: bool = True


class WebSocketPlanner:
    """Plans the WebSocket steps of one scope. `around`: what is open there, the outermost first."""

    def __init__(
        self,
        compiler: Compiler,
        requests: RequestCompiler,
        diagnostics: Diagnostics,
        around: tuple[OpenHere, ...] = (),
    ) -> None:
        self._compiler = compiler
        self._requests = requests
        self._diagnostics = diagnostics
        self._settings = Settings(compiler, diagnostics)
        self._messages = compiler.seeing(Sees.MESSAGE)
        self.around = around

    def slot(self, step: OpenWebSocket | OpenEventStream) -> int:
        """A slot of its own, which no name leads to."""
        return self._compiler.names.slot(f"websocket:{step.span.source.path}:{step.span.start}:{len(self.around)}")

    def websocket(self, step: OpenWebSocket, slot: int, steps: tuple[Any, ...]) -> PlannedWebSocket:
        """The step; `steps` are those within it, planned."""
        settings, request = self._settings, self._requests.request(step.request)
        options = WebSocketOptions(
            timeout=request.options.timeout or DEFAULT_TIMEOUT,
            subprotocols=step.subprotocols,
            compress=settings.flag(step.compress) if step.compress is not None else False,
            max_message=settings.size(step.max_message) if step.max_message is not None else MAX_MESSAGE,
            ping_every=settings.seconds(step.ping_every) if step.ping_every is not None else PING_EVERY,
        )
        close = step.close
        return PlannedWebSocket(
            request=request,
            slot=slot,
            options=options,
            room=self._compiler.text(step.room) if step.room is not None else None,
            every=tuple(
                PlannedRepeated(settings.pause(each.each), self._message(each.message), each.span)
                for each in step.every
            ),
            replies=tuple(
                PlannedReply(
                    self._messages.expression(each.where), self._message(each.message, replies=True), each.span
                )
                for each in step.reply
            ),
            code=close.code if close is not None else _NORMAL,
            reason=self._compiler.text(close.reason)
            if close is not None and close.reason is not None
            else Constant(""),
            reconnect=self.reconnect(step.reconnect),
            on_failure=request.on_failure,
            steps=steps,
            span=step.span,
        )

    def send(self, step: Send) -> PlannedSend:
        ack, deliver = (self._ack(part) if part is not None else None for part in (step.ack, step.deliver))
        return PlannedSend(self._which(step.to, takes=True), self._message(step.message), ack, deliver, step.span)

    def receive(self, step: Receive) -> PlannedReceive:
        expected = step.expect.expectations if step.expect is not None else ()
        return PlannedReceive(
            self._which(step.to),
            self._messages.expression(step.where) if step.where is not None else None,
            self._within(step.within),
            tuple(plan_check(each, self._messages, self._requests.schema(each)) for each in expected),
            tuple(plan_extract(each, self._compiler) for each in step.extract),
            step.span,
        )

    def ping(self, step: Ping) -> PlannedPing:
        return PlannedPing(self._which(step.to, takes=True), self._within(step.within), step.span)

    def _which(self, alias: str, *, takes: bool = False) -> int:
        """The slot of an open channel; `takes`: of one that takes messages. That there is one is lint's business."""
        found = [each.slot for each in self.around if alias in ("", each.alias) and each.takes >= takes]
        return found[-1] if found else self._compiler.names.slot("websocket:none")

    def _within(self, within: Expression | None) -> float:
        return self._settings.seconds(within) if within is not None else WITHIN

    def reconnect(self, reconnect: Reconnect | None) -> PlannedReconnect | None:
        """How often it is tried, and after which time."""
        if reconnect is None:
            return None
        most = self._settings.count(reconnect.max) if reconnect.max is not None else _ATTEMPTS
        wait = self._settings.seconds(reconnect.wait) if reconnect.wait is not None else _FIRST_WAIT
        return PlannedReconnect(most, wait)

    def _ack(self, ack: Ack) -> PlannedAck:
        sides = next(_sides(ack.where), None)
        where = self._messages.expression(ack.where)
        of_message = of_sent = None
        if sides is not None:
            of_message, of_sent = map(self._messages.expression, sides)
        within, reads = self._within(ack.within), self._messages.slots(ack.where)
        exact = sides is not None and not reads and isinstance(ack.where, Binary) and ack.where.operator == "=="
        return PlannedAck(where, of_message, of_sent, within, reads, _fields(ack.where), exact, ack.span)

    def _message(self, message: Message, *, replies: bool = False) -> PlannedMessage:
        compiler, span, value = self._messages if replies else self._compiler, message.span, message.value
        match message.form:
            case MessageForm.JSON:
                build = compiler.tree(value)

                def render(scope: Scope) -> tuple[str | bytes, Any]:
                    made = build(scope)
                    try:
                        return json_bytes(made, default=str).decode(), made
                    except (TypeError, ValueError) as e:
                        raise EvaluationError(str(e), span) from None

            case MessageForm.TEXT:
                text = compiler.text(_one(value))

                def render(scope: Scope) -> tuple[str | bytes, Any]:
                    made = text(scope)
                    try:
                        made.encode()
                    except UnicodeEncodeError:
                        raise EvaluationError(HALF_PAIR, span) from None
                    return made, made

            case MessageForm.BYTES:
                encoded = compiler.text(_one(value))

                def render(scope: Scope) -> tuple[str | bytes, Any]:
                    made = encoded(scope)
                    try:
                        return b64decode(made, validate=True), made
                    except (binascii.Error, ValueError):
                        raise EvaluationError(f"not valid Base64: {show(made)}", span) from None

                if isinstance(encoded, Constant) and encoded.value is not UNKNOWN:
                    return self._constant(render, span)
        return PlannedMessage(render, span)

    def _constant(self, render: Callable[[Scope], tuple[str | bytes, Any]], span: Span) -> PlannedMessage:
        """A message that never changes; what is wrong with it is said before the run."""
        try:
            made = render(None)  # type: ignore[arg-type]
        except EvaluationError as e:
            self._diagnostics.error("VF705", span, e.message)
            made = b"", ""
        return PlannedMessage(lambda _scope: made, span)


def _one(value: Any) -> Expression:
    assert not isinstance(value, dict | tuple), "only JSON is written as a tree"
    return value  # type: ignore[no-any-return]


def _sides(where: Expression) -> Iterator[tuple[Expression, Expression]]:
    """Equalities that must hold, with a value of what came on one side and one of what was sent on the other."""
    if not isinstance(where, Binary):
        return
    if where.operator == "and":
        yield from _sides(where.left)
        yield from _sides(where.right)
    elif where.operator == "==":
        for one, other in ((where.left, where.right), (where.right, where.left)):
            if _reads_message(one) and not _reads_other(one) and _reads_sent(other) and not _reads_message(other):
                yield one, other


def _fields(where: Expression) -> tuple[str, ...] | None:
    """What it reads of what was sent, where that is fields by name and nothing else."""
    fields = [part.name for part in walk(where) if isinstance(part, Member) and _is_sent(part.target)]
    whole = sum(_is_sent(part) for part in walk(where)) > len(fields)
    return None if whole else tuple(dict.fromkeys(fields))


def _is_sent(expression: Expression) -> bool:
    return isinstance(expression, Name) and expression.name == "sent"


def _reads_other(expression: Expression) -> bool:
    """Whether it reads more than the message: then it differs from sender to sender."""
    return any(isinstance(part, Name) and part.name != "message" for part in walk(expression))


def _reads_sent(expression: Expression) -> bool:
    return any(_is_sent(part) for part in walk(expression))


def _reads_message(expression: Expression) -> bool:
    return any(
        (isinstance(part, Name) and part.name == "message")
        or (isinstance(part, Call) and part.function in FUNCTIONS and FUNCTIONS[part.function].needs is Needs.RESPONSE)
        for part in walk(expression)
    )
