"""The part of a Connection that receives: read, stamp, parse with the cheapest reader that will do.

    first bytes ─▶ response_for ─▶ PlainResponse … ──complete──▶ finish
                        │                └──────no──▶ _hand_over ─▶ StreamedResponse, or only its length matters
                        └────────▶ StreamedResponse ─▶ _going_on ──complete──▶ finish

Laws: every byte is stamped where it is read, or where the kernel says that it came; a read that came up short has
drained the socket, since a later byte or FIN makes another edge; bodies that are not wanted are thrown away by the
kernel where it can (MSG_TRUNC).
"""

import mmap
import socket
import sys

from vezaflow.protocols.connection_state import ConnectionState
from vezaflow.protocols.exchange import ErrorKind, Exchange, Want
from vezaflow.protocols.faults import fault_of
from vezaflow.protocols.head import Unreadable, plain_fields
from vezaflow.protocols.phases import CLOSED
from vezaflow.protocols.plain_response import (
    BodyResponse,
    HeaderResponse,
    HttpParserError,
    HttpParserUpgrade,
    PlainResponse,
    tells_coding,
    tells_cookies,
    tells_either,
    tells_transfer,
)
from vezaflow.protocols.reactor import HANGUP
from vezaflow.protocols.scratch import READ_SIZE, SKIP_SIZE
from vezaflow.protocols.stamps import SPACE, Ancillary
from vezaflow.protocols.streamed_response import StreamedResponse

READS = 16  # a turn: no connection keeps the others waiting
_BODY, _COOKIES, _SHOWN = Want.BODY._value_, Want.COOKIES._value_, Want.SHOWN._value_  # int's &: 1 µs less each
_FIELDS = Want.HEADERS._value_ | _SHOWN
_TELLING = {_COOKIES: tells_cookies, _BODY: tells_coding, _BODY | _COOKIES: tells_either}
_H, _ONE, _THREE = b"H13"  # of "HTTP/1.1": llhttp reads RTSP too, and HTTP/2.0
_DISCARD = socket.MSG_TRUNC if sys.platform == "linux" else None


def read(connection: ConnectionState, mask: int, now: float, broken: OSError | None = None) -> None:
    """Read what is there. `broken` is what sending met with, should reading find nothing better."""
    scratch = connection.scratch
    late = connection.reactor.late
    ancillary: Ancillary = []
    buffer: bytearray | mmap.mmap
    for _ in range(READS):
        if connection.skipping:
            buffer, view, whole, flags = scratch.skipped, scratch.skipped_view, SKIP_SIZE, _DISCARD or 0
        else:
            buffer, view, whole, flags = scratch.buffer, scratch.view, READ_SIZE, 0
        try:
            if late:
                count, ancillary, _, _ = connection.socket.recvmsg_into((buffer,), SPACE, flags)
            else:
                count = connection.socket.recv_into(buffer, 0, flags)
        except BlockingIOError:
            if broken is not None:
                connection.fail(*fault_of(broken))
            return
        except OSError as error:
            connection.fail(*fault_of(broken or error))
            return
        if count == 0:
            connection.ended(now, broken)
            return
        if late:
            now = connection.stamped(ancillary)
        connection.feed(view, count, now)
        if connection.phase == CLOSED or (count < whole and not mask & HANGUP):
            return
        now = connection.clock()
    connection.reactor.again(connection)


def stamped(connection: ConnectionState, ancillary: Ancillary) -> float:
    """When the kernel says that what was just read had come."""
    now = connection.clock()
    exchange = connection.exchange
    if exchange is None:
        return now
    moment = connection.reactor.stamps.when(ancillary, exchange.started, now)
    if connection.response is not None:
        return max(moment, exchange.first)
    if moment < exchange.sent:  # it was there before we came to look at the clock
        exchange.sent = moment
    return moment


def feed(connection: ConnectionState, view: memoryview, count: int, now: float) -> None:
    """Parse `count` bytes that came at `now`."""
    exchange = connection.exchange
    if exchange is None:
        connection.close()  # unsolicited
        return
    response = connection.response
    if response is None:
        exchange.first = now
        exchange.bytes_received = count
        response = connection.response = _response_for(connection, count)
        fresh = True
    else:
        exchange.bytes_received += count
        fresh = False
        if response.interim:
            response.interim = False
            exchange.first = now
    try:
        response.feed(view[:count])
    except (HttpParserError, HttpParserUpgrade):  # never of a StreamedResponse, and no error yet: see _hand_over
        response.extra = True
    except Unreadable as error:
        connection.fail(error.kind, error.detail)
        return
    if response.streamed:
        _going_on(connection, exchange, response, now)
    elif response.done and (response.keep or not fresh):
        connection.finish(exchange, response, now)
    elif fresh:
        _hand_over(connection, exchange, response, view, count, now)


def _response_for(connection: ConnectionState, count: int) -> PlainResponse | StreamedResponse:
    """The cheapest reader that will do, judging by the first bytes. Were they to mislead, they only cost time:
    a response that doesn't end well with them is read again, unless only its length matters."""
    scratch = connection.scratch
    buffer = scratch.buffer
    want = connection.want
    if (
        connection.bodyless
        or count < 13
        or buffer[0] != _H
        or buffer[7] != _ONE
        or (first := buffer[9]) not in b"2345"
        or (count == READ_SIZE and (want & _BODY or not _sized(buffer, count)))  # there is more
    ):
        return _streamed_response(connection)
    if not want and first != _THREE:
        return scratch.plain.pop() if scratch.plain else PlainResponse()
    end = buffer.find(b"\r\n\r\n", 0, count)  # the body says nothing: looked through, 32 KB of it cost 20 µs
    if end < 0:
        return _streamed_response(connection)
    if want & _FIELDS or first == _THREE or _TELLING[want](buffer, 0, end + 1):
        fields = plain_fields(bytes(scratch.view[: end + 4]))
        if fields is None or (want & _BODY and tells_transfer(buffer, 0, end + 1)):
            return _streamed_response(connection)
        if want & _BODY:
            response: HeaderResponse = scratch.with_body.pop() if scratch.with_body else BodyResponse()
        else:
            response = scratch.with_headers.pop() if scratch.with_headers else HeaderResponse()
        response.fields = fields
        return response
    if want & _BODY:
        return scratch.with_body.pop() if scratch.with_body else BodyResponse()
    return scratch.plain.pop() if scratch.plain else PlainResponse()


def _streamed_response(connection: ConnectionState) -> StreamedResponse:
    keeps = connection.want & _BODY > 0
    return StreamedResponse(keeps=keeps, bodyless=connection.bodyless, limit=connection.scratch.max_body)


def _hand_over(
    connection: ConnectionState, exchange: Exchange, plain: PlainResponse, view: memoryview, count: int, now: float
) -> None:
    """The first bytes hold no plain whole response: it is for the other reader to say what it is, unless only its
    length matters from here on."""
    begun = not plain.done and not plain.extra
    if begun and not connection.want & _BODY and _DISCARD is not None and _sized(connection.scratch.buffer, count):
        connection.skipping = True
        return
    plain.release()
    response = connection.response = _streamed_response(connection)
    try:
        response.feed(view[:count])
    except Unreadable as error:
        connection.fail(error.kind, error.detail)
        return
    _going_on(connection, exchange, response, now)


def _going_on(connection: ConnectionState, exchange: Exchange, response: StreamedResponse, now: float) -> None:
    """After a piece of a response."""
    if response.size > response.limit and response.keeps and not connection.want & _SHOWN:
        connection.fail(ErrorKind.TOO_LARGE, f"the body is larger than {response.limit} bytes")
    elif response.done:
        connection.finish(exchange, response, now)
    elif not response.keeps and response.counted and _DISCARD is not None:
        connection.skipping = True  # only the length of what is still to come matters: 1 MiB a call, nothing copied


def _sized(buffer: bytearray, count: int) -> bool:
    """Whether these first bytes hold a whole head with the body's length, in a usual spelling. (A head that says
    chunked as well was refused by the parser.)"""
    end = buffer.find(b"\r\n\r\n", 0, count)
    return end >= 0 and (
        buffer.find(b"\nContent-Length: ", 0, end) >= 0 or buffer.find(b"\ncontent-length: ", 0, end) >= 0
    )
