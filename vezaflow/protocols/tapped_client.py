"""The client of `vezaflow try`: it taps the connections that it opens (wiretap.py), so that its exchanges say what went
out.
"""

from vezaflow.protocols.client import Client
from vezaflow.protocols.exchange import Body, Exchange, Origin, RequestOptions
from vezaflow.protocols.seat import Seat


class TappedClient(Client):
    """A client whose exchanges say what went out."""

    __slots__ = ()

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        exchange = await super().send(origin, head, body, options)
        seat = self._seat
        tap = seat.tap if seat is not None else None
        exchange.wire = tap.of(seat.number) if seat is not None and tap is not None and exchange.bytes_sent else None
        return exchange

    async def _connect(self, origin: Origin, begun: float, deadline: float) -> Seat | None:
        seat = await super()._connect(origin, begun, deadline)
        if seat is not None and seat.tap is None:
            seat.be_tapped()
        return seat
