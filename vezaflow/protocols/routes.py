"""The ways to targets, and what everything that opens connections shares: the reactor, the resolver, buffers, TLS
contexts, the local addresses that clients are dealt.

Law: which connection leads to an origin is decided here and nowhere else; TLS, HTTP/2, proxies and channels are
imported by the first way that needs them. Knows no clients.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from vezaflow.protocols.connection import Connection
from vezaflow.protocols.dial import Make
from vezaflow.protocols.dns import Resolver
from vezaflow.protocols.exchange import Origin
from vezaflow.protocols.faults import TlsFault
from vezaflow.protocols.opening import Route
from vezaflow.protocols.options import ClientOptions, Proxy
from vezaflow.protocols.reactor import Reactor
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.seat import Seat

if TYPE_CHECKING:
    from ssl import SSLContext


def check_trust(options: ClientOptions) -> None:
    """Try the files that `options` name for TLS. Raises TlsFault where they are not right."""
    from vezaflow.protocols.tls import context_for

    context_for(options)


class Routes:
    """See the module. `max_body`: bytes of a kept body, before and after decoding."""

    __slots__ = ("_contexts", "_dealt", "_scratch", "reactor", "resolver")

    def __init__(self, reactor: Reactor, resolver: Resolver, max_body: int) -> None:
        self.reactor = reactor
        self.resolver = resolver
        self._scratch = Scratch(max_body)
        self._contexts: dict[ClientOptions, SSLContext] = {}
        self._dealt: dict[tuple[str, ...], int] = {}

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
