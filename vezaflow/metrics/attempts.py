"""Steps that may send their request more than once: how long they took in all, how they ended, and whether waits
that the server asked for were kept. The requests themselves are samples like any other.
"""

from array import array
from dataclasses import dataclass, field, replace

from vezaflow.metrics.histogram import Histogram


@dataclass(slots=True, eq=True)
class Attempts:
    """The row of one step. `duration`, in seconds; of a step that failed it is a lower bound."""

    done: int = 0
    failed: int = 0
    retries: int = 0
    asked: int = 0  # waits that the server asked for before a further attempt
    obeyed: int = 0
    duration: Histogram = field(default_factory=Histogram)

    def copy(self) -> "Attempts":
        return replace(self, duration=self.duration.copy())

    def add(self, other: "Attempts") -> None:
        self.done += other.done
        self.failed += other.failed
        self.retries += other.retries
        self.asked += other.asked
        self.obeyed += other.obeyed
        self.duration.add(other.duration)

    def minus(self, earlier: "Attempts") -> "Attempts":
        return Attempts(
            self.done - earlier.done,
            self.failed - earlier.failed,
            self.retries - earlier.retries,
            self.asked - earlier.asked,
            self.obeyed - earlier.obeyed,
            self.duration.minus(earlier.duration),
        )

    def only(self, durations: bool) -> "Attempts":
        """The same counts, with or without the histogram."""
        return self if durations else replace(self, duration=Histogram())


class StepRecorder:
    """Takes in what came of one such step since the last fold."""

    __slots__ = ("_asked", "_cut", "_durations", "_failed", "_obeyed", "_retries")

    def __init__(self) -> None:
        self._durations, self._cut = array("d"), array("d")  # of the steps that failed: lower bounds
        self._failed = self._retries = self._asked = self._obeyed = 0

    def ended(self, duration: float, *, failed: bool) -> None:
        """The step came to its end, after all its attempts."""
        if failed:
            self._failed += 1
        (self._cut if failed else self._durations).append(duration)

    def retried(self) -> None:
        """A request is sent again because of what came of it."""
        self._retries += 1

    def asked_to_wait(self, *, obeyed: bool) -> None:
        """The server said how long to wait before the attempt that follows."""
        self._asked += 1
        self._obeyed += obeyed

    def fold_into(self, row: Attempts) -> None:
        import numpy as np

        row.done += self._failed + len(self._durations)
        row.failed += self._failed
        row.retries += self._retries
        row.asked += self._asked
        row.obeyed += self._obeyed
        row.duration.record_many(np.array(self._durations))
        row.duration.record_cut(np.array(self._cut))
        del self._durations[:], self._cut[:]
        self._failed = self._retries = self._asked = self._obeyed = 0
