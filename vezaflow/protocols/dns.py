"""Names to addresses, once for all VUs of a process.

Laws: a literal address costs nothing; `localhost` and the names below it are this machine, and no resolver is queried
(RFC 6761, 6.3); a name is resolved by one task at a time, the others wait for its result; addresses are kept for a
minute, failures for a second (a thousand VUs must not hammer a resolver that is down), of 4,096 names at most;
the addresses come interleaved by family, the resolver's first choice first (RFC 8305, 4).
"""

import socket
import time
from collections.abc import Awaitable, Callable
from itertools import zip_longest
from typing import TypeAlias

import trio

SocketAddress: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]  # the last: no IPv6 here
Address: TypeAlias = tuple[socket.AddressFamily, SocketAddress]
Lookup: TypeAlias = Callable[[str, int], Awaitable[list[Address]]]

_TTL = 60.0
_FAILURE_TTL = 1.0
_MOST = 4096  # names that are known at a time


async def system_lookup(host: str, port: int) -> list[Address]:
    """The platform's resolver, in a thread of trio's; raises socket.gaierror."""
    found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Resolver:
    """A cache before a lookup. `clock` in seconds."""

    __slots__ = ("_clock", "_found", "_lookup", "_pending")

    def __init__(self, lookup: Lookup = system_lookup, clock: Callable[[], float] = time.perf_counter) -> None:
        self._lookup = lookup
        self._clock = clock
        self._found: dict[tuple[str, int], tuple[float, list[Address] | OSError]] = {}
        self._pending: dict[tuple[str, int], trio.Event] = {}

    async def resolve(self, host: str, port: int) -> list[Address]:
        """At least one address, best first; raises the OSError (socket.gaierror) that the lookup met with."""
        literal = _literal(host, port)
        if literal is not None:
            return [literal]
        if host == "localhost" or host.endswith(".localhost"):
            return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port, 0, 0))]
        key = (host, port)
        while True:
            known = self._found.get(key)
            if known is not None and known[0] > self._clock():
                if isinstance(known[1], OSError):
                    raise type(known[1])(*known[1].args)
                return known[1]
            if key in self._pending:
                await self._pending[key].wait()
            else:
                await self._look_up(key)

    async def _look_up(self, key: tuple[str, int]) -> None:
        if len(self._found) >= _MOST:
            self._found.clear()
        done = self._pending[key] = trio.Event()
        try:
            found = interleave(await self._lookup(*key))
            if not found:
                raise socket.gaierror(socket.EAI_NONAME, "the host name has no address")
            self._found[key] = (self._clock() + _TTL, found)
        except (OSError, UnicodeError) as error:
            fault = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a valid host name")
            self._found[key] = (self._clock() + _FAILURE_TTL, fault)
        finally:  # also when cancelled: whoever waits resolves in its turn
            del self._pending[key]
            done.set()


def interleave(addresses: list[Address]) -> list[Address]:
    """The families in turn, beginning with the first one's; duplicates dropped."""
    addresses = list(dict.fromkeys(addresses))
    first = [a for a in addresses if a[0] == addresses[0][0]]
    others = [a for a in addresses if a[0] != addresses[0][0]]
    return [a for pair in zip_longest(first, others) for a in pair if a is not None]


def _literal(host: str, port: int) -> Address | None:
    try:
        socket.inet_pton(socket.AF_INET, host)
        return socket.AF_INET, (host, port)
    except (OSError, ValueError):
        pass
    try:
        socket.inet_pton(socket.AF_INET6, host)
        return socket.AF_INET6, (host, port, 0, 0)
    except (OSError, ValueError):
        return None
