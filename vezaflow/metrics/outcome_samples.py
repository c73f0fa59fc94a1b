"""The samples of one outcome of one step: what a request's end appends to, as arrays until numpy takes them.

The hot path: whoever takes a request in appends to these arrays himself. A fold moves them to their row, and derives
what can be (the time to the first byte).
"""

from array import array
from collections.abc import Callable
from math import inf

from vezaflow.metrics.figures import Requests


class OutcomeSamples:
    """The samples of one outcome of one step since the last fold."""

    __slots__ = (
        "add_duration", "add_receiving", "add_sending", "bytes_received", "bytes_sent", "cut", "cut_waiting", "detail",
        "durations", "error", "first", "last", "receivings", "sendings", "status", "unanswered",
    )  # fmt: skip

    def __init__(self, status: int, error: str) -> None:
        self.status, self.error = status, error
        self.durations, self.sendings, self.receivings = array("d"), array("d"), array("d")
        self.cut, self.cut_waiting = array("d"), array("d")  # of those without a response: lower bounds
        self.add_duration: Callable[[float], None] = self.durations.append
        self.add_sending: Callable[[float], None] = self.sendings.append
        self.add_receiving: Callable[[float], None] = self.receivings.append
        self.bytes_sent = self.bytes_received = self.unanswered = 0
        self.first, self.last, self.detail = inf, -inf, ""

    def seen(self, at: float, detail: str) -> None:
        if self.first == inf:
            self.first = at
        self.last = at
        if detail and not self.detail:
            self.detail = detail

    def fold_into(self, row: Requests) -> int:
        """Move what came since the last fold to its row; how many requests that was."""
        import numpy as np

        answered = len(self.durations)
        if answered:
            duration, sending, receiving = (
                np.array(self.durations),
                np.array(self.sendings),
                np.array(self.receivings),
            )
            row.duration.record_many(duration)
            row.sending.record_many(sending)
            row.receiving.record_many(receiving)
            row.waiting.record_many(duration - sending - receiving)
            del self.durations[:], self.sendings[:], self.receivings[:]
        if self.cut:
            row.duration.record_cut(np.array(self.cut))
            row.waiting.record_cut(np.array(self.cut_waiting))
            del self.cut[:], self.cut_waiting[:]
        count = answered + self.unanswered
        row.count += count
        row.bytes_sent += self.bytes_sent
        row.bytes_received += self.bytes_received
        row.first, row.last = min(row.first, self.first), max(row.last, self.last)
        row.detail = row.detail or self.detail
        self.bytes_sent = self.bytes_received = self.unanswered = 0
        self.first, self.last, self.detail = inf, -inf, ""
        return count
