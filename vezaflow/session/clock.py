"""The time of a rehearsal: it stands still while its user is asked something, so that no timeout counts that.

`skipping`: a pause ends as soon as nobody does anything but wait. With no network there is nothing to wait for.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

import trio


class RehearsalClock(trio.abc.Clock):
    """trio's clock and the engine's."""

    def __init__(self, *, skipping: bool = False) -> None:
        self._skipping = skipping
        self._ahead = 0.0  # seconds, of time.perf_counter
        self._held: float | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """No time passes within; what waits for a file or a socket still wakes."""
        begin = self._held = time.perf_counter()
        try:
            yield
        finally:
            self._held = None
            self._ahead -= time.perf_counter() - begin

    def start_clock(self) -> None:
        """It runs already."""

    def current_time(self) -> float:
        return self._ahead + (time.perf_counter() if self._held is None else self._held)

    def deadline_to_sleep_time(self, deadline: float) -> float:
        if self._held is not None:
            return inf
        left = deadline - self.current_time()
        if self._skipping and 0 < left < inf:
            self._ahead += left
            return 0.0
        return left
