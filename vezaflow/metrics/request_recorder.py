"""Where a step's requests are taken in: the hot path of the figures.

A sample is a few array appends and no more (0.28 µs for `answered`). What a step has beside requests (attempts,
listeners, channels, streams) has a recorder of its own, made when it is first asked for.
"""

from array import array
from collections import Counter as Tally
from collections.abc import Callable
from math import inf

from vezaflow.metrics.attempts import StepRecorder
from vezaflow.metrics.channels import ChannelRecorder
from vezaflow.metrics.figures import Connections, RequestKey, StepKey
from vezaflow.metrics.folded_rows import FoldedRows
from vezaflow.metrics.listening import ListenerRecorder
from vezaflow.metrics.outcome_samples import OutcomeSamples
from vezaflow.metrics.point_samples import PointSamples
from vezaflow.metrics.samples import RequestSample
from vezaflow.metrics.streams import StreamRecorder
from vezaflow.metrics.traces import TracedSample, TraceRecorder


class RequestRecorder:
    """Takes in one step's requests. Seconds and bytes."""

    __slots__ = (
        "_attempts", "_blocked", "_cells", "_channels", "_checks", "_connecting", "_failed_checks", "_failures",
        "_listeners", "_next_success", "_started", "_streams", "_succeeded", "_tls", "_traces",
    )  # fmt: skip

    def __init__(
        self, checks: tuple[str, ...], started: float, succeeded: Callable[[float], float] = lambda _now: inf
    ) -> None:
        """`succeeded` is told of a success, and says when it wants to hear of the next."""
        self._succeeded = succeeded
        self._next_success = started
        self._checks = tuple(sorted(checks))
        self._started = started
        self._cells: dict[int, OutcomeSamples] = {}
        self._failures: dict[tuple[int, str], OutcomeSamples] = {}
        self._blocked, self._connecting, self._tls = array("d"), array("d"), array("d")
        self._failed_checks: Tally[str] = Tally()
        self._attempts: StepRecorder | None = None
        self._listeners: ListenerRecorder | None = None
        self._channels: ChannelRecorder | None = None
        self._streams: StreamRecorder | None = None
        self._traces: dict[tuple[int, str], TraceRecorder] | None = None

    def answered(
        self,
        status: int,
        duration: float,
        sending: float,
        receiving: float,
        bytes_sent: int,
        bytes_received: int,
        failure: str = "",
        now: float = 0.0,
        detail: str = "",
    ) -> None:
        """A response came, at `now` on the clock. With a `failure` (its kind) it was not the one expected."""
        if failure:
            cell = self._failure(status, failure, now, detail)
        else:
            try:
                cell = self._cells[status]
            except KeyError:
                cell = self._cells[status] = OutcomeSamples(status, "")
            if now >= self._next_success:
                self._next_success = self._succeeded(now)
        cell.add_duration(duration)
        cell.add_sending(sending)
        cell.add_receiving(receiving)
        cell.bytes_sent += bytes_sent
        cell.bytes_received += bytes_received

    def unanswered(
        self,
        kind: str,
        now: float,
        detail: str = "",
        bytes_sent: int = 0,
        bytes_received: int = 0,
        waited: float | None = None,
        waiting: float | None = None,
    ) -> None:
        """No response, or not a whole one: counted by its kind. `waited` is of a request that timed out: its duration
        is at least that; `waiting`: and its time to the first byte at least that, where none came."""
        cell = self._failure(0, kind, now, detail)
        cell.unanswered += 1
        if waited is not None:
            cell.cut.append(waited)
        if waiting is not None:
            cell.cut_waiting.append(waiting)
        cell.bytes_sent += bytes_sent
        cell.bytes_received += bytes_received

    def traced(self, status: int, kind: str, duration: float, now: float, trace: str) -> None:
        """A request with a trace ended at `now`; say so beside `answered` or `unanswered`."""
        if self._traces is None:
            self._traces = {}
        held = self._traces.get((status, kind))
        if held is None:
            held = self._traces[status, kind] = TraceRecorder()
        held.take(TracedSample(duration, now - self._started, trace))

    def connected(self, blocked: float, connecting: float, tls: float) -> None:
        """A connection was opened for this request; say so beside `answered` or `unanswered`."""
        self._blocked.append(blocked)
        self._connecting.append(connecting)
        self._tls.append(tls)

    def check_failed(self, name: str) -> None:
        """One expectation on a response did not hold; those that did are derived."""
        self._failed_checks[name] += 1

    def attempts(self) -> StepRecorder:
        """Takes in what comes of a step that may send its request more than once."""
        if self._attempts is None:
            self._attempts = StepRecorder()
        return self._attempts

    def listeners(self) -> ListenerRecorder:
        """Takes in what comes of the sessions of an `hls` step."""
        if self._listeners is None:
            self._listeners = ListenerRecorder()
        return self._listeners

    def channels(self) -> ChannelRecorder:
        """Takes in what comes of the WebSockets that a step opens."""
        if self._channels is None:
            self._channels = ChannelRecorder(self.moved)
        return self._channels

    def streams(self) -> StreamRecorder:
        """Takes in what comes of the event streams that a step opens."""
        if self._streams is None:
            self._streams = StreamRecorder(self.moved)
        return self._streams

    def moved(self, status: int, bytes_sent: int, bytes_received: int) -> None:
        """Bytes that are no request's: over a connection that is held open, for which this status was the response."""
        cell = self._cells.get(status)
        if cell is None:
            cell = self._cells[status] = OutcomeSamples(status, "")
        cell.bytes_sent += bytes_sent
        cell.bytes_received += bytes_received

    def _failure(self, status: int, kind: str, now: float, detail: str) -> OutcomeSamples:
        cell = self._failures.get((status, kind))
        if cell is None:
            cell = self._failures[status, kind] = OutcomeSamples(status, kind)
        cell.seen(now - self._started, detail)
        return cell

    def begin(self, now: float) -> None:
        """Times count from here."""
        self._started = self._next_success = now

    def expect(self, checks: tuple[str, ...]) -> None:
        """Responses are checked for these too."""
        self._checks = tuple(sorted({*self._checks, *checks}))

    def fold_into(self, rows: FoldedRows, key: StepKey, second: PointSamples | None) -> None:
        """Move what came since the last fold to the rows of this key, and show it to the second that it came in."""
        answered = 0
        for cell in (*self._cells.values(), *self._failures.values()):
            if second is not None:
                second.take(cell)
            if cell.durations or cell.unanswered or cell.bytes_sent or cell.bytes_received:
                answered += len(cell.durations)
                cell.fold_into(rows.requests[RequestKey(key, cell.status, cell.error)])
        if self._traces is not None:
            for (status, kind), found in self._traces.items():
                rows.requests[RequestKey(key, status, kind)].take_traces(found)
            self._traces = None
        if answered or self._blocked:
            self._fold_connections(rows.connections[key], answered)
        if self._attempts is not None:
            self._attempts.fold_into(rows.attempts[key])
        if self._listeners is not None:
            self._listeners.fold_into(rows.listening[key])
        if self._channels is not None and not self._channels.silent:
            self._channels.fold_into(rows.channels[key])
        if self._streams is not None and not self._streams.silent:
            self._streams.fold_into(rows.streams[key])

    def _fold_connections(self, row: Connections, answered: int) -> None:
        import numpy as np

        row.answered += answered
        row.checks = self._checks
        row.failed_checks += self._failed_checks
        self._failed_checks.clear()
        if self._blocked:
            row.blocked.record_many(np.array(self._blocked))
            row.connecting.record_many(np.array(self._connecting))
            row.tls.record_many(np.array(self._tls))
            del self._blocked[:], self._connecting[:], self._tls[:]


class SamplingRecorder(RequestRecorder):
    """One that keeps each request as well, in a list that others share."""

    __slots__ = ("_keep", "_key")

    def __init__(
        self,
        key: StepKey,
        keep: Callable[[RequestSample], None],
        checks: tuple[str, ...],
        started: float,
        *heard: Callable[[float], float],
    ) -> None:
        super().__init__(checks, started, *heard)
        self._key = key
        self._keep = keep

    def answered(
        self,
        status: int,
        duration: float,
        sending: float,
        receiving: float,
        bytes_sent: int,
        bytes_received: int,
        failure: str = "",
        now: float = 0.0,
        detail: str = "",
    ) -> None:
        super().answered(status, duration, sending, receiving, bytes_sent, bytes_received, failure, now, detail)
        figures = (duration, sending, receiving, bytes_sent, bytes_received)
        self._keep(RequestSample(self._key, now, status, failure, *figures))

    def unanswered(
        self,
        kind: str,
        now: float,
        detail: str = "",
        bytes_sent: int = 0,
        bytes_received: int = 0,
        waited: float | None = None,
        waiting: float | None = None,
    ) -> None:
        super().unanswered(kind, now, detail, bytes_sent, bytes_received, waited, waiting)
        self._keep(RequestSample(self._key, now, 0, kind, None, None, None, bytes_sent, bytes_received))
