"""How the sandbox misbehaves on purpose: slow by so much and up to a jitter more, and failing so often.

Seeded: the same settings meet the n-th request with the same fate.
"""

import asyncio
from random import Random

from vezaflow.sandbox.settings import SandboxSettings


class Faults:
    """One fate per request, dealt in the order of arrival."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._latency = settings.latency
        self._jitter = settings.jitter
        self._error_rate = settings.error_rate
        self._random = Random(settings.seed)
        self.active = bool(settings.latency or settings.jitter or settings.error_rate)

    def deal(self) -> tuple[float, bool]:
        """How long the next request waits, in seconds, and whether it fails."""
        delay = self._latency + self._jitter * self._random.random()
        return delay, self._random.random() < self._error_rate

    async def strike(self) -> bool:
        """Wait as long as dealt; whether the request is to fail."""
        delay, fails = self.deal()
        if delay:
            await asyncio.sleep(delay)
        return fails
