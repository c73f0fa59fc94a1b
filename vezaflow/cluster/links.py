"""The way to a worker process of another machine. Its clock is another one: a moment is told to it in its own."""

from collections.abc import Mapping

import trio

from vezaflow.cluster.machines import Conversation
from vezaflow.cluster.sealed import Message
from vezaflow.scale import Json

_ENDING = 1.0  # seconds that word of its end has


class RemoteLink:
    """Worker `number` of the run, on the machine of a conversation."""

    def __init__(self, number: int, talk: Conversation, environment: Mapping[str, str]) -> None:
        self.number = number
        self.who = f"worker {number} on {talk.name}"
        self._talk = talk
        self._inbox, self._received = trio.open_memory_channel[Message](10_000)
        self._ended = trio.Event()
        self._code: int | None = None
        self._tail = ""
        talk.tell({"do": "begin", "worker": number, "environment": dict(environment)})

    @property
    def trouble(self) -> str:
        return self._talk.trouble or self._talk.lost

    def heard(self, message: Message) -> None:
        """Called in trio's thread with what the machine says of this worker."""
        if "ended" in message:
            self._code, self._tail = message["ended"], message["tail"]
            self._ended.set()
            self._inbox.close()
            return
        try:
            self._inbox.send_nowait(message["message"])
        except (trio.WouldBlock, trio.ClosedResourceError, trio.BrokenResourceError):
            pass  # nobody has listened for long: it is lost already

    async def send(self, message: Json) -> None:
        await trio.lowlevel.checkpoint()
        if self._ended.is_set() or self._talk.trouble:
            raise trio.BrokenResourceError(self._talk.trouble)
        if message.get("do") == "start":
            message = {**message, "at": message["at"] + self._talk.clock.offset}
        self._talk.tell({"do": "tell", "worker": self.number, "message": message})

    async def receive(self) -> Json | None:
        try:
            return await self._received.receive()
        except trio.EndOfChannel:
            return None

    @property
    def waiting(self) -> bool:
        return self._received.statistics().current_buffer_used > 0

    async def overhear(self) -> None:
        """The machine keeps it."""

    async def farewell(self) -> tuple[int | None, str]:
        with trio.move_on_after(_ENDING):
            await self._ended.wait()
        return self._code, self._tail

    def kill(self) -> None:
        self._talk.tell({"do": "kill", "worker": self.number})

    def reap(self) -> None:
        self.kill()
