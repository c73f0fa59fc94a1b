"""What a VU holds open while steps run, of whatever kind: dialled, waited on, opened again, and let go.

Laws: no exception leaves a step but cancellation. What comes is looked at when it comes, whatever the VU does, and
waits for a `receive`. An end that nobody of ours began fails the step that meets it first, or else the step that opened
it. What the end of the run cuts off is no failure.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, ClassVar, Protocol

import trio

from vezaflow import units
from vezaflow.diagnostics import Span
from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.judging import SIGNALS
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.pauses import wait_until
from vezaflow.engine.vu import VU, Signal
from vezaflow.model import OnFailure
from vezaflow.plan import (
    EvaluationError,
    Failure,
    Outgoing,
    PlannedReceive,
    PlannedReconnect,
    PlannedRequest,
    RequestError,
    ResponseView,
)
from vezaflow.protocols import (
    ChannelMessage,
    Ending,
    ErrorKind,
    EventMessage,
    Exchange,
    OpenChannel,
    Sender,
    StreamOpening,
    Upgrade,
    Voice,
)

GO_ON = Signal.GO_ON
LONGEST_WAIT = 60.0  # seconds before an attempt
_CLOSING = 2.0  # seconds for an end in order of what is cut off
_SHOWN = 200  # characters of a message in a trace


class PlannedChannel(Protocol):
    """A step that opens a channel."""

    @property
    def name(self) -> str: ...
    @property
    def request(self) -> PlannedRequest: ...
    @property
    def reconnect(self) -> PlannedReconnect | None: ...
    @property
    def on_failure(self) -> OnFailure: ...
    @property
    def span(self) -> Span: ...


class HeldRecorder(Protocol):
    """What takes in the samples of all channels alike."""

    def opened(self, took: float) -> None: ...
    def refused(self, kind: str) -> None: ...
    def cut(self, seconds: float) -> None: ...
    def dropped(self, count: int) -> None: ...
    def moved(self, status: int, bytes_sent: int, bytes_received: int) -> None: ...
    def waited(self, failure: str = "") -> None: ...


class HeldChannel(ABC):
    """The channel of one VU and one run of a step, through all its connections. Subclasses open it and end it."""

    step: PlannedChannel
    record: HeldRecorder
    channel: OpenChannel | None
    item: ClassVar[str]  # what comes, in words
    status: ClassVar[int]  # of the response that opens it

    def __init__(self, vu: VU, step: PlannedChannel, record: HeldRecorder, context: FlowContext) -> None:
        self.vu = vu
        self.step = step
        self.record = record
        self.context = context
        self.channel = None
        self.blamed = False  # a step has failed because it ended
        self.over = False  # the server wants no other connection
        self._begun = 0.0
        self._dropped = self._sent = self._received = 0  # as far as they are counted
        self._noted = True
        self._closing = False
        self._given_up = False
        self._again = trio.Event()  # there is another connection, or will be none

    # -- of a subclass ---------------------------------------------------------------------------------------

    @abstractmethod
    async def open(self, client: Sender, outgoing: Outgoing) -> Upgrade | StreamOpening:
        """Send the request that opens it."""

    @abstractmethod
    def entered(self, channel: Any) -> None:
        """It is open: keep it in `channel`."""

    @abstractmethod
    def note(self, ending: Ending) -> None:
        """Count an ending, once."""

    @abstractmethod
    async def finish(self) -> Failure | None:
        """Close it when its steps are done; what stands against that."""

    async def during(self, body: Run) -> int:
        """The steps, while it is open."""
        return await body(self.vu)

    def by_itself(self) -> Iterator[Callable[[], Awaitable[None]]]:
        """What goes on beside them."""
        if self.step.reconnect is not None:
            yield partial(self.keep, self.step.reconnect)

    @abstractmethod
    def told(self, ending: Ending | None) -> str:
        """How it ended, in words; None: it could not be opened again."""

    # -- opening ---------------------------------------------------------------------------------------------

    def prepare(self) -> Outgoing:
        """The request that opens it. Raises EvaluationError."""
        return self.step.request.prepare(self.vu)

    async def dial(self) -> Failure | None:
        """Open it, or say why that failed."""
        vu, request, context = self.vu, self.step.request, self.context
        try:
            outgoing = self.prepare()
        except EvaluationError as e:
            kind = e.kind if isinstance(e, RequestError) else ErrorKind.EXPRESSION
            self.record.refused(kind.value)
            return Failure(kind, "VF605", e.message, e.span)
        client = vu.client if request.client is None else vu.client.by(request.client)
        self.channel, self._begun = None, context.clock()
        self._dropped = self._sent = self._received = 0
        found = await self.open(client, outgoing)
        exchange = found.exchange
        self.record.moved(exchange.status, exchange.bytes_sent, exchange.bytes_received)
        vu.time.own += exchange.ended - exchange.begun + HANDLING
        failure = None
        if found.channel is None:
            failure = self.refused(exchange)
        else:
            self.record.opened(exchange.ended - exchange.begun)
            self._begun, self._noted = exchange.begun, False
            self.entered(found.channel)
        if context.observer is not None:
            context.observer.answered(request, outgoing, exchange, failure, {}, context.included)
        return failure

    def count(self, channel: Voice | OpenChannel) -> None:
        """Count the bytes that went over it since the last time, and what nobody read."""
        sent, received = channel.bytes_sent, channel.bytes_received
        self.record.moved(self.status, sent - self._sent, received - self._received)
        self._sent, self._received = sent, received
        if channel.dropped != self._dropped:
            self.record.dropped(channel.dropped - self._dropped)
            self._dropped = channel.dropped

    def refused(self, exchange: Exchange) -> Failure:
        """It could not be opened."""
        kind = exchange.error or ErrorKind.UPGRADE
        self.record.refused(kind.value)
        return Failure(kind, "VF604", exchange.detail or kind.value, self.step.request.span)

    async def next(self, deadline: float) -> ChannelMessage | Ending | None:
        """The next message for a `receive`; the ending where there will be none; None at the deadline."""
        while True:
            channel = self.channel
            found = await channel.receive(deadline) if channel is not None else None
            if channel is not None and not isinstance(found, Ending):
                return found
            if not await self.reopened(deadline):
                return found

    # -- ends ------------------------------------------------------------------------------------------------

    @property
    def ending(self) -> Ending | None:
        """How its last connection ended; None where there is one."""
        return self.channel.ending if self.channel is not None else None

    @property
    def is_open(self) -> bool:
        return self.channel is not None and self.channel.ending is None

    def note_if_ended(self, ending: Ending | None) -> None:
        if ending is not None:
            self.note(ending)

    def _is_unexpected(self, ending: Ending) -> bool:
        return ending.error is not None or (ending.by_server and not self._closing)

    def cut(self) -> None:
        """The VU is cut off: what is under way counts nowhere."""
        channel = self.channel
        if channel is None or self._noted:
            return
        if channel.ending is not None and not self._closing:
            self.note(channel.ending)
            return
        self._noted = True
        self.record.cut(self.context.clock() - self._begun)
        channel.drop()
        self.count(channel)

    def closed(self, ending: Ending | None, span: Span) -> Failure:
        """The failure of a step that meets the end of the channel."""
        self.blamed = True
        kind = ErrorKind.CLOSED if ending is None else ending.error or ErrorKind.CLOSED
        return Failure(kind, "VF607", self.told(ending), span)

    # -- opened again ----------------------------------------------------------------------------------------

    async def keep(self, reconnect: PlannedReconnect) -> None:
        """Open it again whenever it ends, as long as that succeeds."""
        while self.channel is not None:
            self.note_if_ended(await self.channel.ended_by(math.inf))
            self._given_up = not await self._redialled(reconnect)
            self._again.set()
            self._again = trio.Event()
            if self._given_up:
                return

    def wait(self, reconnect: PlannedReconnect, number: int) -> float:
        """Seconds before an attempt, counted from 0."""
        wait = min(LONGEST_WAIT, reconnect.wait * 2.0 ** min(number, 32))
        return wait * (1 - self.vu.random.aside.random() / 2)

    async def _redialled(self, reconnect: PlannedReconnect) -> bool:
        context = self.context
        for number in range(reconnect.most):
            due = context.clock() + self.wait(reconnect, number)
            await wait_until(due, context.clock, context.sleep_until)
            if await self.dial() is None:
                return True
            if self.over:
                break
        return False

    async def reopened(self, deadline: float) -> bool:
        """Whether there is a connection (again) by the deadline."""
        if self.is_open:
            return True
        if self.step.reconnect is None or self._given_up:
            return False
        with trio.move_on_after(max(0.0, deadline - self.context.clock())):
            await self._again.wait()
        return self.is_open

    def tell(self, text: str, at: float) -> None:
        """Show what came or went at that time."""
        self.context.tell(f"{text}   +{units.duration(max(0.0, at - self._begun))}")

    def fail(self, failure: Failure) -> int:
        """A step on it has failed; what that does."""
        self.report(failure)
        return SIGNALS[self.step.on_failure]

    def report(self, failure: Failure, *, fails: bool = True) -> None:
        """Show where something failed; `fails`: the iteration, too."""
        context = self.context
        self.vu.failed = self.vu.failed or fails
        context.incidents.add(
            failure.code,
            context.flow,
            self.step.name,
            failure.message,
            failure.span,
            context.included,
            failure.suggestions,
        )
        if context.observer is not None:
            context.observer.failed(failure, context.included)


async def hold(held: HeldChannel, slot: int, body: Run) -> int:
    """Open it, have the steps find it in the slot while they run, and end it."""
    failure = await held.dial()
    if failure is not None:
        return held.fail(failure)
    held.vu.slots[slot] = held
    try:
        others = tuple(held.by_itself())
        during = partial(held.during, body)
        signal = await (_beside(during, others) if others else during())
        blamed = held.blamed
        failure = await held.finish()
    except trio.Cancelled:
        await _finish_in_order(held)
        raise
    finally:
        held.cut()
    if failure is not None and not blamed:
        return max(signal, held.fail(failure))
    return signal


async def _finish_in_order(held: HeldChannel) -> None:
    """End what is cut off because its user's time is up; what ends a load drops its channels."""
    bound = held.vu.bound
    if bound is not None and bound.cancel_called:
        with trio.move_on_after(_CLOSING, shield=True):
            failure = await held.finish()
            if failure is not None:
                held.fail(failure)


async def _beside(during: Callable[[], Awaitable[int]], others: Iterable[Callable[[], Awaitable[None]]]) -> int:
    """The steps, with what goes on by itself meanwhile."""
    signal: int = GO_ON
    try:
        async with trio.open_nursery() as nursery:
            for other in others:
                nursery.start_soon(other)
            signal = await during()
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if group.split(trio.Cancelled)[1] is None:
            await trio.lowlevel.checkpoint_if_cancelled()  # as a plain step is cut off: by one Cancelled
        raise
    return signal


def receive_step(step: PlannedReceive, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU."""
    slot, where, within, clock = step.slot, step.where, step.within, context.clock
    looks = (*(check.run for check in step.checks), *(extract.run for extract in step.extracts))
    reads = where is not None or bool(looks)

    async def run(vu: VU) -> int:
        held: HeldChannel = vu.slots[slot]
        began = clock()
        deadline, passed, trouble = began + within, 0, ""
        while True:
            channel = held.channel
            found = await channel.receive(deadline) if channel is not None else None
            if not isinstance(found, ChannelMessage):
                found = await held.next(deadline)  # it may be opened again
                if not isinstance(found, ChannelMessage):
                    break
            if not reads:
                break
            vu.response, told = view_of(found)
            vu.item = (told, None)
            try:
                if where is None or where(vu):
                    break
            except EvaluationError as e:
                trouble = f"; the last one: {e.message}"
            passed += 1
        vu.time.own += clock() - began
        if isinstance(found, Ending) or (found is None and not held.is_open):
            vu.response = vu.item = None
            failure: Failure | None = met_end(held, step.span)
        elif found is None:
            others = f"; {units.counted(passed, f'other {held.item}')} came{trouble}" if passed else ""
            message = f"no {held.item} within {units.duration(within)} (timeout){others}"
            failure = Failure(ErrorKind.TIMEOUT_MESSAGE, "VF607", message, step.span)
        else:
            failure = _judged(looks, vu) if looks else None
        held.record.waited(failure.kind.value if failure is not None else "")
        signal: int = GO_ON if failure is None else held.fail(failure)
        vu.response = vu.item = None
        if failure is None and step.extracts and context.observer is not None:
            context.observer.set({extract.name: vu.slots[extract.slot] for extract in step.extracts})
        return signal

    return run


def _judged(looks: Iterable[Callable[[VU], Failure | None]], vu: VU) -> Failure | None:
    """What is wrong with a message, the first of it."""
    for look in looks:
        wrong = look(vu)
        if wrong is not None:
            return wrong
    return None


def met_end(held: HeldChannel, span: Span) -> Failure:
    """A step has met the end of the channel."""
    held.note_if_ended(held.ending)
    return held.closed(held.ending, span)


def view_of(message: ChannelMessage) -> tuple[ResponseView, Any]:
    """A message as expressions read it: as a response, and as `message`."""
    exchange, data = Exchange(), message.data
    told: Any
    if isinstance(data, str):
        exchange.body, told = data.encode("utf-8", "replace"), data
    else:
        exchange.body, told = data, data.decode("utf-8", "replace")
    if isinstance(message, EventMessage):
        told = {"event": message.event, "id": message.id, "data": told}
    return ResponseView(exchange, ""), told


def short(text: str) -> str:
    """A text in a line of a trace."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
