"""Which messages were sent over a WebSocket, and what acknowledged them: the ledger of one `send` step with an `ack`.

    under way ──ack within──▶ delivered ──ack again──▶ (duplicated)
        └──within is over──▶ lost ──ack after all──▶ late

Laws: a message is settled once, by the time at which its ack came, not at which somebody looked: it is lost only when
that can't have come in time and be unread. One that is under way when its VU is cut off is never settled. An ack that
comes after one of a message that was sent later is reordered.

A `deliver` is the same for each other member of a room: its ledger is the member's, who is to get the message.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from vezaflow.metrics import ChannelRecorder
from vezaflow.plan import (
    EvaluationError,
    PlannedAck,
    Scope,
)

_UNREAD = 0.5  # seconds that an ack may have been there before a busy loop comes to it
_MOST_KNOWN = 32  # settled messages whose acks are still known (0.7 KB each): a duplicate of an older one is not seen


class _State(Enum):
    UNDER_WAY = "under way"
    DELIVERED = "delivered"
    LOST = "lost"
    LATE = "late"
    WITHDRAWN = "withdrawn"


@dataclass(slots=True, eq=False)
class AwaitedAck:
    """One message that was sent. `at`: when the kernel had it; `number`: the how manieth it was."""

    sender: Scope
    sent: Any
    key: Any
    at: float
    due: float
    order: "SendingOrder"
    number: int
    state: _State = _State.UNDER_WAY


@dataclass(slots=True)
class SendingOrder:
    """In which order messages were sent over one WebSocket: how many, and the last of those that were delivered."""

    sent: int = 0
    delivered: int = 0


class Ledger:
    """See the module. Times are of the run's clock."""

    __slots__ = ("_ack", "_by_key", "_known", "_missed", "_record", "_under_way", "takes")

    def __init__(
        self, ack: PlannedAck, record: ChannelRecorder, missed: Callable[[PlannedAck], None], *, takes: bool = True
    ) -> None:
        """`missed` is told of each message that had no ack in time. `takes`: an ack is nobody else's; else what reaches
        a member may be received, too."""
        self.takes = takes
        self._missed = missed
        self._ack = ack
        self._record = record
        self._by_key: dict[Any, list[AwaitedAck]] = {}
        self._known: deque[AwaitedAck] = deque()  # all of them, the oldest first
        self._under_way: deque[AwaitedAck] = deque()  # and those that are settled, until all before them are

    def expect(self, vu: Scope, sent: Any, now: float, order: SendingOrder) -> AwaitedAck:
        """A message is about to be sent by this VU. Raises EvaluationError where the condition can't be made of it."""
        of_sent = self._ack.of_sent
        key = None
        if of_sent is not None:
            before, vu.item = vu.item, (None, sent)
            try:
                key = _hashable(of_sent(vu))
            finally:
                vu.item = before
        order.sent += 1
        message = AwaitedAck(vu, sent, key, now, now + self._ack.within, order, order.sent)
        self._by_key.setdefault(key, []).append(message)
        self._known.append(message)
        self._under_way.append(message)
        self._forget()
        return message

    def went(self, message: AwaitedAck, at: float) -> None:
        """It was sent, at a time that the kernel knows."""
        message.at, message.due = at, at + self._ack.within

    def withdraw(self, message: AwaitedAck) -> None:
        """It could not be sent."""
        message.state = _State.WITHDRAWN
        self._by_key[message.key].remove(message)

    def acknowledge(self, vu: Scope, text: str, at: float) -> bool:
        """Whether the message that came (`vu.response`, at that time) acknowledges one that was sent."""
        key, of_message = None, self._ack.of_message
        if of_message is not None:
            vu.item = (text, None)
            try:
                key = _hashable(of_message(vu))
            except EvaluationError:
                return False
        candidates = self._by_key.get(key)
        if not candidates:
            return False
        for message in sorted(candidates, key=_rank) if len(candidates) > 1 else candidates:
            if self._fits(message, vu, text):
                self._settle(message, at)
                return True
        return False

    def _fits(self, message: AwaitedAck, vu: Scope, text: str) -> bool:
        """Whether the condition holds, by the variables of the VU that sent the message."""
        sender = message.sender
        before = sender.response, sender.item
        sender.response, sender.item = vu.response, (text, message.sent)
        try:
            return bool(self._ack.where(sender))
        except EvaluationError:
            return False
        finally:
            sender.response, sender.item = before

    def _settle(self, message: AwaitedAck, at: float) -> None:
        if message.state is _State.UNDER_WAY and not self.takes:
            self._record.reached()
        record, latency = self._record, max(0.0, at - message.at)
        match message.state:
            case _State.UNDER_WAY if at <= message.due:
                message.state = _State.DELIVERED
                order = message.order
                record.delivered(latency, reordered=message.number < order.delivered)
                order.delivered = max(order.delivered, message.number)
            case _State.UNDER_WAY | _State.LOST:
                if message.state is _State.UNDER_WAY:
                    record.lost()
                    self._missed(self._ack)
                message.state = _State.LATE
                record.late(latency)
            case _:
                record.duplicated()

    def look(self, now: float) -> None:
        """What should have been acknowledged by now, and was not, is lost."""
        under_way = self._under_way
        while under_way and (under_way[0].state is not _State.UNDER_WAY or under_way[0].due + _UNREAD < now):
            self._lose(under_way.popleft())

    def ended(self) -> None:
        """The WebSocket ended, and nothing of what is under way can come any more."""
        while self._under_way:
            self._lose(self._under_way.popleft())

    def _lose(self, message: AwaitedAck) -> None:
        if message.state is _State.UNDER_WAY:
            message.state = _State.LOST
            self._record.lost()
            self._missed(self._ack)
            if not self.takes:
                self._record.reached()

    def due(self, now: float) -> float | None:
        """Until when an ack may come for what is under way; None: for nothing."""
        waiting = (each.due for each in self._under_way if each.state is _State.UNDER_WAY and each.due >= now)
        return max(waiting, default=None)

    def _forget(self) -> None:
        known = self._known
        while len(known) > _MOST_KNOWN and known[0].state is not _State.UNDER_WAY:
            message = known.popleft()
            same = self._by_key.get(message.key, [])
            if message in same:
                same.remove(message)
            if not same:
                self._by_key.pop(message.key, None)


def _rank(message: AwaitedAck) -> int:
    """An ack is rather one of what is under way, and of what was lost, than a second one."""
    if message.state is _State.UNDER_WAY:
        return 0
    return 1 if message.state is _State.LOST else 2


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, list | dict | tuple) else value
