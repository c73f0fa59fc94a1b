"""Several requests of one VU at once: as many clients as are on their way to each origin, kept for the next time.

Laws: a client here serves one origin with one connection, which over HTTP/2 all of them share; cookies are the user's;
a client is made only when all that are there are busy. The exchange that `send` returns is for who asked, until that
task waits for anything again.
"""

from typing import Protocol

import trio

from vezaflow.protocols.channel import OnFrame, OnMessage, StreamOpening, Upgrade
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.exchange import Body, Exchange, Origin, RequestOptions
from vezaflow.protocols.faults import Fault
from vezaflow.protocols.http2_stream import Stream
from vezaflow.protocols.options import ClientOptions, EventStreamOptions, WebSocketOptions
from vezaflow.protocols.seat import Seat
from vezaflow.protocols.sender import Sender


class _Opening:
    """A connection that one opens for all."""

    __slots__ = ("fault", "over")

    def __init__(self) -> None:
        self.over = trio.Event()
        self.fault: Fault | None = None


class LaneClient(Sender, Protocol):
    """What lanes need of a client."""

    def another(self) -> "LaneClient":
        """A further one of the same user."""

    def way_to(self, origin: Origin) -> Seat | None:
        """What leads to an origin already."""

    def by(self, options: ClientOptions) -> "LaneClient": ...
    def beside(self) -> "Lanes": ...


class Lanes:
    """See the module. Made by `Client.beside`; that client, `first`, is one of them."""

    __slots__ = ("_all", "_first", "_idle", "_last", "_opening", "_resting", "_shared", "_waiting", "cookies")

    def __init__(self, first: LaneClient) -> None:
        self._first = first
        self._resting = True  # whether `first` sends nothing now
        self._idle: dict[Origin, list[LaneClient]] = {}
        self._all: list[LaneClient] = []  # but the first
        self._last = first  # whose response came last
        self._shared: dict[Origin, Stream] = {}  # HTTP/2: the connections that there are, by whoever opened them
        self._opening: dict[Origin, _Opening] = {}  # those that will soon be there
        self._waiting = trio.lowlevel.ParkingLot()  # for the server to take more
        self.cookies: CookieJar = first.cookies

    async def send(
        self, origin: Origin, head: bytes, body: Body, options: RequestOptions, lane: "Lane | None" = None
    ) -> Exchange:
        """As Client's; any number of tasks may send at once. Waiting for a place is no part of a request's time."""
        while (way := self._way(origin)) is not None and way.full:
            await self._waiting.park()
        client = self._take(origin)
        if lane is not None:
            lane.exchange = client.exchange
        try:
            exchange = await client.send(origin, head, body, options)
        finally:
            self._give(origin, client)
            if self._waiting:
                self._waiting.unpark_all()  # to one host or another there may be room for several now
        self._last = client
        return exchange

    @property
    def exchange(self) -> Exchange:
        """Of the response that came last."""
        return self._last.exchange

    async def open_websocket(
        self,
        origin: Origin,
        head: bytes,
        options: WebSocketOptions,
        *,
        on_message: OnMessage | None = None,
        on_frame: OnFrame | None = None,
    ) -> Upgrade:
        """As Client's: each has a connection of its own, and closes with the first."""
        return await self._first.open_websocket(origin, head, options, on_message=on_message, on_frame=on_frame)

    async def open_events(
        self,
        origin: Origin,
        head: bytes,
        options: EventStreamOptions,
        *,
        on_message: OnMessage | None = None,
    ) -> StreamOpening:
        """As Client's: each has a connection of its own, and closes with the first."""
        return await self._first.open_events(origin, head, options, on_message=on_message)

    def beside(self) -> "Lanes":
        return self

    def lane(self) -> "Lane":
        return Lane(self)

    def by(self, options: ClientOptions) -> "Lanes":
        """The lanes of the user's client that connects in this way."""
        return self._first.by(options).beside()

    def certificate_ends(self) -> float | None:
        """Of the server whose response came last."""
        return self._last.certificate_ends()

    async def shared(self, origin: Origin) -> Stream | Fault | None:
        """The way to an origin that all go, when there is room on it, or why it can't be had; None: the caller is to
        open it, and says `opened`."""
        while (found := self._way(origin)) is None or found.full:
            opening = self._opening.get(origin)
            if found is not None:
                await self._waiting.park()
            elif opening is None:
                self._opening[origin] = _Opening()
                return None
            else:
                await opening.over.wait()
                if opening.fault is not None:
                    return opening.fault
        return found

    def opened(self, origin: Origin, way: object, exchange: Exchange) -> None:
        """The caller of `shared` has come to the end of its opening, for good or ill."""
        opening = self._opening.pop(origin)
        self._shared.pop(origin, None)
        if isinstance(way, Stream):
            self._shared[origin] = way
        elif exchange.error is not None:  # else it was cut off, and the next one opens it
            opening.fault = exchange.error, exchange.detail
        opening.over.set()

    def close(self) -> None:
        """Close the connections but those of the first, which closes this."""
        self._shared.clear()
        for client in self._all:
            client.close()

    def _way(self, origin: Origin) -> Stream | None:
        """What leads over the connection that all share, if it is there."""
        for way in (self._shared.get(origin), self._first.way_to(origin)):
            if isinstance(way, Stream) and way.takes_more:
                return way
        return None

    def _take(self, origin: Origin) -> LaneClient:
        idle = self._idle.get(origin)
        if idle:
            return idle.pop()
        if self._resting:
            self._resting = False
            return self._first
        client = self._first.another()
        self._all.append(client)
        return client

    def _give(self, origin: Origin, client: LaneClient) -> None:
        if client is self._first:
            self._resting = True
        else:
            self._idle.setdefault(origin, []).append(client)


class Lane:
    """One task's way over the lanes. `exchange`: what it has under way, or had last until another task sends."""

    __slots__ = ("_lanes", "cookies", "exchange")

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self.cookies: CookieJar = lanes.cookies
        self.exchange = Exchange()

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        """As Client's."""
        return await self._lanes.send(origin, head, body, options, self)

    async def open_websocket(
        self,
        origin: Origin,
        head: bytes,
        options: WebSocketOptions,
        *,
        on_message: OnMessage | None = None,
        on_frame: OnFrame | None = None,
    ) -> Upgrade:
        """As Client's."""
        return await self._lanes.open_websocket(origin, head, options, on_message=on_message, on_frame=on_frame)

    async def open_events(
        self,
        origin: Origin,
        head: bytes,
        options: EventStreamOptions,
        *,
        on_message: OnMessage | None = None,
    ) -> StreamOpening:
        """As Client's."""
        return await self._lanes.open_events(origin, head, options, on_message=on_message)

    def beside(self) -> Lanes:
        return self._lanes

    def lane(self) -> "Lane":
        return Lane(self._lanes)

    def by(self, options: ClientOptions) -> "Lane":
        """A lane of the user's client that connects in this way."""
        return self._lanes.by(options).lane()

    def certificate_ends(self) -> float | None:
        return self._lanes.certificate_ends()

    def close(self) -> None:
        self._lanes.close()
