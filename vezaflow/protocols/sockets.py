"""What the engine needs of an open WebSocket; fakes have these shapes. See channel.py and websocket.py for the laws."""

from typing import Protocol

from vezaflow.protocols.channel import ChannelMessage, Ending, SentMessage
from vezaflow.protocols.exchange import Exchange


class Socket(Protocol):
    """An open WebSocket, as WebSocketChannel is. Deadlines are of the clock that messages are stamped by."""

    ending: Ending | None

    async def receive(self, deadline: float) -> ChannelMessage | Ending | None:
        """The next message; the ending, when there are no more; None at the deadline."""

    async def ended_by(self, deadline: float) -> Ending | None:
        """The ending, when it has come; None at the deadline."""

    async def send(self, data: str | bytes, deadline: float) -> SentMessage:
        """Send a message, and wait until the kernel has all of it."""
        ...

    def post(self, data: str | bytes) -> SentMessage:
        """Send a message without waiting."""
        ...

    async def ping(self, deadline: float) -> float | None:
        """Seconds from a ping to its pong; None where none came."""

    async def close(self, code: int = 1000, reason: str = "") -> Ending:
        """Close it, and wait for the server to confirm that."""
        ...

    def drop(self) -> None:
        """Close it at once."""


class Opened(Protocol):
    """What came of opening one, as Upgrade is: the request that asked for it, and the WebSocket if there is one."""

    @property
    def exchange(self) -> Exchange: ...

    @property
    def channel(self) -> Socket | None: ...
