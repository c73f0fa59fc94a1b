"""One TCP connection and the exchange on it: a non-blocking socket, what is still to be sent, what is being parsed.
What it is at each moment and how that ends is in connection_state.py, of which sending.py and receiving.py need no
more; here it is opened, takes requests, and is told by the reactor.

Laws: nothing raises out of `ready`; bytes that belong to no request close an idle connection.
"""

import socket
from errno import EINPROGRESS
from typing import TYPE_CHECKING

from vezaflow.protocols import receiving, sending
from vezaflow.protocols.connection_state import ConnectionState
from vezaflow.protocols.dns import SocketAddress
from vezaflow.protocols.exchange import Body, ErrorKind, Exchange, RequestOptions
from vezaflow.protocols.faults import fault_of, fault_of_code
from vezaflow.protocols.phases import CLOSED, CONNECTING, IDLE, WAITING
from vezaflow.protocols.reactor import ARRIVED, WRITE
from vezaflow.protocols.seat import Seat
from vezaflow.protocols.sending import JOIN
from vezaflow.protocols.stamps import connected_in

if TYPE_CHECKING:
    from ssl import SSLSession


class Connection(ConnectionState):
    """A plain TCP connection. `phase` is IDLE when a request may be sent."""

    __slots__ = ()

    number = 0  # of its stream: it has no more than one
    _connected_phase = IDLE  # in which connecting ends

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
