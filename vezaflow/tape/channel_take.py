"""What passed over one channel, a WebSocket or an event stream: messages both ways in their order, and its end.

Times are seconds since its opening began.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from vezaflow.protocols import ErrorKind


class ChannelKind(Enum):
    WEBSOCKET = "websocket"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Passed:
    """One message, sent by the flow or received."""

    sent: bool
    at: float
    data: str | bytes
    event: str = ""  # of an event stream, as the next one
    id: str = ""

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return 100 + len(self.data) + len(self.event) + len(self.id)


@dataclass(frozen=True, slots=True)
class End:
    """How it ended. `asked`: the code with which the flow closed it; None: it did not, the end came by itself."""

    at: float
    code: int
    reason: str
    by_server: bool
    error: ErrorKind | None
    detail: str
    asked: int | None


@dataclass(frozen=True, slots=True)
class ChannelTake:
    """`refused`: why the response opened no channel; `whole`: False if there was no room for all messages; `end`: None
    if it was cut off; `pongs`: how long those took that came, of so many `pings`."""

    kind: ChannelKind
    refused: ErrorKind | None = None
    detail: str = ""
    messages: tuple[Passed, ...] = ()
    whole: bool = True
    end: End | None = None
    subprotocol: str | None = None
    retry: float | None = None
    pings: int = 0
    pongs: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return 200 + sum(message.size for message in self.messages)


def text_masked(data: str | bytes, mask: Callable[[bytes], bytes]) -> str | bytes:
    """A message's data with a mask for bytes applied."""
    if isinstance(data, bytes):
        return mask(data)
    return mask(data.encode("utf-8", "replace")).decode("utf-8", "replace")
