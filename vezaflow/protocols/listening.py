"""From a request's head to an open event stream: dial, ask, look at the head of the response.

Laws: nothing raises but cancellation, what went wrong is in the exchange; a response that is no event stream is a
response as every other, with its status and the beginning of its body; cookies are taken of either.
"""

from vezaflow.protocols.channel import OnMessage, StreamOpening
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.event_channel import EventStreamChannel
from vezaflow.protocols.event_stream import with_last_id
from vezaflow.protocols.exchange import ErrorKind, Origin, RequestOptions, Want
from vezaflow.protocols.faults import Fault
from vezaflow.protocols.head import Fields
from vezaflow.protocols.options import ClientOptions, EventStreamOptions
from vezaflow.protocols.routes import Routes
from vezaflow.protocols.streamed_response import StreamedResponse
from vezaflow.protocols.upgrade import dialled, refusal

EVENT_STREAM = "text/event-stream"


async def listen(
    routes: Routes,
    options: ClientOptions,
    local: str | None,
    jar: CookieJar | None,
    origin: Origin,
    head: bytes,
    wanted: EventStreamOptions,
    on_message: OnMessage | None,
) -> StreamOpening:
    """See the module, and `Client.open_events`."""
    exchange, connection, deadline = await dialled(routes, options, local, origin, wanted.timeout)
    if connection is None:
        return StreamOpening(exchange, None)
    fields: Fields = []
    wrong: Fault | None = None

    def takes(response: StreamedResponse, now: float) -> bool:
        nonlocal wrong
        wrong = _not_a_stream(response)
        if wrong is not None:
            return False
        fields.extend(response.fields)
        channel = EventStreamChannel(connection, response, wanted, on_message, now)
        connection.channel = channel
        channel.take(now)
        return True

    connection.expect_stream(takes)
    connection.start(
        exchange,
        with_last_id(head, wanted.last_id),
        None,
        RequestOptions(Want.HEADERS | Want.BODY | Want.SHOWN, wanted.timeout),
    )
    if connection.exchange is not None:
        await connection.wait(deadline)
    if exchange.error is None and connection.channel is None:
        fields = refusal(connection, exchange)
        exchange.error, exchange.detail = wrong or (ErrorKind.STATUS, f"the response has status {exchange.status}")
    exchange.headers = [field[2] for field in fields]
    if jar is not None:
        target = head.split(b" ", 2)[1].decode("latin-1")
        for field in fields:
            if field[0] == b"set-cookie":
                jar.take(origin, target, field[1])
    channel = connection.channel if exchange.error is None else None
    assert channel is None or isinstance(channel, EventStreamChannel)
    return StreamOpening(exchange, channel)


def _not_a_stream(response: StreamedResponse) -> Fault | None:
    """Why a response is no event stream (the HTML standard, 9.2.2)."""
    status = response.status
    if status == 204:
        return ErrorKind.STATUS, "the response has status 204: the server has no events, and wants no reconnect"
    if status != 200:
        return ErrorKind.STATUS, f"the response has status {status}"
    named = {name: value.decode("latin-1") for name, value, *_ in response.fields}
    kind = named.get(b"content-type", "")
    if kind.partition(";")[0].strip().lower() != EVENT_STREAM:
        said = f"has the Content-Type {kind!r}" if kind else "has no Content-Type"
        return ErrorKind.CONTENT_TYPE, f"the response {said}, and not {EVENT_STREAM}"
    coding = named.get(b"content-encoding", "identity").strip()
    if coding.lower() != "identity" or response.codings:
        return ErrorKind.MALFORMED, f"the event stream is compressed ({coding}), which is not supported"
    return None
