"""One VU's way to the network: its connections (one per origin, kept alive), its cookies, its exchange.

Laws: `send` never raises but for cancellation, what went wrong is in the exchange it returns; a request goes
out twice only if its kept-alive connection died before a byte of a response came, and it may be sent again or
none of it had been taken; what the step doesn't want is never decoded. One request at a time.
"""

from socket import socket

import trio

from vezaflow.protocols.body import TooLarge, Undecodable, decode
from vezaflow.protocols.channel import OnFrame, OnMessage, OpenChannel, StreamOpening, Upgrade
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.exchange import Body, ErrorKind, Exchange, Origin, RequestOptions, Want
from vezaflow.protocols.faults import TlsFault
from vezaflow.protocols.lanes import Lane, Lanes
from vezaflow.protocols.opening import open_connection
from vezaflow.protocols.options import ClientOptions, EventStreamOptions, WebSocketOptions
from vezaflow.protocols.park import park
from vezaflow.protocols.phases import IDLE
from vezaflow.protocols.plain_response import BodyResponse, HeaderResponse
from vezaflow.protocols.routes import Routes
from vezaflow.protocols.seat import Response, Seat
from vezaflow.protocols.stamps import Clock

_STALE = 0.0003  # a drain older than this is made again before a VU sends: it bounds how late responses are stamped
_HEADERS, _BODY, _COOKIES, _SHOWN = (each._value_ for each in (Want.HEADERS, Want.BODY, Want.COOKIES, Want.SHOWN))
_RACED = (ErrorKind.RESET, ErrorKind.CLOSED_EARLY)
_current_task = trio.lowlevel.current_task


class Client:
    """See the module. Made by `Transport.client`."""

    __slots__ = (
        "_channels", "_cookies_on", "_home", "_lanes", "_local", "_options", "_origin", "_others", "_reactor",
        "_routes", "_seat", "_seats", "cookies", "exchange",
    )  # fmt: skip

    def __init__(
        self,
        routes: Routes,
        options: ClientOptions,
        local: str | None = None,
        cookies: CookieJar | None = None,
    ) -> None:
        self._routes = routes
        self._local = local  # the address that it connects from; None: the system's choice
        self._reactor = routes.reactor
        self._options = options
        self._cookies_on = options.cookies
        self.cookies = CookieJar() if cookies is None else cookies
        self.exchange = Exchange()
        self._origin: Origin | None = None  # of the last request, and its seat: most VUs know one origin
        self._seat: Seat | None = None
        self._seats: dict[Origin, Seat] | None = None
        self._lanes: Lanes | None = None  # most VUs do one thing after another
        self._home: Lanes | None = None  # those that this one is among
        self._others: dict[ClientOptions, Client] | None = None  # and connect in one way
        self._channels: list[OpenChannel] | None = None  # and hold nothing open

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        """Send one request and wait for its response. `head` is the whole request head with its blank line. The
        exchange returned is the client's own, overwritten by its next request."""
        # Written out, not in five methods: a call is 0.05 µs of 15, and all load goes through here. Three cases:
        #
        #   the origin's connection is idle ────────────▶ start ─▶ park ─▶ collect
        #   there is none that is ───────────▶ _open ──────▲         │
        #   it died, untouched (_raced) ─────▶ _open again ┘◀────────┘
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
        seat = self._seat
        if origin is not self._origin or seat is None:
            seat = self._find(origin)
        if seat is None or seat.phase != IDLE:
            seat = await self._open(origin, begun, begun + options.timeout)
            if seat is None:
                return exchange
            begun = exchange.started  # later, where it had to wait for a place
        while True:
            seat.start(exchange, head, body, options)
            if seat.exchange is not None:
                seat.deadline = begun + options.timeout
                if reactor.quiet:
                    reactor.rouse()
                seat.task = _current_task()
                await park(seat.trap)
            if exchange.error is None:
                response = seat.response
                if response is not None:
                    self._collect(origin, head, seat, response)
                return exchange
            if not self._raced(exchange, options.replayable):
                return exchange
            _reset(exchange)
            seat = await self._open(origin, begun, begun + options.timeout, again=True)
            if seat is None:
                return exchange

    async def open_websocket(
        self,
        origin: Origin,
        head: bytes,
        options: WebSocketOptions,
        *,
        on_message: OnMessage | None = None,
        on_frame: OnFrame | None = None,
    ) -> Upgrade:
        """Open a WebSocket on a connection of its own, which this client closes when it closes. `head` is a GET
        request's as `send` takes it (an https origin for wss); the upgrade's own fields are added. Any number may be
        open, and be opened at once."""
        from vezaflow.protocols.upgrade import upgrade

        if self._cookies_on and self.cookies.cookies:
            head = self._with_cookies(origin, head)
        jar = self.cookies if self._cookies_on else None
        found = await upgrade(
            self._routes, self._options, self._local, jar, origin, head, options, on_message, on_frame
        )
        if found.channel is not None:
            self._hold(found.channel)
        return found

    async def open_events(
        self, origin: Origin, head: bytes, options: EventStreamOptions, *, on_message: OnMessage | None = None
    ) -> StreamOpening:
        """Open an event stream, as `open_websocket` opens a WebSocket. `head` is a whole GET request's; Last-Event-ID
        is added to it where there is one."""
        from vezaflow.protocols.listening import listen

        if self._cookies_on and self.cookies.cookies:
            head = self._with_cookies(origin, head)
        jar = self.cookies if self._cookies_on else None
        found = await listen(self._routes, self._options, self._local, jar, origin, head, options, on_message)
        if found.channel is not None:
            self._hold(found.channel)
        return found

    def _hold(self, channel: OpenChannel) -> None:
        """Close it with this client."""
        self._channels = [each for each in self._channels or () if each.ending is None]
        self._channels.append(channel)

    @property
    def clock(self) -> Clock:
        """By which deadlines and times are meant."""
        return self._reactor.clock

    def beside(self) -> Lanes:
        """The same user's client for several requests at once."""
        if self._lanes is None:
            self._lanes = self._home = Lanes(self)
        return self._lanes

    def lane(self) -> Lane:
        """The same for one of several tasks."""
        return self.beside().lane()

    def by(self, options: ClientOptions) -> "Client":
        """The same user's client that connects in another way: its cookies, and its address where it may keep it."""
        if self._others is None:
            self._others = {}
        client = self._others.get(options)
        if client is None:
            stays = options.local_addresses == self._options.local_addresses
            local = self._local if stays else self._routes.deal(options.local_addresses)
            client = self._others[options] = type(self)(self._routes, options, local, self.cookies)
        return client

    def another(self) -> "Client":
        """A further client of the same user: connections of its own, the same cookies and local address."""
        client = type(self)(self._routes, self._options, self._local, self.cookies)
        client._home = self._lanes
        return client

    def way_to(self, origin: Origin) -> Seat | None:
        """What leads to an origin already; None if nothing does."""
        if origin == self._origin:
            return self._seat
        return self._seats.get(origin) if self._seats else None

    def certificate_ends(self) -> float | None:
        """When the certificate of the server whose response came last ends (seconds since 1970); None over http, and
        where certificates are not verified."""
        return self._seat.certificate_ends if self._seat is not None else None

    def adopt(self, origin: Origin, sock: socket) -> None:
        """Use an established plain socket (a socket pair's end, say) as the connection to `origin`."""
        sock.setblocking(False)
        self._find(origin)
        connection = self._routes.route(origin, self._options, None, None).make(sock)
        connection.phase = IDLE
        self._reactor.watch(connection)
        self._seat = connection.seat()

    def close(self) -> None:
        """Close this client's connections."""
        for channel in self._channels or ():
            channel.drop()
        self._channels = None
        if self._seat is not None:
            self._seat.close()
        for seat in (self._seats or {}).values():
            seat.close()
        self._origin = self._seat = self._seats = None
        if self._lanes is not None:
            self._lanes.close()
        for other in (self._others or {}).values():
            other.close()

    # -- connections -----------------------------------------------------------------------------------------

    def _find(self, origin: Origin) -> Seat | None:
        """Make `origin` the present one; its seat, if there is one."""
        if origin == self._origin:
            return self._seat
        if self._seat is not None:
            assert self._origin is not None
            if self._seats is None:
                self._seats = {}
            self._seats[self._origin] = self._seat
        self._origin = origin
        self._seat = self._seats.pop(origin, None) if self._seats else None
        return self._seat

    async def _open(self, origin: Origin, begun: float, deadline: float, *, again: bool = False) -> Seat | None:
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
                home.opened(origin, self._seat, exchange)
        _unbegun(exchange, self._reactor.clock())
        if isinstance(shared, tuple):
            self._seat = None
            exchange.error, exchange.detail = shared
        else:
            exchange.reused = not again
            if not shared.shares(self._seat):  # else it may be the one that closes it
                self._seat = shared.another()
        return self._seat

    async def _connect(self, origin: Origin, begun: float, deadline: float) -> Seat | None:
        exchange, routes = self.exchange, self._routes
        _unbegun(exchange, begun)
        old, self._seat = self._seat, None
        if old is not None:
            old.release()
        try:
            route = routes.route(origin, self._options, self._local, old)
        except TlsFault as fault:
            exchange.error, exchange.detail = ErrorKind.TLS, str(fault)
            return None
        found = await open_connection(route, routes.resolver, exchange, begun, deadline, self._reactor.clock)
        self._seat = None if found is None else found.seat()
        return self._seat

    @staticmethod
    def _raced(exchange: Exchange, replayable: bool) -> bool:
        """Whether a kept-alive connection died under a request that can go out again."""
        return (
            exchange.reused
            and exchange.error in _RACED
            and exchange.bytes_received == 0
            and (replayable or exchange.bytes_sent == 0)
        )

    # -- responses -------------------------------------------------------------------------------------------

    def _collect(self, origin: Origin, head: bytes, seat: Seat, response: Response) -> None:
        """Take what was wanted of a response that is kept by its seat."""
        seat.response = None
        want = seat.want  # an int: 1 µs less for each &
        scratch = seat.scratch
        exchange = self.exchange
        fields = response.fields
        if fields:
            if want & _HEADERS or 300 <= exchange.status < 400:
                exchange.headers = response.texts
            if want & _COOKIES and self._cookies_on:
                for field in fields:
                    if field[0] == b"set-cookie":
                        self.cookies.take(origin, target_of(head), field[1])
        if want & _BODY and response.parts:
            parts = response.parts
            exchange.body = body = parts[0] if len(parts) == 1 else b"".join(parts)
            if len(body) > scratch.max_body and not want & _SHOWN:
                self._refuse(seat, ErrorKind.TOO_LARGE, f"the body is larger than {scratch.max_body} bytes")
            elif fields:
                self._decode(seat, response, shown=want & _SHOWN > 0)
        if seat.phase != IDLE:
            response.release()
        elif type(response) is BodyResponse:
            response.clear()
            scratch.with_body.append(response)
        elif type(response) is HeaderResponse:
            response.clear()
            scratch.with_headers.append(response)

    def _decode(self, seat: Seat, response: Response, *, shown: bool) -> None:
        """The body as its author means it. Where no step reads it, what can't be decoded is shown as it came: `try`
        judges a response as `run` does."""
        codings = [field[1].decode("latin-1") for field in response.fields if field[0] == b"content-encoding"]
        if not codings and not response.codings:
            return
        limit, exchange = seat.scratch.max_body, self.exchange
        try:
            exchange.body = decode(exchange.body, ", ".join(codings), limit, response.codings)
        except TooLarge:
            if not shown:
                self._refuse(seat, ErrorKind.TOO_LARGE, f"the decoded body is larger than {limit} bytes")
        except Undecodable as error:
            if not shown:
                self._refuse(seat, ErrorKind.MALFORMED, str(error))

    def _refuse(self, seat: Seat, kind: ErrorKind, detail: str) -> None:
        seat.release()
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
