"""What the listeners of an `hls` step felt: how soon the music began, how often and how long it stood still, in which
quality it played. The requests themselves are samples like any other.

Terms are those of CTA-2066: a session that plays nothing has failed to start; the rebuffering ratio is the time that
playback stood still out of that and the time that it played. Starting up is no rebuffering. Playing and stalling are
taken in as they go on, so that a window of the run has its own share of long sessions.
"""

from array import array
from dataclasses import dataclass, field

from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.rows import SummaryRow

MEGABIT = 1e6  # bits: bitrates are kept in Mbit/s, so that they fit between the edges of a Histogram


@dataclass(slots=True, eq=True)
class Listening(SummaryRow):
    """The row of one step. Times of a Histogram are seconds; `played_ms` and `stalled_ms` add up to `lasted_ms`."""

    sessions: int = 0  # of which it is known whether they play
    not_started: int = 0
    stalls: int = 0
    switches: int = 0
    abandoned: int = 0
    played_ms: int = 0
    stalled_ms: int = 0
    startup: Histogram = field(default_factory=Histogram)
    rebuffering: Histogram = field(default_factory=Histogram)  # of each session that played, all its stalls together
    segments: Histogram = field(default_factory=Histogram)
    bitrates: Histogram = field(default_factory=Histogram)  # of each segment, in Mbit/s
    latency: Histogram = field(default_factory=Histogram)

    @property
    def lasted_ms(self) -> int:
        """Playing or standing still."""
        return self.played_ms + self.stalled_ms


class ListenerRecorder:
    """Takes in what came of one such step since the last fold. Seconds, and bits per second."""

    __slots__ = (
        "_abandoned", "_bitrates", "_latencies", "_not_started", "_played", "_rebufferings", "_segments", "_stalled",
        "_stalls", "_startups", "_switches",
    )  # fmt: skip

    def __init__(self) -> None:
        self._startups, self._rebufferings, self._segments = array("d"), array("d"), array("d")
        self._bitrates, self._latencies = array("d"), array("d")
        self._not_started = self._stalls = self._switches = self._abandoned = 0
        self._played = self._stalled = 0.0

    def started(self, seconds: float) -> None:
        """A session plays, so long after it was asked for."""
        self._startups.append(seconds)

    def not_started(self) -> None:
        """A session ended before it played anything."""
        self._not_started += 1

    def fetched(self, seconds: float) -> None:
        """A segment has come, so long after it was asked for."""
        self._segments.append(seconds)

    def plays(self, bitrate: float) -> None:
        """A segment of a variant of so many bits per second will be played."""
        self._bitrates.append(bitrate / MEGABIT)

    def lasted(self, played: float, stalled: float) -> None:
        """Since this was last said it played and stood still so long."""
        self._played += played
        self._stalled += stalled

    def stall(self) -> None:
        """Playback stands still."""
        self._stalls += 1

    def switched(self) -> None:
        """The next segment is of another variant than the last."""
        self._switches += 1

    def abandoned(self) -> None:
        """A segment under way was given up."""
        self._abandoned += 1

    def behind(self, seconds: float) -> None:
        """A live session is so far behind the end of its playlist."""
        self._latencies.append(seconds)

    def over(self, rebuffering: float) -> None:
        """A session that played is over; so long it stood still in all."""
        self._rebufferings.append(rebuffering)

    def fold_into(self, row: Listening) -> None:
        import numpy as np

        row.sessions += len(self._startups) + self._not_started
        row.not_started += self._not_started
        row.stalls += self._stalls
        row.switches += self._switches
        row.abandoned += self._abandoned
        played, stalled = int(self._played * 1000), int(self._stalled * 1000)  # the rest stays for the next fold
        row.played_ms += played
        row.stalled_ms += stalled
        self._played -= played / 1000
        self._stalled -= stalled / 1000
        for samples, histogram in (
            (self._startups, row.startup),
            (self._rebufferings, row.rebuffering),
            (self._segments, row.segments),
            (self._bitrates, row.bitrates),
            (self._latencies, row.latency),
        ):
            histogram.record_many(np.array(samples))
            del samples[:]
        self._not_started = self._stalls = self._switches = self._abandoned = 0
