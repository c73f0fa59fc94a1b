"""The time that a flow has: when it ends, how long what runs may go on after that, and whether it is paused.

Its VUs look at it before each iteration. Nothing but `end_at` moves the end.
"""

from collections.abc import Callable

import trio

from vezaflow.engine.wheel import Wheel


class Term:
    """`end` is on the clock, in seconds; `scope` holds all that the flow does, and is cut off after the grace."""

    __slots__ = ("clock", "end", "paused", "scope", "wheel")

    def __init__(self, clock: Callable[[], float], wheel: Wheel) -> None:
        self.clock = clock
        self.wheel = wheel
        self.end = float("inf")
        self.paused = False
        self.scope = trio.CancelScope()

    @property
    def over(self) -> bool:
        return self.clock() >= self.end

    def end_at(self, moment: float, grace: float) -> None:
        """Begin nothing from `moment` on; cut off what still runs `grace` seconds later."""
        self.end = moment
        self.scope.deadline = trio.current_time() + max(0.0, moment - self.clock()) + grace

    def cut_off_within(self, grace: float) -> None:
        """Of a flow that has ended: what still runs has no longer than this."""
        self.scope.deadline = min(self.scope.deadline, trio.current_time() + grace)

    async def until(self, moment: float) -> None:
        """Sleep until a moment, or until the flow is over."""
        while (now := self.clock()) < moment and now < self.end:
            await self.wheel.sleep_until(min(moment, self.end))

    async def resumed(self) -> None:
        """Sleep until the flow goes on, or is over."""
        while self.paused and self.clock() < self.end:
            await self.wheel.sleep_until(self.end)
