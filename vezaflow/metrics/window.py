"""The last so many seconds of a run, for gates that may abort it.

A run's figures only ever grow, so the window is the figures now minus those at its start: exact to a bucket,
with nothing kept but one packed state a second (a few kilobytes a step).
"""

import zlib
from collections import deque

from vezaflow.metrics.summary import Summary


class Window:
    """Feed it each second's summary; `view` is then the last `seconds` of it, for one metric of one flow, or of all."""

    def __init__(self, seconds: float, metric: str, flow: str | None = None) -> None:
        self.seconds = seconds
        self.metric = metric
        self.flow = flow
        self._states: deque[tuple[float, bytes]] = deque()

    def push(self, elapsed: float, summary: Summary) -> None:
        """The figures at `elapsed` seconds since the start."""
        import orjson

        packed = zlib.compress(orjson.dumps(summary.only(self.flow, self.metric).to_json()), 1)
        self._states.append((elapsed, packed))
        # the last state at or before the window's start is the one to take away
        while len(self._states) > 1 and self._states[1][0] <= elapsed - self.seconds:
            self._states.popleft()

    def view(self) -> Summary:
        """What came in the window that ends with the last push; the whole run while that is shorter."""
        if not self._states:
            return Summary()
        now = _unpack(self._states[-1][1])
        start, first = self._states[0]
        return now.minus(_unpack(first)) if start <= self._states[-1][0] - self.seconds else now


def _unpack(packed: bytes) -> Summary:
    import orjson

    return Summary.from_json(orjson.loads(zlib.decompress(packed)))
