"""WebSocket steps: a WebSocket is opened, held while steps run, and closed; messages go out and come in meanwhile.

Laws: no exception leaves a step but cancellation. What comes is looked at when it comes, whatever the VU does: acks go
to the ledger and replies go out at once, all else waits for a `receive`. A close that nobody of ours began fails the
step that meets it first, or the websocket step at its end. What the end of the run cuts off is no failure.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from vezaflow import units
from vezaflow.diagnostics import Span
from vezaflow.engine.channels import GO_ON, HeldChannel, hold, met_end, short, view_of
from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.deliveries import PATIENCE, Announcement, RoomMember
from vezaflow.engine.ledger import AwaitedAck, Ledger, SendingOrder
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.pauses import pause_of, wait_until
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import ChannelRecorder
from vezaflow.plan import (
    EvaluationError,
    Failure,
    Outgoing,
    PlannedAck,
    PlannedMessage,
    PlannedPing,
    PlannedRepeated,
    PlannedSend,
    PlannedWebSocket,
)
from vezaflow.protocols import (
    ChannelMessage,
    Ending,
    ErrorKind,
    Sender,
    Upgrade,
    Voice,
    WebSocket,
)

_SENDING = 10.0  # seconds that a message may take to leave, as k6's write wait
_LOOK = 0.02  # seconds between two looks at what is still to be acknowledged, when the steps are done
_LEAST_EACH = 0.001
_GOOD = (Signal.GO_ON, Signal.SKIP)


class HeldSocket(HeldChannel):
    """The WebSocket of one VU and one run of a step, through all its connections."""

    step: PlannedWebSocket
    record: ChannelRecorder
    channel: WebSocket | None
    item = "message"
    status = 101

    def __init__(self, vu: VU, step: PlannedWebSocket, record: ChannelRecorder, context: FlowContext) -> None:
        super().__init__(vu, step, record, context)
        self._voice: Voice | None = None  # the channel, perhaps before it is known to be open
        self._ledgers: dict[int, Ledger] = {}  # by the place of their ack
        self.order = SendingOrder()  # of those with an ack
        self._orders: dict[tuple[str, int], SendingOrder] = {}  # of those from each other member of its room
        self.room = self._asked_room = ""
        self._elsewhere = context.rooms.elsewhere
        self._member = RoomMember(record, self._missed)  # as VUs of other processes find it

    # -- opening ---------------------------------------------------------------------------------------------

    def prepare(self) -> Outgoing:
        outgoing = super().prepare()
        self._asked_room = self.step.room(self.vu) if self.step.room is not None else ""
        return outgoing

    async def open(self, client: Sender, outgoing: Outgoing) -> Upgrade:
        return await client.open_websocket(
            outgoing.target.origin, outgoing.head, self.step.options, on_message=self._came
        )

    def entered(self, channel: WebSocket) -> None:
        self.channel = self._voice = channel
        self._enter(self._asked_room)

    # -- what comes ------------------------------------------------------------------------------------------

    def _came(self, channel: Voice, message: ChannelMessage) -> bool:
        """Whether nobody else is to see it. It may come before the one who opens the channel has it."""
        self._voice = channel
        self.record.received()
        self.count(channel)
        if self.context.observer is not None:
            self.show("←", message.data, message.at)
        if not self._ledgers and not self.step.replies and not self._listens:
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
        found = False
        for ledger in self._ledgers.values():
            ledger.look(at)
            if ledger.acknowledge(self.vu, text, at):
                if ledger.takes:
                    return True
                found = True
        if not found and self._listens:
            assert self._elsewhere is not None
            assert self.vu.response is not None
            self._elsewhere.heard(self._member, self.vu.response, text, at)
        return False

    @property
    def _listens(self) -> bool:
        """Whether VUs of other processes may have sent what comes."""
        return self._elsewhere is not None and self._asked_room != ""

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
            self.show("→", data, context.clock())
        return True

    # -- ends ------------------------------------------------------------------------------------------------

    def ledger(self, ack: PlannedAck, *, takes: bool = True) -> Ledger:
        found = self._ledgers.get(id(ack))
        if found is None:
            found = self._ledgers[id(ack)] = Ledger(ack, self.record, self._missed, takes=takes)
        return found

    def _missed(self, ack: PlannedAck) -> None:
        """A message had no ack in time: that fails no step, and is told. A rehearsal has no gates, and fails."""
        message = f"a message was not acknowledged within {units.duration(ack.within)}"
        failure = Failure(ErrorKind.TIMEOUT_MESSAGE, "VF608", message, ack.span)
        self.report(failure, fails=self.context.observer is not None)

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
            if self._elsewhere is not None:
                self._elsewhere.joined(self._member, room, self.context.clock())

    def leave(self) -> None:
        """Nothing more that is sent to its room is expected to come here."""
        if self.room:
            self.context.rooms.leave(self.room, self)
            if self._elsewhere is not None:
                self._elsewhere.left(self._member, self.room, self.context.clock())
            self.room = ""

    def look(self, now: float) -> None:
        """What was not acknowledged by now is lost."""
        if self._ledgers:
            for ledger in self._ledgers.values():
                ledger.look(now)

    def note(self, ending: Ending) -> None:
        if self._noted:
            return
        self._noted = True
        if self.channel is not None:
            self.count(self.channel)
        self.leave()
        self.record.ended(ending.at - self._begun, ending.code if self._is_unexpected(ending) else None)
        for ledger in self._ledgers.values():
            ledger.look(ending.at)
            ledger.ended()
        if self._listens:
            assert self._elsewhere is not None
            self._elsewhere.ended(self._member, self.context.clock())
        self.context.tell(self.told(ending))

    async def finish(self) -> Failure | None:
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

    async def during(self, body: Run) -> int:
        signal = await body(self.vu)
        if signal in _GOOD:
            await self.settle()
        return signal

    async def settle(self) -> None:
        """Wait for the acks that may still come."""
        self.leave()
        clock = self.context.clock
        left = clock()
        while self.is_open:
            now = clock()
            dues = [due for ledger in self._ledgers.values() if (due := ledger.due(now)) is not None]
            if self._listens:
                assert self._elsewhere is not None
                dues += self._member.due(now)
                if self._elsewhere.known < left > now - PATIENCE:  # another process may still announce something
                    dues.append(now)
            if not dues:
                return
            assert self.channel is not None
            await self.channel.ended_by(min(max(dues) + _LEAST_EACH, now + _LOOK))

    def cut(self) -> None:
        now = self.context.clock()
        self.leave()
        self.look(now)
        super().cut()
        if self._listens:
            assert self._elsewhere is not None
            self._elsewhere.cut(self._member, now)

    # -- by itself -------------------------------------------------------------------------------------------

    def by_itself(self) -> Iterator[Callable[[], Awaitable[None]]]:
        yield from (partial(self.repeat, repeated) for repeated in self.step.every)
        yield from super().by_itself()

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

    def show(self, arrow: str, data: str | bytes, at: float) -> None:
        """Show a message that came or went at that time."""
        text = units.size(len(data)) + " of bytes" if isinstance(data, bytes) else short(data)
        self.tell(f"{arrow} {text}", at)

    def told(self, ending: Ending | None) -> str:
        if ending is None:
            return "the WebSocket could not be opened again"
        if ending.error is not None:
            return ending.detail or ending.error.value
        reason = f": {short(ending.reason)}" if ending.reason else ""
        return f"{'the server' if ending.by_server else 'vezaflow'} closed the WebSocket (code {ending.code}{reason})"


def websocket_step(step: PlannedWebSocket, body: Run, record: ChannelRecorder, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU; `body` is what runs while it is open."""

    return lambda vu: hold(HeldSocket(vu, step, record, context), step.slot, body)


def send_step(step: PlannedSend, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU."""
    slot, message, ack, deliver, clock, span = step.slot, step.message, step.ack, step.deliver, context.clock, step.span
    shown, elsewhere = context.observer is not None, context.rooms.elsewhere

    def withdraw(expected: list[tuple[Ledger, AwaitedAck]], announced: Announcement | None) -> None:
        for ledger, awaited in expected:
            ledger.withdraw(awaited)
        if elsewhere is not None and announced is not None:
            elsewhere.went(announced, None)

    render = message.render

    async def run(vu: VU) -> int:
        socket: HeldSocket = vu.slots[slot]
        data, sent = render(vu)
        began = clock()
        socket.look(began)
        channel = socket.channel
        if channel is None or channel.ending is not None:
            if not await socket.reopened(began + _SENDING):
                return _ended(socket, span)
            channel = socket.channel
            assert channel is not None
        expected: list[tuple[Ledger, AwaitedAck]] = []
        announced: Announcement | None = None
        try:
            if ack is not None:
                ledger = socket.ledger(ack)
                expected.append((ledger, ledger.expect(vu, sent, began, socket.order)))
            if deliver is not None:
                for other in socket.others():
                    ledger = other.ledger(deliver, takes=False)
                    expected.append((ledger, ledger.expect(vu, sent, began, other.order_from(socket))))
                if elsewhere is not None and socket.room:
                    announced = elsewhere.sends(socket.room, deliver, context.flow, vu, sent, clock())
            if shown:
                socket.show("→", data, began)
            outgoing = await channel.send(data, began + _SENDING)
        except BaseException:  # an EvaluationError, or cut off: whether it will come is not known
            withdraw(expected, announced)
            raise
        vu.time.own += (outgoing.sent or clock()) - began + HANDLING
        if outgoing.error is None:
            socket.record.sent()
            for ledger, awaited in expected:
                ledger.went(awaited, outgoing.sent or began)
            if elsewhere is not None and announced is not None:
                elsewhere.went(announced, outgoing.sent or began)
            return GO_ON
        withdraw(expected, announced)
        socket.record.sent(outgoing.error.value)
        if (ending := channel.ending) is not None:
            socket.note(ending)
            socket.blamed = True
        return socket.fail(Failure(outgoing.error, "VF607", outgoing.detail, span))

    return run


def ping_step(step: PlannedPing, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU."""
    slot, within, clock = step.slot, step.within, context.clock

    async def run(vu: VU) -> int:
        socket: HeldSocket = vu.slots[slot]
        began = clock()
        deadline = began + within
        if not await socket.reopened(deadline):
            return _ended(socket, step.span)
        assert socket.channel is not None
        took = await socket.channel.ping(deadline)
        vu.time.own += clock() - began
        if took is not None:
            socket.record.pinged(took)
            context.tell(f"pong after {units.duration(took)}")
            return GO_ON
        if not socket.is_open:
            return _ended(socket, step.span)
        message = f"no pong within {units.duration(within)} (timeout)"
        return socket.fail(Failure(ErrorKind.TIMEOUT_PING, "VF607", message, step.span))

    return run


def _ended(socket: HeldSocket, span: Span) -> int:
    """A step that sends has met the end of the WebSocket."""
    failure = met_end(socket, span)
    socket.record.sent(failure.kind.value)
    return socket.fail(failure)
