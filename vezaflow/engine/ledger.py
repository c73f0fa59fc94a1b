"""Which messages were sent over a WebSocket, and what acknowledged them: the ledger of one `send` step with an `ack`.

    under way ──ack within──▶ delivered ──ack again──▶ (duplicated)
        └──within is over──▶ lost ──ack after all──▶ late

Laws: a message is settled once, by the time at which its ack came, not at which somebody looked: it is lost only when
that can't have come in time and be unread. One that is under way when its VU is cut off is never settled. An ack that
comes after one of a message that was sent later is reordered.

Of what is settled as little is kept as will do: where the condition is an equality, the value that an ack has.

A `deliver` is the same for each other member of a room: its ledger is the member's, who is to get the message.
"""

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
_MOST_KNOWN = 32  # settled messages whose acks are still known: a duplicate of an older one is not seen


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

    __slots__ = ("_ack", "_acked", "_by_key", "_known", "_missed", "_record", "_under_way", "takes")

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
        self._known: list[AwaitedAck] = []  # those that are settled, and held against what comes; the oldest first
        self._acked: list[Any] = []  # the keys of those that need not be, the oldest first
        self._under_way: dict[AwaitedAck, None] = {}  # in the order in which they were sent

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
        same = self._by_key.get(key)
        if same is None:
            self._by_key[key] = [message]
        else:
            same.append(message)
        self._under_way[message] = None
        return message

    def went(self, message: AwaitedAck, at: float) -> None:
        """It was sent, at a time that the kernel knows."""
        message.at, message.due = at, at + self._ack.within

    def withdraw(self, message: AwaitedAck) -> None:
        """It could not be sent."""
        message.state = _State.WITHDRAWN
        self._under_way.pop(message, None)
        self._drop(message)

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
        if candidates is None:
            if key not in self._acked:
                return False
            self._record.duplicated()
            return True
        for message in sorted(candidates, key=_rank) if len(candidates) > 1 else candidates:
            if self._ack.exact or self._fits(message, vu, text):
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
        record, latency = self._record, max(0.0, at - message.at)
        if message.state is _State.UNDER_WAY:
            if not self.takes:
                record.reached()
            self._under_way.pop(message, None)
            if at <= message.due:
                message.state = _State.DELIVERED
                order = message.order
                record.delivered(latency, reordered=message.number < order.delivered)
                order.delivered = max(order.delivered, message.number)
            else:
                message.state = _State.LATE
                record.lost()
                self._missed(self._ack)
                record.late(latency)
            self._keep(message)
        elif message.state is _State.LOST:
            message.state = _State.LATE
            record.late(latency)
        else:
            record.duplicated()

    def _keep(self, message: AwaitedAck) -> None:
        """It is settled: know its ack, should that come (again), as long as few others have been settled since."""
        if self._ack.exact and message.state is not _State.LOST:
            self._drop(message)
            self._acked.append(message.key)
            if len(self._acked) > _MOST_KNOWN:
                del self._acked[0]
            return
        self._known.append(message)
        if len(self._known) > _MOST_KNOWN:
            self._drop(self._known.pop(0))

    def _drop(self, message: AwaitedAck) -> None:
        """Hold it against nothing any more."""
        same = self._by_key.get(message.key, [])
        if message in same:
            same.remove(message)
            if not same:
                del self._by_key[message.key]

    def look(self, now: float) -> None:
        """What should have been acknowledged by now, and was not, is lost."""
        if self._under_way and next(iter(self._under_way)).due + _UNREAD < now:
            self._lose([message for message in self._under_way if message.due + _UNREAD < now])

    def ended(self) -> None:
        """The WebSocket ended, and nothing of what is under way can come any more."""
        self._lose(list(self._under_way))

    def _lose(self, messages: list[AwaitedAck]) -> None:
        for message in messages:
            del self._under_way[message]
            message.state = _State.LOST
            self._record.lost()
            self._missed(self._ack)
            if not self.takes:
                self._record.reached()
            self._keep(message)

    def due(self, now: float) -> float | None:
        """Until when an ack may come for what is under way; None: for nothing."""
        return max((each.due for each in self._under_way if each.due >= now), default=None)


def _rank(message: AwaitedAck) -> int:
    """An ack is rather one of what is under way, and of what was lost, than a second one."""
    if message.state is _State.UNDER_WAY:
        return 0
    return 1 if message.state is _State.LOST else 2


def _hashable(value: Any) -> Any:
    return (repr(value),) if isinstance(value, list | dict | tuple) else value
