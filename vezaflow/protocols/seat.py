"""What a client sends its requests by: a connection of its own, or a stream of one that is shared. And what it
collects from: the response that is kept there until then.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import trio

from vezaflow.protocols.exchange import Body, Exchange, RequestOptions
from vezaflow.protocols.head import Field
from vezaflow.protocols.park import Trap
from vezaflow.protocols.scratch import Scratch

if TYPE_CHECKING:
    from ssl import SSLSession

    from vezaflow.protocols.wiretap import Http2Tap, Tap


class Response(Protocol):
    """A complete response, with as much of it as was wanted."""

    @property
    def fields(self) -> Sequence[tuple[bytes, bytes] | Field]: ...
    @property
    def texts(self) -> list[tuple[str, str]]:
        """The fields as people read them."""

    @property
    def parts(self) -> Sequence[bytes]: ...
    @property
    def codings(self) -> tuple[str, ...]:
        """Transfer codings under the chunks, in the order in which they were applied."""

    def release(self) -> None:
        """Free what it holds, since it is not used again."""


class Seat(Protocol):
    """A request may be sent while `phase` is IDLE. After `start`, the task waits if `exchange` is still set: it says
    until when (`deadline`) and who it is (`task`), and parks with `trap`."""

    exchange: Exchange | None
    task: trio.lowlevel.Task | None
    deadline: float

    @property
    def phase(self) -> int: ...
    @property
    def trap(self) -> Trap: ...
    @property
    def want(self) -> int:
        """The `Want` of the last request."""

    @property
    def number(self) -> int:
        """Of the stream; 0 where a connection has no more than one."""

    @property
    def response(self) -> Response | None: ...
    @response.setter
    def response(self, nothing: None) -> None: ...

    @property
    def scratch(self) -> Scratch: ...
    @property
    def tap(self) -> "Tap | Http2Tap | None": ...
    @property
    def session(self) -> "SSLSession | None":
        """What a connection that replaces this one may resume."""

    @property
    def certificate_ends(self) -> float | None:
        """Seconds since 1970; None where there is no verified certificate."""

    def start(self, exchange: Exchange, head: bytes, body: Body, options: RequestOptions) -> None:
        """Hand the kernel as much of a request as it takes."""

    def be_tapped(self) -> None:
        """Keep what goes out from now on in `tap`."""

    def release(self) -> None:
        """Its client can't use it any further."""

    def close(self) -> None:
        """Close it, and the connection if it is its owner."""
