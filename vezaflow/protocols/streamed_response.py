"""An HTTP/1.1 response as a state machine: bytes in, in pieces of any size, a head and a body out.

    HEAD ──1xx──▶ HEAD           the response proper is still to come
    HEAD ───────▶ SIZED │ OPEN   a Content-Length; only the end of the connection ends it
    HEAD ───────▶ SIZE ──▶ CHUNK ──▶ SIZE_AFTER ──▶ CHUNK …  ──0──▶ TRAILERS
    SIZED, TRAILERS ─▶ DONE      and HEAD itself, where there is no body

Laws: the same bytes mean the same, however they are cut; trailers never reach the head (RFC 9110, 6.5.1); bytes after
the end set `extra`, but for line ends; what is held stays within bounds.py and `limit`. In SIZED and OPEN the pieces
are counted, and looked at only where the body is kept.
"""

import re
from typing import Literal

from vezaflow.protocols.bounds import MOST_HEAD, MOST_LINE
from vezaflow.protocols.exchange import ErrorKind
from vezaflow.protocols.head import Fields, Unreadable, parse_head

Data = memoryview | bytes | bytearray

HEAD, SIZED, OPEN, SIZE, CHUNK, SIZE_AFTER, TRAILERS, DONE = range(8)

_END = re.compile(rb"\n\r?\n")
_SIZE = re.compile(rb"0*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_SIZE_AFTER = re.compile(rb"\r?\n" + _SIZE.pattern)
_HEX = b"0123456789abcdefABCDEF"
_HTTP = b"HTTP/1."
_NO_LINE = (b"", 0, 0)
_FEW = 32  # parts of a piece: more are joined at once, as each takes memory of its own


class StreamedResponse:
    """A response whose headers are looked at. `keeps`: its body too, up to `limit` bytes."""

    __slots__ = (
        "_at",
        "_heads",
        "_held",
        "_left",
        "_line",
        "bodyless",
        "codings",
        "done",
        "extra",
        "fields",
        "interim",
        "keep",
        "keeps",
        "limit",
        "parts",
        "size",
        "state",
        "status",
    )  # fmt: skip

    streamed: Literal[True] = True

    def __init__(self, *, keeps: bool, bodyless: bool, limit: int) -> None:
        self.bodyless = bodyless
        self.keeps = keeps
        self.limit = limit
        self.status = 0
        self.fields: Fields = []
        self.codings: tuple[str, ...] = ()
        self.parts: list[bytes] = []
        self.size = 0  # of the body, as far as it is kept or would be
        self.state = HEAD
        self.done = False
        self.keep = False
        self.extra = False  # bytes came that belong to no request
        self.interim = False  # a 1xx response has just ended
        self._held: bytearray | None = None  # of a line or a head that has not ended
        self._at = 0  # where to look on for its end
        self._heads = 0  # bytes of heads so far
        self._left = 0  # bytes of the body, or of the chunk
        self._line = _NO_LINE  # of a chunk's size, behind another chunk: how long it is, and what it says

    @property
    def texts(self) -> list[tuple[str, str]]:
        return [field[2] for field in self.fields]

    def release(self) -> None:
        """It holds no parser."""

    @property
    def open_ended(self) -> bool:
        """Whether only the end of the connection ends this body (RFC 9112, 6.3)."""
        return self.state == OPEN

    @property
    def counted(self) -> bool:
        """Whether the bytes to come need not be looked at."""
        return self.state == SIZED or self.state == OPEN

    def feed(self, piece: memoryview | bytes) -> None:
        """Read on. Raises Unreadable."""
        held = self._held
        data: Data = piece
        if held:
            held += piece
            data = held
        at, end = 0, len(data)
        while at < end:
            state = self.state
            after = _READ[state](self, data, at)
            if after == at and self.state == state:  # more is to come
                break
            at = after
        if held:
            del held[:at]
        elif at < end:
            self._held = bytearray(data[at:])

    def _sized(self, data: Data, at: int) -> int:
        end = at + self._left
        if len(data) < end:
            self._keep(data[at:] if at else data)
            self._left = end - len(data)
            return len(data)
        self._keep(data[at:end])
        self._finish()
        return end

    def _open(self, data: Data, at: int) -> int:
        self._keep(data[at:] if at else data)
        return len(data)

    def _behind(self, data: Data, at: int) -> int:
        """After the end."""
        if bytes(data[at:]).strip(b"\r\n"):
            self.extra = True
        return len(data)

    def _keep(self, part: Data) -> None:
        self.size += len(part)
        if self.keeps and self.size <= self.limit:
            self.parts.append(bytes(part))

    def _finish(self) -> None:
        self.state = DONE
        self.done = True

    def _head(self, data: Data, at: int) -> int:
        found = _END.search(data, max(at, self._at))
        end = len(data) if found is None else found.end()
        self.interim = False
        if found is None:
            begun = bytes(data[at : at + 20])
            if not begun.startswith(_HTTP) and not _HTTP.startswith(begun):
                raise Unreadable(f"not HTTP/1.1: the response starts with {begun.decode('latin-1')!r}")
            self._count(0, "head is", end - at)
            self._at = max(0, len(data) - 2 - at)
            return at
        self._count(end - at, "head is")
        self._at = 0
        head = parse_head(bytes(data[at:end]), bodyless=self.bodyless)
        status, fields, chunked, length, keep, codings = head
        if status < 200:
            if status == 101:
                raise Unreadable("unexpected 101: no protocol switch was requested")
            self.interim = True
            return end
        self.status, self.fields, self.keep, self.codings = status, fields, keep, codings
        if chunked:
            self.state = SIZE
        elif length is None:
            self.state = OPEN
        elif length:
            self.state, self._left = SIZED, length
        else:
            self._finish()
        return end

    def _chunks(self, data: Data, at: int) -> int:
        """Read chunks: their sizes, their bytes, the line ends between. In one loop, since there may be many; most are
        as large as the one before, which is seen by its size's line (0.4 µs, and 1.0 to read it)."""
        parts: list[bytes] = []
        size, left, state, most = self.size, self._left, self.state, self.limit if self.keeps else -1
        end = len(data)
        line, told, length = self._line
        while at < end:
            if state == CHUNK:
                until = at + left
                if until > end:
                    size += end - at
                    if size <= most:
                        parts.append(bytes(data[at:] if at else data))
                    left = until - end
                    at = end
                    break
                size += left
                if size <= most:
                    parts.append(bytes(data[at:until]))
                if told and data[until : until + told] == line:
                    at = until + told
                    left = length
                    continue
                at = until
                state = SIZE_AFTER
                if at == end:
                    break
            match = (_SIZE_AFTER if state == SIZE_AFTER else _SIZE).match(data, at)
            if match is None:
                _refuse_size(data, at, state)
                break
            at = match.end()
            left = length = int(match[1], 16)
            if not left:
                state = TRAILERS
                break
            if state == SIZE_AFTER:
                line = match[0]
                told = len(line)
                self._line = line, told, length
            state = CHUNK
        if parts:
            self.parts += parts if len(parts) < _FEW else (b"".join(parts),)
        self.size, self._left, self.state = size, left, state
        return at

    def _trailers(self, data: Data, at: int) -> int:
        """Pass over trailers, up to their empty line."""
        if data[at : at + 2] == b"\r\n":  # nearly always there is nothing else
            self._finish()
            return at + 2
        rest = bytes(data[at:])
        begun = 0
        while end := rest.find(b"\n", begun) + 1:
            if rest[begun:end] in (b"\n", b"\r\n"):
                self._finish()
                return at + end
            self._count(end - begun, "trailers are")
            begun = end
        self._count(0, "trailers are", len(rest) - begun)
        return at + begun

    def _count(self, read: int, name: str, more: int = 0) -> None:
        """Count bytes of heads or trailers, `more` of which are not read yet."""
        self._heads += read
        if self._heads + more > MOST_HEAD:
            raise Unreadable(f"the {name} over {MOST_HEAD // 1024} KiB", ErrorKind.TOO_LARGE)


def _refuse_size(data: Data, at: int, state: int) -> None:
    """Raise if `data` can't go on to be the size of a chunk."""
    begun = at
    if state == SIZE_AFTER:
        ends = bytes(data[at : at + 2])
        begun += 2 if ends == b"\r\n" else ends[:1] == b"\n"
        if begun == at and ends != b"\r":
            raise Unreadable(f"a chunk is longer than its size: {bytes(data[at : at + 40])!r} follows its end")
    line = bytes(data[begun : begun + MOST_LINE + 1])
    if (begun > at or state == SIZE) and (line[:1] not in _HEX or b"\n" in line or len(line) > MOST_LINE):
        raise Unreadable(f"invalid chunk size {line[:40].strip().decode('latin-1')!r}: expected hexadecimal digits")


_READ = {
    HEAD: StreamedResponse._head,
    SIZED: StreamedResponse._sized,
    OPEN: StreamedResponse._open,
    SIZE: StreamedResponse._chunks,
    CHUNK: StreamedResponse._chunks,
    SIZE_AFTER: StreamedResponse._chunks,
    TRAILERS: StreamedResponse._trailers,
    DONE: StreamedResponse._behind,
}
