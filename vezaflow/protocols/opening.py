"""From an origin to a connection that takes requests: resolve, dial, tunnel, agree on keys, each one timed.

Law: what went wrong is in the exchange, with the stage that it went wrong in; nothing raises but cancellation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from socket import socket
from typing import TYPE_CHECKING, Protocol, cast

import trio

from vezaflow.protocols.connection import Connection
from vezaflow.protocols.dial import dial
from vezaflow.protocols.dns import Address, Resolver
from vezaflow.protocols.exchange import PROXY, ErrorKind, Exchange
from vezaflow.protocols.faults import fault_of
from vezaflow.protocols.phases import CLOSED, IDLE
from vezaflow.protocols.stamps import Clock

if TYPE_CHECKING:
    from vezaflow.protocols.tls import SecureConnection


@dataclass(frozen=True, slots=True)
class Route:
    """The way to an origin: who is dialled, from where, and what the socket becomes."""

    host: str
    port: int
    make: Callable[[socket], Connection]
    secure: bool
    local: str | None = None
    by_proxy: bool = False
    connect: bytes = b""  # what asks a proxy for a tunnel


async def open_connection(
    route: Route, resolver: Resolver, exchange: Exchange, begun: float, deadline: float, clock: Clock
) -> Connection | None:
    """An idle connection, or None with the reason in `exchange`, whose times begin at `begun`."""
    addresses = await _resolve(route, resolver, exchange, deadline, clock)
    found = clock()
    exchange.blocked = found - begun
    connection = await dial(addresses, route.make, exchange, deadline, route.local) if addresses else None
    if connection is None and route.by_proxy and exchange.error is not None:
        exchange.detail = f"{PROXY}{route.host}:{route.port}: {exchange.detail}"
    if connection is not None and route.connect:
        await _through(connection).tunnel(route.connect, exchange, deadline)
    exchange.connecting = (clock() if connection is None or connection.phase == CLOSED else connection.settled) - found
    if connection is not None and route.secure:
        await _agree(_secure(connection), exchange, deadline, clock)
    if connection is not None and connection.phase == IDLE:
        return connection
    if connection is not None and exchange.error is None:
        exchange.error, exchange.detail = connection.fault
    exchange.ended = clock()
    return None


class _Tunnelled(Protocol):
    async def tunnel(self, request: bytes, exchange: Exchange, deadline: float) -> None: ...


def _through(connection: Connection) -> _Tunnelled:
    """The connection of a route that asks a proxy for a tunnel."""
    return cast(_Tunnelled, connection)


def _secure(connection: Connection) -> "SecureConnection":
    """The connection of a route that is `secure`. (TLS is imported only where it is spoken.)"""
    from vezaflow.protocols.tls import SecureConnection

    assert isinstance(connection, SecureConnection)
    return connection


async def _agree(connection: "SecureConnection", exchange: Exchange, deadline: float, clock: Clock) -> None:
    """Shake hands over TLS, unless there is nobody any more."""
    if connection.phase != CLOSED:
        begun = clock()
        await connection.handshake(exchange, deadline)
        exchange.tls = (connection.settled if connection.phase == IDLE else clock()) - begun


async def _resolve(
    route: Route, resolver: Resolver, exchange: Exchange, deadline: float, clock: Clock
) -> list[Address]:
    """The addresses to dial; none with the reason in `exchange`."""
    try:
        with trio.move_on_after(max(0.0, deadline - clock())):
            return await resolver.resolve(route.host, route.port)
    except OSError as error:
        kind, exchange.detail = fault_of(error)
        exchange.error = kind if kind is ErrorKind.UNREACHABLE else ErrorKind.DNS
        return []
    exchange.error, exchange.detail = ErrorKind.DNS, "the name was not resolved in time"
    return []
