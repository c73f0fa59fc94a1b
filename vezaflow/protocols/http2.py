"""HTTP/2 over TLS (RFC 9113): the same exchange on a stream instead of a whole connection.

Laws: what the server did not take (GOAWAY, REFUSED_STREAM) may be sent again, what it took is not; a stream that fails
leaves its connection to the next request; no more of a body is framed than the server's windows allow; nothing is
pushed to us. One request at a time: the wire tells streams apart, so that several could be on their way.
"""

import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from vezaflow.protocols.connection import IDLE, SENDING, WAITING, Scratch
from vezaflow.protocols.exchange import Body, ErrorKind, Exchange, Want
from vezaflow.protocols.faults import tls_reason
from vezaflow.protocols.reactor import WRITE, Reactor
from vezaflow.protocols.tls import SecureConnection

if TYPE_CHECKING:
    from ssl import SSLSession

_CONFIG = H2Configuration(client_side=True, header_encoding=None)
_WINDOW = 65_535  # that a connection begins with (RFC 9113, 6.9.2)
_STREAM_WINDOW = 6 << 20  # what we let a server send unasked, as Chrome does
_CONNECTION_WINDOW = 15 << 20
_FRAMED = 128 * 1024  # bytes of a body that are framed at a time: what a slow reader makes us hold
_HEADERS_LIMIT = 64 * 1024
_BODY = Want.BODY._value_
_HOP_BY_HOP = frozenset(
    (b"connection", b"host", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"te")
)
_SETTINGS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
    SettingCodes.MAX_HEADER_LIST_SIZE: _HEADERS_LIMIT,
}

Fields = tuple[tuple[bytes, bytes], ...]


class Http2Connection(SecureConnection):
    """A SecureConnection that speaks HTTP/2, or fails where the server does not."""

    __slots__ = ("_last", "_stream", "_wire")

    def __init__(
        self,
        sock: socket.socket,
        reactor: Reactor,
        scratch: Scratch,
        context: ssl.SSLContext,
        host: str,
        session: "SSLSession | None",
    ) -> None:
        super().__init__(sock, reactor, scratch, context, host, session)
        self._wire = _Wire(_CONFIG)
        self._stream = 0  # the one that a request is on
        self._last = False  # the server takes no more

    def agreed(self, now: float) -> None:
        spoken = self._tls.selected_alpn_protocol()
        if spoken != "h2":
            self.fail(
                ErrorKind.TLS, f"the server does not speak HTTP/2: of h2 and http/1.1 it chose {spoken or 'none'}"
            )
            return
        wire = self._wire
        wire.local_settings = Settings(client=True, initial_values=_SETTINGS)
        wire.initiate_connection()
        wire.increment_flow_control_window(_CONNECTION_WINDOW - _WINDOW)
        super().agreed(now)

    # -- sending ---------------------------------------------------------------------------------------------

    def start(self, exchange: Exchange, head: bytes, body: Body, want: Want, bodyless: bool) -> None:
        self.exchange = exchange
        self.want = want._value_
        self.bodyless = bodyless
        head, _, rest = head.partition(b"\r\n\r\n")
        pieces = (rest,) if body is None else (rest, *(body if isinstance(body, tuple) else (body,)))
        self.pending = [memoryview(piece).cast("B") for piece in pieces if len(piece)]
        self.phase = SENDING
        exchange.bytes_sent = 0
        try:
            self._stream = self._wire.get_next_available_stream_id()
            self._wire.send_headers(self._stream, fields_of(head), end_stream=not self.pending)
        except ProtocolError as error:
            self.fail(ErrorKind.MALFORMED, f"this request can't go out over HTTP/2: {error}")
            return
        sealed = self._seal()
        exchange.started = self.clock()  # by now there are records to hand to the kernel
        if sealed:
            self.flush()

    def flush(self) -> None:
        while self._push():
            if not self._seal():
                break
        else:
            return
        if self.phase == SENDING and not self.pending:
            assert self.exchange is not None
            self.pending = None
            self.phase = WAITING
            self.exchange.sent = self.clock()

    def _seal(self) -> bool:
        """Make records of the frames that may go out now; whether there were any."""
        frames = self._wire.data_to_send()
        if not frames and self.pending:
            self._frame(self.pending)
            frames = self._wire.data_to_send()
        if not frames:
            return False
        if self.exchange is not None:
            self.exchange.bytes_sent += len(frames)
        left = memoryview(frames)
        try:
            while left:
                left = left[self._tls.write(left) :]
        except ssl.SSLError as error:
            self.fail(ErrorKind.TLS, tls_reason(error))
            return False
        return True

    def _frame(self, pending: list[memoryview]) -> None:
        """Frame as much of the body as the server's windows allow."""
        wire = self._wire
        room = min(_FRAMED, wire.local_flow_control_window(self._stream))
        while pending and room > 0:
            piece = pending[0][: min(room, wire.max_outbound_frame_size)]
            room -= len(piece)
            if len(piece) == len(pending[0]):
                del pending[0]
            else:
                pending[0] = pending[0][len(piece) :]
            wire.send_data(self._stream, piece, end_stream=not pending)

    def ready(self, mask: int, now: float) -> None:
        if mask & WRITE and self._unsent is not None and self.phase in (IDLE, WAITING):
            self.flush()
        super().ready(mask, now)

    # -- receiving -------------------------------------------------------------------------------------------

    def stamped(self, ancillary: list[Any]) -> float:
        now = self.clock()
        exchange = self.exchange
        if exchange is None:
            return now
        moment = self.reactor.stamps.when(ancillary, exchange.started, now)
        return moment if self.answer is None else max(moment, exchange.first)

    def feed(self, view: memoryview, count: int, now: float) -> None:
        exchange, stream = self.exchange, self._stream
        try:
            events = self._wire.receive_data(view[:count])
        except ProtocolError as error:
            if self._seal():  # GOAWAY, with the reason
                self._push()
            self.fail(ErrorKind.MALFORMED, f"not HTTP/2 as it should be: {error}")
            return
        if exchange is not None and any(_concerns(event, stream) for event in events):
            exchange.bytes_received += count
        for event in events:
            handle = _HANDLERS.get(type(event))
            if handle is not None:
                handle(self, event, now)
                if self.exchange is None and self.phase not in (IDLE, WAITING):
                    return
        self.flush()

    def _responded(self, event: ResponseReceived, now: float) -> None:
        exchange = self.exchange
        if exchange is None or event.stream_id != self._stream:
            return
        exchange.first = now
        if self.phase == WAITING and now < exchange.sent:  # it was there before we came to look at the clock
            exchange.sent = now
        self.answer = Http2Answer(event.headers, self.scratch.max_body)

    def _data(self, event: DataReceived, _now: float) -> None:
        if event.flow_controlled_length:
            self._wire.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        answer = self.answer
        if answer is None or event.stream_id != self._stream or not self.want & _BODY:
            return
        answer.size += len(event.data)
        if answer.size > answer.limit:
            self.fail(ErrorKind.TOO_LARGE, f"the body is over {answer.limit} bytes")
        else:
            answer.parts.append(event.data)

    def _stream_ended(self, event: StreamEnded, now: float) -> None:
        exchange, answer = self.exchange, self.answer
        if exchange is None or event.stream_id != self._stream:
            return
        if self.pending is not None:  # answered before all was sent
            self.pending = None
            exchange.sent = min(exchange.first, now)
            self._wire.reset_stream(self._stream, ErrorCodes.CANCEL)
        self._stream = 0
        answer.keep = not self._last
        self._finish(exchange, answer, now)

    def _stream_reset(self, event: StreamReset, _now: float) -> None:
        exchange = self.exchange
        if exchange is None or event.stream_id != self._stream:
            return
        if event.error_code == ErrorCodes.REFUSED_STREAM:
            exchange.bytes_sent = exchange.bytes_received = 0  # none of it was taken
        self._stream = 0
        self.lose(ErrorKind.RESET, f"the server reset the stream: {_called(event.error_code)}")
        if self._last:
            self.close()
        else:
            self.phase = IDLE

    def _terminated(self, event: ConnectionTerminated, _now: float) -> None:
        """GOAWAY: what the server has taken it may still answer, unless it goes in anger."""
        exchange = self.exchange
        taken = self._stream <= (event.last_stream_id or 0)
        if exchange is None:
            self.close()
        elif taken and event.error_code == ErrorCodes.NO_ERROR:
            self._last = True
        else:
            if not taken:
                exchange.bytes_sent = exchange.bytes_received = 0
            self.fail(ErrorKind.CLOSED_EARLY, f"the server ended the connection (GOAWAY): {_called(event.error_code)}")

    def expire(self) -> None:
        if self.phase == SENDING and self.pending and self._unsent is None:
            self.fail(ErrorKind.TIMEOUT_SEND, "the server took no more of the body: its flow-control window is empty")
        else:
            super().expire()


class Http2Answer:
    """An answer while it comes. Of the shape that a client collects from."""

    __slots__ = ("extra", "headers", "keep", "limit", "parts", "size", "status")

    detailed = True
    open_ended = False

    def __init__(self, fields: list[tuple[bytes, bytes]], limit: int) -> None:
        self.status = int(fields[0][1])  # :status comes first, which h2 has checked
        self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields[1:]]
        self.parts: list[bytes] = []
        self.size = 0
        self.limit = limit
        self.keep = True
        self.extra = False


class _Wire(H2Connection):
    """h2's state machine, which takes every GOAWAY for the end; a graceful one lets streams finish (RFC 9113, 6.8)."""

    def _receive_goaway_frame(self, frame: Any) -> Any:
        found = super()._receive_goaway_frame(frame)
        self.state_machine.state = ConnectionState.CLIENT_OPEN
        return found


@lru_cache(maxsize=4096)
def fields_of(head: bytes) -> Fields:
    """An HTTP/1.1 head, without its blank line, as HTTP/2 says it (RFC 9113, 8.2 and 8.3.1)."""
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.split(b" ")
    fields = [
        (name.strip().lower(), value.strip()) for line in lines for name, _, value in [line.partition(b":")]
    ]  # fmt: skip
    authority = next((value for name, value in fields if name == b"host"), b"")
    pseudo = ((b":method", method), (b":scheme", b"https"), (b":authority", authority), (b":path", target))
    return (*pseudo, *(field for field in fields if field[0] not in _HOP_BY_HOP))


def _concerns(event: Event, stream: int) -> bool:
    """Whether the server has looked at this stream."""
    return isinstance(event, ConnectionTerminated) or (stream > 0 and getattr(event, "stream_id", 0) == stream)


def _called(code: ErrorCodes | int | None) -> str:
    try:
        return ErrorCodes(code or 0).name
    except ValueError:
        return f"error {code}"


_HANDLERS: dict[type[Event], Callable[[Http2Connection, Any, float], None]] = {
    ResponseReceived: Http2Connection._responded,
    DataReceived: Http2Connection._data,
    StreamEnded: Http2Connection._stream_ended,
    StreamReset: Http2Connection._stream_reset,
    ConnectionTerminated: Http2Connection._terminated,
}
