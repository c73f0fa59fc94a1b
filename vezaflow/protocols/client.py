"""One VU's way to the network: its connections (one per origin, kept alive), its cookies, its exchange.

Laws: `send` never raises but for cancellation, what went wrong is in the exchange it returns; a request goes
out twice only if its kept-alive connection died before a byte of an answer came, and it may be sent again or
none of it had been taken; what the step doesn't want is never decoded. One request at a time.
"""

from socket import socket
from typing import TYPE_CHECKING, Any, Protocol

import trio

from vezaflow.protocols.answer import Bodied
from vezaflow.protocols.body import TooLarge, Undecodable, decode
from vezaflow.protocols.connection import IDLE, Connection
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.exchange import Ask, Body, ErrorKind, Exchange, Origin, Want
from vezaflow.protocols.faults import TlsFault
from vezaflow.protocols.lanes import Lanes
from vezaflow.protocols.opening import open_connection
from vezaflow.protocols.options import ClientOptions
from vezaflow.protocols.park import park

if TYPE_CHECKING:
    from vezaflow.protocols.http2_stream import Stream
    from vezaflow.protocols.transport import Transport

_STALE = 0.0003  # a drain older than this is made again before a VU sends: it bounds how late answers are stamped
_HEADERS, _BODY, _COOKIES, _SHOWN = (each._value_ for each in (Want.HEADERS, Want.BODY, Want.COOKIES, Want.SHOWN))
_RACED = (ErrorKind.RESET, ErrorKind.CLOSED_EARLY)
_current_task = trio.lowlevel.current_task


class Sender(Protocol):
    """What the engine asks of a client; fakes have this shape."""

    cookies: CookieJar

    async def send(self, origin: Origin, head: bytes, body: Body, ask: Ask) -> Exchange: ...

    def beside(self) -> "Sender":
        """The same user's client for several requests at once. It closes with this one, which rests meanwhile."""

    def by(self, options: ClientOptions) -> "Sender":
        """The same user's client that connects in another way, made at the first time. It closes with this one."""

    def certificate_ends(self) -> float | None: ...

    def close(self) -> None:
        """Close the connections; the next request opens a new one."""


class Client:
    """See the module. Made by `Transport.client`."""

    __slots__ = (
        "_connection", "_connections", "_cookies_on", "_home", "_lanes", "_local", "_options", "_origin", "_others",
        "_reactor", "_transport", "cookies", "exchange",
    )  # fmt: skip

    def __init__(
        self,
        transport: "Transport",
        options: ClientOptions,
        local: str | None = None,
        cookies: CookieJar | None = None,
    ) -> None:
        self._transport = transport
        self._local = local  # the address that it connects from; None: the system's choice
        self._reactor = transport.reactor
        self._options = options
        self._cookies_on = options.cookies
        self.cookies = CookieJar() if cookies is None else cookies
        self.exchange = Exchange()
        self._origin: Origin | None = None  # of the last request, and its connection: most VUs know one origin
        self._connection: Connection | Stream | None = None
        self._connections: dict[Origin, Connection | Stream] | None = None
        self._lanes: Lanes | None = None  # most VUs do one thing after another
        self._home: Lanes | None = None  # those that this one is among
        self._others: dict[ClientOptions, Client] | None = None  # and connect in one way

    async def send(self, origin: Origin, head: bytes, body: Body, ask: Ask) -> Exchange:
        """Send one request and wait for its answer. `head` is the whole request head with its blank line. The exchange
        returned is the client's own, overwritten by its next request."""
        reactor = self._reactor
        clock = reactor.clock
        begun = clock()
        if begun - reactor.drained > _STALE:
            reactor.drain()
        exchange = self.exchange
        if exchange.error is not None or not exchange.reused:
            _reset(exchange)
        exchange.status = exchange.bytes_received = 0
        if exchange.headers:
            exchange.headers = []
        exchange.body = b""
        cookies = self.cookies.cookies
        if cookies and self._cookies_on:
            head = self._with_cookies(origin, head)
        connection = self._connection
        if origin is not self._origin or connection is None:
            connection = self._find(origin)
        if connection is None or connection.phase != IDLE:
            connection = await self._open(origin, begun, begun + ask.timeout)
            if connection is None:
                return exchange
            begun = exchange.started  # later, where it had to wait for a place
        while True:
            connection.start(exchange, head, body, ask)
            if connection.exchange is not None:
                connection.deadline = begun + ask.timeout
                if reactor.quiet:
                    reactor.rouse()
                connection.task = _current_task()
                await park(connection.trap)
            if exchange.error is None:
                answer = connection.answer
                if answer is not None:
                    self._collect(origin, head, connection, answer)
                return exchange
            if not self._raced(exchange, ask.replayable):
                return exchange
            _reset(exchange)
            connection = await self._open(origin, begun, begun + ask.timeout, again=True)
            if connection is None:
                return exchange

    def beside(self) -> Lanes:
        """The same user's client for several requests at once."""
        if self._lanes is None:
            self._lanes = self._home = Lanes(self)
        return self._lanes

    def by(self, options: ClientOptions) -> "Client":
        """The same user's client that connects in another way: its cookies, and its address where it may keep it."""
        if self._others is None:
            self._others = {}
        client = self._others.get(options)
        if client is None:
            stays = options.local_addresses == self._options.local_addresses
            local = self._local if stays else self._transport.deal(options.local_addresses)
            client = self._others[options] = type(self)(self._transport, options, local, self.cookies)
        return client

    def another(self) -> "Client":
        """A further client of the same user: connections of its own, the same cookies and local address."""
        client = type(self)(self._transport, self._options, self._local, self.cookies)
        client._home = self._lanes
        return client

    def way_to(self, origin: Origin) -> "Connection | Stream | None":
        """What leads to an origin already; None if nothing does."""
        if origin == self._origin:
            return self._connection
        return self._connections.get(origin) if self._connections else None

    def certificate_ends(self) -> float | None:
        """When the certificate of the server that answered last ends (seconds since 1970); None over http, and
        where certificates are not verified."""
        return self._connection.certificate_ends if self._connection is not None else None

    def adopt(self, origin: Origin, sock: socket) -> None:
        """Use an established plain socket (a socket pair's end, say) as the connection to `origin`."""
        sock.setblocking(False)
        self._find(origin)
        connection = self._connection = self._transport.route(origin, self._options, None, None).make(sock)
        connection.phase = IDLE
        self._reactor.watch(connection)

    def close(self) -> None:
        """Close this client's connections."""
        if self._connection is not None:
            self._connection.close()
        for connection in (self._connections or {}).values():
            connection.close()
        self._origin = self._connection = self._connections = None
        if self._lanes is not None:
            self._lanes.close()
        for other in (self._others or {}).values():
            other.close()

    # -- connections -----------------------------------------------------------------------------------------

    def _find(self, origin: Origin) -> "Connection | Stream | None":
        """Make `origin` the present one; its connection, if there is one."""
        if origin == self._origin:
            return self._connection
        if self._connection is not None:
            assert self._origin is not None
            if self._connections is None:
                self._connections = {}
            self._connections[self._origin] = self._connection
        self._origin = origin
        self._connection = self._connections.pop(origin, None) if self._connections else None
        return self._connection

    async def _open(
        self, origin: Origin, begun: float, deadline: float, *, again: bool = False
    ) -> "Connection | Stream | None":
        """A new connection to `origin`, or None with the reason in the exchange. Where this user's requests share one,
        that one; `again`: the request had been on its way before."""
        home = self._home
        if home is None or not self._options.http2:
            return await self._connect(origin, begun, deadline)
        exchange = self.exchange
        shared = await home.shared(origin)
        if shared is None:
            try:
                return await self._connect(origin, begun, deadline)
            finally:
                home.opened(origin, self._connection, exchange)
        _unbegun(exchange, self._reactor.clock())
        if isinstance(shared, tuple):
            self._connection = None
            exchange.error, exchange.detail = shared
        else:
            exchange.reused = not again
            if not shared.shares(self._connection):  # else it may be the one that closes it
                self._connection = shared.another()
        return self._connection

    async def _connect(self, origin: Origin, begun: float, deadline: float) -> "Connection | Stream | None":
        exchange, transport = self.exchange, self._transport
        _unbegun(exchange, begun)
        old, self._connection = self._connection, None
        if old is not None:
            old.release()
        try:
            route = transport.route(origin, self._options, self._local, old)
        except TlsFault as fault:
            exchange.error, exchange.detail = ErrorKind.TLS, str(fault)
            return None
        found = await open_connection(route, transport.resolver, exchange, begun, deadline, self._reactor.clock)
        self._connection = None if found is None else found.seat()
        return self._connection

    @staticmethod
    def _raced(exchange: Exchange, replayable: bool) -> bool:
        """Whether a kept-alive connection died under a request that can go out again."""
        return (
            exchange.reused
            and exchange.error in _RACED
            and exchange.bytes_received == 0
            and (replayable or exchange.bytes_sent == 0)
        )

    # -- answers ---------------------------------------------------------------------------------------------

    def _collect(self, origin: Origin, head: bytes, connection: "Connection | Stream", answer: Any) -> None:
        """Take what was wanted of an answer that is kept by its connection."""
        connection.answer = None
        want = connection.want  # an int: 1 µs less for each &
        exchange = self.exchange
        fields = answer.fields
        if fields:
            if want & _HEADERS or 300 <= exchange.status < 400:
                exchange.headers = answer.texts
            if want & _COOKIES and self._cookies_on:
                for field in fields:
                    if field[0] == b"set-cookie":
                        self.cookies.take(origin, target_of(head), field[1])
        if want & _BODY and answer.parts:
            parts = answer.parts
            exchange.body = body = parts[0] if len(parts) == 1 else b"".join(parts)
            if len(body) > connection.scratch.max_body and not want & _SHOWN:
                self._refuse(
                    connection, ErrorKind.TOO_LARGE, (f"the body is larger than {connection.scratch.max_body} bytes")
                )
            elif fields:
                self._decode(connection, answer, shown=want & _SHOWN > 0)
        if answer.detailed or connection.phase != IDLE:
            answer.release()
        else:
            answer.clear()
            (connection.scratch.bodied if type(answer) is Bodied else connection.scratch.headed).append(answer)

    def _decode(self, connection: "Connection | Stream", answer: Any, *, shown: bool) -> None:
        """The body as its author means it. Where no step reads it, what can't be decoded is shown as it came: `try`
        judges a response as `run` does."""
        codings = [field[1].decode("latin-1") for field in answer.fields if field[0] == b"content-encoding"]
        if not codings and not answer.codings:
            return
        limit, exchange = connection.scratch.max_body, self.exchange
        try:
            exchange.body = decode(exchange.body, ", ".join(codings), limit, answer.codings)
        except TooLarge:
            if not shown:
                self._refuse(connection, ErrorKind.TOO_LARGE, f"the decoded body is larger than {limit} bytes")
        except Undecodable as error:
            if not shown:
                self._refuse(connection, ErrorKind.MALFORMED, str(error))

    def _refuse(self, connection: "Connection | Stream", kind: ErrorKind, detail: str) -> None:
        connection.release()
        self.exchange.body = b""
        self.exchange.error = kind
        self.exchange.detail = detail

    def _with_cookies(self, origin: Origin, head: bytes) -> bytes:
        value = self.cookies.header(origin, target_of(head))
        if value is None:
            return head
        at = head.lower().find(b"\r\ncookie:")  # of a head and nothing else: bodies go beside it
        if at < 0:
            return b"%bCookie: %b\r\n\r\n" % (head[:-2], value)
        end = head.index(b"\r\n", at + 2)  # the author's own cookies first, in the one header that is allowed
        return b"%b%b%b" % (head[:end], _beside(head[at + 9 : end], value), head[end:])


def _beside(own: bytes, kept: bytes) -> bytes:
    """What follows the author's own cookies: those of the jar that have other names."""
    names = {pair.partition(b"=")[0].strip() for pair in own.split(b";")}
    others = [pair for pair in kept.split(b"; ") if pair.partition(b"=")[0] not in names]
    return b"; ".join([b"", *others] if own.strip() else others)


def target_of(head: bytes) -> str:
    """The request target of a head: "/a?b=1"."""
    return head.split(b" ", 2)[1].decode("latin-1")


def _unbegun(exchange: Exchange, begun: float) -> None:
    """Nothing of the request is on its way: there is no connection yet."""
    exchange.reused = False
    exchange.begun = exchange.started = exchange.sent = exchange.first = exchange.ended = begun
    exchange.bytes_sent = 0


def _reset(exchange: Exchange) -> None:
    exchange.error = None
    exchange.detail = ""
    exchange.reused = True
    exchange.blocked = exchange.connecting = exchange.tls = 0.0
