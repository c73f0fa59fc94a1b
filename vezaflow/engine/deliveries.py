"""What VUs of one process send in a room, and VUs of another are to get: the ledgers of `deliver` across processes.

    send ─▶ announcement ─▶ (the coordinator) ─▶ take ─▶ in the order of its time ─▶ the ledgers of the members here

Laws: what members did and heard is looked at in the order of its times, together with what was sent elsewhere, and only
up to the moment until which all other processes have announced what they sent (`known`): so the figures are those of
one process. All times are of one clock. Kept is what came since `known`, a fraction of a second. What was never
announced, and what was under way when a VU was cut off, counts nowhere.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import Any, TypeAlias

from vezaflow.engine.ledger import AwaitedAck, Ledger, SendingOrder
from vezaflow.metrics import ChannelRecorder
from vezaflow.plan import UNSET, Chance, Plan, PlannedAck, ResponseView, Scope, deliveries_of

EVERY = 0.1  # seconds between two announcements
PATIENCE = 5.0  # seconds after which a member that leaves waits for none any more


@dataclass(slots=True)
class Announcement:
    """A message that was sent in a room. `delivery`: the place of its `deliver` in the plan; `values`: what that
    reads of its sender's slots; `went`: when the kernel had it, None as long as that is not known."""

    number: int  # of all that its process sent
    at: float
    room: str
    delivery: int
    flow: str
    vu: int
    turn: int
    sent: Any
    values: dict[int, Any]
    went: float | None = None


@dataclass(slots=True)
class Announced:
    """What a process says at a time: what was sent, and what became of what it had announced before (None: nothing was
    sent). `process` is its number."""

    process: int
    messages: list[Announcement]
    outcomes: list[tuple[int, float | None]]


@dataclass(slots=True, eq=False)
class RoomMember:
    """Who is in a room: its ledgers of what comes from other processes, by delivery."""

    record: ChannelRecorder
    missed: Callable[[PlannedAck], None]
    ledgers: dict[int, Ledger] = field(default_factory=dict)
    orders: dict[Hashable, SendingOrder] = field(default_factory=dict)

    def due(self, now: float) -> Iterator[float]:
        """Until when something may come that is under way."""
        return (due for ledger in self.ledgers.values() if (due := ledger.due(now)) is not None)

    def look(self, now: float) -> None:
        for ledger in self.ledgers.values():
            ledger.look(now)


_Event: TypeAlias = tuple[float, int, Callable[..., None], tuple[Any, ...]]


class Deliveries:
    """See the module. One for each process of several."""

    def __init__(self, plan: Plan, process: int) -> None:
        self.known = -inf
        self._until = -inf  # the others have announced what they sent until then
        self._process = process
        self._acks = tuple(deliveries_of(plan))
        self._places = {id(ack): place for place, ack in enumerate(self._acks)}
        self._numbers = count()
        self._order = count()
        self._new: dict[int, Announcement] = {}
        self._open: dict[int, Announcement] = {}  # those of which it is not known whether they went
        self._outcomes: list[tuple[int, float | None]] = []
        self._events: list[_Event] = []
        self._rooms: dict[str, dict[RoomMember, None]] = {}
        self._listening: dict[RoomMember, None] = {}  # who has not come to an end
        self._expected: dict[tuple[int, int], list[tuple[Ledger, AwaitedAck]]] = {}  # by what is still to go
        self._chance = Chance("")
        self._ears = Scope([], self._chance, 0)

    def __bool__(self) -> bool:
        """Whether anything is to be delivered at all."""
        return bool(self._acks)

    # -- what is sent here -----------------------------------------------------------------------------------

    def sends(self, room: str, ack: PlannedAck, flow: str, vu: Scope, sent: Any, at: float) -> Announcement:
        """A VU is about to send a message to a room. Raises EvaluationError where no message can be told by it."""
        if ack.of_sent is not None:
            before, vu.item = vu.item, (None, sent)
            try:
                ack.of_sent(vu)
            finally:
                vu.item = before
        if ack.fields is not None and isinstance(sent, dict):
            sent = {name: sent[name] for name in ack.fields if name in sent}
        values = {slot: vu.slots[slot] for slot in ack.reads if vu.slots[slot] is not UNSET}
        number = next(self._numbers)
        message = Announcement(number, at, room, self._places[id(ack)], flow, vu.number, vu.turn, sent, values)
        self._new[number] = self._open[number] = message
        return message

    def went(self, message: Announcement, at: float | None) -> None:
        """The kernel has it; None: it was not sent."""
        del self._open[message.number]
        if message.number not in self._new:
            self._outcomes.append((message.number, at))
        elif at is None:
            del self._new[message.number]
        else:
            message.went = at

    def announce(self) -> Announced | None:
        """What was sent since the last time; None: nothing."""
        if not self._new and not self._outcomes:
            return None
        said = Announced(self._process, list(self._new.values()), self._outcomes)
        self._new, self._outcomes = {}, []
        return said

    # -- what members here do --------------------------------------------------------------------------------

    def joined(self, member: RoomMember, room: str, at: float) -> None:
        self._happens(at, self._join, member, room)

    def left(self, member: RoomMember, room: str, at: float) -> None:
        self._happens(at, self._leave, member, room)

    def heard(self, member: RoomMember, view: ResponseView, text: str, at: float) -> None:
        """A message came that no VU of this process sent, as far as is known."""
        self._happens(at, self._hear, member, view, text, at)

    def ended(self, member: RoomMember, at: float) -> None:
        """Nothing of what is under way to it can come any more."""
        self._happens(at, self._end, member, at, True)

    def cut(self, member: RoomMember, at: float) -> None:
        """It is cut off: what is under way counts nowhere."""
        self._happens(at, self._end, member, at, False)

    # -- what others announce --------------------------------------------------------------------------------

    def take(self, announced: Sequence[Announced], until: float, now: float) -> None:
        """Others have sent these messages, and no others until that time (inf: they will never)."""
        self._until = max(self._until, until)
        for said in announced:
            for message in said.messages:
                self._happens(message.at, self._expect, said.process, message)
            for number, went in said.outcomes:
                self._happens(went or now, self._settle, (said.process, number), went)
        self.look(now)

    def look(self, now: float) -> None:
        """Look at all that is known by now."""
        until = min(now, self._until)
        events = self._events
        events.sort()  # by time, and what is of the same time as it came
        last = bisect_left(events, (until,))
        due = events[:last]
        del events[:last]
        for _, _, what, details in due:
            what(*details)
        self.known = max(self.known, until)
        for member in self._listening:
            member.look(until)

    def _happens(self, at: float, what: Callable[..., None], *details: Any) -> None:
        self._events.append((at, next(self._order), what, details))

    def _join(self, member: RoomMember, room: str) -> None:
        self._rooms.setdefault(room, {})[member] = None
        self._listening[member] = None

    def _leave(self, member: RoomMember, room: str) -> None:
        members = self._rooms.get(room, {})
        members.pop(member, None)
        if not members:
            self._rooms.pop(room, None)

    def _end(self, member: RoomMember, at: float, ended: bool) -> None:
        member.look(at)
        self._listening.pop(member, None)
        if ended:
            for ledger in member.ledgers.values():
                ledger.ended()

    def _expect(self, process: int, message: Announcement) -> None:
        members = self._rooms.get(message.room)
        if not members:
            return
        ack = self._acks[message.delivery]
        slots = [message.values.get(slot, UNSET) for slot in range(max(ack.reads, default=-1) + 1)]
        sender = Scope(slots, self._chance, message.vu)
        sender.turn = message.turn
        expected = []
        for member in members:
            ledger = member.ledgers.get(message.delivery)
            if ledger is None:
                ledger = Ledger(ack, member.record, member.missed, takes=False)
                member.ledgers[message.delivery] = ledger
            order = member.orders.setdefault((message.flow, message.vu), SendingOrder())
            awaited = ledger.expect(sender, message.sent, message.at, order)
            if message.went is not None:
                ledger.went(awaited, message.went)
            expected.append((ledger, awaited))
        if message.went is None:
            self._expected[process, message.number] = expected

    def _settle(self, key: tuple[int, int], went: float | None) -> None:
        for ledger, awaited in self._expected.pop(key, ()):
            if went is None:
                ledger.withdraw(awaited)
            else:
                ledger.went(awaited, went)

    def _hear(self, member: RoomMember, view: ResponseView, text: str, at: float) -> None:
        ears = self._ears
        ears.response = view
        for ledger in member.ledgers.values():
            ledger.look(at)
            ledger.acknowledge(ears, text, at)
        ears.response = None
