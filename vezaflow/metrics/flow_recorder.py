"""Where a flow's iterations are taken in, and how many VUs run it.

As of a request, a sample is an append. What a failure cut short is kept apart: a lower bound of the whole.
"""

from array import array
from collections import Counter as Tally
from math import inf

from vezaflow.metrics.figures import Iterations
from vezaflow.metrics.histogram import Histogram


class FlowRecorder:
    """Takes in one flow's iterations. Set `vus` to how many run now, `left` to when the last one left, `vus_max` to how
    many were asked for."""

    __slots__ = (
        "_cut", "_cut_groups", "_cut_response_times", "_delays", "_dropped", "_durations", "_failed", "_groups",
        "_interrupted", "_response_times", "_since", "left", "vus", "vus_max",
    )  # fmt: skip

    def __init__(self, since: float) -> None:
        self._durations, self._delays, self._response_times = array("d"), array("d"), array("d")
        self._groups: dict[str, array[float]] = {}
        self._cut, self._cut_response_times = array("d"), array("d")  # of what a failure cut short: lower bounds
        self._cut_groups: dict[str, array[float]] = {}
        self._failed = self._interrupted = 0
        self._dropped: Tally[str] = Tally()
        self._since = since  # when this part began, or was last folded
        self.vus = self.vus_max = 0
        self.left = -inf

    def iteration(self, duration: float, failed: bool = False, cut: bool = True) -> None:
        """An iteration came to its end. `cut`: the failure ended it, so the whole would have taken at least so long."""
        if failed:
            self._failed += 1
            (self._cut if cut else self._durations).append(duration)
        else:
            self._durations.append(duration)

    def delayed(self, delay: float) -> None:
        """An iteration that was due started, so late."""
        self._delays.append(delay)

    def responded(self, response_time: float, cut: bool = False) -> None:
        """An iteration that was due came to its end so long after that; `cut`: a failure ended it."""
        (self._cut_response_times if cut else self._response_times).append(response_time)

    def interrupted(self) -> None:
        """The end of the run cut an iteration off."""
        self._interrupted += 1

    def group(self, name: str, duration: float, cut: bool = False) -> None:
        """One pass through a group came to its end; `cut`: a failure ended it."""
        groups = self._cut_groups if cut else self._groups
        held = groups.get(name)
        if held is None:
            held = groups[name] = array("d")
        held.append(duration)

    def dropped(self, reason: str, count: int) -> None:
        """So many iterations that were due could not be started."""
        self._dropped[reason] += count

    def fold_into(self, row: Iterations, now: float) -> tuple[int, int]:
        """Move what came since the last fold to its row; how many iterations ended, how many failed."""
        import numpy as np

        failed, done = self._failed, len(self._cut) + len(self._durations)
        row.duration.record_many(np.array(self._durations))
        row.delay.record_many(np.array(self._delays))
        row.response_time.record_many(np.array(self._response_times))
        for name, held in self._groups.items():
            row.groups.setdefault(name, Histogram()).record_many(np.array(held))
            del held[:]
        if self._cut or self._cut_groups:
            self._fold_cut(row)
        row.done += done
        row.failed += failed
        row.interrupted += self._interrupted
        row.dropped += self._dropped
        if self.vus or done or self._interrupted:  # outside its load no time passes for the flow
            end = now if self.vus or self.left < self._since else self.left
            row.seconds += max(0.0, end - self._since)
        self._since = max(now, self._since)
        del self._durations[:], self._delays[:], self._response_times[:]
        self._dropped.clear()
        self._failed = self._interrupted = 0
        return done, failed

    def _fold_cut(self, row: Iterations) -> None:
        import numpy as np

        row.duration.record_cut(np.array(self._cut))
        row.response_time.record_cut(np.array(self._cut_response_times))
        for name, held in self._cut_groups.items():
            row.groups.setdefault(name, Histogram()).record_cut(np.array(held))
            del held[:]
        del self._cut[:], self._cut_response_times[:]
