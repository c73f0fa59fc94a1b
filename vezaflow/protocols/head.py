"""The head of an HTTP/1.1 response: bytes to status, fields and framing, by RFC 9112. Pure functions.

Laws: lenient where browsers, curl and Go all are and nothing is hidden by it: folded fields, a bare LF, equal doubled
Content-Lengths, any HTTP/1.x. Strict where a target's fault would hide: Content-Lengths that differ, one beside a
Transfer-Encoding (RFC 9112, 6.3: "ought to be handled as an error"), names that are no tokens, NUL and bare CR.
"""

import re
from typing import NamedTuple

from vezaflow.protocols.bounds import FIELD_COST, MOST_HEAD
from vezaflow.protocols.exchange import ErrorKind
from vezaflow.recurring import Recurring

Fields = list[tuple[bytes, bytes]]

_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: .*)?", re.DOTALL)
_FOLD = re.compile(rb"[ \t]*\n[ \t]+")
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MOST_DIGITS = 18  # of a length: below 2**63
_REMEMBERED = 256  # bytes: so the lines that are remembered are a megabyte at most


class Unreadable(Exception):  # noqa: N818 (a fact about the response)
    """Bytes that are no response, or too many of them."""

    def __init__(self, detail: str, kind: ErrorKind = ErrorKind.MALFORMED) -> None:
        super().__init__(detail)
        self.detail = detail
        self.kind = kind


class Head(NamedTuple):
    """A head. Its body is chunked, `length` bytes long, or ends with the connection (neither)."""

    status: int
    fields: Fields  # names lower case, values without the white space around them
    chunked: bool = False
    length: int | None = None
    keep: bool = False  # the connection may carry another request
    codings: tuple[str, ...] = ()  # transfer codings under the chunks, in the order in which they were applied


def parse_head(raw: bytes, *, bodyless: bool) -> Head:
    """A head with its blank line; `bodyless`: it answers HEAD. Raises Unreadable."""
    text = raw.replace(b"\r\n", b"\n")
    first, _, rest = text.partition(b"\n")
    match = _STATUS_LINE.fullmatch(first)
    if match is None:
        raise Unreadable(f"the status line is {_shown(first)}: write HTTP/1.1, a space, three digits")
    status = int(match[2])
    if status < 200:
        return Head(status, [])
    fields = _fields(rest)
    said: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        if name in _FRAMING:
            said.setdefault(_FRAMING[name], []).append(value)
    recent = match[1] != b"0"
    keep = recent
    if b"connection" in said:
        options = _members(said[b"connection"])
        keep = b"close" not in options and (recent or b"keep-alive" in options)
    if bodyless or status == 204 or status == 304:  # whatever their fields say (RFC 9112, 6.3)
        return Head(status, fields, False, 0, keep)
    if b"transfer-encoding" in said:
        if b"content-length" in said:
            raise Unreadable("Content-Length and Transfer-Encoding are both there: which one counts is anyone's guess")
        codings = [member.decode("latin-1") for member in _members(said[b"transfer-encoding"]) if member]
        if codings and codings[-1] == "chunked":  # HTTP/1.0 has no chunks: faulty framing (RFC 9112, 6.1)
            under = tuple(coding for coding in codings if coding != "chunked")  # said twice, done once
            return Head(status, fields, True, None, keep and recent, under)
        return Head(status, fields, codings=tuple(codings))
    if b"content-length" in said:
        return Head(status, fields, False, _length(_members(said[b"content-length"])), keep)
    return Head(status, fields)


_FRAMING = {name: name for name in (b"connection", b"transfer-encoding", b"content-length")}
_FRAMING[b"proxy-connection"] = b"connection"  # as curl and llhttp have it


def text_of(value: bytes) -> str:
    """A field's value as people read it: UTF-8 where it is that, else Latin-1 (RFC 9110, 5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _fields(text: bytes) -> Fields:
    if text == b"\n":
        return []
    if b"\0" in text or b"\r" in text:
        raise Unreadable("a header has NUL or a bare CR in it")
    if b"\n " in text or b"\n\t" in text:
        text = _FOLD.sub(b" ", text)
    fields = [_field(line) if len(line) < _REMEMBERED else _parsed(line) for line in text[:-2].split(b"\n")]
    if len(text) + FIELD_COST * len(fields) > MOST_HEAD:
        raise Unreadable(f"there are {len(fields)} headers", ErrorKind.TOO_LARGE)
    return fields


def _parsed(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name.translate(None, _TOKEN):
        raise Unreadable(f"{_shown(line)} is no header: a name, a colon, a value")
    return name.lower(), value.strip(b" \t")


_field = Recurring(_parsed, 2048).__getitem__  # nearly all lines come again and again: 0.1 µs, and 0.7 to parse one


def _members(lines: list[bytes]) -> list[bytes]:
    """The members of a field that is a list, over all its lines (RFC 9110, 5.6.1), in lower case."""
    return [member.strip(b" \t").lower() for line in lines for member in line.split(b",")]


def _length(members: list[bytes]) -> int:
    if len(members) == 1 and members[0].isdigit() and len(members[0]) <= _MOST_DIGITS:
        return int(members[0])
    for member in members:
        if not member.isdigit() or len(member.lstrip(b"0")) > _MOST_DIGITS:
            raise Unreadable(f"Content-Length is {_shown(member)}: write a number of bytes")
    lengths = {int(member[-_MOST_DIGITS:]) for member in members}
    if len(lengths) > 1:
        raise Unreadable(f"Content-Length is said twice, as {' and '.join(map(str, sorted(lengths)))}")
    return lengths.pop()


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("latin-1"))
