"""Event streams: how they were opened and ended, and what came over them. Few samples each, and none of them a
request's.

Laws: what the end of the run cuts off is a lower bound, and no end; the latency is of the events that say when they
were sent, by the clock of who sent them.
"""

from array import array
from collections import Counter as Tally
from dataclasses import dataclass, field

from vezaflow.metrics.channels import Moved
from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.rows import SummaryRow


@dataclass(slots=True, eq=True)
class Streams(SummaryRow):
    """The row of one step. Times in seconds. By kind: `refused`, those that could not be opened; `ends`, those that the
    server or the network ended; `failures`, events that a step waited for in vain, or that were not as expected."""

    dials: int = 0
    opened: int = 0
    events: int = 0
    dropped: int = 0  # of these: nobody read them in time
    awaited: int = 0
    refused: Tally[str] = field(default_factory=Tally)
    ends: Tally[str] = field(default_factory=Tally)
    failures: Tally[str] = field(default_factory=Tally)
    connecting: Histogram = field(default_factory=Histogram)
    duration: Histogram = field(default_factory=Histogram)
    latency: Histogram = field(default_factory=Histogram)


class StreamRecorder:
    """Takes in what came of one step's event streams since the last fold. Seconds."""

    __slots__ = ("_connecting", "_cut", "_durations", "_latencies", "moved", "row")

    def __init__(self, moved: Moved) -> None:
        self.moved = moved
        self.row = Streams()  # of the counts alone
        self._connecting, self._durations, self._cut = array("d"), array("d"), array("d")
        self._latencies = array("d")

    def opened(self, took: float) -> None:
        """One was opened."""
        self.row.dials += 1
        self.row.opened += 1
        self._connecting.append(took)

    def refused(self, kind: str) -> None:
        """One could not be opened."""
        self.row.dials += 1
        self.row.refused[kind] += 1

    def ended(self, seconds: float, kind: str = "") -> None:
        """One ended; `kind` of an end that was not ours."""
        self._durations.append(seconds)
        if kind:
            self.row.ends[kind] += 1

    def cut(self, seconds: float) -> None:
        """The end of the run cut one off."""
        self._cut.append(seconds)

    def received(self) -> None:
        """An event came."""
        self.row.events += 1

    def dropped(self, count: int) -> None:
        """Nobody read so many of those that came before."""
        self.row.dropped += count

    def delayed(self, seconds: float) -> None:
        """It said when it was sent: so long before it came."""
        self._latencies.append(max(0.0, seconds))

    def waited(self, failure: str = "") -> None:
        """A step waited for an event; with a failure's kind: in vain, or it was not as expected."""
        self.row.awaited += 1
        if failure:
            self.row.failures[failure] += 1

    def fold_into(self, row: Streams) -> None:
        """Move what came since the last fold to its row."""
        import numpy as np

        new, self.row = self.row, Streams()
        row.add(new)
        for times, samples in (
            (row.connecting, self._connecting),
            (row.duration, self._durations),
            (row.latency, self._latencies),
        ):
            if samples:
                times.record_many(np.array(samples))
                del samples[:]
        if self._cut:
            row.duration.record_cut(np.array(self._cut))
            del self._cut[:]

    @property
    def silent(self) -> bool:
        """Whether nothing came since the last fold."""
        row = self.row
        return not (row.dials or row.events or row.awaited or row.ends or self._durations or self._cut)
