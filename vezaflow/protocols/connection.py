"""One TCP connection and the exchange on it: a non-blocking socket, what is still to be sent, what is being parsed.
What happens to it when is the table of phases.py; sending.py and receiving.py are parts of it.

Laws: nothing raises out of `ready`; every way of failing ends in `fail`, which closes the connection and wakes the task
that waits; every exchange is left by `_leave_exchange`; bytes that belong to no request close an idle connection.
"""

import math
import socket
from errno import EINPROGRESS
from typing import TYPE_CHECKING

import trio

from vezaflow.protocols import receiving, sending
from vezaflow.protocols.dns import SocketAddress
from vezaflow.protocols.exchange import Body, ErrorKind, Exchange, RequestOptions
from vezaflow.protocols.faults import Fault, fault_of, fault_of_code
from vezaflow.protocols.park import READY, park, trap
from vezaflow.protocols.phases import CLOSED, CONNECTING, IDLE, TIMEOUTS, TOO_LATE, WAITING
from vezaflow.protocols.plain_response import PlainResponse
from vezaflow.protocols.reactor import ARRIVED, HANGUP, WRITE, Reactor
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.seat import Seat
from vezaflow.protocols.sending import JOIN
from vezaflow.protocols.stamps import Clock, connected_in
from vezaflow.protocols.streamed_response import StreamedResponse

if TYPE_CHECKING:
    from ssl import SSLSession

    from vezaflow.protocols.wiretap import Http2Tap, Tap

_UNUSED: Fault = (ErrorKind.CLOSED_EARLY, "the server closed the new connection before it was used")
_reschedule = trio.lowlevel.reschedule


class Connection:
    """A plain TCP connection. `phase` is IDLE when a request may be sent."""

    __slots__ = (
        "began", "bodyless", "clock", "closes", "deadline", "exchange", "fault", "fd", "fitted", "pending", "phase",
        "reactor", "response", "scratch", "settled", "skipping", "socket", "tap", "task", "trap", "want",
    )  # fmt: skip

    number = 0  # of its stream: it has no more than one
    _connected_phase = IDLE  # in which connecting ends

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
        self.response: PlainResponse | StreamedResponse | None = None  # on its way, or not yet collected
        self.pending: list[memoryview] | None = None
        self.want = 0
        self.bodyless = False
        self.closes = False  # the request said so
        self.skipping = False
        self.fitted = False  # the send buffer, to how near the peer is
        self.fault: Fault = _UNUSED  # why it was closed, if nobody was there to be told
        self.trap = trap(self._abort)
        self.tap: Tap | Http2Tap | None = None  # who looks on

    # methods of other files: bound here, since a further call costs 0.05 µs a read
    flush = sending.flush
    read = receiving.read
    stamped = receiving.stamped
    feed = receiving.feed

    # -- for its client --------------------------------------------------------------------------------------

    def seat(self) -> Seat:
        """What a client sends its requests by: of a connection that is one client's, itself."""
        return self

    def start(self, exchange: Exchange, head: bytes, body: Body, options: RequestOptions) -> None:
        """Hand the kernel as much of a request as it takes. If `exchange` is still set after this, wait for it."""
        self.exchange = exchange
        self.want = options.want._value_
        self.bodyless = options.bodyless
        self.closes = options.closes
        self.phase = WAITING
        if body is not None:
            if type(body) is not bytes or len(body) > JOIN:
                sending.send_pieces(self, exchange, head, body)
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
            sending.leave_pending(self, memoryview(head)[sent:])

    def release(self) -> None:
        """Its client can't use it any further."""
        self.close()

    def be_tapped(self) -> None:
        """Keep what goes out from now on in `tap`."""
        from vezaflow.protocols.wiretap import Tap, tapped_socket

        self.tap = Tap()
        self.socket = tapped_socket(self.socket, self.tap)

    @property
    def session(self) -> "SSLSession | None":
        """What a connection that replaces this one may resume: nothing without TLS."""
        return None

    @property
    def certificate_ends(self) -> float | None:
        """Seconds since 1970; None where there is no verified certificate."""
        return None

    # -- for who opens it ------------------------------------------------------------------------------------

    async def connect(self, address: SocketAddress, exchange: Exchange, deadline: float) -> None:
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

    def _connected(self, now: float) -> None:
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.fail(*fault_of_code(code))
            return
        if self.reactor.late:
            now = min(now, self.began + connected_in(self.socket))
        self.settle(self._connected_phase, now)

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
        begun = self.phase == WAITING and self.response is not None
        self.fail(*(TOO_LATE if begun else TIMEOUTS[self.phase]))

    def abandon(self) -> None:
        """The transport goes down."""
        self.fail(ErrorKind.INTERRUPTED, "the transport was closed")

    # -- ends ------------------------------------------------------------------------------------------------

    def settle(self, phase: int, now: float) -> None:
        """The phase that a task waits for ended well, and `phase` is next."""
        self.phase = phase
        self.settled = now
        self._leave_exchange()

    def finish(self, exchange: Exchange, response: PlainResponse | StreamedResponse, now: float) -> None:
        """The response is complete."""
        exchange.status = response.status
        exchange.ended = now
        if self.pending is not None:  # before all was sent
            exchange.sent = min(exchange.first, now)
            response.keep = False
        kept = response.keep and not response.extra and not self.closes
        if kept:
            self.phase = IDLE
            self.skipping = False
        else:
            self.close()
        if type(response) is PlainResponse:  # nothing to collect
            self.response = None
            if kept:
                response.done = False
                self.scratch.plain.append(response)
            else:
                response.release()
        self._leave_exchange()

    def ended(self, now: float, broken: OSError | None = None) -> None:
        """The peer closed its side."""
        exchange, response = self.exchange, self.response
        if exchange is None:
            self.close()
        elif response is not None and response.streamed and response.open_ended:
            self.finish(exchange, response, now)
        elif broken is not None:
            self.fail(*fault_of(broken))
        elif response is None:
            self.fail(ErrorKind.CLOSED_EARLY, "the server closed the connection without a response")
        else:
            self.fail(ErrorKind.CLOSED_EARLY, "the server closed the connection during its response")

    def broken(self, error: OSError) -> None:
        """The peer takes no more. A response that it sent before (413, say) counts, and may still be in the buffer."""
        self.read(HANGUP, self.clock(), error)

    def fail(self, kind: ErrorKind, detail: str) -> None:
        """End the exchange without a response, and the connection with it."""
        self.close()
        exchange = self.exchange
        if exchange is None:
            self.fault = kind, detail
            return
        exchange.lose(kind, detail, self.clock(), sending=self.pending is not None)
        self.response = None
        self._leave_exchange()

    def close(self) -> None:
        if self.phase != CLOSED:
            self.phase = CLOSED
            self.reactor.forget(self)
            self.socket.close()

    def _abort(self, _raise_cancel: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
        """The task that waits is cancelled, and woken by trio."""
        self.task = self.response = None
        self._leave_exchange()
        self.close()
        return trio.lowlevel.Abort.SUCCEEDED

    def _leave_exchange(self) -> None:
        """The exchange is over, whichever way: wake the task that waits for it."""
        self.exchange = None
        self.pending = None
        self.deadline = math.inf
        task = self.task
        if task is not None:
            self.task = None
            _reschedule(task, READY)  # as `wake` does, which is a call more
