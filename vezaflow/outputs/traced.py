"""What `vezaflow try` has seen, as values: they are drawn line by line while it goes, and as a page at its end.

Nothing here is cut, masked or coloured: whoever draws it does that.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from vezaflow.diagnostics import Diagnostic, Span
from vezaflow.metrics import Phase
from vezaflow.plan import Outgoing
from vezaflow.protocols import Exchange, Sent
from vezaflow.syntax import JsonError, in_utf8, json_bytes, json_value

_PRIVATE = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
_MASK = "•••"
_PRETTY_UP_TO = 4 << 20  # bytes of a JSON body that is set out
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. The first three are 0 on a connection that was there already."""

    blocked: float
    connecting: float
    tls: float
    sending: float
    waiting: float
    receiving: float

    @classmethod
    def of(cls, e: Exchange) -> "Timing":
        opening = (0.0, 0.0, 0.0) if e.reused else (e.blocked, e.connecting, e.tls)
        return cls(*opening, e.sent - e.started, e.first - e.sent, e.ended - e.first)

    @property
    def to_first_byte(self) -> float:
        return self.sending + self.waiting

    @property
    def duration(self) -> float:
        """http_req_duration."""
        return self.sending + self.waiting + self.receiving


@dataclass(frozen=True, slots=True)
class TracedResponse:
    """A response, whole."""

    status: int
    headers: Headers
    body: bytes
    timing: Timing

    @property
    def status_line(self) -> str:
        return f"{self.status} {_PHRASES.get(self.status, '')}".rstrip()


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """A request and what came of it."""

    phase: Phase
    name: str
    span: Span
    included: tuple[Span, ...]
    turn: int  # from 1: the how manieth request of this run of its step
    outgoing: Outgoing
    sent: Sent | None  # what went out of it, read from the bytes that were handed to the socket; None: nothing did
    response: TracedResponse | None
    redirected: bool
    passed: tuple[str, ...]  # the expectations, when all of them held
    extracted: tuple[tuple[str, Any], ...]
    fault: Diagnostic | None

    @property
    def url(self) -> str:
        if self.sent is None or not self.sent.target.startswith("/"):
            return self.outgoing.target.url
        return self.outgoing.target._replace(target=self.sent.target).url

    @property
    def request_headers(self) -> Headers:
        if self.sent is not None:
            return tuple(self.sent.headers)
        head = self.outgoing.head.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
        lines = (line.partition(": ") for line in head.split("\r\n")[1:])
        return tuple((name, value) for name, _, value in lines)

    @property
    def method(self) -> str:
        if self.sent is not None:
            return self.sent.method
        return self.outgoing.head.partition(b" ")[0].decode("utf-8", "replace")

    @property
    def pieces(self) -> tuple[bytes | bytearray | memoryview, ...]:
        """The request's body."""
        if self.sent is not None and self.sent.body is not None:
            return (self.sent.body,)
        body = self.outgoing.body
        return body if isinstance(body, tuple) else (body or b"",)


@dataclass(frozen=True, slots=True)
class TracedFailure:
    """What failed without a response to show: a request that could not be made (with its name), or another step."""

    phase: Phase
    name: str
    span: Span | None
    included: tuple[Span, ...]
    fault: Diagnostic


@dataclass(frozen=True, slots=True)
class TracedPhase:
    """The first step of a phase is due."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class TracedMessage:
    """A step spoke, or waits."""

    phase: Phase
    message: str


@dataclass(frozen=True, slots=True)
class TracedValues:
    """Variables got values outside of a request."""

    phase: Phase
    values: tuple[tuple[str, Any], ...]


Traced: TypeAlias = TracedRequest | TracedFailure | TracedPhase | TracedMessage | TracedValues


def place_of(span: Span, included: tuple[Span, ...] = ()) -> str:
    """Where a step stands, file and line, and where that file is included."""
    spots = [f"{each.source.path}:{each.source.position(each.start)[0]}" for each in (span, *included)]
    return ", included at ".join(spots)


def shown_header(name: str, value: str) -> str:
    """A header's value, as far as it is anybody's to see."""
    return _MASK if name.lower() in _PRIVATE else value


def readable(body: bytes | bytearray | memoryview, most: int | None = None, headers: Headers = ()) -> str | None:
    """A body as text, in its headers' charset, JSON set out, of the rest the first `most` bytes; None for bytes."""
    content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
    if content_type:
        body = in_utf8(bytes(body), content_type)
    size = len(body)
    if size <= _PRETTY_UP_TO and bytes(body[:64]).lstrip()[:1] in (b"{", b"["):
        try:
            return json_bytes(json_value(bytes(body)), pretty=True).decode()
        except JsonError:
            pass
    part = bytes(body if most is None else body[:most])
    if b"\x00" in part:
        return None
    try:
        return part.decode()
    except UnicodeDecodeError as e:
        cut = len(part) < size and e.start > len(part) - 4  # within a character
        return part[: e.start].decode() if cut else None
