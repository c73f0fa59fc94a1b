"""What an output is: a task of its own that gets ticks and shows them or sends them on, at its own pace.

Laws: an output never delays the load and never ends a run. Its ticks wait in a short queue (session/feeding.py): one
that is too slow misses some, and is told how the run ended all the same. What it raises is reported, and it gets no
more ticks. It must not block: what may wait (files, sockets) is awaited.
"""

from typing import TYPE_CHECKING, Protocol

from vezaflow.outputs.tick import Tick

if TYPE_CHECKING:
    import trio


class OutputError(Exception):
    """What an output lost, in words that follow its name: `lost 3 of 12 pushes: status 500`."""


class Output(Protocol):
    """`name` is what people know it by, in reports of what went wrong."""

    @property
    def name(self) -> str: ...

    async def run(self, ticks: "trio.MemoryReceiveChannel[Tick]") -> None:
        """From the begin of the load to its end: the last tick is marked, and nothing comes after it."""
        ...
