"""WebSockets: how they were opened and ended, what was said over them, and the ledger of messages that were to be
acknowledged, or to reach others. Few samples each, and none of them a request's.

Laws: what is still under way counts nowhere yet, so that the end of a run makes nothing lost; a message counts as
expected when it is known what became of it, and what was lost and comes after all is late from then on.
"""

from array import array
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.rows import SummaryRow

NOT_ACKED = "not_acked"  # the kind of a message whose ack came late, or never


@dataclass(slots=True, eq=True)
class Channels(SummaryRow):
    """The row of one step. Times in seconds; a session that the end of the run cut off is a lower bound. `refused`,
    `failures`: by kind; `closes`: by code."""

    dials: int = 0
    sessions: int = 0
    sent: int = 0
    received: int = 0
    dropped: int = 0  # of these: nobody read them in time
    messages: int = 0  # sent, or waited for
    expected: int = 0  # that were to be acknowledged, as far as it is known what became of them
    delivered: int = 0
    overdue: int = 0  # not acknowledged in time
    late: int = 0  # of these: acknowledged after all
    duplicated: int = 0
    reordered: int = 0
    refused: Tally[str] = field(default_factory=Tally)
    failures: Tally[str] = field(default_factory=Tally)
    closes: Tally[str] = field(default_factory=Tally)
    connecting: Histogram = field(default_factory=Histogram)
    session_duration: Histogram = field(default_factory=Histogram)
    ping: Histogram = field(default_factory=Histogram)
    latency: Histogram = field(default_factory=Histogram)

    @property
    def lost(self) -> int:
        """Never acknowledged."""
        return self.overdue - self.late


_COUNTS = tuple(each.name for each in fields(Channels) if each.type is int)
_TALLIES = tuple(each.name for each in fields(Channels) if each.type == Tally[str])


Moved = Callable[[int, int, int], None]
"""Takes in bytes sent and received over connections that were opened with a response of this status."""


class ChannelRecorder:
    """Takes in what came of one step's WebSockets since the last fold. Seconds."""

    __slots__ = ("_connecting", "_cut", "_durations", "_latencies", "_pings", "moved", "row")

    def __init__(self, moved: Moved) -> None:
        self.moved = moved
        self.row = Channels()  # of the counts alone
        self._connecting, self._durations, self._cut = array("d"), array("d"), array("d")
        self._pings, self._latencies = array("d"), array("d")

    def opened(self, took: float) -> None:
        """One was opened."""
        self.row.dials += 1
        self.row.sessions += 1
        self._connecting.append(took)

    def refused(self, kind: str) -> None:
        """One could not be opened."""
        self.row.dials += 1
        self.row.refused[kind] += 1

    def ended(self, seconds: float, code: int | None) -> None:
        """One ended; `code` of a close that nobody of ours began."""
        self._durations.append(seconds)
        if code is not None:
            self.row.closes[str(code)] += 1

    def cut(self, seconds: float) -> None:
        """The end of the run cut one off."""
        self._cut.append(seconds)

    def sent(self, failure: str = "") -> None:
        """A message went out; or, with a failure's kind, did not."""
        self.row.messages += 1
        if failure:
            self.row.failures[failure] += 1
        else:
            self.row.sent += 1

    def received(self) -> None:
        """A message came."""
        self.row.received += 1

    def dropped(self, count: int) -> None:
        """Nobody read so many of those that came before."""
        self.row.dropped += count

    def waited(self, failure: str = "") -> None:
        """A step waited for a message; with a failure's kind: in vain, or it was not as expected."""
        self.row.messages += 1
        if failure:
            self.row.failures[failure] += 1

    def pinged(self, seconds: float) -> None:
        """A pong came."""
        self._pings.append(seconds)

    def delivered(self, latency: float, *, reordered: bool) -> None:
        """A message was acknowledged in time; `reordered`: after one that was sent later."""
        self.row.expected += 1
        self.row.delivered += 1
        self.row.reordered += reordered
        self._latencies.append(latency)

    def lost(self) -> None:
        """It was not acknowledged in time."""
        self.row.expected += 1
        self.row.overdue += 1
        self.row.failures[NOT_ACKED] += 1

    def reached(self) -> None:
        """It is one message for each other member of a room, and this is one of these."""
        self.row.messages += 1

    def late(self, latency: float) -> None:
        """What was lost was acknowledged after all."""
        self.row.late += 1
        self._latencies.append(latency)

    def duplicated(self) -> None:
        """It was acknowledged once more."""
        self.row.duplicated += 1

    def fold_into(self, row: Channels) -> None:
        """Move what came since the last fold to its row."""
        import numpy as np

        new, self.row = self.row, Channels()
        for name in (*_COUNTS, *_TALLIES):
            setattr(row, name, getattr(row, name) + getattr(new, name))
        for times, samples in (
            (row.connecting, self._connecting),
            (row.session_duration, self._durations),
            (row.ping, self._pings),
            (row.latency, self._latencies),
        ):
            if samples:
                times.record_many(np.array(samples))
                del samples[:]
        if self._cut:
            row.session_duration.record_cut(np.array(self._cut))
            del self._cut[:]

    @property
    def silent(self) -> bool:
        """Whether nothing came since the last fold."""
        counts = any(getattr(self.row, name) for name in (*_COUNTS, *_TALLIES))
        return not (counts or self._pings or self._durations or self._cut or self._latencies)
