"""How a listener's link misbehaves on purpose: too narrow, one rendition slow, one segment broken.

What is slow is sent in pieces, so many bytes at a time, as a link of that width would bring them.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from vezaflow.sandbox.hls import ROUTE
from vezaflow.sandbox.reply import Reply, refusal
from vezaflow.sandbox.settings import SandboxSettings

GRAIN = 0.05  # seconds between two pieces
SLOW = 0.5  # of the speed at which it plays
BROKEN = refusal(f"{ROUTE}/broken", 404, "a segment is broken, as asked for")
_MEDIA = re.compile(r"/hls/(?:[a-z]+/)?(?P<rate>\d+)k/[a-z]+-?(?P<number>\d*)\.(?:ts|m4s)$")

Send = Callable[[Any], Awaitable[None]]


class Links:
    """What becomes of a stream's replies."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._bandwidth = settings.bandwidth
        self._slow = settings.slow_rendition
        self._broken = settings.broken_segment
        self.active = bool(self._bandwidth or self._slow or self._broken)

    def breaks(self, path: str) -> bool:
        """Whether this is the segment that is broken."""
        found = _MEDIA.search(path)
        number = found["number"] if found is not None else ""
        return bool(number) and int(number) + 1 == self._broken

    def speed(self, path: str) -> float:
        """Bytes per second; 0: no limit."""
        if "/hls/" not in path:
            return 0.0
        found = _MEDIA.search(path)
        speeds = [self._bandwidth] if self._bandwidth else []
        if found is not None and int(found["rate"]) == self._slow:
            speeds.append(self._slow * 1000 / 8 * SLOW)
        return min(speeds, default=0.0)

    async def bring(self, found: Reply, speed: float, send: Send) -> None:
        """Send a reply over a link of this speed."""
        await send(found.start)
        body: bytes = found.body["body"]
        step = max(1, int(speed * GRAIN))
        for piece, more in pieces(body, step):
            await asyncio.sleep(len(piece) / speed)
            await send({"type": "http.response.body", "body": piece, "more_body": more})


def pieces(body: bytes, step: int) -> Iterator[tuple[bytes, bool]]:
    """So many bytes at a time, and whether there are more; one empty piece of nothing."""
    for at in range(0, max(1, len(body)), step):
        yield body[at : at + step], at + step < len(body)
