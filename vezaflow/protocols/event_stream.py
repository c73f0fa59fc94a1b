"""An event stream (the HTML standard, 9.2.6) as a state machine: bytes in, in pieces of any size, events out.

Laws: the same bytes mean the same, however they are cut; what no blank line ends is no event; an event without data is
none, but its id counts; an event costs no more than `most` bytes, and neither does
a line, whatever is in it. What is
not UTF-8 is replaced, as browsers do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WRITTEN = re.compile(rb"\r\nlast-event-id:[^\r\n]*\r\n", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"
_BLANK = b""
_DIGITS = frozenset(b"0123456789")


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """`name`: "message" where the stream gives none; `id`: the last one that the stream gave, up to this event."""

    name: str
    id: str
    data: str
    size: int  # bytes of all three


def with_last_id(head: bytes, last_id: str) -> bytes:
    """A request's head with the id of the last event that came, in the place of one that is written there."""
    if not last_id:
        return head
    head = _WRITTEN.sub(b"\r\n", head)
    return b"%bLast-Event-ID: %b\r\n\r\n" % (head[:-2], last_id.encode())


class EventTooLarge(Exception):  # noqa: N818 (a fact about the stream)
    """An event, or a line, is over the limit. Nothing can be read after it."""


class EventParser:
    """Reads one response's events. `last_id` is what a reconnect sends as Last-Event-ID, `retry` (seconds) how long it
    waits first; None: the stream did not say."""

    __slots__ = ("_after_cr", "_begun", "_data", "_held", "_id", "_name", "_size", "last_id", "most", "retry")

    def __init__(self, most: int, last_id: str = "") -> None:
        self.most = most
        self.last_id = self._id = last_id
        self.retry: float | None = None
        self._held = bytearray()  # of a line that has not ended
        self._begun = False  # more came than a byte order mark may be
        self._after_cr = False  # the last byte was one: a line feed now belongs to it
        self._data: list[bytes] = []
        self._size = 0  # of its lines
        self._name = b""

    def feed(self, piece: bytes) -> Iterator[StreamEvent]:
        """The events that end in this piece. Raises EventTooLarge, after those before."""
        for line in self._lines(piece):
            if line:
                self._field(line)
                continue
            event = self._dispatched()
            if event is not None:
                yield event
        if len(self._held) > self.most:
            raise EventTooLarge

    def _lines(self, piece: bytes) -> list[bytes]:
        """The lines that end in this piece, without their ends."""
        if self._after_cr and piece:
            self._after_cr = False
            if piece[:1] == b"\n":
                piece = piece[1:]
        if b"\r" in piece:
            self._after_cr = piece.endswith(b"\r")
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not self._begun:
            piece = bytes(self._held + piece)
            self._held.clear()
            if len(piece) < len(_BOM) and _BOM.startswith(piece):
                self._held += piece
                return []
            self._begun = True
            piece = piece.removeprefix(_BOM)
        lines = piece.split(b"\n")
        if len(lines) == 1:
            self._held += piece
            return []
        if self._held:
            lines[0] = bytes(self._held + lines[0])
        self._held = bytearray(lines.pop())
        return lines

    def _field(self, line: bytes) -> None:
        """Take in a line that is not blank."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(line) + 1
            if self._size > self.most:
                raise EventTooLarge
        elif len(line) > self.most:
            raise EventTooLarge
        elif name == b"event":
            self._name = value
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value and _DIGITS.issuperset(value):
            self.retry = int(value[:18]) / 1000

    def _dispatched(self) -> StreamEvent | None:
        """What a blank line ends."""
        self.last_id = self._id
        lines, name = self._data, self._name
        self._name = _BLANK
        if not lines:
            return None
        self._data, self._size = [], 0
        data = lines[0] if len(lines) == 1 else b"\n".join(lines)
        size = len(data) + len(name) + len(self._id)
        shown = name.decode("utf-8", "replace") or "message"
        return StreamEvent(shown, self._id, data.decode("utf-8", "replace"), size)
