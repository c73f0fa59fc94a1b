"""What all VUs of a process share on their way to the network: the ways to targets (routes.py), served for as long as
the load lasts, and a client for each VU.
"""

import select
import time

import trio

from vezaflow.protocols.client import Client
from vezaflow.protocols.dns import Resolver
from vezaflow.protocols.options import ClientOptions
from vezaflow.protocols.reactor import EpollReactor, PollReactor
from vezaflow.protocols.routes import Routes
from vezaflow.protocols.stamps import Clock, Receiving

MIB = 1024 * 1024


class Transport(Routes):
    """One per process: `await nursery.start(transport.run)`, then a `client()` for each VU.

    `max_body` bounds a kept body, before and after decoding, in bytes. `epoll` chooses the reactor; by default the
    platform does. `tapped`: exchanges say what went out (`Exchange.wire`).
    """

    __slots__ = ("_tapped",)

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
        super().__init__(
            EpollReactor(clock) if epoll else PollReactor(clock),
            resolver if resolver is not None else Resolver(clock=clock),
            max_body,
        )
        self._tapped = tapped

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve the clients until cancelled; every socket is closed then."""
        await self.reactor.run(task_status=task_status)

    def client(self, options: ClientOptions = ClientOptions()) -> Client:  # noqa: B008 (frozen)
        """A client of its own connections and cookies."""
        kind = Client
        if self._tapped:
            from vezaflow.protocols.tapped_client import TappedClient

            kind = TappedClient
        return kind(self, options, self.deal(options.local_addresses))

    def drain(self) -> None:
        """Read every socket that is ready, and stamp its bytes, now."""
        self.reactor.drain()

    def receiving(self) -> Receiving:
        """By which clock responses are stamped."""
        return self.reactor.stamps.receiving()
