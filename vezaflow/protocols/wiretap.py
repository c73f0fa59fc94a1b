"""What really goes out, for those who look on: bytes as they are handed to the socket (or to TLS), read back.

Laws: what is shown was read from those bytes, by llhttp or as HTTP/2 frames, and not from what was planned; nothing of
this is on the way of a run under load, only `vezaflow try` taps its connections.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

from httptools import HttpParserError, HttpRequestParser
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame

from vezaflow.protocols.exchange import Sent

_FRAME_HEAD = 9


class Tap:
    """Reads what one HTTP/1.1 connection sends; `sent` is the request that began last."""

    def __init__(self) -> None:
        self.sent = Sent()
        self._parser: HttpRequestParser | None = None

    def __call__(self, data: bytes) -> None:
        if self._parser is None:
            self._parser = HttpRequestParser(self)
        try:
            self._parser.feed_data(data)
        except HttpParserError:  # no request as it should be: shown as it is
            self.sent.add(data)

    def of(self, number: int) -> Sent:
        """The request of a stream; over HTTP/1.1 there is one."""
        return self.sent

    def on_message_begin(self) -> None:
        self.sent = Sent()

    def on_url(self, url: bytes) -> None:
        self.sent.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.sent.headers.append((name.decode("latin-1"), value.decode("utf-8", "replace")))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        self.sent.method = self._parser.get_method().decode()

    def on_body(self, body: bytes) -> None:
        self.sent.add(body)


class Http2Tap:
    """Reads what one HTTP/2 connection sends, from its first whole frame on."""

    def __init__(self) -> None:
        from hpack import Decoder

        self._decoder = Decoder()
        self._left = b""
        self._block = b""
        self._streams: dict[int, Sent] = {}

    def __call__(self, data: bytes) -> None:
        self._left += data
        while len(self._left) >= _FRAME_HEAD:
            if self._left.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
                self._left = self._left[24:]
                continue
            frame, length = Frame.parse_frame_header(memoryview(self._left[:_FRAME_HEAD]))
            if len(self._left) < _FRAME_HEAD + length:
                return
            try:
                frame.parse_body(memoryview(self._left[_FRAME_HEAD : _FRAME_HEAD + length]))
            except HyperframeError:
                pass
            else:
                self._take(frame)
            self._left = self._left[_FRAME_HEAD + length :]

    def of(self, number: int) -> Sent:
        """The request of a stream, which is forgotten."""
        return self._streams.pop(number, Sent())

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, HeadersFrame | ContinuationFrame):
            self._block += frame.data
            if "END_HEADERS" in frame.flags:
                self._streams[frame.stream_id] = self._head()
        elif isinstance(frame, DataFrame) and (sent := self._streams.get(frame.stream_id)) is not None:
            sent.add(frame.data)

    def _head(self) -> Sent:
        fields = [(_text(name), _text(value)) for name, value in self._decoder.decode(self._block, raw=True)]
        self._block = b""
        said = dict(fields)
        return Sent(said.get(":method", ""), said.get(":path", ""), fields)


class _Passing:
    """Stands for what bytes are handed to (Any: a socket or an SSLObject, or what is tapped already); they are noted as
    they go by."""

    def __init__(self, within: Any, note: Callable[[bytes], None]) -> None:
        self._within = within
        self._note = note

    def __getattr__(self, name: str) -> Any:
        return getattr(self._within, name)


class _TappedSocket(_Passing):
    def send(self, data: bytes) -> int:
        sent: int = self._within.send(data)
        self._note(bytes(data[:sent]))
        return sent

    def sendmsg(self, pieces: list[memoryview]) -> int:
        sent: int = self._within.sendmsg(pieces)
        left = sent
        for piece in pieces:
            self._note(bytes(piece[:left]))
            left -= min(left, len(piece))
        return sent


class _TappedTls(_Passing):
    def write(self, data: bytes) -> int:
        sent: int = self._within.write(data)
        self._note(bytes(data[:sent]))
        return sent


def tapped_socket(within: socket.socket, note: Callable[[bytes], None]) -> socket.socket:
    """The socket, with a note of all that it takes."""
    return cast(socket.socket, _TappedSocket(within, note))


def tapped_tls(within: ssl.SSLObject, note: Callable[[bytes], None]) -> ssl.SSLObject:
    """The same of what is to be encrypted."""
    return cast(ssl.SSLObject, _TappedTls(within, note))


def _text(value: bytes) -> str:
    return bytes(value).decode("utf-8", "replace")
