"""The server's side of a WebSocket, byte by byte, for scripted_server: what no honest library would send."""

import base64
import hashlib
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from scripted_server import Script, Stream, read_head

TEXT, BINARY, CONT, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept(head: bytes, more: bytes = b"") -> bytes:
    """The response that accepts an upgrade."""
    key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))
    proof = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    lines = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    return b"HTTP/1.1 101 Switching Protocols\r\n" + lines + proof + b"\r\n" + more + b"\r\n"


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = False) -> bytes:
    first = fin << 7 | reserved << 4 | opcode
    mask = 0x80 if masked else 0
    size = len(data)
    if size < 126:
        head = struct.pack("!BB", first, mask | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, mask | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask | 127, size)
    return head + (b"\0\0\0\0" if masked else b"") + data


def close(code: int | None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


@dataclass
class Heard:
    """What the client sent after the upgrade: frames by opcode and unmasked payload."""

    head: bytes = b""
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    _left: bytes = b""

    def add(self, data: bytes) -> None:
        self._left += data
        while (whole := self._whole()) is not None:
            opcode, payload, end = whole
            self.frames.append((opcode, payload))
            self._left = self._left[end:]

    def _whole(self) -> tuple[int, bytes, int] | None:
        left = self._left
        if len(left) < 2:
            return None
        assert left[1] & 0x80, "a client's frames are masked"
        size, at = left[1] & 0x7F, 2
        if size == 126:
            (size,), at = struct.unpack("!H", left[2:4]), 4
        elif size == 127:
            (size,), at = struct.unpack("!Q", left[2:10]), 10
        if len(left) < at + 4 + size:
            return None
        mask, data = left[at : at + 4], left[at + 4 : at + 4 + size]
        return left[0] & 15, bytes(byte ^ mask[n % 4] for n, byte in enumerate(data)), at + 4 + size

    async def until(self, stream: Stream, opcode: int) -> bytes:
        """Read on until a frame of this kind came; its payload."""
        while True:
            for kind, payload in self.frames:
                if kind == opcode:
                    return payload
            data = await stream.receive_some(65536)
            if not data:
                return b"the end"
            self.add(bytes(data))


Scene = Callable[[Stream, Heard], Awaitable[None]]


def upgraded(scene: Scene, heard: Heard) -> Script:
    """Accept the upgrade, then play."""

    async def script(stream: Stream) -> None:
        heard.head = await read_head(stream)
        await stream.send_all(accept(heard.head))
        await scene(stream, heard)

    return script


def sends(data: bytes, heard: Heard, *, bytewise: bool = False) -> Script:
    """Accept the upgrade, send these bytes, and wait for the client's close frame."""

    async def scene(stream: Stream, heard: Heard) -> None:
        for piece in [data[at : at + 1] for at in range(len(data))] if bytewise else [data]:
            await stream.send_all(piece)
        await heard.until(stream, CLOSE)

    return upgraded(scene, heard)
