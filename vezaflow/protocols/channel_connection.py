"""The connections that channels are held open on: before the upgrade one that sends a request as any other, after it
bytes both ways for a channel.

Laws: a response that opens no channel is read as every other response is; what comes is stamped as responses are; no
connection keeps the others waiting, however small the pieces are that its bytes fall into (`_bite`).
"""

import socket
from collections.abc import Callable, Sized
from typing import TYPE_CHECKING, Protocol

from vezaflow.protocols.bounds import MOST_HEAD, MOST_REFUSAL
from vezaflow.protocols.connection import Connection
from vezaflow.protocols.exchange import ErrorKind, Exchange
from vezaflow.protocols.faults import Fault, fault_of
from vezaflow.protocols.head import Unreadable
from vezaflow.protocols.phases import CLOSED, IDLE, TUNNEL
from vezaflow.protocols.proxy import MOST_REPLY, refusal_of
from vezaflow.protocols.reactor import ARRIVED, HANGUP, TURN, WRITE, Reactor
from vezaflow.protocols.receiving import READS
from vezaflow.protocols.scratch import READ_SIZE, Scratch
from vezaflow.protocols.stamps import SPACE, Ancillary
from vezaflow.protocols.streamed_response import StreamedResponse

if TYPE_CHECKING:
    _Part = Connection
else:
    _Part = object

_LEAST_BITE = 16  # bytes
_SMALL_BITE = 2048  # bytes read at a time where small frames make many of them: a few ms of parsing
_TELLING = len(b"HTTP/1.1 1")  # bytes, after which it is known whether a response is interim
_END = b"\r\n\r\n"
Switch = Callable[[bytes, float], str]
"""Takes a 101 response's head and what came behind it, and when: makes the channel of it, or says why there is none."""

Listen = Callable[[StreamedResponse, float], bool]
"""Takes a response whose head came, and when: whether it made a channel of it, with all of the body that is there."""


class CarriedChannel(Protocol):
    """What a connection needs of the channel that is held open on it; channel.py says what each does."""

    bytes_received: int

    @property
    def outbox(self) -> Sized: ...
    @property
    def usual(self) -> int: ...
    def feed(self, view: memoryview, count: int, now: float) -> None: ...
    def flush(self) -> None: ...
    def expire(self, now: float) -> None: ...
    def cut(self, now: float, broken: Fault | None) -> None: ...
    def lost(self, kind: ErrorKind, detail: str) -> None: ...


class ChannelConnection(_Part):
    """What plain and secure connections do alike; they have its attributes, since of two parents one may have slots."""

    if not TYPE_CHECKING:
        __slots__ = ()

    channel: CarriedChannel | None
    refused: bytearray | None  # the response's head, as far as it has come; None: it is no 101
    switch: Switch | None
    listen: Listen | None
    seen: float  # when the last bytes came

    @property
    def clear(self) -> bool:
        """Whether the kernel has all that was taken."""
        return True

    def prepare(self, switch: Switch) -> None:
        """The next request asks for an upgrade."""
        self.switch = switch
        self.refused = bytearray()

    def expect_stream(self, listen: Listen) -> None:
        """The next request asks for a response that does not end."""
        self.listen = listen

    def put(self, data: bytes | memoryview) -> int:
        """How many of these bytes were taken; a failure ends the channel."""
        raise NotImplementedError

    def push(self) -> bool:
        """Hand on what was taken before; whether the kernel has all of it."""
        return True

    # -- for the reactor -------------------------------------------------------------------------------------

    def ready(self, mask: int, now: float) -> None:
        channel = self.channel
        if channel is None:
            super().ready(mask, now)
            return
        if mask & WRITE:
            if channel.outbox:
                channel.flush()
            elif not self.clear:
                self.push()
        if mask & ARRIVED and self.phase != CLOSED:
            self.read(mask, now)

    def expire(self) -> None:
        if self.channel is None:
            super().expire()
        else:
            self.channel.expire(self.clock())

    def stamped(self, ancillary: Ancillary) -> float:
        if self.channel is None:
            return super().stamped(ancillary)
        self.seen = self.reactor.stamps.when(ancillary, self.seen, self.clock())
        return self.seen

    def feed(self, view: memoryview, count: int, now: float) -> None:
        if self.channel is not None:
            self.channel.bytes_received += count
            self.channel.feed(view, count, now)
        elif self.exchange is not None and self.refused is not None:
            self._answered(self.exchange, self.refused, view[:count], now)
        elif self.exchange is not None and self.listen is not None:
            self._listened(self.exchange, self.listen, view[:count], now)
        else:
            super().feed(view, count, now)
            self._enough(now)

    # -- the upgrade -----------------------------------------------------------------------------------------

    def _answered(self, exchange: Exchange, head: bytearray, piece: memoryview, now: float) -> None:
        """Bytes of the response to the upgrade."""
        if not exchange.bytes_received:
            exchange.first = now
        exchange.bytes_received += len(piece)
        fresh = max(0, len(head) - len(_END))
        head += piece
        while head[9:10] == b"1" and len(head) <= MOST_HEAD:
            end = head.find(_END, fresh)
            if end < 0:
                return
            if head[9:12] == b"101":
                self.refused = None
                self._switched(exchange, bytes(head), now)
                return
            del head[: end + len(_END)]  # an interim response: another one follows
            exchange.first, fresh = now, 0
        if len(head) < _TELLING and b"HTTP/1."[: len(head)] == head[: len(b"HTTP/1.")]:
            return
        self.refused = None
        exchange.bytes_received -= len(head)
        self.response = StreamedResponse(keeps=True, bodyless=False, limit=self.scratch.max_body)
        super().feed(memoryview(head), len(head), now)
        self._enough(now)

    def _switched(self, exchange: Exchange, head: bytes, now: float) -> None:
        assert self.switch is not None
        exchange.status = 101
        exchange.ended = self.seen = now
        wrong = self.switch(head, now)
        self.switch = None
        if wrong:
            self.fail(ErrorKind.UPGRADE, wrong)
        elif self.phase == CLOSED:  # the server was done with it at once
            self._leave_exchange()
        else:
            self._hold(now)

    def _hold(self, now: float) -> None:
        """The channel is open, and its own deadline counts."""
        self.settle(IDLE, now)
        assert self.channel is not None
        self.channel.expire(now)
        self.reactor.rouse()

    def _listened(self, exchange: Exchange, listen: Listen, piece: memoryview, now: float) -> None:
        """Bytes of the response that does not end, or of what came instead."""
        response = self.response
        if response is None:
            exchange.first = now
            response = self.response = StreamedResponse(keeps=True, bodyless=False, limit=self.scratch.max_body)
        assert response.streamed
        if response.interim:
            response.interim = False
            exchange.first = now
        exchange.bytes_received += len(piece)
        try:
            response.feed(piece)
        except Unreadable as error:
            self.fail(error.kind, error.detail)
            return
        if response.status and listen(response, now):
            exchange.status = response.status
            exchange.ended = self.seen = now
            if self.phase == CLOSED:  # it ended at once
                self._leave_exchange()
            else:
                self._hold(now)
        elif response.done:
            self.finish(exchange, response, now)
        else:
            self._enough(now)

    def _enough(self, now: float) -> None:
        """A refusal's body may be endless: its beginning says why."""
        response, exchange = self.response, self.exchange
        if exchange is not None and response is not None and response.streamed and response.size > MOST_REFUSAL:
            self.finish(exchange, response, now)

    # -- ends ------------------------------------------------------------------------------------------------

    def ended(self, now: float, broken: OSError | None = None) -> None:
        if self.channel is None:
            super().ended(now, broken)
        else:
            self.channel.cut(now, fault_of(broken) if broken is not None else None)

    def fail(self, kind: ErrorKind, detail: str) -> None:
        super().fail(kind, detail)
        if self.channel is not None:
            self.channel.lost(kind, detail)


class PlainChannelConnection(ChannelConnection, Connection):
    """Over TCP; `tunnel` leads through a proxy, which may not know upgrades."""

    __slots__ = ("_bite", "_reply", "channel", "listen", "refused", "seen", "switch")

    def __init__(self, sock: socket.socket, reactor: Reactor, scratch: Scratch) -> None:
        Connection.__init__(self, sock, reactor, scratch)
        self.channel = None
        self.refused = None
        self.switch = None
        self.listen = None
        self.seen = 0.0
        self._bite = READ_SIZE
        self._reply = b""

    async def tunnel(self, request: bytes, exchange: Exchange, deadline: float) -> None:
        """Have a proxy open a tunnel, or leave the reason in `exchange`."""
        if self.phase == CLOSED:
            return
        self.phase = TUNNEL
        self.exchange = exchange
        try:
            self.socket.send(request)  # of an empty buffer
        except OSError as error:
            self.fail(*fault_of(error))
            return
        await self.wait(deadline)

    def _replied(self, piece: memoryview, now: float) -> None:
        """The proxy's response has come, or its beginning. The server says nothing before it was asked."""
        self._reply += piece
        head, blank, _ = self._reply.partition(_END)
        if not blank and len(head) <= MOST_REPLY:
            return
        self._reply = b""
        refusal = refusal_of(head)
        if refusal:
            self.fail(ErrorKind.PROXY, refusal)
        else:
            self.settle(IDLE, now)

    def feed(self, view: memoryview, count: int, now: float) -> None:
        if self.phase == TUNNEL:
            self._replied(view[:count], now)
        else:
            super().feed(view, count, now)

    def ended(self, now: float, broken: OSError | None = None) -> None:
        if self.phase == TUNNEL:
            self.fail(ErrorKind.PROXY, "the proxy closed the connection instead of opening a tunnel")
        else:
            super().ended(now, broken)

    def put(self, data: bytes | memoryview) -> int:
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.broken(error)
            return 0
        if sent < len(data):
            self.reactor.await_writable(self)
        return sent

    def read(self, mask: int, now: float, broken: OSError | None = None) -> None:
        """As receiving.read, but in smaller bites where bytes take long to parse, and after a stall in bites of one
        message, as most are alike: a read has the stamp of the last bytes in it."""
        channel = self.channel
        if channel is None:
            Connection.read(self, mask, now, broken)
            return
        scratch, late = self.scratch, self.reactor.late
        buffer, view = scratch.buffer, scratch.view
        ancillary: Ancillary = []
        stalled = late and self.reactor.stalled
        for _ in range(READS):
            bite = self._bite if not stalled else min(self._bite, max(channel.usual, _LEAST_BITE))
            try:
                if late:
                    count, ancillary, _, _ = self.socket.recvmsg_into((view[:bite],), SPACE)
                else:
                    count = self.socket.recv_into(buffer, bite)
            except BlockingIOError:
                if broken is not None:
                    self.fail(*fault_of(broken))
                return
            except OSError as error:
                self.fail(*fault_of(broken or error))
                return
            if count == 0:
                self.ended(now, broken)
                return
            if late:
                now = self.stamped(ancillary)
            channel.bytes_received += count
            channel.feed(view, count, now)
            if self.phase == CLOSED or (count < bite and not mask & HANGUP):
                return
            now = self.clock()
            until = self.reactor.drained + TURN
            if now > until and broken is None:
                self._bite = _SMALL_BITE if bite < READ_SIZE or now > until + TURN else READ_SIZE
                break
        self.reactor.again(self)
