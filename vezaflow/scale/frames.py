"""Messages between the coordinator and a worker: JSON objects, each behind its length (four bytes, big-endian).

A channel is one end of a socket pair. What was received in part survives a cancelled `receive`.
"""

import struct
from collections.abc import Mapping
from select import POLLIN, poll

import orjson
import trio
import trio.socket

from vezaflow.scale.report import Json

FRAME_HEAD = struct.Struct(">I")  # before each message: its length in bytes
_PIECE = 256 * 1024  # bytes of one read
_LONGEST = 1 << 30  # bytes of a message: no bundle and no report comes near it


class Channel:
    """Sends and receives messages over a connected socket."""

    def __init__(self, socket: trio.socket.SocketType) -> None:
        self._stream = trio.SocketStream(socket)
        self._socket = socket
        self._held = bytearray()
        self._turn = trio.Lock()  # a message is sent whole before the next begins

    async def send(self, message: Mapping[str, object]) -> None:
        """Send one message. trio.BrokenResourceError: nobody is there any more."""
        body = orjson.dumps(message)
        async with self._turn:
            await self._stream.send_all(FRAME_HEAD.pack(len(body)) + body)

    async def receive(self) -> Json | None:
        """The next message; None when the other end is closed, in order or not. ValueError: this is no message."""
        while (message := self._next()) is None:
            try:
                piece = await self._socket.recv(_PIECE)
            except OSError:
                return None
            if not piece:
                return None
            self._held += piece
        return message

    def _next(self) -> Json | None:
        held = self._held
        if len(held) < FRAME_HEAD.size:
            return None
        (length,) = FRAME_HEAD.unpack_from(held)
        if length > _LONGEST:
            raise ValueError("a message of more than a gigabyte")
        end = FRAME_HEAD.size + length
        if len(held) < end:
            return None
        message: Json = orjson.loads(held[FRAME_HEAD.size : end])
        if not isinstance(message, dict):
            raise ValueError("a message is an object")
        del held[:end]
        return message

    @property
    def waiting(self) -> bool:
        """Whether something has come that nobody has read."""
        watch = poll()
        watch.register(self._socket.fileno(), POLLIN)
        return bool(watch.poll(0))

    def close(self) -> None:
        self._socket.close()
