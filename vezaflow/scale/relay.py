"""What workers announce to each other of messages to rooms, through the coordinator, which reads none of it.

Laws: a worker gets all that was announced until a time before it hears that this is all; a worker that is gone
announces nothing more, and nobody waits for it. What is there is passed on together: each worker gets at most twenty
messages for a second of announcements, however many others there are.
"""

from collections.abc import Iterable
from math import inf

TOGETHER = 0.05  # seconds of time announced that one message brings, at least


class Relay:
    """Of these workers, by number."""

    def __init__(self, workers: Iterable[int]) -> None:
        self._until = dict.fromkeys(workers, -inf)
        self._told = dict(self._until)  # until which each knows of all others
        self._waiting: dict[int, list[str]] = {number: [] for number in self._until}

    def take(self, worker: int, announced: str, until: float) -> None:
        """A worker has announced all that it sent until that time."""
        self._until[worker] = until
        if announced:
            for other, waiting in self._waiting.items():
                if other != worker:
                    waiting.append(announced)

    def gone(self, worker: int) -> None:
        """It announces nothing more."""
        self._until[worker] = inf
        self._waiting.pop(worker, None)

    def due(self) -> Iterable[tuple[int, list[str], float]]:
        """For each worker that is to be told something now: what, and until when it is all."""
        for worker, waiting in self._waiting.items():
            until = min((time for other, time in self._until.items() if other != worker), default=inf)
            if until - self._told[worker] >= TOGETHER:
                self._told[worker] = until
                self._waiting[worker] = []
                yield worker, waiting, until
