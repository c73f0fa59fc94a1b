"""HTTP/2 over TLS (RFC 9113): the same exchange on a stream instead of a whole connection.

Laws: what the server did not take (GOAWAY, REFUSED_STREAM) may be sent again, what it took is not; a stream that fails
leaves its connection to the next request; no more of a body is framed than the server's windows allow; nothing is
pushed to us. Several requests may be on their way together, each on its stream (http2_stream.py).
"""

import math
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError, TooManyStreamsError

from vezaflow.protocols.exchange import ErrorKind, Exchange, Want
from vezaflow.protocols.faults import fault_of, tls_reason
from vezaflow.protocols.http2_stream import Http2Fields, Http2Response, Stream
from vezaflow.protocols.http2_wire import Broken, Malformed, Wire
from vezaflow.protocols.phases import CLOSED, IDLE
from vezaflow.protocols.reactor import READ, TURN, WRITE, Reactor
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.stamps import Ancillary
from vezaflow.protocols.tls import SecureConnection

if TYPE_CHECKING:
    from ssl import SSLSession

_FRAMED = 128 * 1024  # bytes of a body that are framed at a time: what a slow reader makes us hold
_BODY, _SHOWN = Want.BODY._value_, Want.SHOWN._value_
_FRAME = 64  # bytes of a frame beside its data, about
_ON_ITS_WAY = 2000  # frames that may still come of a response that nobody waits for any more


class Http2Connection(SecureConnection):
    """A SecureConnection that speaks HTTP/2, or fails where the server does not. Requests go out by its `Stream`s."""

    __slots__ = ("_last", "_over", "_streams", "_wire")

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
        self._wire = Wire()
        self._streams: dict[int, Stream] = {}  # those with a request on its way, by number; who sends next is first
        self._last = False  # the server takes no more
        self._over = False  # it has closed its side, of which not all is parsed yet

    def agreed(self, now: float) -> None:
        spoken = self._tls.selected_alpn_protocol()
        if spoken != "h2":
            self.fail(ErrorKind.TLS, f"the server does not support HTTP/2: ALPN selected {spoken or 'none'}")
            return
        self._wire.begin()
        super().agreed(now)

    def seat(self) -> Stream:
        return Stream(self, owner=True)

    @property
    def takes_more(self) -> bool:
        return self.phase == IDLE and not self._last

    @property
    def busy(self) -> bool:
        return bool(self._streams)

    @property
    def full(self) -> bool:
        return 0 < len(self._streams) >= self._wire.remote_settings.max_concurrent_streams

    def be_tapped(self) -> None:
        from vezaflow.protocols.wiretap import Http2Tap, tapped_tls

        self.tap = Http2Tap()
        self._tls = tapped_tls(self._tls, self.tap)

    # -- sending ---------------------------------------------------------------------------------------------

    def begin(self, stream: Stream, exchange: Exchange, fields: Http2Fields) -> None:
        """Send a request's head and what may go out of its body."""
        try:
            stream.number = self._wire.get_next_available_stream_id()
            self._wire.send_headers(stream.number, fields, end_stream=not stream.pending)
        except TooManyStreamsError:
            self._drop(
                stream, ErrorKind.MALFORMED, ("the server allows no request (SETTINGS_MAX_CONCURRENT_STREAMS is 0)")
            )
            return
        except ProtocolError as error:
            self._last = True  # how its header fields would be compressed is not known any more
            self._drop(stream, ErrorKind.MALFORMED, f"this request can't be sent over HTTP/2: {error}")
            return
        self._streams[stream.number] = stream
        sealed = self._seal(stream)
        exchange.started = self.clock()  # by now there are records to hand to the kernel
        if sealed:
            self.flush()

    def flush(self) -> None:
        while self._push():
            if not self._seal_next():
                break
        else:
            return
        now = self.clock()
        for stream in self._streams.values():
            if stream.sending and not stream.pending:
                stream.all_sent(now)

    def _seal_next(self) -> bool:
        """Make records of what is to go out next: the connection's own frames, then each body a piece in turn."""
        if self._seal(next(iter(self._streams.values()), None)):
            return True
        for number, stream in list(self._streams.items()):
            if stream.pending:
                self._frame(stream)
                if self._seal(stream):
                    self._streams[number] = self._streams.pop(number)
                    return True
        return False

    def _seal(self, stream: Stream | None) -> bool:
        """Make records of the frames that may go out now, which count as the stream's; whether there were any."""
        frames = self._wire.data_to_send()
        if not frames:
            return False
        if stream is not None and stream.exchange is not None:
            stream.exchange.bytes_sent += len(frames)
        left = memoryview(frames)
        try:
            while left:
                left = left[self._tls.write(left) :]
        except ssl.SSLError as error:
            self.fail(ErrorKind.TLS, tls_reason(error))
            return False
        return True

    def _frame(self, stream: Stream) -> None:
        """Frame as much of a body as the server's windows allow."""
        wire, pending = self._wire, stream.pending
        room = min(_FRAMED, wire.local_flow_control_window(stream.number))
        while pending and room > 0:
            piece = pending[0][: min(room, wire.max_outbound_frame_size)]
            room -= len(piece)
            if len(piece) == len(pending[0]):
                del pending[0]
            else:
                pending[0] = pending[0][len(piece) :]
            wire.send_data(stream.number, piece, end_stream=not pending)
            wire.excuse(1 + len(piece) // 512)  # WINDOW_UPDATEs, for the stream and the connection

    def ready(self, mask: int, now: float) -> None:
        if self.behind:  # there may be nothing in the socket
            mask |= READ
        if mask & WRITE and self._unsent is not None and self.phase == IDLE:
            self.flush()
        super().ready(mask, now)

    # -- receiving -------------------------------------------------------------------------------------------

    def stamped(self, ancillary: Ancillary) -> float:
        now = self.clock()
        since = [stream.exchange.started for stream in self._streams.values() if stream.exchange is not None]
        return self.reactor.stamps.when(ancillary, min(since), now) if since else now

    def read(self, mask: int, now: float, broken: OSError | None = None) -> None:
        if not self.behind or self._caught_up(now, broken):
            super().read(mask, now, broken)

    def _caught_up(self, now: float, broken: OSError | None) -> bool:
        """Parse what the turn before had no time for; whether the socket is next."""
        self._take(b"", now)
        if self.phase != CLOSED and not self.behind:
            self._decrypt(now)
        if self.phase == CLOSED:
            return False
        if self.behind:
            self.reactor.again(self)
            return False
        if self._over:
            self.ended(now, broken)
            return False
        return True

    def feed(self, view: memoryview, count: int, now: float) -> None:
        self._take(view[:count], now)

    def _take(self, data: bytes | memoryview, now: float) -> None:
        """Handle what came, as much of it as this turn has time for."""
        events, self.behind = self._wire.take(data, self.clock, self.reactor.drained + TURN)
        self._share_out(events, len(data))
        for event in events:
            handle = _HANDLERS.get(type(event))
            if handle is not None:
                handle(self, event, now)
                if self.phase == CLOSED:
                    return
        self.flush()

    def _share_out(self, events: list[Event], count: int) -> None:
        """Count the bytes that came for the streams that the server has looked at, by the sizes of their frames."""
        weights: dict[Stream, int] = {}
        for event in events:
            for stream in self._concerned(event):
                weights[stream] = weights.get(stream, 0) + _FRAME + getattr(event, "flow_controlled_length", 0)
        whole, left = sum(weights.values()), count
        for number, (stream, weight) in enumerate(weights.items(), 1):
            share = left if number == len(weights) else max(1, count * weight // whole)
            left -= share
            if stream.exchange is not None:
                stream.exchange.bytes_received += share

    def _concerned(self, event: Event) -> Iterable[Stream]:
        if isinstance(event, ConnectionTerminated | Broken):
            return list(self._streams.values())
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        return () if stream is None else (stream,)

    def _responded(self, event: ResponseReceived, now: float) -> None:
        stream = self._streams.get(event.stream_id or 0)
        if stream is None or stream.exchange is None:
            return
        exchange = stream.exchange
        exchange.first = max(now, exchange.started)
        if not stream.sending and exchange.first < exchange.sent:  # it was there before we came to look at the clock
            exchange.sent = exchange.first
        stream.response = Http2Response(event.headers, self.scratch.max_body)

    def _data(self, event: DataReceived, _now: float) -> None:
        if event.flow_controlled_length:
            self._wire.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._streams.get(event.stream_id or 0)
        response = stream.response if stream is not None else None
        if stream is None or response is None:
            return
        response.size += len(event.data)
        if not stream.want & _BODY:
            return
        if response.size <= response.limit:
            response.parts.append(event.data)
        elif not stream.want & _SHOWN:
            self._drop(stream, ErrorKind.TOO_LARGE, f"the body is larger than {response.limit} bytes")

    def _stream_ended(self, event: StreamEnded, now: float) -> None:
        stream = self._streams.get(event.stream_id or 0)
        if stream is None or stream.response is None:
            return
        if stream.sending and stream.pending:
            self._reset(stream)
        self._leave_by(stream)
        fault = stream.response.fault(bodyless=stream.bodyless)
        if fault is not None:
            stream.lose(ErrorKind.MALFORMED, fault)
        else:
            stream.finish(stream.response, now)

    def _malformed(self, event: Malformed, _now: float) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            self._leave_by(stream)
            stream.lose(event.kind, event.detail)

    def _broken(self, event: Broken, _now: float) -> None:
        if self._seal(None):  # GOAWAY, with the reason
            self._push()
        self.fail(ErrorKind.MALFORMED, event.detail)

    def _stream_reset(self, event: StreamReset, _now: float) -> None:
        stream = self._streams.get(event.stream_id or 0)
        if stream is None:
            return
        if event.error_code == ErrorCodes.REFUSED_STREAM and stream.response is None:
            _untaken(stream)
        self._leave_by(stream)
        if event.remote_reset:
            stream.lose(ErrorKind.RESET, f"the server reset the stream: {_called(event.error_code)}")
        else:
            stream.lose(ErrorKind.MALFORMED, f"HTTP/2 protocol error: {_called(event.error_code)}")

    def _terminated(self, event: ConnectionTerminated, _now: float) -> None:
        """GOAWAY: the server may still respond to what it has taken, unless it goes with an error."""
        self._last = True
        graceful = event.error_code == ErrorCodes.NO_ERROR
        for stream in list(self._streams.values()):
            taken = stream.number <= (event.last_stream_id or 0) or stream.response is not None
            if not taken:
                _untaken(stream, served=bool(event.last_stream_id))
            elif graceful:
                continue
            self._leave_by(stream)
            why = f"the server ended the connection (GOAWAY): {_called(event.error_code)}"
            stream.lose(ErrorKind.CLOSED_EARLY, why)
        if not self._streams:
            self.close()

    # -- ends ------------------------------------------------------------------------------------------------

    def forsake(self, stream: Stream) -> None:
        """Nobody waits for its response any more."""
        if self._streams.get(stream.number) is not stream:
            return
        if len(self._streams) == 1:
            del self._streams[stream.number]
            self.close()
        else:
            self._reset(stream)
            self._leave_by(stream)
            self.flush()

    def ended(self, now: float, broken: OSError | None = None) -> None:
        if self.exchange is not None:
            super().ended(now, broken)
            return
        if self.behind:
            self._over = True
            return
        streams = self._take_all()
        self.close()
        for stream in streams:
            where = "without a response" if stream.response is None else "during its response"
            kind, detail = ErrorKind.CLOSED_EARLY, f"the server closed the connection {where}"
            stream.lose(*(fault_of(broken) if broken is not None else (kind, detail)))

    def fail(self, kind: ErrorKind, detail: str) -> None:
        streams = self._take_all()
        super().fail(kind, detail)
        for stream in streams:
            stream.lose(kind, detail)

    def close(self) -> None:
        streams = self._take_all()
        super().close()
        for stream in streams:
            stream.lose(ErrorKind.INTERRUPTED, "the connection was closed")

    def expire(self) -> None:
        if self.exchange is not None:
            super().expire()
            return
        now = self.clock()
        for stream in list(self._streams.values()):
            if stream.deadline <= now:
                self._drop(stream, *stream.late(self._unsent is not None))
        self.deadline = min((stream.deadline for stream in self._streams.values()), default=math.inf)
        if self.phase == IDLE:
            self.flush()

    def _drop(self, stream: Stream, kind: ErrorKind, detail: str) -> None:
        """End a request without a response; the others go on."""
        if not self._streams.keys() - {stream.number}:
            self.fail(kind, detail)
        else:
            self._reset(stream)
            self._leave_by(stream)
        stream.lose(kind, detail)

    def _reset(self, stream: Stream) -> None:
        with suppress(ProtocolError):  # it may never have begun, or be over
            self._wire.reset_stream(stream.number, ErrorCodes.CANCEL)
            self._wire.excuse(_ON_ITS_WAY)

    def _leave_by(self, stream: Stream) -> None:
        """The stream is over; the connection as well, if the server takes no more and nobody is on it."""
        self._streams.pop(stream.number, None)
        if not self._streams:
            self.deadline = math.inf
            if self._last:
                self.close()

    def _take_all(self) -> list[Stream]:
        streams = list(self._streams.values())
        self._streams.clear()
        return streams


def _untaken(stream: Stream, *, served: bool = False) -> None:
    """The server has taken nothing of the request: it may go out again; `served`: the server took others from this
    connection, so to go out once more gets one further."""
    exchange = stream.exchange
    if exchange is not None:
        exchange.bytes_sent = exchange.bytes_received = 0
        exchange.reused = exchange.reused or served


def _called(code: ErrorCodes | int | None) -> str:
    try:
        return ErrorCodes(code or 0).name
    except ValueError:
        return f"error {code}"


_HANDLERS: dict[type[Event], Callable[[Http2Connection, Any, float], None]] = {  # each takes its key's events
    ResponseReceived: Http2Connection._responded,
    DataReceived: Http2Connection._data,
    StreamEnded: Http2Connection._stream_ended,
    StreamReset: Http2Connection._stream_reset,
    Malformed: Http2Connection._malformed,
    Broken: Http2Connection._broken,
    ConnectionTerminated: Http2Connection._terminated,
}
