"""One request at a time on an HTTP/2 connection that others use as well: what a client takes for its connection.

Laws: a stream that fails, is cut off or comes too late leaves the connection to the others; alone on it, it takes the
connection with it. Whoever opened the connection owns it: that stream's `close` closes it for all.
"""

import math
from typing import TYPE_CHECKING, Protocol

import trio

from vezaflow.protocols.exchange import Body, ErrorKind, Exchange, RequestOptions
from vezaflow.protocols.head import text_of
from vezaflow.protocols.http2_wire import not_the_length
from vezaflow.protocols.park import trap, wake
from vezaflow.protocols.phases import CLOSED, IDLE, SENDING, TIMEOUTS, TOO_LATE, WAITING
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.sending import pieces_of
from vezaflow.protocols.stamps import Clock
from vezaflow.recurring import Recurring

if TYPE_CHECKING:
    from ssl import SSLSession

    from vezaflow.protocols.wiretap import Http2Tap, Tap

Http2Fields = tuple[tuple[bytes, bytes], ...]
_HOP_BY_HOP = frozenset((b"connection", b"host", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
_WITHOUT_BODY = (204, 304)


class SharedConnection(Protocol):
    """What a stream needs of the connection that it is on: its own part of what a seat is, and room for a request."""

    deadline: float

    @property
    def clock(self) -> Clock: ...
    @property
    def scratch(self) -> Scratch: ...
    @property
    def tap(self) -> "Tap | Http2Tap | None": ...
    @property
    def session(self) -> "SSLSession | None": ...
    @property
    def certificate_ends(self) -> float | None: ...
    @property
    def takes_more(self) -> bool:
        """Whether there can be further requests."""

    @property
    def full(self) -> bool:
        """Whether the server takes none of them until one that is on its way has ended."""

    @property
    def busy(self) -> bool:
        """Whether any is on its way."""

    def be_tapped(self) -> None: ...
    def begin(self, stream: "Stream", exchange: Exchange, fields: Http2Fields) -> None: ...
    def forsake(self, stream: "Stream") -> None: ...
    def close(self) -> None: ...


class Stream:
    """See the module. Made by `Http2Connection.seat`, and by `another` of one that is there."""

    __slots__ = (
        "_connection", "_deadline", "_owner", "bodyless", "exchange", "number", "pending", "response", "sending",
        "task", "trap", "want",
    )  # fmt: skip

    def __init__(self, connection: SharedConnection, *, owner: bool) -> None:
        self._connection = connection
        self._owner = owner
        self._deadline = math.inf
        self.number = 0
        self.exchange: Exchange | None = None
        self.response: Http2Response | None = None
        self.pending: list[memoryview] = []  # of the body, not framed yet
        self.sending = False  # not all is with the kernel yet
        self.task: trio.lowlevel.Task | None = None
        self.want = 0
        self.bodyless = False
        self.trap = trap(self._abort)

    # -- what a client sees of a seat -----------------------------------------------------------------

    @property
    def phase(self) -> int:
        if self.exchange is not None:
            return SENDING if self.sending else WAITING
        return IDLE if self._connection.takes_more else CLOSED

    @property
    def deadline(self) -> float:
        return self._deadline

    @deadline.setter
    def deadline(self, moment: float) -> None:
        self._deadline = moment
        self._connection.deadline = min(self._connection.deadline, moment)

    @property
    def scratch(self) -> Scratch:
        return self._connection.scratch

    @property
    def tap(self) -> "Tap | Http2Tap | None":
        return self._connection.tap

    def be_tapped(self) -> None:
        self._connection.be_tapped()

    @property
    def certificate_ends(self) -> float | None:
        return self._connection.certificate_ends

    @property
    def session(self) -> "SSLSession | None":
        return self._connection.session

    @property
    def takes_more(self) -> bool:
        """Whether there can be further requests beside its own."""
        return self._connection.takes_more

    @property
    def full(self) -> bool:
        """Whether the server takes no further request until one of those on their way has ended."""
        return self._connection.full

    def shares(self, other: object) -> bool:
        """Whether another one is on the same connection."""
        return isinstance(other, Stream) and other._connection is self._connection

    def another(self) -> "Stream":
        """For a further request on the same connection."""
        return Stream(self._connection, owner=False)

    def start(self, exchange: Exchange, head: bytes, body: Body, options: RequestOptions) -> None:
        """As a Connection's."""
        self.exchange = exchange
        self.want = options.want._value_
        self.bodyless = options.bodyless
        head, _, rest = head.partition(b"\r\n\r\n")
        self.pending = pieces_of(rest, body)
        self.sending = True
        exchange.bytes_sent = 0
        self._connection.begin(self, exchange, fields_of(head))

    def release(self) -> None:
        """Its client can't use it any further. The connection goes on if there are others on it."""
        if self._owner and not self._connection.busy:
            self._connection.close()

    def close(self) -> None:
        if self._owner:
            self._connection.close()
        elif self.exchange is not None:
            self._connection.forsake(self)

    # -- for the connection ----------------------------------------------------------------------------------

    def all_sent(self, now: float) -> None:
        self.sending = False
        if self.exchange is not None:
            self.exchange.sent = now

    def finish(self, response: "Http2Response", now: float) -> None:
        """The response is complete."""
        exchange = self.exchange
        assert exchange is not None
        exchange.status = response.status
        exchange.ended = max(now, exchange.first)
        if self.sending:  # the response came before all was sent
            exchange.sent = min(exchange.first, exchange.ended)
        self._leave_exchange()

    def lose(self, kind: ErrorKind, detail: str) -> None:
        """There will be no response."""
        exchange = self.exchange
        if exchange is None:
            return
        exchange.lose(kind, detail, self._connection.clock(), sending=self.sending)
        self.response = None
        self._leave_exchange()

    def late(self, blocked: bool) -> tuple[ErrorKind, str]:
        """What was too slow; `blocked`: the kernel takes no more."""
        if self.sending:
            if self.pending and not blocked:
                window = "the server stopped reading the body: its flow-control window is empty"
                return ErrorKind.TIMEOUT_SEND, window
            return TIMEOUTS[SENDING]
        return TIMEOUTS[WAITING] if self.response is None else TOO_LATE

    def _leave_exchange(self) -> None:
        """The exchange is over, whichever way: wake the task that waits for it."""
        task, self.task = self.task, None
        self.exchange = None
        self.pending = []
        self.sending = False
        self._deadline = math.inf
        if task is not None:
            wake(task)

    def _abort(self, _raise_cancel: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
        self.task = None
        self._connection.forsake(self)
        self.response = None
        self._leave_exchange()
        return trio.lowlevel.Abort.SUCCEEDED


class Http2Response:
    """A response while it comes. Of the shape that a client collects from."""

    __slots__ = ("extra", "fields", "keep", "limit", "parts", "size", "status")

    codings = ()

    def __init__(self, fields: list[tuple[bytes, bytes]], limit: int) -> None:
        self.status = int(fields[0][1])  # :status comes first, and is three digits: http2_wire.py has looked
        self.fields = fields[1:]
        self.parts: list[bytes] = []
        self.size = 0
        self.limit = limit
        self.keep = True
        self.extra = False

    def fault(self, *, bodyless: bool) -> str | None:
        """Why it is malformed as a whole: its body is not as long as its head says (RFC 9113, 8.1.1)."""
        if bodyless or self.status in _WITHOUT_BODY:
            return not_the_length(0, self.size) if self.size else None
        length = next((value for name, value in self.fields if name == b"content-length"), None)
        if length is None or int(length) == self.size:  # digits, h2 has looked
            return None
        return not_the_length(int(length), self.size)

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The fields as people read them."""
        return [(name.decode("latin-1"), text_of(value)) for name, value in self.fields]

    def release(self) -> None:
        """It holds no parser."""


def _fields_of(head: bytes) -> Http2Fields:
    """An HTTP/1.1 head, without its blank line, as HTTP/2 says it (RFC 9113, 8.2 and 8.3.1)."""
    first, *lines = head.split(b"\r\n")
    method, _, rest = first.partition(b" ")
    target = rest.rpartition(b" ")[0]
    fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    authority = next((value for name, value in fields if name == b"host"), b"")
    pseudo = ((b":method", method), (b":scheme", b"https"), (b":authority", authority), (b":path", target))
    named = {one.strip().lower() for name, value in fields if name == b"connection" for one in value.split(b",")}
    return (*pseudo, *(field for field in fields if _goes_over(field) and field[0] not in named))


fields_of = Recurring(_fields_of, 4096).__getitem__


def _goes_over(field: tuple[bytes, bytes]) -> bool:
    """Whether a header field is one of the request, and not of an HTTP/1.1 connection (RFC 9113, 8.2.2)."""
    name, value = field
    return name not in _HOP_BY_HOP and (name != b"te" or value.lower() == b"trailers")
