"""Trace context (W3C, https://www.w3.org/TR/trace-context/) on one of so many requests of a flow.

Laws: the header goes on at the client, so whatever asks (a step, a redirect, another attempt, a player) is a request of
its own with a trace of its own. Which one of each `every` it is, is drawn: a flow of as many steps would always trace
the same. Neither the ids nor that draw are of the run's seed. An author's own `traceparent` is sent as it is.
"""

import re
from random import Random, SystemRandom

from vezaflow.protocols import (
    Body,
    ClientOptions,
    EventStreamOptions,
    Exchange,
    OnFrame,
    OnMessage,
    Origin,
    RequestOptions,
    Sender,
    SenderAround,
    StreamOpening,
    Upgrade,
    WebSocketOptions,
)

_OWN = re.compile(rb"\r\ntraceparent[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_VALID = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_NOT_ZERO = 1 << 63  # an id of zeros is none


class Tracer:
    """Says of each request of a flow whether it is traced, and by which id."""

    __slots__ = ("_every", "_left", "_random", "_rest")

    def __init__(self, every: int) -> None:
        self._every = every
        self._random = Random(SystemRandom().getrandbits(256))
        self._left = 0  # requests until the next that is traced: the first is
        self._rest = every - 1  # behind that one of its block

    def due(self) -> bool:
        """Count a request, and say whether it is traced."""
        if self._left:
            self._left -= 1
            return False
        place = self._random.randrange(self._every)  # in the next block
        self._left = self._rest + place
        self._rest = self._every - 1 - place
        return True

    def marked(self, head: bytes) -> tuple[bytes, str]:
        """A head with its `traceparent`, and the id of the trace; without an id where the author's own has none."""
        own = _OWN.search(head)
        if own is not None:
            found = _VALID.fullmatch(own[1].strip())
            return head, found[1].decode() if found is not None else ""
        draw = self._random.getrandbits
        trace, parent = f"{draw(128) | _NOT_ZERO:032x}", f"{draw(64) | 1:016x}"
        end = head.index(b"\r\n\r\n") + 2
        return b"%btraceparent: 00-%b-%b-01\r\n%b" % (head[:end], trace.encode(), parent.encode(), head[end:]), trace


class TracingClient(SenderAround):
    """A client of which one of so many requests has a trace."""

    __slots__ = ("_tracer",)

    def __init__(self, client: Sender, tracer: Tracer) -> None:
        self.cookies = client.cookies
        self._client = client
        self._tracer = tracer

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        trace = ""
        if self._tracer.due():
            head, trace = self._tracer.marked(head)
        exchange = await self._client.send(origin, head, body, options)
        exchange.trace = trace
        return exchange

    async def open_websocket(
        self,
        origin: Origin,
        head: bytes,
        options: WebSocketOptions,
        *,
        on_message: OnMessage | None = None,
        on_frame: OnFrame | None = None,
    ) -> Upgrade:
        if self._tracer.due():
            head, _ = self._tracer.marked(head)
        return await self._client.open_websocket(origin, head, options, on_message=on_message, on_frame=on_frame)

    async def open_events(
        self, origin: Origin, head: bytes, options: EventStreamOptions, *, on_message: OnMessage | None = None
    ) -> StreamOpening:
        if self._tracer.due():
            head, _ = self._tracer.marked(head)
        return await self._client.open_events(origin, head, options, on_message=on_message)

    def beside(self) -> Sender:
        return TracingClient(self._client.beside(), self._tracer)

    def lane(self) -> Sender:
        return TracingClient(self._client.lane(), self._tracer)

    def by(self, options: ClientOptions) -> Sender:
        return TracingClient(self._client.by(options), self._tracer)
