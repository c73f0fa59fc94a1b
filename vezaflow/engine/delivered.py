"""Delivered: how much of the requested load there was, and why less. What a flow keeps count of while it runs."""

from dataclasses import dataclass, field

from vezaflow.metrics import Dropped


@dataclass(slots=True)
class Delivered:
    """One flow's part. `requested`: VUs; of an open model those that stand ready."""

    requested: int
    started: int = 0
    most: int = 0  # at once
    active: int = 0
    iterations: int = 0
    due: int = 0  # iterations that an open model had to start so far
    dropped: dict[str, int] = field(default_factory=dict)  # of those, by reason
    stopped_by_author: bool = False  # a `stop` step ended it, or an abort gate, or Ctrl-C
    login_failed: int = 0  # VUs that never got past `login`
    unfinished: int = 0  # iterations that the executor promised and time did not allow
    lived: float = 0.0  # seconds that VUs with pauses lived so far, all together
    time_lost: float = 0.0  # of those, what the generator took of them and did not give back
    exhausted: dict[str, int] = field(default_factory=dict)  # by data source that must last: rows wanted and not there

    def drop(self, reason: Dropped, count: int) -> None:
        """So many iterations that were due could not be started."""
        self.dropped[reason.value] = self.dropped.get(reason.value, 0) + count
