"""One request and what came of it: the value that protocols hand to the engine. No exception leaves an
exchange.
"""

from dataclasses import dataclass, field
from enum import Enum, IntFlag
from typing import TypeAlias

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110, 9.2.2
Body: TypeAlias = bytes | tuple[bytes | memoryview, ...] | None
"""What follows a request's head: pieces may be shared by all clients, they are never copied nor changed."""


class ErrorKind(Enum):
    """Every way in which a request can fail, by the name that summaries, gates and docs use."""

    DNS = "dns"
    REFUSED = "refused"  # nobody listens
    UNREACHABLE = "unreachable"  # no route, network down, out of local ports
    PROXY = "proxy"  # it opened no tunnel
    RESET = "reset"  # the peer reset the connection
    CLOSED_EARLY = "closed_early"  # the peer closed before the whole response came
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_TLS = "timeout_tls"
    TIMEOUT_SEND = "timeout_send"
    TIMEOUT_WAIT = "timeout_wait"  # no first byte in time
    TIMEOUT_RECEIVE = "timeout_receive"  # the response did not end in time
    TLS = "tls"  # handshake or certificate
    MALFORMED = "malformed"  # not HTTP/1.1, or a body that can't be decoded where a step reads it
    TOO_LARGE = "too_large"  # a kept body over the limit, or a head over 256 KiB
    UPGRADE = "upgrade"  # the server's response opens no WebSocket
    CONTENT_TYPE = "content_type"  # a response that is no event stream
    TIMEOUT_PING = "timeout_ping"  # no pong in time
    TIMEOUT_MESSAGE = "timeout_message"  # no message in time that a step waited for
    CLOSED = "closed"  # the server closed the WebSocket, or ended the event stream
    TIMEOUT_CLOSE = "timeout_close"  # the server did not confirm the close in time
    REDIRECTS = "too_many_redirects"
    GUARD = "guard"  # a URL that leaves the allowed hosts: nothing was sent
    URL = "url"  # a rendered URL that is not one
    EXPRESSION = "expression"  # a request that an expression's failure kept from being made: nothing was sent
    # set by the engine, on responses that came:
    STATUS = "status"  # a status that was not expected
    EXPECTATION = "expectation"
    EXTRACTION = "extraction"
    INTERRUPTED = "interrupted"  # cut off by the end of the run; neither a success nor a failure


class Want(IntFlag):
    """What a step needs of a response; all else is dropped at the socket."""

    NOTHING = 0
    HEADERS = 1
    BODY = 2
    COOKIES = 4  # look for Set-Cookie (into the jar of the client)
    SHOWN = 8  # with BODY and HEADERS: people look at the body, no step reads it; what can't be decoded fails nothing


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """A step's options for one exchange. `timeout`: seconds for all of it; `bodyless`: it is HEAD, whose response has
    no body; `replayable`: it may be sent again; `closes`: its connection is not used again (RFC 9112, 9.6)."""

    want: Want
    timeout: float
    bodyless: bool = False
    replayable: bool = True
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    scheme: str  # http | https
    host: str  # as in the URL, lower case, IPv6 without brackets
    port: int

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


_MOST_KEPT = 64 << 20  # bytes of a body that was sent
PROXY = "the proxy "  # how `detail` begins where a proxy is at fault, and not the target


@dataclass(slots=True)
class Sent:
    """A request as it went out. `body`: as much of it as was handed over, or None where it is more than is kept."""

    method: str = ""
    target: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray | None = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        if self.body is not None:
            if len(self.body) + len(data) > _MOST_KEPT:
                self.body = None
            else:
                self.body += data


class Exchange:
    """A request's times (seconds of time.perf_counter) and its response. Owned by its client and used again by the
    client's next request: read it before that.

    `started` is when the first byte was handed to the kernel, `sent` when the last one was, `first` when the first
    byte of the response had come, `ended` when the last one had. http_req_duration is ended - started. `begun` is when
    a connection was needed and there was none to use.
    """

    __slots__ = (
        "begun", "blocked", "body", "bytes_received", "bytes_sent", "connecting", "detail", "ended", "error", "first",
        "headers", "reused", "sent", "started", "status", "tls", "trace", "wire",
    )  # fmt: skip

    def __init__(self) -> None:
        self.error: ErrorKind | None = None
        self.detail = ""  # one line for people: what the kernel or the parser said
        self.status = 0  # 0: no response
        self.headers: list[tuple[str, str]] = []  # names lower case; only with Want.HEADERS or a redirect (3xx)
        self.body = b""  # decoded (gzip, deflate, br); only with Want.BODY
        self.begun = 0.0
        self.started = 0.0
        self.sent = 0.0
        self.first = 0.0
        self.ended = 0.0
        self.reused = True  # False: blocked, connecting and tls are this request's own
        self.blocked = 0.0  # seconds spent waiting for a connection: DNS and the rest
        self.connecting = 0.0
        self.tls = 0.0
        self.bytes_sent = 0
        self.bytes_received = 0
        self.trace = ""  # the id of its trace; empty: it has none
        self.wire: Sent | None = None  # what went out, where somebody looks on; None: nothing did

    def lose(self, kind: ErrorKind, detail: str, now: float, *, sending: bool) -> None:
        """It ends at `now` without a response; `sending`: not all of the request is with the kernel."""
        self.ended = now
        if sending:
            self.sent = now
        if self.bytes_received == 0:
            self.first = now
        self.error = kind
        self.detail = detail

    @property
    def took(self) -> float:
        """Seconds of its user's time, a new connection's with it."""
        return self.ended - (self.started if self.reused else self.begun)

    @property
    def at_proxy(self) -> bool:
        """Whether a proxy on the way is at fault."""
        return self.error is not None and self.detail.startswith(PROXY)
