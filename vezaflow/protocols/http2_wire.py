"""h2's state machine with the faults of a peer told apart (RFC 9113, 5.4).

Laws: a malformed response ends its own stream (8.1.1); only what leaves the connection's state in doubt ends the
connection: framing, header compression, windows. `take` never raises: what went wrong is an event after all that came
before it. It stops when a turn's time is over. Frames that carry nothing are counted; too many end the connection.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import FlowControlError, FrameTooLargeError, InvalidBodyLengthError, ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from h2.stream import StreamClosedBy, StreamState
from hpack import Decoder, HeaderTuple, HPACKError
from hyperframe.exceptions import InvalidPaddingError
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from vezaflow.protocols.exchange import ErrorKind
from vezaflow.protocols.stamps import Clock

_CONFIG = H2Configuration(client_side=True, header_encoding=None)
_WINDOW = 65_535  # that a connection begins with (6.9.2)
_STREAM_WINDOW = 6 << 20  # what we let a server send unasked, as Chrome does
_CONNECTION_WINDOW = 15 << 20
_TABLE = 4096  # bytes of our own header compression: a search through it takes as long as it is large
_FIELDS = 64 * 1024  # bytes of a response's header fields, which SETTINGS_MAX_HEADER_LIST_SIZE tells the server
_BLOCK = 64 * 1024  # bytes of a header block as it comes: Huffman's code takes 1.7 µs a byte
_FIELDS_READ = 2 * _FIELDS  # read to the end all the same: one that is not would end the connection
_FEW_FIELDS = 12  # can't be over that with a short block: none of them is larger than the table
_SHORT_BLOCK = 8 * 1024
_MOST_EMPTY = 2000  # frames that carry nothing, beyond what the peer has reason for
_DETAIL = 200  # characters of what h2 says, which quotes the peer
_MOST_SETTINGS = 64  # of a frame: some ten are defined, and each of them takes 30 µs
_LEAST = 0.0003  # seconds a turn, however late it is
_SETTINGS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
    SettingCodes.MAX_HEADER_LIST_SIZE: _FIELDS,
}


@dataclass
class Malformed(Event):
    """A response that is none; its stream is over."""

    stream_id: int
    kind: ErrorKind
    detail: str


@dataclass
class Broken(Event):
    """The connection can't be used any further."""

    detail: str


class _TooLargeError(ProtocolError):
    """Header fields beyond what one response may have."""


class _FatalError(ProtocolError):
    """Ends the connection though a stream's frame brought it."""


class _CompressionError(_FatalError):
    error_code = ErrorCodes.COMPRESSION_ERROR


class _FloodError(_FatalError):
    error_code = ErrorCodes.ENHANCE_YOUR_CALM


class Wire(H2Connection):
    """See the module. The client's end."""

    def __init__(self) -> None:
        super().__init__(_CONFIG)
        self.local_settings = Settings(client=True, initial_values=_SETTINGS)
        self.decoder = _Decoder(_FIELDS_READ)
        self._idle = 0  # frames that carried nothing; below zero: what we sent is reason for some

    def begin(self) -> None:
        """Say what a client says first."""
        self.initiate_connection()
        self.increment_flow_control_window(_CONNECTION_WINDOW - _WINDOW)

    def excuse(self, count: int) -> None:
        """The peer has reason for so many frames more."""
        self._idle -= count

    def take(self, data: bytes | memoryview, clock: Clock, until: float) -> tuple[list[Event], bool]:
        """What has come, and whether frames are left because it is later than `until`."""
        buffer = self.incoming_buffer
        buffer.add_data(data)
        buffer.max_frame_size = self.max_inbound_frame_size
        events: list[Event] = []
        until = max(until, clock() + _LEAST)
        try:
            for frame in buffer:
                found = self._receive_frame(frame)
                if found and type(found[0]) in _USEFUL:
                    if self._idle > 0:
                        self._idle = 0
                else:
                    self._weigh(frame, found)
                events += found
                if clock() > until:
                    return events, True
            if buffer._data:
                self._look_ahead(buffer._data)
        except InvalidPaddingError:
            self._break(events, ErrorCodes.PROTOCOL_ERROR, "a frame with more padding than content")
        except ProtocolError as error:
            self._break(events, error.error_code, str(error))
        return events, False

    def _break(self, events: list[Event], code: ErrorCodes, detail: str) -> None:
        self._terminate_connection(code)
        events.append(Broken(f"HTTP/2 protocol error: {detail[:_DETAIL]}"))

    def _look_ahead(self, rest: bytearray) -> None:
        """Refuse a frame for its size before all of it has come."""
        if len(rest) >= 3 and int.from_bytes(rest[:3], "big") > self.max_inbound_frame_size:
            size = int.from_bytes(rest[:3], "big")
            raise FrameTooLargeError(f"a frame of {size} bytes; the maximum is {self.max_inbound_frame_size}")

    def _weigh(self, frame: Frame, found: list[Event]) -> None:
        """Count frames that carry nothing. (A large one takes as long as several.)"""
        event = found[0] if found else None
        kind = type(event)
        if kind is DataReceived and (event.data or event.stream_ended is not None):  # type: ignore[union-attr]
            if self._idle > 0:
                self._idle -= 1
        else:
            self._idle += 1 + frame.body_len // 512
            if self._idle > _MOST_EMPTY:
                name = type(frame).__name__
                raise _FloodError(f"too many frames without data ({_MOST_EMPTY}), the last of type {name}")

    # -- what h2 does with frames ----------------------------------------------------------------------------

    def _receive_frame(self, frame: Frame) -> list[Event]:
        try:
            return super()._receive_frame(frame)
        except (_FatalError, FlowControlError, StreamClosedError):
            raise
        except ProtocolError as error:
            closed = self.state_machine.state == ConnectionState.CLOSED
            if closed or type(frame) not in (HeadersFrame, DataFrame) or frame.stream_id not in self.streams:
                raise
            return [self._give_up(frame, error)]

    def _give_up(self, frame: Frame, error: ProtocolError) -> Malformed:
        """End the stream of a malformed response. (h2 has no way to reset one that it takes for closed.)"""
        machine = self.streams[frame.stream_id].state_machine
        if machine.stream_closed_by is None:
            machine.state = StreamState.CLOSED
            machine.stream_closed_by = StreamClosedBy.SEND_RST_STREAM
            reset = RstStreamFrame(frame.stream_id)
            reset.error_code = ErrorCodes.PROTOCOL_ERROR
            self._prepare_for_sending([reset])
        if isinstance(frame, DataFrame):
            self._prepare_for_sending(self._passed_over(frame))
        if isinstance(error, InvalidBodyLengthError):
            detail = not_the_length(error.expected_length, error.actual_length)
            return Malformed(frame.stream_id, ErrorKind.MALFORMED, detail)
        if isinstance(error, _TooLargeError):
            return Malformed(frame.stream_id, ErrorKind.TOO_LARGE, str(error))
        return Malformed(frame.stream_id, ErrorKind.MALFORMED, f"a malformed HTTP/2 response: {str(error)[:_DETAIL]}")

    def _passed_over(self, frame: DataFrame) -> list[Frame]:
        """Give the connection's window back what nobody takes."""
        increment = self._inbound_flow_control_window_manager.process_bytes(frame.flow_controlled_length)
        if not increment:
            return []
        update = WindowUpdateFrame(0)
        update.window_increment = increment
        return [update]

    def _handle_data_on_closed_stream(
        self, events: list[Event], exc: StreamClosedError, frame: DataFrame
    ) -> tuple[list[Frame], list[Event]]:
        """What was on its way is passed over (5.1), without another RST_STREAM for each frame."""
        return self._passed_over(frame), events + exc._events

    def _receive_headers_frame(self, frame: HeadersFrame) -> tuple[list[Frame], list[Event]]:
        frames, events = super()._receive_headers_frame(frame)
        event: Any = events[0]  # one of four classes with `headers`, which have no base for it
        if type(event) is not TrailersReceived:
            _check_status(event.headers)
        if len(frame.data) > _SHORT_BLOCK or len(event.headers) > _FEW_FIELDS:
            size = sum(32 + len(name) + len(value) for name, value in event.headers)
            if size > _FIELDS:
                raise _TooLargeError(f"the header fields are larger than {_FIELDS} bytes")
        return frames, events

    def _receive_settings_frame(self, frame: SettingsFrame) -> tuple[list[Frame], list[Event]]:
        if len(frame.settings) > _MOST_SETTINGS:
            raise _FloodError(f"too many settings in a frame: {len(frame.settings)}; the maximum is {_MOST_SETTINGS}")
        self._idle += len(frame.settings)
        if SettingCodes.HEADER_TABLE_SIZE in frame.settings:
            allowed = frame.settings[SettingCodes.HEADER_TABLE_SIZE]
            frame.settings[SettingCodes.HEADER_TABLE_SIZE] = min(allowed, _TABLE)
        return super()._receive_settings_frame(frame)

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        """h2 takes every GOAWAY for the end, and drops what was to go out; a graceful one lets streams finish (6.8)."""
        held = self._data_to_send
        found = super()._receive_goaway_frame(frame)
        self._data_to_send = held
        self.state_machine.state = ConnectionState.CLIENT_OPEN
        return found


class _Decoder(Decoder):
    """One whose faults end the connection: what the next header fields refer to is not known any more."""

    def decode(self, data: bytes, raw: bool = False) -> Iterable[HeaderTuple]:
        if len(data) > _BLOCK:
            raise _CompressionError(f"a header block of {len(data)} bytes; the maximum is {_BLOCK}")
        try:
            return super().decode(data, raw)
        except (HPACKError, IndexError, ValueError) as error:
            raise _CompressionError(f"header fields that can't be decoded: {error}") from None


def _check_status(fields: list[tuple[bytes, bytes]]) -> None:
    name, status = fields[0]
    if name != b":status" or len(status) != 3 or not status.isdigit() or status[0] == 48:
        said = str(status[:40], "latin-1") if name == b":status" else "missing"
        raise ProtocolError(f"invalid :status {said!r}: expected three digits, 100 or more")
    if status == b"101":
        raise ProtocolError("invalid :status 101: not allowed in HTTP/2")


def not_the_length(expected: int, actual: int) -> str:
    """What is wrong with a body that is not as long as its head says (8.1.1)."""
    return f"a malformed HTTP/2 response: expected a body of {expected} bytes, got {actual}"


_USEFUL = frozenset((ResponseReceived, TrailersReceived, StreamEnded, StreamReset, Malformed))
