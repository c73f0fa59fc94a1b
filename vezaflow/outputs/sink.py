"""What all outputs that send over a network have in common: when they send, what waits, and what is lost.

Laws: bodies are made in a thread, for making one takes the load's loop as long as ten requests do. What can't be sent
now waits in a queue of `queue` payloads, in order; when it is full the oldest is lost. A payload is tried again where
it may help (429, 5xx, a broken connection) and never after another 4xx; a `Retry-After` makes the pause before that
longer, never shorter. The first tick is sent at once, then one every so often, and the last one always; for what waits
then there are `last` seconds. All that is lost is counted and said at the end. A sink that is slow, wrong or gone costs
the load nothing.
"""

from collections import deque
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import trio

from vezaflow import units
from vezaflow.outputs.output import OutputError
from vezaflow.outputs.posting import MOST_BYTES, POST_OPTIONS, PostError, post
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Target
from vezaflow.protocols import Transport

Encode = Callable[[Tick], Sequence[bytes]]
Say = Callable[[str], None]
_EARLY = 0.5  # seconds that a tick may come before it is due


@dataclass(frozen=True, slots=True)
class SinkLimits:
    """Payloads that wait; seconds for a request, for the first pause before another try, for the longest (they double),
    for the longest that a server may ask for, and for what waits when the load is over."""

    queue: int = 60
    timeout: float = 5.0
    pause: float = 0.5
    longest_pause: float = 30.0
    longest_asked: float = 120.0
    last: float = 4.0


LIMITS = SinkLimits()


class Carrier(Protocol):
    """Brings bodies to a receiver."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """What it stands on, until it is cancelled."""
        ...

    async def send(self, body: bytes) -> None:
        """Returns when the body was taken. Raises PostError."""
        ...


def _taken(_: bytes) -> None:
    """A 2xx says enough."""


class HttpCarrier:
    """Posts bodies to a URL, over a transport of its own."""

    def __init__(
        self, target: Target, headers: Mapping[str, str], timeout: float, check: Callable[[bytes], None] = _taken
    ) -> None:
        """`check` looks at the body of a 2xx response, and raises PostError where it says no all the same."""
        self._target = target
        self._check = check
        self._headers = headers
        self._timeout = timeout
        self._transport = Transport(max_body=MOST_BYTES)
        self._transport.route(target.origin, POST_OPTIONS, None, None)  # reads the system's authorities: now

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await self._transport.run(task_status=task_status)

    async def send(self, body: bytes) -> None:
        self._check(await post(self._transport, "POST", self._target, self._headers, body, self._timeout))


class Sink:
    """An Output that sends what `encode` makes of ticks. `every`: seconds between two of them. `say` tells people of
    the first failure, at once."""

    def __init__(
        self, name: str, encode: Encode, carrier: Carrier, every: float, say: Say, limits: SinkLimits = LIMITS
    ) -> None:
        self.name = name
        self._encode = encode
        self._carrier = carrier
        self._every = every
        self._say = say
        self._limits = limits
        self._waiting: deque[bytes] = deque()
        self._sending = False  # one payload is on its way
        self._complete = False
        self._more, self._done = trio.Event(), trio.Event()
        self._made = self._lost = 0
        self._trouble = ""

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(self._carrier.run)
            nursery.start_soon(self._deliver_all)
            await self._take(ticks)
            self._complete = True
            self._more.set()
            with trio.move_on_after(self._limits.last):
                await self._done.wait()
            nursery.cancel_scope.cancel()
        left = len(self._waiting) + self._sending
        if self._lost or left:
            raise OutputError(self._what_was_lost(left))

    async def _take(self, ticks: AsyncIterable[Tick]) -> None:
        due = 0.0
        async for tick in ticks:
            if not tick.last and tick.elapsed + min(_EARLY, self._every / 2) < due:
                continue
            due = tick.elapsed + self._every
            for body in await trio.to_thread.run_sync(self._encode, tick, abandon_on_cancel=True):
                self._put(body)

    def _put(self, body: bytes) -> None:
        self._made += 1
        if len(self._waiting) >= self._limits.queue:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(body)
        self._more.set()

    async def _deliver_all(self) -> None:
        while self._waiting or not self._complete:
            if not self._waiting:
                self._more = trio.Event()
                await self._more.wait()
                continue
            self._sending = True
            await self._deliver(self._waiting.popleft())
            self._sending = False
        self._done.set()

    async def _deliver(self, body: bytes) -> None:
        limits = self._limits
        pause = limits.pause
        while True:
            try:
                await self._carrier.send(body)
                return
            except PostError as e:
                if not self._trouble:
                    self._say(f"output {self.name} can't send: {e}; the run continues")
                self._trouble = str(e)
                if not e.again and e.error is None:
                    self._lost += 1
                    return
                await trio.sleep(max(pause, min(e.after or 0.0, limits.longest_asked)))
                pause = min(2 * pause, limits.longest_pause)

    def _what_was_lost(self, left: int) -> str:
        text = f"lost {self._lost + left:,} of {units.counted(self._made, 'payload')}"
        if left:
            text += f", {left:,} of them not taken within {self._limits.last:g} s of the load"
        return f"{text}: {self._trouble}" if self._trouble else text
