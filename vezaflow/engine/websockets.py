"""WebSocket steps: a WebSocket is opened, held while steps run, and closed; messages go out and come in meanwhile.

Laws: no exception leaves a step but cancellation. What comes is looked at when it comes, whatever the VU does: acks go
to the ledger and replies go out at once, all else waits for a `receive`. A close that nobody of ours began fails the
step that meets it first, or the websocket step at its end. What the end of the run cuts off is no failure.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import trio

from vezaflow import units
from vezaflow.diagnostics import Span
from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.judging import SIGNALS
from vezaflow.engine.ledger import AwaitedAck, Ledger, SendingOrder
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.pauses import pause_of, wait_until
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import ChannelRecorder
from vezaflow.plan import (
    EvaluationError,
    Failure,
    PlannedAck,
    PlannedMessage,
    PlannedPing,
    PlannedReceive,
    PlannedReconnect,
    PlannedRepeated,
    PlannedSend,
    PlannedWebSocket,
    RequestError,
    ResponseView,
)
from vezaflow.protocols import ChannelMessage, Ending, ErrorKind, Exchange, MessageChannel, WebSocket

GO_ON = Signal.GO_ON
_SENDING = 10.0  # seconds that a message may take to leave, as k6's write wait
_LOOK = 0.02  # seconds between two looks at what is still to be acknowledged, when the steps are done
_LONGEST_WAIT = 60.0
_LEAST_EACH = 0.001
_GOOD = (Signal.GO_ON, Signal.SKIP)
_SHOWN = 200  # characters of a message in a trace


class HeldSocket:
    """The WebSocket of one VU and one run of a step, through all its connections."""

    def __init__(self, vu: VU, step: PlannedWebSocket, record: ChannelRecorder, context: FlowContext) -> None:
        self.vu = vu
        self.step = step
        self.record = record
        self.context = context
        self.channel: WebSocket | None = None
        self._voice: MessageChannel | WebSocket | None = None  # the same, perhaps before it is known to be open
        self.blamed = False  # a step has failed because it ended
        self._begun = 0.0
        self._noted = True
        self._closing = False
        self._given_up = False
        self._again = trio.Event()  # there is another connection, or will be none
        self._ledgers: dict[int, Ledger] = {}  # by the place of their ack
        self.order = SendingOrder()  # of those with an ack
        self._orders: dict[tuple[str, int], SendingOrder] = {}  # of those from each other member of its room
        self.room = ""

    # -- opening ---------------------------------------------------------------------------------------------

    async def dial(self) -> Failure | None:
        """Open it, or say why that failed."""
        vu, request = self.vu, self.step.request
        try:
            outgoing = request.prepare(vu)
            room = self.step.room(vu) if self.step.room is not None else ""
        except EvaluationError as e:
            kind = e.kind if isinstance(e, RequestError) else ErrorKind.EXPRESSION
            self.record.refused(kind.value)
            return Failure(kind, "VF605", e.message, e.span)
        client = vu.client if request.client is None else vu.client.by(request.client)
        self.channel, self._begun = None, self.context.clock()
        upgrade = await client.open_websocket(
            outgoing.target.origin, outgoing.head, self.step.options, on_message=self._came
        )
        exchange = upgrade.exchange
        vu.time.own += exchange.ended - exchange.begun + HANDLING
        failure = None
        if upgrade.channel is None:
            kind = exchange.error or ErrorKind.UPGRADE
            self.record.refused(kind.value)
            failure = Failure(kind, "VF604", exchange.detail or kind.value, request.span)
        else:
            self.record.opened(exchange.ended - exchange.begun)
            self._begun, self._noted = exchange.begun, False
            self.channel = self._voice = upgrade.channel
            self._enter(room)
        context = self.context
        if context.observer is not None:
            context.observer.answered(request, outgoing, exchange, failure, {}, context.included)
        return failure

    # -- what comes ------------------------------------------------------------------------------------------

    def _came(self, channel: MessageChannel, message: ChannelMessage) -> bool:
        """Whether nobody else is to see it. It may come before the one who opens the channel has it."""
        self._voice = channel
        self.record.received()
        if self.context.observer is not None:
            self.tell("←", message.data, message.at)
        if not self._ledgers and not self.step.replies:
            return False
        vu = self.vu
        before = vu.response, vu.item
        vu.response, text = view_of(message)
        try:
            return self._acknowledges(text, message.at) or self._replied(text)
        finally:
            vu.response, vu.item = before

    def _acknowledges(self, text: str, at: float) -> bool:
        """Whether a message is an ack, and so nobody else's."""
        for ledger in self._ledgers.values():
            ledger.look(at)
            if ledger.acknowledge(self.vu, text, at) and ledger.takes:
                return True
        return False

    def _replied(self, text: str) -> bool:
        vu = self.vu
        for reply in self.step.replies:
            vu.item = (text, None)
            try:
                fits = reply.where(vu)
            except EvaluationError:  # another kind of message
                continue
            if fits:
                self.post(reply.message)
                return True
        return False

    def post(self, message: PlannedMessage) -> bool:
        """Send a message that no step waits for. False: it could not be made."""
        channel, context = self._voice, self.context
        assert channel is not None, "nothing is sent before it is open"
        try:
            data, _ = message.render(self.vu)
        except EvaluationError as e:
            self.record.sent(ErrorKind.EXPRESSION.value)
            self.vu.failed = True
            context.incidents.add("VF605", context.flow, self.step.name, e.message, e.span, context.included)
            context.uncomputed(e)
            return False
        outgoing = channel.post(data)
        self.record.sent(outgoing.error.value if outgoing.error is not None else "")
        if context.observer is not None:
            self.tell("→", data, context.clock())
        return True

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

    def ledger(self, ack: PlannedAck, *, takes: bool = True) -> Ledger:
        found = self._ledgers.get(id(ack))
        if found is None:
            found = self._ledgers[id(ack)] = Ledger(ack, self.record, self._missed, takes=takes)
        return found

    def _missed(self, ack: PlannedAck) -> None:
        """A message had no ack in time: that fails no step, and is told. A rehearsal has no gates, and fails."""
        message = f"a message was not acknowledged within {units.duration(ack.within)}"
        failure = Failure(ErrorKind.TIMEOUT_MESSAGE, "VF608", message, ack.span)
        rehearsed = self.context.observer is not None
        _failing(self.step.name, GO_ON, self.context, failed=rehearsed)(self.vu, failure)

    def order_from(self, sender: "HeldSocket") -> SendingOrder:
        """In which order what a member of its room sends comes here."""
        return self._orders.setdefault((sender.context.flow, sender.vu.number), SendingOrder())

    def others(self) -> "Iterator[HeldSocket]":
        """The other members of its room."""
        return self.context.rooms.others(self.room, self) if self.room else iter(())

    def _enter(self, room: str) -> None:
        self.room = room
        if room:
            self.context.rooms.join(room, self)

    def leave(self) -> None:
        """Nothing more that is sent to its room is expected to come here."""
        if self.room:
            self.context.rooms.leave(self.room, self)
            self.room = ""

    def look(self, now: float) -> None:
        """What was not acknowledged by now is lost."""
        for ledger in self._ledgers.values():
            ledger.look(now)

    def note(self, ending: Ending) -> None:
        """Count an ending, once."""
        if self._noted:
            return
        self._noted = True
        self.leave()
        self.record.ended(ending.at - self._begun, ending.code if self._is_unexpected(ending) else None)
        for ledger in self._ledgers.values():
            ledger.look(ending.at)
            ledger.ended()
        self.context.tell(told(ending))

    def _is_unexpected(self, ending: Ending) -> bool:
        return ending.error is not None or (ending.by_server and not self._closing)

    async def finish(self) -> Failure | None:
        """Close it when its steps are done; what stands against that."""
        channel = self.channel
        if channel is None:  # it was being opened again, or could not be
            return self.closed(None, self.step.span) if self._given_up else None
        ending = channel.ending
        if ending is None:
            self._closing = True
            ending = await channel.close(self.step.code, self._reason())
        self.note(ending)
        return self.closed(ending, self.step.span) if self._is_unexpected(ending) else None

    def _reason(self) -> str:
        try:
            return self.step.reason(self.vu)
        except EvaluationError as e:
            self.context.uncomputed(e)
            return ""

    async def settle(self) -> None:
        """Wait for the acks that may still come."""
        self.leave()
        clock = self.context.clock
        while self.is_open:
            now = clock()
            dues = [due for ledger in self._ledgers.values() if (due := ledger.due(now)) is not None]
            if not dues:
                return
            assert self.channel is not None
            await self.channel.ended_by(min(max(dues) + _LEAST_EACH, now + _LOOK))

    def cut(self) -> None:
        """The VU is cut off: what is under way counts nowhere."""
        self.leave()
        channel = self.channel
        if channel is None or self._noted:
            return
        if channel.ending is not None and not self._closing:
            self.note(channel.ending)
            return
        self._noted = True
        self.record.cut(self.context.clock() - self._begun)
        channel.drop()

    def closed(self, ending: Ending | None, span: Span) -> Failure:
        """The failure of a step that meets the end of the WebSocket."""
        self.blamed = True
        kind = ErrorKind.CLOSED if ending is None else ending.error or ErrorKind.CLOSED
        return Failure(kind, "VF607", told(ending), span)

    # -- by itself -------------------------------------------------------------------------------------------

    async def repeat(self, repeated: PlannedRepeated) -> None:
        """Send a message again and again."""
        context, vu = self.context, self.vu
        pause = pause_of(repeated.each, repeated.span, aside=True)
        due = context.clock()
        while True:
            try:
                due += max(_LEAST_EACH, pause(vu))
            except EvaluationError as e:
                context.uncomputed(e)
                return
            await wait_until(due, context.clock, context.sleep_until)
            self.look(context.clock())
            if self.is_open and not self.post(repeated.message):
                return

    async def keep(self, reconnect: PlannedReconnect) -> None:
        """Open it again whenever it ends, as long as that succeeds."""
        while self.channel is not None:
            self.note_if_ended(await self.channel.ended_by(math.inf))
            self._given_up = not await self._redialled(reconnect)
            self._again.set()
            self._again = trio.Event()
            if self._given_up:
                return

    def note_if_ended(self, ending: Ending | None) -> None:
        if ending is not None:
            self.note(ending)

    async def _redialled(self, reconnect: PlannedReconnect) -> bool:
        context = self.context
        for number in range(reconnect.most):
            wait = min(_LONGEST_WAIT, reconnect.wait * 2.0 ** min(number, 32))
            wait *= 1 - self.vu.random.aside.random() / 2
            await wait_until(context.clock() + wait, context.clock, context.sleep_until)
            if await self.dial() is None:
                return True
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

    def tell(self, arrow: str, data: str | bytes, at: float) -> None:
        text = units.size(len(data)) + " of bytes" if isinstance(data, bytes) else _short(data)
        self.context.tell(f"{arrow} {text}   +{units.duration(max(0.0, at - self._begun))}")


def websocket_step(step: PlannedWebSocket, body: Run, record: ChannelRecorder, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU; `body` is what runs while it is open."""
    slot, fail = step.slot, _failing(step.name, SIGNALS[step.on_failure], context)

    async def during(socket: HeldSocket, vu: VU) -> int:
        signal = await body(vu)
        if signal in _GOOD:
            await socket.settle()
        return signal

    async def run(vu: VU) -> int:
        socket = HeldSocket(vu, step, record, context)
        failure = await socket.dial()
        if failure is not None:
            return fail(vu, failure)
        vu.slots[slot] = socket
        try:
            if step.every or step.reconnect is not None:
                signal = await _beside(socket, partial(during, socket, vu))
            else:
                signal = await during(socket, vu)
            blamed = socket.blamed
            failure = await socket.finish()
        finally:
            socket.cut()
        if failure is not None and not blamed:
            return max(signal, fail(vu, failure))
        return signal

    return run


async def _beside(socket: HeldSocket, during: Callable[[], Any]) -> int:
    """The steps, with what goes on by itself meanwhile."""
    signal: int = GO_ON
    try:
        async with trio.open_nursery() as nursery:
            for repeated in socket.step.every:
                nursery.start_soon(socket.repeat, repeated)
            if socket.step.reconnect is not None:
                nursery.start_soon(socket.keep, socket.step.reconnect)
            signal = await during()
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if group.split(trio.Cancelled)[1] is None:
            await trio.lowlevel.checkpoint_if_cancelled()  # as a plain step is cut off: by one Cancelled
        raise
    return signal


def send_step(step: PlannedSend, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU."""
    slot, message, ack, deliver, clock, span = step.slot, step.message, step.ack, step.deliver, context.clock, step.span
    shown = context.observer is not None

    async def run(vu: VU) -> int:
        socket: HeldSocket = vu.slots[slot]
        data, sent = message.render(vu)
        began = clock()
        socket.look(began)
        if not await socket.reopened(began + _SENDING):
            return _ended(socket, vu, span, context)
        channel = socket.channel
        assert channel is not None
        expected: list[tuple[Ledger, AwaitedAck]] = []
        try:
            if ack is not None:
                ledger = socket.ledger(ack)
                expected.append((ledger, ledger.expect(vu, sent, began, socket.order)))
            if deliver is not None:
                for other in socket.others():
                    ledger = other.ledger(deliver, takes=False)
                    expected.append((ledger, ledger.expect(vu, sent, began, other.order_from(socket))))
        except EvaluationError:
            for ledger, awaited in expected:
                ledger.withdraw(awaited)
            raise
        if shown:
            socket.tell("→", data, began)
        outgoing = await channel.send(data, began + _SENDING)
        vu.time.own += (outgoing.sent or clock()) - began + HANDLING
        if outgoing.error is None:
            socket.record.sent()
            for ledger, awaited in expected:
                ledger.went(awaited, outgoing.sent or began)
            return GO_ON
        for ledger, awaited in expected:
            ledger.withdraw(awaited)
        socket.record.sent(outgoing.error.value)
        if (ending := channel.ending) is not None:
            socket.note(ending)
            socket.blamed = True
        return _failing_on(socket, context)(vu, Failure(outgoing.error, "VF607", outgoing.detail, span))

    return run


def receive_step(step: PlannedReceive, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU."""
    slot, where, within, clock = step.slot, step.where, step.within, context.clock

    async def run(vu: VU) -> int:
        socket: HeldSocket = vu.slots[slot]
        began = clock()
        deadline, passed, trouble = began + within, 0, ""
        while True:
            found = await socket.next(deadline)
            if not isinstance(found, ChannelMessage):
                break
            vu.response, text = view_of(found)
            vu.item = (text, None)
            try:
                if where is None or where(vu):
                    break
            except EvaluationError as e:
                trouble = f"; the last one: {e.message}"
            passed += 1
        vu.time.own += clock() - began
        if isinstance(found, Ending) or (found is None and not socket.is_open):
            vu.response = vu.item = None
            return _ended(socket, vu, step.span, context, waited=True)
        if found is None:
            others = f"; {units.counted(passed, 'other message')} came{trouble}" if passed else ""
            message = f"no message within {units.duration(within)} (timeout){others}"
            failure: Failure | None = Failure(ErrorKind.TIMEOUT_MESSAGE, "VF607", message, step.span)
        else:
            failure = _judged(step, vu)
        socket.record.waited(failure.kind.value if failure is not None else "")
        signal: int = GO_ON if failure is None else _failing_on(socket, context)(vu, failure)
        vu.response = vu.item = None
        if failure is None and step.extracts and context.observer is not None:
            context.observer.set({extract.name: vu.slots[extract.slot] for extract in step.extracts})
        return signal

    return run


def _judged(step: PlannedReceive, vu: VU) -> Failure | None:
    """What is wrong with a message, the first of it."""
    looks = (*(check.run for check in step.checks), *(extract.run for extract in step.extracts))
    for look in looks:
        wrong = look(vu)
        if wrong is not None:
            return wrong
    return None


def ping_step(step: PlannedPing, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU."""
    slot, within, clock = step.slot, step.within, context.clock

    async def run(vu: VU) -> int:
        socket: HeldSocket = vu.slots[slot]
        began = clock()
        deadline = began + within
        if not await socket.reopened(deadline):
            return _ended(socket, vu, step.span, context)
        assert socket.channel is not None
        took = await socket.channel.ping(deadline)
        vu.time.own += clock() - began
        if took is not None:
            socket.record.pinged(took)
            context.tell(f"pong after {units.duration(took)}")
            return GO_ON
        if not socket.is_open:
            return _ended(socket, vu, step.span, context)
        message = f"no pong within {units.duration(within)} (timeout)"
        return _failing_on(socket, context)(vu, Failure(ErrorKind.TIMEOUT_PING, "VF607", message, step.span))

    return run


def _ended(socket: HeldSocket, vu: VU, span: Span, context: FlowContext, *, waited: bool = False) -> int:
    """A step has met the end of the WebSocket."""
    socket.note_if_ended(socket.ending)
    failure = socket.closed(socket.ending, span)
    (socket.record.waited if waited else socket.record.sent)(failure.kind.value)
    return _failing_on(socket, context)(vu, failure)


def _failing_on(socket: HeldSocket, context: FlowContext) -> Callable[[VU, Failure], int]:
    return _failing(socket.step.name, SIGNALS[socket.step.on_failure], context)


def _failing(name: str, signal: Signal, context: FlowContext, *, failed: bool = True) -> Callable[[VU, Failure], int]:
    """What a step's failure does; `failed`: to the iteration, too."""

    def fail(vu: VU, failure: Failure) -> int:
        vu.failed = vu.failed or failed
        context.incidents.add(
            failure.code, context.flow, name, failure.message, failure.span, context.included, failure.suggestions
        )
        if context.observer is not None:
            context.observer.failed(failure, context.included)
        return signal

    return fail


def view_of(message: ChannelMessage) -> tuple[ResponseView, str]:
    """A message as expressions read it, and its text."""
    exchange, data = Exchange(), message.data
    if isinstance(data, str):
        exchange.body, text = data.encode("utf-8", "replace"), data
    else:
        exchange.body, text = data, data.decode("utf-8", "replace")
    return ResponseView(exchange, ""), text


def told(ending: Ending | None) -> str:
    """How a WebSocket ended, in words."""
    if ending is None:
        return "the WebSocket could not be opened again"
    if ending.error is not None:
        return ending.detail or ending.error.value
    reason = f": {_short(ending.reason)}" if ending.reason else ""
    return f"{'the server' if ending.by_server else 'vezaflow'} closed the WebSocket (code {ending.code}{reason})"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
