"""The head of an HTTP/1.1 response: bytes to status, fields and framing, by RFC 9112. Pure functions.

Laws: lenient where browsers, curl and Go all are and nothing is hidden by it: folded fields, a bare LF, equal doubled
Content-Lengths, any HTTP/1.x. Strict where a target's fault would hide: Content-Lengths that differ, one beside a
Transfer-Encoding (RFC 9112, 6.3: "ought to be handled as an error"), names that are no tokens, NUL and bare CR.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from vezaflow.protocols.bounds import FIELD_COST, MOST_HEAD
from vezaflow.protocols.exchange import ErrorKind
from vezaflow.recurring import Recurring

Field = tuple[bytes, bytes, tuple[str, str]]  # name in lower case, value without white space around it, both as text
Fields = list[Field]

_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: .*)?", re.DOTALL)
_FOLD = re.compile(rb"[ \t]*\n[ \t]+")
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MOST_DIGITS = 18  # of a length: below 2**63
_REMEMBERED = 256  # bytes of a line
_PLAIN = 4096  # bytes of a head whose lines are all remembered
_LINES = 1024  # that are: 10 MB or so, were they all as long


class Unreadable(Exception):  # noqa: N818 (a fact about the response)
    """Bytes that are no response, or too many of them."""

    def __init__(self, detail: str, kind: ErrorKind = ErrorKind.MALFORMED) -> None:
        super().__init__(detail)
        self.detail = detail
        self.kind = kind


class Head(NamedTuple):
    """A head. Its body is chunked, `length` bytes long, or ends with the connection (neither)."""

    status: int
    fields: Fields
    chunked: bool = False
    length: int | None = None
    keep: bool = False  # the connection may carry another request
    codings: tuple[str, ...] = ()  # transfer codings under the chunks, in the order in which they were applied


def parse_head(raw: bytes, *, bodyless: bool) -> Head:
    """A head with its blank line; `bodyless`: the response to HEAD. Raises Unreadable."""
    fields = plain_fields(raw)
    if fields is None:
        text = raw.replace(b"\r\n", b"\n")
        first, _, rest = text.partition(b"\n")
    else:
        first, _, rest = raw.partition(b"\r\n")
    status, recent = _status_of(first) if len(first) < _REMEMBERED else _parsed_status(first)
    if status < 200:
        return Head(status, [])
    if fields is None:
        fields = _fields(rest)
    last = {name: value for name, value, _ in fields}
    said = last if len(last) == len(fields) and _PROXIED not in last else _joined(fields)
    keep = recent
    options = said.get(b"connection")
    if options is not None:
        members = _members(options)
        keep = b"close" not in members and (recent or b"keep-alive" in members)
    if bodyless or status == 204 or status == 304:  # whatever their fields say (RFC 9112, 6.3)
        return Head(status, fields, False, 0, keep)
    length, transfer = said.get(b"content-length"), said.get(b"transfer-encoding")
    if transfer is not None:
        if length is not None:
            raise Unreadable("both Content-Length and Transfer-Encoding: the length is ambiguous")
        codings = [member.decode("latin-1") for member in _members(transfer) if member]
        if codings and codings[-1] == "chunked":  # HTTP/1.0 has no chunks: faulty framing (RFC 9112, 6.1)
            under = tuple([coding for coding in codings if coding != "chunked"])  # said twice, done once
            return Head(status, fields, True, None, keep and recent, under)
        return Head(status, fields, codings=tuple(codings))
    if length is not None:
        return Head(status, fields, False, _length(length), keep)
    return Head(status, fields)


def plain_fields(raw: bytes) -> Fields | None:
    """The fields of a head that is written as all are: lines that end with CRLF, tokens before the colons, no more of
    them than allowed. None: it is not, and `parse_head` has to tell what it means."""
    lines = raw.split(b"\r\n")
    if len(raw) > _PLAIN or b"\n" in lines[0] or b"\r" in lines[0]:
        return None
    try:
        return list(map(_field, lines[1:-2]))
    except Unreadable:
        return None


@lru_cache(maxsize=64)
def _status_of(line: bytes) -> tuple[int, bool]:
    return _parsed_status(line)


def _parsed_status(line: bytes) -> tuple[int, bool]:
    """The status, and whether it is of HTTP/1.1 or later."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise Unreadable(f"invalid status line {_shown(line)}: expected HTTP/1.1, a space, three digits")
    return int(match[2]), match[1] != b"0"


def _joined(fields: Fields) -> dict[bytes, bytes]:
    """What frames the response, all lines of a name as one list (RFC 9110, 5.3)."""
    said: dict[bytes, bytes] = {}
    for name, value, _ in fields:
        if name in _FRAMING:
            name = _FRAMING[name]
            said[name] = said[name] + b"," + value if name in said else value
    return said


_FRAMING = {name: name for name in (b"connection", b"transfer-encoding", b"content-length")}
_PROXIED = b"proxy-connection"
_FRAMING[_PROXIED] = b"connection"  # as curl and llhttp have it


def text_of(value: bytes) -> str:
    """A field's value as people read it: UTF-8 where it is that, else Latin-1 (RFC 9110, 5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _fields(text: bytes) -> Fields:
    if text == b"\n":
        return []
    if b"\n " in text or b"\n\t" in text:
        text = _FOLD.sub(b" ", text)
    fields = [_field(line) if len(line) < _REMEMBERED else _parsed(line) for line in text[:-2].split(b"\n")]
    if len(text) + FIELD_COST * len(fields) > MOST_HEAD:
        raise Unreadable(f"too many headers: {len(fields)}", ErrorKind.TOO_LARGE)
    return fields


def _parsed(line: bytes) -> Field:
    name, colon, value = line.partition(b":")
    if b"\0" in value or b"\r" in value or b"\n" in value:
        raise Unreadable("a header contains NUL or a bare CR")
    if not colon or not name or name.translate(None, _TOKEN):
        raise Unreadable(f"{_shown(line)} is not a valid header: expected a name, a colon, a value")
    name, value = name.lower(), value.strip(b" \t")
    return name, value, (name.decode("latin-1"), text_of(value))


_field = Recurring(_parsed, _LINES).__getitem__  # nearly all lines come again and again: 0.1 µs, and 0.7 to parse one


def _members(value: bytes) -> list[bytes]:
    """The members of a field that is a list (RFC 9110, 5.6.1), in lower case."""
    return [member.strip(b" \t").lower() for member in value.split(b",")]


def _length(value: bytes) -> int:
    if value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value)
    members = _members(value)
    for member in members:
        if not member.isdigit() or len(member.lstrip(b"0")) > _MOST_DIGITS:
            raise Unreadable(f"invalid Content-Length {_shown(member)}: expected a number of bytes")
    lengths = {int(member[-_MOST_DIGITS:]) for member in members}
    if len(lengths) > 1:
        raise Unreadable(f"several Content-Length values: {' and '.join(map(str, sorted(lengths)))}")
    return lengths.pop()


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("latin-1"))
