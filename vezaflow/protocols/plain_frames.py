"""The frames that nearly all are: whole messages of text or bytes without an extension, up to 64 KiB, by hand.

Laws: what is read here is what the `websockets` package would make of the same bytes; everything else is left to it
from the first byte of its frame on. A frame that is sent has a mask of its own, from the system's entropy (RFC 6455,
5.3).
"""

import os
from collections.abc import Iterator

from websockets.frames import BINARY, TEXT, Opcode
from websockets.frames import apply_mask as _apply_mask  # type: ignore[attr-defined] # in C, where that was built

from vezaflow.protocols.channel import ChannelMessage

_FIN, _MASKED = 0x80, 0x80
_TEXT, _BINARY = _FIN | TEXT, _FIN | BINARY
_SHORT, _LONG, _VERY_LONG = 125, 126, 1 << 16  # payloads in the second byte, in two more, in eight more
_POOL = 1024  # bytes of masks asked for at a time: each call to the kernel costs 1 µs
_SHORT_HEADS = {
    opcode: tuple(bytes((_FIN | opcode, _MASKED | size)) for size in range(_SHORT + 1)) for opcode in (TEXT, BINARY)
}


def plain_text(view: memoryview, count: int, most: int, now: float) -> ChannelMessage | None:
    """The message that `count` bytes are, where they are one short text and nothing else, as most reads are."""
    size = count - 2
    if size > _SHORT or size < 0 or view[0] != _TEXT or view[1] != size or size > most:
        return None
    try:
        return ChannelMessage(str(view[2:count], "utf-8"), now, size)
    except UnicodeDecodeError:
        return None


def plain_messages(view: memoryview, count: int, most: int, now: float) -> tuple[list[ChannelMessage], int]:
    """The messages that `count` bytes begin with, each of at most `most` bytes, and where what is left of them begins:
    at a frame that is none of these, or not all here."""
    messages: list[ChannelMessage] = []
    at = 0
    while count - at >= 2:
        first, size, begin = view[at], view[at + 1], at + 2
        if size == _LONG and count - at >= 4:
            size, begin = view[at + 2] << 8 | view[at + 3], at + 4
        elif size > _SHORT:  # or masked
            break
        end = begin + size
        if end > count or size > most:
            break
        if first == _TEXT:
            try:
                data: str | bytes = str(view[begin:end], "utf-8")
            except UnicodeDecodeError:
                break
        elif first == _BINARY:
            data = bytes(view[begin:end])
        else:
            break
        messages.append(ChannelMessage(data, now, size))
        at = end
    return messages, at


def _masks() -> Iterator[bytes]:
    while True:
        pool = os.urandom(_POOL)
        for at in range(0, _POOL, 4):
            yield pool[at : at + 4]


_next_mask = _masks().__next__


def plain_frame(opcode: Opcode, payload: bytes) -> bytes | None:
    """A message as one frame, as a client sends it; None where it is too long for these."""
    size = len(payload)
    if size <= _SHORT:
        head = _SHORT_HEADS[opcode][size]
    elif size < _VERY_LONG:
        head = bytes((_FIN | opcode, _MASKED | _LONG, size >> 8, size & 255))
    else:
        return None
    mask = _next_mask()
    return head + mask + _apply_mask(payload, mask)
