"""From a list of addresses to one established connection: happy eyeballs (RFC 8305).

One address is tried plainly. Of several, the next is tried when the last has failed or 250 ms have passed,
and the first to be established wins; the others are closed. What is reported when all fail is the first one's
fault.
"""

import socket
from collections.abc import Callable

import trio

from vezaflow.protocols.connection import CLOSED, Connection
from vezaflow.protocols.dns import Address
from vezaflow.protocols.exchange import Exchange
from vezaflow.protocols.faults import fault_of

_STAGGER = 0.25

Make = Callable[[socket.socket], Connection]


async def dial(addresses: list[Address], make: Make, exchange: Exchange, deadline: float) -> Connection | None:
    """The connection that was established first, or None with the reason in `exchange`."""
    if len(addresses) == 1:
        return await _attempt(addresses[0], make, exchange, deadline)
    return await _race(addresses, make, exchange, deadline)


async def _attempt(address: Address, make: Make, exchange: Exchange, deadline: float) -> Connection | None:
    family, where = address
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        exchange.error, exchange.detail = fault_of(error)
        return None
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = make(sock)
    await connection.connect(where, exchange, deadline)
    return connection if connection.phase != CLOSED else None


async def _race(addresses: list[Address], make: Make, exchange: Exchange, deadline: float) -> Connection | None:
    winner: Connection | None = None
    faults: list[Exchange] = []

    async def run(address: Address, over: trio.Event) -> None:
        nonlocal winner
        own = Exchange()
        connection = await _attempt(address, make, own, deadline)
        over.set()
        if connection is None:
            faults.append(own)
        elif winner is None:
            winner = connection
            nursery.cancel_scope.cancel()
        else:
            connection.close()

    async with trio.open_nursery() as nursery:
        for address in addresses:
            over = trio.Event()
            nursery.start_soon(run, address, over)
            with trio.move_on_after(_STAGGER):
                await over.wait()
    if winner is None:
        exchange.error, exchange.detail = faults[0].error, faults[0].detail
    return winner
