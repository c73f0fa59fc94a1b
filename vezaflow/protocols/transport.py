"""What all VUs of a process share on their way to the network: the reactor, the resolver, buffers, TLS
contexts.
"""

import select
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from vezaflow.protocols.client import Client
from vezaflow.protocols.connection import Connection
from vezaflow.protocols.dial import Make
from vezaflow.protocols.dns import Resolver
from vezaflow.protocols.exchange import Origin
from vezaflow.protocols.faults import TlsFault
from vezaflow.protocols.opening import Route
from vezaflow.protocols.options import ClientOptions, Proxy
from vezaflow.protocols.reactor import EpollReactor, PollReactor, Reactor
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.seat import Seat
from vezaflow.protocols.stamps import Clock, Receiving

if TYPE_CHECKING:
    from ssl import SSLContext

MIB = 1024 * 1024


def check_trust(options: ClientOptions) -> None:
    """Try the files that `options` name for TLS. Raises TlsFault where they are not right."""
    from vezaflow.protocols.tls import context_for

    context_for(options)


class Transport:
    """One per process: `await nursery.start(transport.run)`, then a `client()` for each VU.

    `max_body` bounds a kept body, before and after decoding, in bytes. `epoll` chooses the reactor; by default the
    platform does. `tapped`: exchanges say what went out (`Exchange.wire`).
    """

    __slots__ = ("_contexts", "_dealt", "_scratch", "_tapped", "reactor", "resolver")

    def __init__(
        self,
        *,
        clock: Clock = time.perf_counter,
        resolver: Resolver | None = None,
        max_body: int = 64 * MIB,
        epoll: bool | None = None,
        tapped: bool = False,
    ) -> None:
        if epoll is None:
            epoll = hasattr(select, "epoll")
        self.reactor: Reactor = EpollReactor(clock) if epoll else PollReactor(clock)
        self.resolver = resolver if resolver is not None else Resolver(clock=clock)
        self._scratch = Scratch(max_body)
        self._tapped = tapped
        self._contexts: dict[ClientOptions, SSLContext] = {}
        self._dealt: dict[tuple[str, ...], int] = {}

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve the clients until cancelled; every socket is closed then."""
        await self.reactor.run(task_status=task_status)

    def client(self, options: ClientOptions = ClientOptions()) -> Client:  # noqa: B008 (frozen)
        """A client of its own connections and cookies."""
        kind = Client
        if self._tapped:
            from vezaflow.protocols.wiretap import TappedClient

            kind = TappedClient
        return kind(self, options, self.deal(options.local_addresses))

    def drain(self) -> None:
        """Read every socket that is ready, and stamp its bytes, now."""
        self.reactor.drain()

    def receiving(self) -> Receiving:
        """By which clock responses are stamped."""
        return self.reactor.stamps.receiving()

    def route(self, origin: Origin, options: ClientOptions, local: str | None, old: Seat | None) -> Route:
        """The way to `origin`; the TLS session of `old`, which the new connection replaces, may be resumed.

        Raises TlsFault where the files for TLS are not right."""
        proxy = options.proxy
        host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
        secure = origin.scheme == "https"
        connect = b""
        if options.http2 and not secure:
            raise TlsFault("HTTP/2 needs TLS: use an https URL, or `http: {version: 1.1}`")
        if secure:
            make = self._secure(origin, options, old)
            if proxy is not None:
                from vezaflow.protocols.proxy import connect_request

                connect = connect_request(origin, proxy)
        else:
            make = self._plain(origin, proxy)
        return Route(host, port, make, secure, local, proxy is not None, connect)

    def channel_route(self, origin: Origin, options: ClientOptions, local: str | None) -> Route:
        """The way to `origin` on which a channel is held open: HTTP/1.1, and through a proxy by a tunnel.

        Raises TlsFault where the files for TLS are not right."""
        from vezaflow.protocols.channel_connection import PlainChannelConnection

        proxy = options.proxy
        host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
        connect = b""
        if proxy is not None:
            from vezaflow.protocols.proxy import connect_request

            connect = connect_request(origin, proxy)
        secure = origin.scheme == "https"
        make: Make = lambda sock: PlainChannelConnection(sock, self.reactor, self._scratch)  # noqa: E731
        if secure:
            from vezaflow.protocols.channel_tls import SecureChannelConnection

            context = self._context(replace(options, http2=False))
            make = lambda sock: SecureChannelConnection(sock, self.reactor, self._scratch, context, origin.host)  # noqa: E731
        return Route(host, port, make, secure, local, proxy is not None, connect)

    def _context(self, options: ClientOptions) -> "SSLContext":
        from vezaflow.protocols.tls import context_for

        context = self._contexts.get(options)
        if context is None:
            context = self._contexts[options] = context_for(options)
        return context

    def _plain(self, origin: Origin, proxy: Proxy | None) -> Make:
        if proxy is None:
            return lambda sock: Connection(sock, self.reactor, self._scratch)
        from vezaflow.protocols.proxy import ForwardedConnection

        return lambda sock: ForwardedConnection(sock, self.reactor, self._scratch, origin, proxy)

    def _secure(self, origin: Origin, options: ClientOptions, old: Seat | None) -> Make:
        from vezaflow.protocols.tls import SecureConnection

        context = self._context(options)
        session = old.session if old is not None else None
        kind = SecureConnection
        if options.http2:
            from vezaflow.protocols.http2 import Http2Connection

            kind = Http2Connection
        return lambda sock: kind(sock, self.reactor, self._scratch, context, origin.host, session)

    def deal(self, addresses: tuple[str, ...]) -> str | None:
        """The local address whose turn it is."""
        if not addresses:
            return None
        turn = self._dealt[addresses] = self._dealt.get(addresses, -1) + 1
        return addresses[turn % len(addresses)]
