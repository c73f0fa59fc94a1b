"""From a request's head to an open WebSocket: dial, ask for the upgrade, check what came.

Laws: nothing raises but cancellation, what went wrong is in the exchange; a refused upgrade is a response as every
other, with its status and the beginning of its body; cookies are taken of either.
"""

from websockets.headers import build_extension, build_subprotocol

from vezaflow.protocols.body import TooLarge, Undecodable, decode
from vezaflow.protocols.bounds import MOST_REFUSAL
from vezaflow.protocols.channel import OnFrame, OnMessage, Upgrade
from vezaflow.protocols.channel_connection import ChannelConnection
from vezaflow.protocols.cookies import CookieJar
from vezaflow.protocols.exchange import ErrorKind, Exchange, Origin, RequestOptions, Want
from vezaflow.protocols.faults import TlsFault
from vezaflow.protocols.head import Fields, Unreadable, parse_head
from vezaflow.protocols.opening import open_connection
from vezaflow.protocols.options import ClientOptions, WebSocketOptions
from vezaflow.protocols.routes import Routes
from vezaflow.protocols.websocket import Rules, WebSocketChannel, rules_for


async def dialled(
    routes: Routes, options: ClientOptions, local: str | None, origin: Origin, timeout: float
) -> tuple[Exchange, ChannelConnection | None, float]:
    """A connection of its own for a channel, or None with the reason in the exchange; and the deadline of the whole
    dial, `timeout` seconds from now."""
    clock = routes.reactor.clock
    begun = clock()
    exchange = Exchange()
    exchange.reused = False
    exchange.begun = exchange.started = exchange.sent = exchange.first = exchange.ended = begun
    try:
        route = routes.channel_route(origin, options, local)
    except TlsFault as fault:
        exchange.error, exchange.detail = ErrorKind.TLS, str(fault)
        return exchange, None, begun + timeout
    connection = await open_connection(route, routes.resolver, exchange, begun, begun + timeout, clock)
    assert connection is None or isinstance(connection, ChannelConnection)
    return exchange, connection, begun + timeout


async def upgrade(
    routes: Routes,
    options: ClientOptions,
    local: str | None,
    jar: CookieJar | None,
    origin: Origin,
    head: bytes,
    wanted: WebSocketOptions,
    on_message: OnMessage | None,
    on_frame: OnFrame | None,
) -> Upgrade:
    """See the module, and `Client.open_websocket`."""
    exchange, connection, deadline = await dialled(routes, options, local, origin, wanted.timeout)
    if connection is None:
        return Upgrade(exchange, None)
    protocol = rules_for(wanted)
    fields: Fields = []
    target = head.split(b" ", 2)[1].decode("latin-1")

    def switch(response: bytes, now: float) -> str:
        try:
            read = b"HTTP/1.1 200" + response[12 : response.index(b"\r\n\r\n") + 4]  # of a 1xx fields are not read
            fields.extend(parse_head(read, bodyless=True).fields)
        except Unreadable as error:
            return error.detail
        return _switched(connection, protocol, wanted, on_message, on_frame, response, now)

    connection.prepare(switch)
    request = head[:-2] + _asked(protocol) + b"\r\n"
    connection.start(exchange, request, None, RequestOptions(Want.HEADERS | Want.BODY | Want.SHOWN, wanted.timeout))
    if connection.exchange is not None:
        await connection.wait(deadline)
    if exchange.error is None and connection.channel is None:
        exchange.error = ErrorKind.UPGRADE
        exchange.detail = f"the response to the upgrade has status {exchange.status}"
        fields = refusal(connection, exchange)
    exchange.headers = [field[2] for field in fields]
    if jar is not None:
        for field in fields:
            if field[0] == b"set-cookie":
                jar.take(origin, target, field[1])
    channel = connection.channel if exchange.error is None else None
    assert channel is None or isinstance(channel, WebSocketChannel)
    return Upgrade(exchange, channel)


def _asked(protocol: Rules) -> bytes:
    """The header fields that ask for the upgrade (RFC 6455, 4.1)."""
    lines = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {protocol.key}\r\n"
    lines += "Sec-WebSocket-Version: 13\r\n"
    offers = [(each.name, each.get_request_params()) for each in protocol.available_extensions or ()]
    if offers:
        lines += f"Sec-WebSocket-Extensions: {build_extension(offers)}\r\n"
    if protocol.available_subprotocols:
        lines += f"Sec-WebSocket-Protocol: {build_subprotocol(protocol.available_subprotocols)}\r\n"
    return lines.encode()


def _switched(
    connection: ChannelConnection,
    protocol: Rules,
    options: WebSocketOptions,
    on_message: OnMessage | None,
    on_frame: OnFrame | None,
    response: bytes,
    now: float,
) -> str:
    """Make a channel of what came with status 101, or say what is wrong with it."""
    end = response.index(b"\r\n\r\n") + 4
    protocol.receive_data(response[:end])
    if protocol.handshake_exc is not None:
        return f"the server's response opens no WebSocket: {protocol.handshake_exc}"
    channel = WebSocketChannel(connection, protocol, options, on_message, on_frame, now)
    connection.channel = channel
    if len(response) > end:
        channel.feed(memoryview(response)[end:], len(response) - end, now)
    return ""


def refusal(connection: ChannelConnection, exchange: Exchange) -> Fields:
    """Take what came instead of a channel; the fields of it."""
    response = connection.response
    connection.close()
    if response is None or not response.streamed:
        return []
    body = b"".join(response.parts)
    codings = [field[1].decode("latin-1") for field in response.fields if field[0] == b"content-encoding"]
    try:
        body = decode(body, ", ".join(codings), MOST_REFUSAL, response.codings)
    except (TooLarge, Undecodable):
        pass  # its beginning, as it came
    exchange.body = body[:MOST_REFUSAL]
    return response.fields
