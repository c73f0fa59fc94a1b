"""One TCP connection and the exchange on it: a non-blocking socket, what is still to be sent, what is being
parsed.

Laws: every byte is stamped where it is read, or where the kernel says that it came; a read that came up short has
drained the socket, since a later byte or FIN makes another edge; nothing raises out of `ready`, every way of failing
ends in `fail`, which closes the connection and wakes the task that waits; bytes that nobody asked for close an idle
connection; bodies that are not wanted are thrown away by the kernel where it can (MSG_TRUNC).
"""

import math
import mmap
import socket
import sys
from errno import EINPROGRESS
from typing import TYPE_CHECKING, Any

import trio

from vezaflow.protocols.answer import (
    Answer,
    Bodied,
    Headed,
    HttpParserError,
    HttpParserUpgrade,
    tells_coding,
    tells_cookies,
    tells_either,
    tells_transfer,
)
from vezaflow.protocols.exchange import Ask, Body, ErrorKind, Exchange, Want
from vezaflow.protocols.faults import Fault, fault_of, fault_of_code
from vezaflow.protocols.head import Unreadable, plain_fields
from vezaflow.protocols.park import park, trap, wake
from vezaflow.protocols.reactor import ARRIVED, HANGUP, WRITE, Reactor
from vezaflow.protocols.reader import Detailed
from vezaflow.protocols.scratch import READ_SIZE, SKIP_SIZE, Scratch
from vezaflow.protocols.stamps import SPACE, Clock, connected_in, round_trip

if TYPE_CHECKING:
    from vezaflow.protocols.http2_stream import Stream
    from vezaflow.protocols.wiretap import Http2Tap, Tap

IDLE, CONNECTING, TUNNEL, HANDSHAKE, SENDING, WAITING, CLOSED = range(7)

_TIMEOUTS = {
    CONNECTING: (ErrorKind.TIMEOUT_CONNECT, "the connection was not established in time"),
    TUNNEL: (ErrorKind.TIMEOUT_CONNECT, "the proxy did not open the tunnel in time"),
    HANDSHAKE: (ErrorKind.TIMEOUT_TLS, "the TLS handshake was not completed in time"),
    SENDING: (ErrorKind.TIMEOUT_SEND, "the request could not be sent in time"),
    WAITING: (ErrorKind.TIMEOUT_WAIT, "no response in time"),
}
_BODY, _COOKIES, _SHOWN = Want.BODY._value_, Want.COOKIES._value_, Want.SHOWN._value_  # int's &: 1 µs less each
_FIELDS = Want.HEADERS._value_ | _SHOWN
_TELLING = {_COOKIES: tells_cookies, _BODY: tells_coding, _BODY | _COOKIES: tells_either}
_H, _ONE, _THREE = b"H13"  # of "HTTP/1.1": llhttp reads RTSP too, and HTTP/2.0
_READS = 16  # a turn: no connection keeps the others waiting
JOIN = 16 * 1024  # below this, copying a body behind its head is cheaper than gathering (by 0.3 to 0.6 µs)
_PIECES = 512  # of one sendmsg, under IOV_MAX
_FASTEST = 5e9  # bytes/s that a connection may need: 40 Gbit/s
_LEAST_ROOM = 200_000  # bytes of a send buffer; from half to twice as much cost the same
_MOST_ROOM = 1 << 20  # where more is needed, the kernel grows the buffer as it sees fit
_UNUSED: Fault = (ErrorKind.CLOSED_EARLY, "the server closed the new connection before it was used")
_DISCARD = socket.MSG_TRUNC if sys.platform == "linux" else None


class Connection:
    """A plain TCP connection. `phase` is IDLE when a request may be sent."""

    __slots__ = (
        "answer", "began", "bodyless", "clock", "closes", "deadline", "exchange", "fault", "fd", "fitted",
        "pending", "phase", "reactor", "scratch", "settled", "skipping", "socket", "tap", "task", "trap",
        "want",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, reactor: Reactor, scratch: Scratch) -> None:
        self.socket = sock
        self.fd = sock.fileno()
        self.reactor = reactor
        self.clock: Clock = reactor.clock
        self.scratch = scratch
        self.phase = CONNECTING
        self.deadline = math.inf
        self.began = 0.0  # when connecting
        self.settled = 0.0  # when that, then the handshake, ended
        self.task: trio.lowlevel.Task | None = None
        self.exchange: Exchange | None = None
        self.answer: Any = None  # an Answer of one of the kinds, while one is on its way or not yet collected
        self.pending: list[memoryview] | None = None
        self.want = 0
        self.bodyless = False
        self.closes = False  # the request said so
        self.skipping = False
        self.fitted = False  # the send buffer, to how near the peer is
        self.fault: Fault = _UNUSED  # why it was closed, if nobody was there to be told
        self.trap = trap(self._abort)
        self.tap: Tap | Http2Tap | None = None  # who looks on

    def seat(self) -> "Connection | Stream":
        """What a client sends its requests by: of a connection that is one client's, itself."""
        return self

    def be_tapped(self) -> None:
        """Keep what goes out from now on in `tap`."""
        from vezaflow.protocols.wiretap import Tap, tapped_socket

        self.tap = Tap()
        self.socket = tapped_socket(self.socket, self.tap)

    def release(self) -> None:
        """Its client can't use it any further."""
        self.close()

    @property
    def session(self) -> Any:
        """What a connection that replaces this one may resume: nothing without TLS."""
        return None

    @property
    def certificate_ends(self) -> float | None:
        """Seconds since 1970; None where there is no verified certificate."""
        return None

    # -- for the task that uses it ---------------------------------------------------------------------------

    async def connect(self, address: Any, exchange: Exchange, deadline: float) -> None:
        """Establish the connection; what went wrong is in the exchange."""
        self.exchange = exchange
        self.reactor.stamps.ask(self.socket)
        self.began = self.clock()
        try:
            code = self.socket.connect_ex(address)
            if code in (0, EINPROGRESS):
                self.reactor.watch(self)
        except OverflowError:
            self.fail(ErrorKind.URL, "invalid port")
            return
        except OSError as error:  # the epoll is full
            self.fail(*fault_of(error))
            return
        if code not in (0, EINPROGRESS):
            self.fail(*fault_of_code(code))
            return
        self.reactor.await_writable(self)
        await self.wait(deadline)

    async def wait(self, deadline: float) -> None:
        """Park the calling task until the present phase has ended."""
        self.deadline = deadline
        if self.reactor.quiet:
            self.reactor.rouse()
        self.task = trio.lowlevel.current_task()
        await park(self.trap)

    def start(self, exchange: Exchange, head: bytes, body: Body, ask: Ask) -> None:
        """Hand the kernel as much of a request as it takes. If `exchange` is still set after this, wait for it."""
        self.exchange = exchange
        self.want = ask.want._value_
        self.bodyless = ask.bodyless
        self.closes = ask.closes
        self.phase = WAITING
        if body is not None:
            if type(body) is not bytes or len(body) > JOIN:
                self._send_pieces(exchange, head, body)
                return
            head += body
        exchange.started = self.clock()
        try:
            sent = self.socket.send(head)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            exchange.sent = exchange.started
            exchange.bytes_sent = 0
            self.broken(error)
            return
        exchange.sent = self.clock()
        exchange.bytes_sent = sent
        if sent != len(head):
            self._leave([memoryview(head)[sent:]])

    def close(self) -> None:
        if self.phase != CLOSED:
            self.phase = CLOSED
            self.reactor.forget(self)
            self.socket.close()

    # -- for the reactor -------------------------------------------------------------------------------------

    def ready(self, mask: int, now: float) -> None:
        if self.phase == CONNECTING:
            self._connected(now)
            return
        if self.pending is not None and mask & WRITE:
            self.flush()
        if mask & ARRIVED and self.phase != CLOSED:
            self.read(mask, now)

    def expire(self) -> None:
        """The deadline is over: which phase it is says what was too slow."""
        kind, detail = _TIMEOUTS[self.phase]
        if self.phase == WAITING and self.answer is not None:
            kind, detail = ErrorKind.TIMEOUT_RECEIVE, "the response was not completed in time"
        self.fail(kind, detail)

    def abandon(self) -> None:
        """The transport goes down."""
        self.fail(ErrorKind.INTERRUPTED, "the transport was closed")

    # -- sending ---------------------------------------------------------------------------------------------

    def _send_pieces(self, exchange: Exchange, head: bytes, body: Body) -> None:
        assert body is not None
        if not self.fitted:
            self.fit()
        pieces = body if isinstance(body, tuple) else (body,)
        self.pending = [memoryview(head), *(memoryview(piece).cast("B") for piece in pieces if len(piece))]
        self.phase = SENDING
        exchange.bytes_sent = 0
        exchange.started = self.clock()
        self.flush()

    def fit(self) -> None:
        """Give the socket a send buffer no larger than the way to its peer can hold, once: of a peer that is near, all
        else would only lie there and fall out of the cache (1 MiB to nginx over loopback: 219 µs of CPU, and 125; over
        TLS 580 and 410)."""
        self.fitted = True
        room = max(_LEAST_ROOM, _FASTEST * round_trip(self.socket))
        if room < _MOST_ROOM:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, int(room))

    def _leave(self, pending: list[memoryview]) -> None:
        self.pending = pending
        self.phase = SENDING
        self.reactor.await_writable(self)

    def flush(self) -> None:
        """Send what is pending until it is gone or the kernel is full."""
        exchange, pending = self.exchange, self.pending
        assert exchange is not None
        assert pending is not None
        try:
            while pending:
                sent = self.socket.sendmsg(pending[:_PIECES])
                exchange.bytes_sent += sent
                _advance(pending, sent)
        except BlockingIOError:
            self.reactor.await_writable(self)
            return
        except OSError as error:
            self.broken(error)
            return
        self.pending = None
        self.phase = WAITING
        exchange.sent = self.clock()

    def broken(self, error: OSError) -> None:
        """The peer takes no more. An answer that it gave before (413, say) counts, and may still be in the buffer."""
        self.read(HANGUP, self.clock(), error)

    # -- receiving -------------------------------------------------------------------------------------------

    def read(self, mask: int, now: float, broken: OSError | None = None) -> None:
        """Read what is there. `broken` is what sending met with, should reading find nothing better."""
        scratch = self.scratch
        late = self.reactor.late
        ancillary: list[Any] = []
        buffer: bytearray | mmap.mmap
        for _ in range(_READS):
            if self.skipping:
                buffer, view, whole, flags = scratch.skipped, scratch.skipped_view, SKIP_SIZE, _DISCARD or 0
            else:
                buffer, view, whole, flags = scratch.buffer, scratch.view, READ_SIZE, 0
            try:
                if late:
                    count, ancillary, _, _ = self.socket.recvmsg_into((buffer,), SPACE, flags)
                else:
                    count = self.socket.recv_into(buffer, 0, flags)
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
            self.feed(view, count, now)
            if self.phase == CLOSED or (count < whole and not mask & HANGUP):
                return
            now = self.clock()
        self.reactor.again(self)

    def stamped(self, ancillary: list[Any]) -> float:
        """When the kernel says that what was just read had come."""
        now = self.clock()
        exchange = self.exchange
        if exchange is None:
            return now
        moment = self.reactor.stamps.when(ancillary, exchange.started, now)
        if self.answer is not None:
            return max(moment, exchange.first)
        if moment < exchange.sent:  # it was there before we came to look at the clock
            exchange.sent = moment
        return moment

    def feed(self, view: memoryview, count: int, now: float) -> None:
        """Parse `count` bytes that came at `now`."""
        exchange = self.exchange
        if exchange is None:
            self.close()  # unsolicited
            return
        answer = self.answer
        if answer is None:
            exchange.first = now
            exchange.bytes_received = count
            answer = self.answer = self._answer_for(count)
            fresh = True
        else:
            exchange.bytes_received += count
            fresh = False
            if answer.interim:
                answer.interim = False
                exchange.first = now
        try:
            answer.feed(view[:count])
        except (HttpParserError, HttpParserUpgrade):  # never of a Detailed, and no error yet: see _hand_over
            answer.extra = True
        except Unreadable as error:
            self.fail(error.kind, error.detail)
            return
        if answer.detailed:
            self._going_on(exchange, answer, now)
        elif answer.done and (answer.keep or not fresh):
            self._finish(exchange, answer, now)
        elif fresh:
            self._hand_over(exchange, answer, view, count, now)

    def _answer_for(self, count: int) -> Any:
        """The cheapest reader that will do, judging by the first bytes. Were they to mislead, they only cost time:
        a response that doesn't end well with them is read again, unless only its length matters."""
        scratch = self.scratch
        buffer = scratch.buffer
        want = self.want
        if (
            self.bodyless
            or count < 13
            or buffer[0] != _H
            or buffer[7] != _ONE
            or (first := buffer[9]) not in b"2345"
            or (count == READ_SIZE and (want & _BODY or not _sized(buffer, count)))  # there is more
        ):
            return self._detailed()
        if not want and first != _THREE:
            return scratch.plain.pop() if scratch.plain else Answer()
        end = buffer.find(b"\r\n\r\n", 0, count)  # the body says nothing: looked through, 32 KB of it cost 20 µs
        if end < 0:
            return self._detailed()
        if want & _FIELDS or first == _THREE or _TELLING[want](buffer, 0, end + 1):
            fields = plain_fields(bytes(scratch.view[: end + 4]))
            if fields is None or (want & _BODY and tells_transfer(buffer, 0, end + 1)):
                return self._detailed()
            if want & _BODY:
                answer: Headed = scratch.bodied.pop() if scratch.bodied else Bodied()
            else:
                answer = scratch.headed.pop() if scratch.headed else Headed()
            answer.fields = fields
            return answer
        if want & _BODY:
            return scratch.bodied.pop() if scratch.bodied else Bodied()
        return scratch.plain.pop() if scratch.plain else Answer()

    def _detailed(self) -> Detailed:
        return Detailed(keeps=self.want & _BODY > 0, bodyless=self.bodyless, limit=self.scratch.max_body)

    def _hand_over(self, exchange: Exchange, answer: Answer, view: memoryview, count: int, now: float) -> None:
        """The first bytes hold no plain whole response: it is for the other reader to say what it is, unless only its
        length matters from here on."""
        begun = not answer.done and not answer.extra
        if begun and not self.want & _BODY and _DISCARD is not None and _sized(self.scratch.buffer, count):
            self.skipping = True
            return
        answer.release()
        found = self.answer = self._detailed()
        try:
            found.feed(view[:count])
        except Unreadable as error:
            self.fail(error.kind, error.detail)
            return
        self._going_on(exchange, found, now)

    def _going_on(self, exchange: Exchange, answer: Detailed, now: float) -> None:
        """After a piece of a response."""
        if answer.size > answer.limit and answer.keeps and not self.want & _SHOWN:
            self.fail(ErrorKind.TOO_LARGE, f"the body is larger than {answer.limit} bytes")
        elif answer.done:
            self._finish(exchange, answer, now)
        elif not answer.keeps and answer.counted and _DISCARD is not None:
            self.skipping = True  # only the length of what is still to come matters: 1 MiB a call, nothing copied

    def _finish(self, exchange: Exchange, answer: Any, now: float) -> None:
        exchange.status = answer.status
        exchange.ended = now
        if self.pending is not None:  # answered before all was sent
            self.pending = None
            exchange.sent = min(exchange.first, now)
            answer.keep = False
        self.exchange = None
        self.deadline = math.inf
        kept = answer.keep and not answer.extra and not self.closes
        if kept:
            self.phase = IDLE
            self.skipping = False
        else:
            self.close()
        if type(answer) is Answer:  # nothing to collect
            self.answer = None
            if kept:
                answer.done = False
                self.scratch.plain.append(answer)
            else:
                answer.release()
        task = self.task
        if task is not None:
            self.task = None
            wake(task)

    def ended(self, now: float, broken: OSError | None = None) -> None:
        """The peer closed its side."""
        exchange, answer = self.exchange, self.answer
        if exchange is None:
            self.close()
        elif answer is not None and answer.detailed and answer.open_ended:
            self._finish(exchange, answer, now)
        elif broken is not None:
            self.fail(*fault_of(broken))
        elif answer is None:
            self.fail(ErrorKind.CLOSED_EARLY, "the server closed the connection without a response")
        else:
            self.fail(ErrorKind.CLOSED_EARLY, "the server closed the connection during its response")

    # -- ends ------------------------------------------------------------------------------------------------

    def fail(self, kind: ErrorKind, detail: str) -> None:
        """End the exchange without an answer, and the connection with it."""
        self.close()
        if self.exchange is None:
            self.fault = kind, detail
        self.lose(kind, detail)

    def lose(self, kind: ErrorKind, detail: str) -> None:
        """End the exchange without an answer."""
        exchange = self.exchange
        if exchange is None:
            return
        ended = exchange.ended = self.clock()
        if self.pending is not None:
            exchange.sent = ended
        if exchange.bytes_received == 0:
            exchange.first = ended
        self.exchange = None
        self.answer = None
        self.pending = None
        self.deadline = math.inf
        exchange.error = kind
        exchange.detail = detail
        task = self.task
        if task is not None:
            self.task = None
            wake(task)

    def settle(self, now: float) -> None:
        """The phase that a task waits for ended well: wake it."""
        self.settled = now
        self.deadline = math.inf
        task = self.task
        if task is not None:
            self.task = None
            wake(task)

    def _connected(self, now: float) -> None:
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.fail(*fault_of_code(code))
            return
        if self.reactor.late:
            now = min(now, self.began + connected_in(self.socket))
        self.phase = IDLE
        self.exchange = None
        self.settle(now)

    def _abort(self, _raise_cancel: Any) -> trio.lowlevel.Abort:
        self.task = None
        self.exchange = None
        self.answer = None
        self.pending = None
        self.deadline = math.inf
        self.close()
        return trio.lowlevel.Abort.SUCCEEDED


def _sized(buffer: bytearray, count: int) -> bool:
    """Whether these first bytes hold a whole head with the body's length, in a usual spelling. (A head that says
    chunked as well was refused by the parser.)"""
    end = buffer.find(b"\r\n\r\n", 0, count)
    return end >= 0 and (
        buffer.find(b"\nContent-Length: ", 0, end) >= 0 or buffer.find(b"\ncontent-length: ", 0, end) >= 0
    )


def _advance(pending: list[memoryview], sent: int) -> None:
    """Drop the first `sent` bytes of `pending`."""
    done = 0
    for piece in pending:
        if sent < len(piece):
            break
        sent -= len(piece)
        done += 1
    del pending[:done]
    if sent:
        pending[0] = pending[0][sent:]
