"""What the engine needs of a client, whoever it is: the network's, a fake, a replay, or one around another.

A client around another hands on what it does not do itself; it has its cookies, its exchange and its end.
"""

from typing import Protocol

from vezaflow.protocols.channel import OnFrame, OnMessage, StreamOpening, Upgrade
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.exchange import Body, Exchange, Origin, RequestOptions
from vezaflow.protocols.options import ClientOptions, EventStreamOptions, WebSocketOptions


class Opener(Protocol):
    """What the engine needs of a client to hold channels open."""

    async def open_websocket(
        self,
        origin: Origin,
        head: bytes,
        options: WebSocketOptions,
        *,
        on_message: OnMessage | None = None,
        on_frame: OnFrame | None = None,
    ) -> Upgrade: ...

    async def open_events(
        self, origin: Origin, head: bytes, options: EventStreamOptions, *, on_message: OnMessage | None = None
    ) -> StreamOpening: ...


class Sender(Opener, Protocol):
    """What the engine needs of a client; fakes have this shape."""

    cookies: CookieJar

    @property
    def exchange(self) -> Exchange:
        """Of the request that is under way, or else of the last."""

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange: ...

    def beside(self) -> "Sender":
        """The same user's client for several requests at once. It closes with this one, which rests meanwhile."""

    def lane(self) -> "Sender":
        """The same as `beside` for one of its tasks: its `exchange` is that of what this task sends."""

    def by(self, options: ClientOptions) -> "Sender":
        """The same user's client that connects in another way, made at the first time. It closes with this one."""

    def certificate_ends(self) -> float | None: ...

    def close(self) -> None:
        """Close the connections; the next request opens a new one."""


class SenderAround:
    """One that has another within, and does as that where it says nothing else. Who is made sets both attributes: some
    are made for a single request, and a further call is time of it."""

    __slots__ = ("_client", "cookies")

    _client: Sender
    cookies: CookieJar

    @property
    def exchange(self) -> Exchange:
        return self._client.exchange

    async def open_websocket(
        self,
        origin: Origin,
        head: bytes,
        options: WebSocketOptions,
        *,
        on_message: OnMessage | None = None,
        on_frame: OnFrame | None = None,
    ) -> Upgrade:
        return await self._client.open_websocket(origin, head, options, on_message=on_message, on_frame=on_frame)

    async def open_events(
        self, origin: Origin, head: bytes, options: EventStreamOptions, *, on_message: OnMessage | None = None
    ) -> StreamOpening:
        return await self._client.open_events(origin, head, options, on_message=on_message)

    def certificate_ends(self) -> float | None:
        return self._client.certificate_ends()

    def close(self) -> None:
        self._client.close()
