"""What a VU holds open on a connection of its own: messages that come whenever the server likes, one way to wait for
them, one way to end. WebSockets (websocket.py) and event streams (event_channel.py) are channels.

    the reactor reads ─▶ feed (of a subclass) ─▶ arrived ─▶ on_message, at once ─▶ if not taken: unread ─▶ receive

Laws: nothing raises but cancellation, what went wrong is in the `Ending`; a message carries the time at which its last
bytes came, not the time at which somebody looked; a cancelled wait leaves the channel open. The oldest messages that
nobody reads are dropped, and counted: to stop reading instead would leave the server's pings unanswered, slow the
server down, and make a slow test look like a slow target.
"""

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import trio

from vezaflow.protocols.bounds import MOST_UNREAD, MOST_UNREAD_BYTES, MOST_UNSENT
from vezaflow.protocols.exchange import ErrorKind, Exchange
from vezaflow.protocols.faults import Fault
from vezaflow.protocols.park import READY, Trap, park, trap
from vezaflow.protocols.scratch import READ_SIZE

if TYPE_CHECKING:
    from vezaflow.protocols.channel_connection import ChannelConnection

_ROUNDS = 64  # messages that a task may take from a full channel before the others have a turn
_STALE = 0.0003  # as in client.py: a drain older than this is made again before a VU sends
_EMPTY: deque[tuple[memoryview, "SentMessage | None"]] = deque(maxlen=0)  # of all channels: each takes 0.7 KB
_current_task = trio.lowlevel.current_task
_reschedule = trio.lowlevel.reschedule
NO_CODE = 1005  # a close frame without one (RFC 6455, 7.4.1)
ABNORMAL = 1006  # no close frame


@dataclass(slots=True)
class ChannelMessage:
    """What came. `at`: when its last bytes had, in seconds of the transport's clock; `size`: bytes, decompressed."""

    data: str | bytes
    at: float
    size: int


@dataclass(slots=True)
class EventMessage(ChannelMessage):
    """An event of an event stream; its `data` is a text."""

    event: str
    id: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a channel ended, at `at` seconds. `code` and `reason` are of the close frame: the server's, or ours where the
    server broke the protocol; 1006 where there was none. `error`: None if it was closed in an orderly way, whoever
    began (`by_server`) and whatever the code."""

    at: float
    code: int
    reason: str
    by_server: bool
    error: ErrorKind | None = None
    detail: str = ""


@dataclass(slots=True)
class SentMessage:
    """A message on its way out. `sent`: when its last byte was handed to the kernel, 0 until then, and before rather
    than after (a busy machine may stop us between the two); `error`: it never will."""

    size: int
    sent: float = 0.0
    error: ErrorKind | None = None
    detail: str = ""


class Voice(Protocol):
    """What `on_message` may use of the channel that a message came over, perhaps before it is known to be open."""

    dropped: int
    bytes_sent: int
    bytes_received: int

    def post(self, data: str | bytes) -> SentMessage: ...


OnMessage: TypeAlias = Callable[[Voice, ChannelMessage], bool]
"""Called as a message arrives, from the reactor, perhaps before who opens the channel has it: it must not wait nor
raise, and may `post`. True: the message is taken, nobody reads it."""

OnFrame: TypeAlias = Callable[[bool, int, bytes, float], None]
"""Looks on: whether it was sent, the opcode (0 to 10), the payload, the time."""


class OpenChannel(Protocol):
    """What the engine needs of whatever a VU holds open; fakes have this shape. Deadlines are moments of the client's
    clock. Any number of tasks may wait at once."""

    received: int
    dropped: int
    bytes_sent: int
    bytes_received: int
    ending: Ending | None
    opened: float

    async def receive(self, deadline: float) -> ChannelMessage | Ending | None: ...
    async def ended_by(self, deadline: float) -> Ending | None: ...
    def drop(self) -> None: ...


class WebSocket(OpenChannel, Protocol):
    """What the engine needs of an open WebSocket; websocket.py says what each does."""

    subprotocol: str | None

    async def send(self, data: str | bytes, deadline: float) -> SentMessage: ...
    def post(self, data: str | bytes) -> SentMessage: ...
    async def ping(self, deadline: float) -> float | None: ...
    async def close(self, code: int = 1000, reason: str = "") -> Ending: ...
    def begin_close(self, code: int = 1000, reason: str = "") -> None: ...


class EventStream(OpenChannel, Protocol):
    """What the engine needs of an open event stream: `last_id` and `retry` (seconds) are for who opens it again."""

    @property
    def last_id(self) -> str: ...
    @property
    def retry(self) -> float | None: ...


@dataclass(slots=True)
class Upgrade:
    """What came of opening a WebSocket. `exchange`: the upgrade's request as any other (its own: nothing overwrites
    it), ended - begun is the whole dial; where there is no channel its `error` says why, `upgrade` for a response that
    opens none, whose status, headers and body are there."""

    exchange: Exchange
    channel: WebSocket | None


@dataclass(slots=True)
class StreamOpening:
    """What came of opening an event stream. `exchange`: the request as any other, which ends with the head of the
    response; where there is no channel its `error` says why: `status`, `content_type`."""

    exchange: Exchange
    channel: EventStream | None


class MessageChannel(ABC):
    """See the module. Subclasses turn bytes into messages (`feed`) and what is to be said into bytes (`transmit`)."""

    __slots__ = (
        "_clock", "_connection", "_rounds", "_trap", "_unread", "_waited", "_waiting", "bytes_received", "bytes_sent",
        "dropped", "ending", "on_message", "outbox", "received", "unread_bytes", "unsent",
        "usual",
    )  # fmt: skip

    def __init__(self, connection: "ChannelConnection", on_message: OnMessage | None) -> None:
        self._connection = connection
        self._clock = connection.clock
        self._unread: list[ChannelMessage] = []  # a deque takes 0.7 KB, and is no faster with so few
        self._waiting: dict[trio.lowlevel.Task, float] = {}  # until when
        self._waited: trio.lowlevel.Task | None = None  # which waited last, and mostly waits again
        self._trap: Trap = None  # of its
        self.outbox: deque[tuple[memoryview, SentMessage | None]] = _EMPTY  # what the kernel has not taken
        self._rounds = 0
        self.on_message = on_message
        self.usual = READ_SIZE  # bytes that a message takes, by the last one
        self.unread_bytes = 0
        self.unsent = 0  # bytes
        self.received = 0  # messages
        self.dropped = 0  # of these: nobody read them in time
        self.bytes_sent = self.bytes_received = 0  # with all framing, before TLS, behind the request that opened it
        self.ending: Ending | None = None

    # -- receiving, for a VU ---------------------------------------------------------------------------------

    async def receive(self, deadline: float) -> ChannelMessage | Ending | None:
        """The next message; the ending, when there are no more; None at the deadline."""
        while not self._unread:
            if self.ending is not None:
                return self.ending
            if self._clock() >= deadline:
                return None
            await park(self._parked(deadline))
        self._rounds += 1
        if self._rounds > _ROUNDS:
            self._rounds = 0
            await trio.lowlevel.checkpoint()
        if not self._unread:  # another task was faster
            return await self.receive(deadline)
        message = self._unread.pop(0)
        self.unread_bytes -= message.size
        return message

    async def ended_by(self, deadline: float) -> Ending | None:
        """The ending, when it has come; None at the deadline. Messages stay unread."""
        while self.ending is None and self._clock() < deadline:
            await self._wait(deadline)
        return self.ending

    async def _wait(self, deadline: float) -> None:
        """Park the calling task until something has happened, or its deadline is over."""
        await park(self._parked(deadline))

    def _parked(self, deadline: float) -> Trap:
        """With what the calling task is to park, which is among those that wait from now on."""
        self._rounds = 0
        task = _current_task()
        self._waiting[task] = deadline
        connection = self._connection
        if deadline < connection.deadline or connection.reactor.quiet:
            self._remind(deadline)
        if task is not self._waited:
            self._trap, self._waited = self._trap_of(task), task
        return self._trap

    def _trap_of(self, task: trio.lowlevel.Task) -> Trap:
        waiting = self._waiting

        def abort(_raise: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            waiting.pop(task, None)  # at once: what comes before it runs must not wake it a second time
            return trio.lowlevel.Abort.SUCCEEDED

        return trap(abort)

    def _wake(self) -> None:
        """Something has happened: who waits looks whether it was that."""
        waiting = self._waiting
        while waiting:
            _reschedule(waiting.popitem()[0], READY)

    # -- sending, for a VU -----------------------------------------------------------------------------------

    async def send(self, data: str | bytes, deadline: float) -> SentMessage:
        """Send a message, and wait until the kernel has all of it."""
        reactor = self._connection.reactor
        if self._clock() - reactor.drained > _STALE:
            reactor.drain()
        while self.unsent > MOST_UNSENT and self.ending is None and self._clock() < deadline:
            await self._wait(deadline)
        outgoing = self.post(data)
        while not outgoing.sent and outgoing.error is None:
            if self._clock() >= deadline:
                outgoing.error, outgoing.detail = _UNREAD
                break
            await self._wait(deadline)
        return outgoing

    def post(self, data: str | bytes) -> SentMessage:
        """Send a message without waiting: what the kernel does not take at once follows when it does. May be called
        from `on_message`. Too much unsent is an error (`unsent`)."""
        outgoing = SentMessage(0)
        if self.ending is not None:
            outgoing.error = self.ending.error or ErrorKind.CLOSED_EARLY
            outgoing.detail = self.ending.detail or f"the channel was closed ({self.ending.code}) before this was sent"
        elif self.unsent > MOST_UNSENT:
            outgoing.error, outgoing.detail = _UNREAD
        else:
            self.transmit(data, outgoing)
        return outgoing

    def put(self, data: bytes, outgoing: SentMessage | None) -> None:
        """Hand bytes to the kernel, as many as it takes."""
        if self.outbox:
            self._leave(memoryview(data), outgoing)
            return
        connection = self._connection
        now = self._clock()
        taken = connection.put(data)
        self.bytes_sent += taken
        if taken == len(data) and connection.clear:
            if outgoing is not None:
                outgoing.sent = now
        elif self.ending is not None:
            if outgoing is not None:
                outgoing.error, outgoing.detail = self.ending.error or ErrorKind.RESET, self.ending.detail
        else:
            self._leave(memoryview(data)[taken:], outgoing)
            if taken and connection.clear:  # a piece was full, not the kernel
                self.flush()

    def _leave(self, rest: memoryview, outgoing: SentMessage | None) -> None:
        """The kernel does not take this now."""
        if self.outbox is _EMPTY:
            self.outbox = deque()
        self.outbox.append((rest, outgoing))
        self.unsent += len(rest)

    def flush(self) -> None:
        """The kernel takes bytes again."""
        outbox, connection = self.outbox, self._connection
        while outbox:
            data, outgoing = outbox[0]
            now = self._clock()
            taken = connection.put(data) if data else 0
            self.unsent -= taken
            self.bytes_sent += taken
            if data and not taken and self.ending is not None:  # it may have broken just now
                return
            if taken < len(data):
                outbox[0] = (data[taken:], outgoing)
                if not taken or not connection.clear:
                    return
                continue
            if not connection.clear and not connection.push():
                outbox[0] = (data[taken:], outgoing)
                return
            outbox.popleft()
            if outgoing is not None:
                outgoing.sent = now
        self._wake()

    # -- for its connection ----------------------------------------------------------------------------------

    @abstractmethod
    def feed(self, view: memoryview, count: int, now: float) -> None:
        """Read the first `count` bytes of `view`, which came at `now`."""

    @abstractmethod
    def transmit(self, data: str | bytes, outgoing: SentMessage) -> None:
        """Frame a message and `put` it."""

    @abstractmethod
    def cut(self, now: float, broken: Fault | None) -> None:
        """The server closed its side of the connection, or broke it."""

    def next_deadline(self, now: float) -> float:
        """Do what is due by `now`; when the channel has something to do next by itself."""
        return math.inf

    def expire(self, now: float) -> None:
        """The earliest deadline of all may be over."""
        waiting = self._waiting
        for task in [task for task, deadline in waiting.items() if deadline <= now]:
            del waiting[task]
            _reschedule(task, READY)
        self._connection.deadline = min([self.next_deadline(now), *waiting.values()])

    def lost(self, kind: ErrorKind, detail: str) -> None:
        """The connection is gone."""
        self.end(Ending(self._clock(), ABNORMAL, "", by_server=kind is not ErrorKind.INTERRUPTED,
                        error=kind, detail=detail))  # fmt: skip
        self.release()

    def release(self) -> None:
        """Close the connection; who waits for that is told."""
        self._connection.close()
        self._wake()

    def _remind(self, deadline: float) -> None:
        connection = self._connection
        connection.deadline = min(connection.deadline, deadline)
        if connection.reactor.quiet and deadline != math.inf:
            connection.reactor.rouse()

    # -- for its subclass ------------------------------------------------------------------------------------

    def arrived(self, message: ChannelMessage) -> None:
        """A message is complete."""
        self.received += 1
        if self.on_message is not None and self.on_message(self, message):
            return
        unread = self._unread
        unread.append(message)
        self.unread_bytes += message.size
        while len(unread) > MOST_UNREAD or (self.unread_bytes > MOST_UNREAD_BYTES and len(unread) > 1):
            self.unread_bytes -= unread.pop(0).size
            self.dropped += 1
        if self._waiting:
            self._wake()

    def end(self, ending: Ending) -> None:
        """Nothing more comes; the first ending counts."""
        if self.ending is not None:
            return
        self.ending = ending
        for _, outgoing in self.outbox:
            if outgoing is not None and outgoing.error is None:
                outgoing.error = ending.error or ErrorKind.CLOSED_EARLY
                outgoing.detail = ending.detail or "the server closed the channel before all of it was sent"
        self._wake()


_UNREAD: Fault = (ErrorKind.TIMEOUT_SEND, "the message could not be sent before the timeout: the server does not read")
