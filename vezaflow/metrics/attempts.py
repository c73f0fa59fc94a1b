"""Steps that may send their request more than once: how long they took in all, how they ended, and whether waits
that the server asked for were kept. The requests themselves are samples like any other.
"""

from array import array
from dataclasses import dataclass, field

from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.rows import SummaryRow


@dataclass(slots=True, eq=True)
class Attempts(SummaryRow):
    """The row of one step. `duration`, in seconds; of a step that failed it is a lower bound."""

    done: int = 0
    failed: int = 0
    retries: int = 0
    asked: int = 0  # waits that the server asked for before a further attempt
    obeyed: int = 0
    duration: Histogram = field(default_factory=Histogram)

    @property
    def ignored(self) -> int:
        """Waits that the server asked for and did not get."""
        return self.asked - self.obeyed


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
