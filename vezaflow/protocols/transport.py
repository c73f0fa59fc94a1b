"""What all VUs of a process share on their way to the network: the reactor, the resolver, buffers, TLS
contexts.
"""

import select
import time
from collections.abc import Callable
from socket import socket
from typing import TYPE_CHECKING

import trio

from vezaflow.protocols.client import Client, ClientOptions
from vezaflow.protocols.connection import Connection, Scratch
from vezaflow.protocols.dns import Resolver
from vezaflow.protocols.exchange import Origin
from vezaflow.protocols.reactor import EpollReactor, PollReactor, Reactor
from vezaflow.protocols.stamps import Clock, Receiving

if TYPE_CHECKING:
    from ssl import SSLContext

MIB = 1024 * 1024


class Transport:
    """One per process: `await nursery.start(transport.run)`, then a `client()` for each VU.

    `max_body` bounds a kept body, before and after decoding, in bytes. `epoll` chooses the reactor; by default the
    platform does.
    """

    __slots__ = ("_contexts", "_scratch", "reactor", "resolver")

    def __init__(
        self,
        *,
        clock: Clock = time.perf_counter,
        resolver: Resolver | None = None,
        max_body: int = 64 * MIB,
        epoll: bool | None = None,
    ) -> None:
        if epoll is None:
            epoll = hasattr(select, "epoll")
        self.reactor: Reactor = EpollReactor(clock) if epoll else PollReactor(clock)
        self.resolver = resolver if resolver is not None else Resolver(clock=clock)
        self._scratch = Scratch(max_body)
        self._contexts: dict[tuple[str | None, bool], SSLContext] = {}

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve the clients until cancelled; every socket is closed then."""
        await self.reactor.run(task_status=task_status)

    def client(self, options: ClientOptions = ClientOptions()) -> Client:  # noqa: B008 (frozen)
        """A client of its own connections and cookies."""
        return Client(self, options)

    def drain(self) -> None:
        """Read every socket that is ready, and stamp its bytes, now."""
        self.reactor.drain()

    def receiving(self) -> Receiving:
        """By which clock answers are stamped."""
        return self.reactor.stamps.receiving()

    def maker(self, origin: Origin, options: ClientOptions, old: Connection | None) -> Callable[[socket], Connection]:
        """What wraps a new socket to `origin`; the TLS session of `old`, which it replaces, may be resumed."""
        if origin.scheme != "https":
            return lambda sock: Connection(sock, self.reactor, self._scratch)
        from vezaflow.protocols.tls import SecureConnection, context_for

        key = (options.ca_file, options.insecure)
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = context_for(options.ca_file, options.insecure)
        session = old.session if isinstance(old, SecureConnection) else None
        return lambda sock: SecureConnection(sock, self.reactor, self._scratch, context, origin.host, session)
