"""From a list of addresses to one established connection: happy eyeballs (RFC 8305).

One address is tried plainly. Of several, the next is tried when the last has failed or 250 ms have passed,
and the first to be established wins; the others are closed. What is reported when all fail is the first one's
fault.
"""

import socket
import sys
from collections.abc import Callable

import trio

from vezaflow.protocols.connection import Connection
from vezaflow.protocols.dns import Address
from vezaflow.protocols.exchange import ErrorKind, Exchange
from vezaflow.protocols.faults import fault_of
from vezaflow.protocols.phases import CLOSED

_STAGGER = 0.25
_NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT, which Python's socket module does not name

Make = Callable[[socket.socket], Connection]


async def dial(
    addresses: list[Address], make: Make, exchange: Exchange, deadline: float, local: str | None = None
) -> Connection | None:
    """The connection that was established first, from `local` if it is given; None with the reason in `exchange`."""
    if local is not None:
        addresses = [each for each in addresses if each[0] == _family(local)]
        if not addresses:
            exchange.error = ErrorKind.UNREACHABLE
            exchange.detail = f"the local address {local} and the target have different address families"
            return None
    if len(addresses) == 1:
        return await _attempt(addresses[0], make, exchange, deadline, local)
    return await _race(addresses, make, exchange, deadline, local)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


async def _attempt(
    address: Address, make: Make, exchange: Exchange, deadline: float, local: str | None
) -> Connection | None:
    family, where = address
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        exchange.error, exchange.detail = fault_of(error)
        return None
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if local is not None and not _bound(sock, local, exchange):
        return None
    connection = make(sock)
    await connection.connect(where, exchange, deadline)
    if connection.phase != CLOSED:
        return connection
    if exchange.error is None:
        exchange.error, exchange.detail = connection.fault
    return None


def _bound(sock: socket.socket, local: str, exchange: Exchange) -> bool:
    """Whether the socket has the local address now. Its port is chosen when connecting, so that each target has them
    all."""
    try:
        if sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_IP, _NO_PORT, 1)
        sock.bind((local, 0))
    except OSError as error:
        sock.close()
        exchange.error, detail = fault_of(error)
        exchange.detail = f"the local address {local}: {detail}"
        return False
    return True


async def _race(
    addresses: list[Address], make: Make, exchange: Exchange, deadline: float, local: str | None
) -> Connection | None:
    winner: Connection | None = None
    faults: list[Exchange] = []

    async def run(address: Address, over: trio.Event) -> None:
        nonlocal winner
        own = Exchange()
        connection = await _attempt(address, make, own, deadline, local)
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
