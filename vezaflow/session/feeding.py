"""The ticks' way to the outputs, each a task with a queue of its own.

Laws: nothing here waits while the load goes on: a tick that a queue has no room for is lost, counted, and reported
once, at the end. An output that raises is reported and gets no more. The last tick reaches every output that still
runs; when the load is over they have `LAST` seconds for what is left.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

import trio

from vezaflow import units
from vezaflow.outputs import Output, OutputError, Tick

QUEUED = 5  # ticks that wait for an output
LAST = 5.0  # seconds that outputs get once the load is over


class Feeding:
    """The outputs of a run. `say` tells people at once what went wrong; `notes` are the result's."""

    def __init__(self, outputs: Sequence[Output], say: Callable[[str], None]) -> None:
        self._feeds = [_Feed(output, say) for output in outputs]

    def begin(self, nursery: trio.Nursery) -> None:
        for feed in self._feeds:
            nursery.start_soon(feed.run)

    def tick(self, tick: Tick) -> None:
        for feed in self._feeds:
            feed.offer(tick)

    async def end(self, last: Tick) -> None:
        """Hand out the last tick, and wait until all outputs have ended. Who waits sets the limit."""
        async with trio.open_nursery() as nursery:
            for feed in self._feeds:
                nursery.start_soon(feed.end, last)

    def close(self) -> None:
        """What was not done by now is lost."""
        for feed in self._feeds:
            feed.close()

    def notes(self) -> tuple[str, ...]:
        return tuple(feed.note for feed in self._feeds if feed.note)


class _Feed:
    """One output with its queue."""

    def __init__(self, output: Output, say: Callable[[str], None]) -> None:
        self._output = output
        self._say = say
        self._send, self._receive = trio.open_memory_channel[Tick](QUEUED)
        self._ended = trio.Event()
        self._offered = self._lost = 0
        self.note = ""

    async def run(self) -> None:
        try:
            async with self._receive:
                await self._output.run(self._receive)
        except OutputError as e:  # it has sent what it could, and says itself what was lost
            self._report(str(e))
        except Exception as e:  # whatever it is: the load and its verdict are worth more than an output
            self._report(f"failed after {units.counted(self._offered, 'tick')} and got no more: {_reason(e)}")
        self._ended.set()  # not where it was cut off

    def offer(self, tick: Tick) -> None:
        try:
            self._send.send_nowait(tick)
        except trio.WouldBlock:
            self._lost += 1
        except trio.BrokenResourceError:  # it has ended
            return
        self._offered += 1

    async def end(self, last: Tick) -> None:
        self._offered += 1
        with suppress(trio.BrokenResourceError):  # it has ended
            await self._send.send(last)
        self._send.close()
        await self._ended.wait()

    def close(self) -> None:
        self._send.close()
        lost = f"{self._lost:,} of {units.counted(self._offered, 'tick')} lost" if self._lost else ""
        if not self._ended.is_set():
            also = f", and {lost} before" if lost else ""
            self._report(f"did not end within {LAST:g} s of the load: its last ticks may be missing{also}")
        elif lost and not self.note:
            self._report(f"was too slow: {lost}")

    def _report(self, what: str) -> None:
        self.note = f"output {self._output.name} {what}"
        self._say(self.note)


def _reason(error: Exception) -> str:
    """An error in one line."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(f"{type(error).__name__}: {error}".split())
