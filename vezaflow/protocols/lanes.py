"""Several requests of one VU at once: as many clients as are on their way to each origin, kept for the next time.

Laws: a client here serves one origin with one connection; cookies are the user's; a client is made only when all that
are there are busy. The exchange that `send` returns is for who asked, until that task waits for anything again.
"""

from typing import TYPE_CHECKING

from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.exchange import Body, Exchange, Origin, Want

if TYPE_CHECKING:
    from vezaflow.protocols.client import Client


class Lanes:
    """See the module. Made by `Client.beside`; that client, `first`, is one of them."""

    __slots__ = ("_all", "_first", "_idle", "_last", "_resting", "cookies")

    def __init__(self, first: "Client") -> None:
        self._first = first
        self._resting = True  # whether `first` sends nothing now
        self._idle: dict[Origin, list[Client]] = {}
        self._all: list[Client] = []  # but the first
        self._last = first  # whose answer came last
        self.cookies: CookieJar = first.cookies

    async def send(
        self,
        origin: Origin,
        head: bytes,
        body: Body,
        want: Want,
        timeout: float,
        *,
        bodyless: bool = False,
        replayable: bool = True,
    ) -> Exchange:
        """As Client's; any number of tasks may send at once."""
        client = self._take(origin)
        try:
            exchange = await client.send(origin, head, body, want, timeout, bodyless=bodyless, replayable=replayable)
        finally:
            self._give(origin, client)
        self._last = client
        return exchange

    def beside(self) -> "Lanes":
        return self

    def certificate_ends(self) -> float | None:
        """Of the server that answered last."""
        return self._last.certificate_ends()

    def close(self) -> None:
        """Close the connections but those of the first, which closes this."""
        for client in self._all:
            client.close()

    def _take(self, origin: Origin) -> "Client":
        idle = self._idle.get(origin)
        if idle:
            return idle.pop()
        if self._resting:
            self._resting = False
            return self._first
        client = self._first.another()
        self._all.append(client)
        return client

    def _give(self, origin: Origin, client: "Client") -> None:
        if client is self._first:
            self._resting = True
        else:
            self._idle.setdefault(origin, []).append(client)
