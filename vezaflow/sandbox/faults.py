"""How the sandbox misbehaves on purpose: slow, slower with every page, failing so often, or with no time for more.

Seeded: the same settings meet the n-th request with the same fate. What the rate limit turns away is told when to come
again, and meets no other fault.
"""

import asyncio
from collections.abc import Callable
from math import ceil
from random import Random
from time import monotonic

from vezaflow.sandbox.reply import Reply, refusal
from vezaflow.sandbox.settings import SandboxSettings

FAULT = refusal("503 on purpose", 503, "a fault, as asked for", headers=((b"retry-after", b"1"),))
LOST = refusal("500 on purpose", 500, "the upload is lost, as asked for")
LIMITED = "429 on purpose"


class Faults:
    """One fate per request, dealt in the order of arrival."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._latency = settings.latency
        self._jitter = settings.jitter
        self._page_latency = settings.page_latency
        self._filter_latency = settings.filter_latency
        self._error_rate = settings.error_rate
        self._upload_error_rate = settings.upload_error_rate
        self._limit = RateLimit(settings.rate_limit) if settings.rate_limit else None
        self._random = Random(settings.seed)
        self.active = any((
            settings.latency, settings.jitter, settings.page_latency, settings.error_rate, settings.upload_error_rate,
            settings.rate_limit, settings.filter_latency,
        ))  # fmt: skip

    def deal(self, *, upload: bool = False) -> tuple[float, Reply | None]:
        """How long the next request waits, in seconds, and with what it is refused; None: it is served."""
        delay = self._latency + self._jitter * self._random.random()
        chance = self._random.random()
        if chance < self._error_rate:
            return delay, FAULT
        return delay, LOST if upload and chance < self._upload_error_rate else None

    async def strike(self, *, upload: bool, pages: int, filters: int) -> Reply | None:
        """Wait as long as dealt; the refusal, if there is one. `pages`: how many lie before the one asked for;
        `filters`: by how many facets a search is filtered."""
        if self._limit is not None and (early := self._limit.take()):
            return too_many(early)
        delay, refused = self.deal(upload=upload)
        delay += pages * self._page_latency + filters * self._filter_latency
        if delay:
            await asyncio.sleep(delay)
        return refused


class RateLimit:
    """So many requests per second, and as many at once as a second brings: a bucket of tokens."""

    def __init__(self, rate: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._tokens = self._most
        self._clock = clock
        self._seen = clock()

    def take(self) -> float:
        """0 if the request may go; else how many seconds it comes too early."""
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._seen) * self._rate)
        self._seen = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate


def too_many(early: float) -> Reply:
    """The refusal of a request that comes so many seconds too early (RFC 6585, 4)."""
    after = (b"retry-after", b"%d" % ceil(early))
    return refusal(LIMITED, 429, "too many requests", headers=(after,))
