"""Where samples are taken in: the hot path of the figures. One process, one thread, one recorder.

A sample is a few array appends and no more (0.28 µs for `answered`); once a second `fold` lets numpy turn the
arrays into histograms (0.1 µs a sample) and makes a point of the timeline for each flow. What can be derived (waiting,
checks that held, zeros of reused connections) is derived later. Clock values are the caller's
(`time.perf_counter` or trio's clock), kept as seconds since `started`.
"""

from array import array
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable
from math import ceil, inf
from typing import TYPE_CHECKING

from vezaflow.metrics.ages import History
from vezaflow.metrics.attempts import Attempts, StepRecorder
from vezaflow.metrics.catalog import INTERRUPTED, Phase
from vezaflow.metrics.channels import ChannelRecorder, Channels
from vezaflow.metrics.figures import Connections, FlowKey, Iterations, RequestKey, Requests, StepKey, Vus
from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.listening import ListenerRecorder, Listening
from vezaflow.metrics.moments import Moment
from vezaflow.metrics.samples import RequestSample, TakeSamples
from vezaflow.metrics.streams import StreamRecorder, Streams
from vezaflow.metrics.successes import Successes, SuccessRecorder
from vezaflow.metrics.summary import Summary
from vezaflow.metrics.timeline import Point, Timeline
from vezaflow.metrics.traces import TracedSample, TraceRecorder
from vezaflow.units import AtLeast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class _Cell:
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


class _Rows:
    """The figures up to the last fold. What is asked for is there: a row that is new is empty."""

    def __init__(self) -> None:
        self.requests: defaultdict[RequestKey, Requests] = defaultdict(Requests)
        self.connections: defaultdict[StepKey, Connections] = defaultdict(Connections)
        self.iterations: defaultdict[FlowKey, Iterations] = defaultdict(Iterations)
        self.vus: defaultdict[str, Vus] = defaultdict(Vus)
        self.attempts: defaultdict[StepKey, Attempts] = defaultdict(Attempts)
        self.listening: defaultdict[StepKey, Listening] = defaultdict(Listening)
        self.channels: defaultdict[StepKey, Channels] = defaultdict(Channels)
        self.streams: defaultdict[StepKey, Streams] = defaultdict(Streams)
        self.successes: defaultdict[str, Successes] = defaultdict(Successes)

    def summary(self) -> Summary:
        return Summary(
            {key: row.copy() for key, row in self.requests.items()},
            {key: row.copy() for key, row in self.connections.items()},
            {key: row.copy() for key, row in self.iterations.items()},
            {flow: row.copy() for flow, row in self.vus.items()},
            {key: row.copy() for key, row in self.attempts.items()},
            {key: row.copy() for key, row in self.listening.items()},
            {key: row.copy() for key, row in self.channels.items()},
            {key: row.copy() for key, row in self.streams.items()},
            {flow: row.copy() for flow, row in self.successes.items()},
        )


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
        self._cells: dict[int, _Cell] = {}
        self._failures: dict[tuple[int, str], _Cell] = {}
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
                cell = self._cells[status] = _Cell(status, "")
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
            cell = self._cells[status] = _Cell(status, "")
        cell.bytes_sent += bytes_sent
        cell.bytes_received += bytes_received

    def _failure(self, status: int, kind: str, now: float, detail: str) -> _Cell:
        cell = self._failures.get((status, kind))
        if cell is None:
            cell = self._failures[status, kind] = _Cell(status, kind)
        cell.seen(now - self._started, detail)
        return cell

    def begin(self, now: float) -> None:
        """Times count from here."""
        self._started = self._next_success = now

    def expect(self, checks: tuple[str, ...]) -> None:
        """Responses are checked for these too."""
        self._checks = tuple(sorted({*self._checks, *checks}))

    def fold_into(self, rows: _Rows, key: StepKey, second: "_Second | None") -> None:
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


class _Second:
    """What a flow's point of the timeline is made of; a `judge` inside the second adds to the same point."""

    __slots__ = (
        "begun",
        "cut",
        "durations",
        "failed",
        "iterations",
        "iterations_failed",
        "received",
        "requests",
        "sent",
    )

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.requests = self.failed = self.iterations = self.iterations_failed = self.sent = self.received = 0
        self.durations, self.cut = array("d"), array("d")

    def take(self, cell: _Cell) -> None:
        self.sent += cell.bytes_sent
        self.received += cell.bytes_received
        if cell.error == INTERRUPTED:
            return
        count = len(cell.durations) + cell.unanswered
        self.requests += count
        if cell.error:
            self.failed += count
        self.durations.extend(cell.durations)
        self.cut.extend(cell.cut)

    def point(self, flow: str, vus: int, started: float, now: float) -> Point:
        return Point(
            now - started,
            now - self.begun,
            flow,
            vus,
            self.requests,
            self.failed,
            self.iterations,
            self.iterations_failed,
            self.sent,
            self.received,
            *_nearest_ranks(self.durations, self.cut, (0.5, 0.95, 0.99, 1.0)),
        )

    def times(self) -> Histogram:
        import numpy as np

        times = Histogram()
        times.record_many(np.array(self.durations))
        times.record_cut(np.array(self.cut))
        return times


def _nearest_ranks(known: "array[float]", cut: "array[float]", shares: tuple[float, ...]) -> list[float | None]:
    """As a Histogram has them: what was cut ranks behind all that is known, and gives lower bounds."""
    import numpy as np

    total = len(known) + len(cut)
    if not total:
        return [None] * len(shares)
    ranks = [max(1, ceil(round(q * total, 6))) - 1 for q in shares]
    exact = _at_ranks(np.array(known), [rank for rank in ranks if rank < len(known)])
    bounds = _at_ranks(np.array([*known, *cut]), [rank for rank in ranks if rank >= len(known)])
    return [exact[rank] if rank < len(known) else AtLeast(bounds[rank]) for rank in ranks]


def _at_ranks(samples: "NDArray[np.float64]", ranks: list[int]) -> dict[int, float]:
    import numpy as np

    if not ranks:
        return {}
    ordered = np.partition(samples, sorted(set(ranks)))
    return {rank: float(ordered[rank]) for rank in ranks}


class _Flow:
    """What belongs to one flow: its recorder, its steps' recorders, its second."""

    __slots__ = ("judged", "name", "recorder", "second", "steps", "successes")

    def __init__(self, name: str, started: float) -> None:
        self.name = name
        self.recorder = FlowRecorder(started)
        self.steps: dict[StepKey, RequestRecorder] = {}  # `judged` of a key: unless a fold says otherwise
        self.second = _Second(started)
        self.successes = SuccessRecorder(started)
        self.judged = True

    def fold_into(self, rows: _Rows, now: float) -> None:
        """Move what came since the last fold to its rows."""
        for key, step in self.steps.items():
            in_load = key.phase is Phase.ITERATION
            here = key if self.judged or not in_load else key._replace(judged=False)
            step.fold_into(rows, here, self.second if in_load and key.judged else None)
        done, failed = self.recorder.fold_into(rows.iterations[FlowKey(self.name, self.judged)], now)
        self.second.iterations += done
        self.second.iterations_failed += failed
        if self.name:
            self.successes.fold_into(rows.successes[self.name])


class Recorder:
    """All of a process's samples. `started`: the clock's value that times are counted from. `keep`: also each
    second's times until they are asked for, for figures that are a share of something. `samples` gets each request of
    flows with every fold."""

    def __init__(self, started: float, *, keep: bool = False, samples: TakeSamples | None = None) -> None:
        import numpy  # noqa: F401  # its 0.1 s now, not in the middle of the load

        self.started = started
        self._keep = keep
        self._number = 0  # of the second that the last fold ended
        self._moments: list[Moment] = []
        self._take_samples = samples
        self._samples: list[RequestSample] = []
        self._flows: dict[str, _Flow] = {}
        self._rows = _Rows()
        self._history = History()

    def begin(self, now: float) -> None:
        """The load begins: from here on times and the timeline count. What came before stays in the figures."""
        self.fold(now)
        self._history = History()
        self._moments.clear()
        self._number = 0
        self.started = now
        for flow in self._flows.values():
            flow.successes.begin(now)
            for step in flow.steps.values():
                step.begin(now)

    def flow(self, name: str) -> FlowRecorder:
        """The flow's recorder, one for each name. Steps of no flow (preflight, setup) are of the flow ""."""
        return self._flow(name).recorder

    def _flow(self, name: str) -> _Flow:
        held = self._flows.get(name)
        if held is None:
            held = self._flows[name] = _Flow(name, self.started)
        return held

    def step(
        self,
        flow: str,
        step: str,
        method: str,
        *,
        phase: Phase = Phase.ITERATION,
        group: str = "",
        tags: tuple[tuple[str, str], ...] = (),
        checks: tuple[str, ...] = (),
        judged: bool = True,
    ) -> RequestRecorder:
        """The step's recorder, one for each set of labels. `checks`: what each response is checked for; not `judged`:
        no gate ever looks at it."""
        key = StepKey(flow, phase, step, method, group, tuple(sorted(tags)), judged)
        owner = self._flow(flow)
        held = owner.steps.get(key)
        if held is None:
            heard = (owner.successes.succeeded,) if phase is Phase.ITERATION else ()
            if self._take_samples is not None and flow:
                held = SamplingRecorder(key, self._samples.append, checks, self.started, *heard)
            else:
                held = RequestRecorder(checks, self.started, *heard)
            owner.steps[key] = held
        else:
            held.expect(checks)
        return held

    def judge(self, flow: str, on: bool, now: float) -> None:
        """From now on the flow's samples are judged by the gates, or only shown."""
        held = self._flow(flow)
        held.fold_into(self._rows, now)
        held.judged = on

    def fold(self, now: float) -> None:
        """Once a second: arrays to histograms, and a point of the timeline for each flow."""
        self._number = max(self._number + 1, round(now - self.started))
        if self._take_samples is not None and self._samples:
            self._take_samples(self._samples.copy())
            self._samples.clear()
        for flow in self._flows.values():
            flow.fold_into(self._rows, now)
            recorder, second = flow.recorder, flow.second
            self._rows.vus[flow.name].look(recorder.vus, recorder.vus_max)
            if flow.name and now > second.begun:
                point = second.point(flow.name, recorder.vus, self.started, now)
                moment = Moment(self._number, point, second.times())
                self._history.take(moment)
                if self._keep:
                    self._moments.append(moment)
                flow.second = _Second(now)

    def cut(self, now: float) -> Summary:
        """The figures up to this moment, within a second of the timeline."""
        for flow in self._flows.values():
            flow.fold_into(self._rows, now)
        return self.snapshot()

    def snapshot(self) -> Summary:
        """The figures up to the last fold. Cheap: histograms share their buckets until the next."""
        return self._rows.summary()

    def latest(self) -> Timeline:
        """The points of the last seconds, up to the last fold."""
        return self._history.latest()

    def timeline(self) -> Timeline:
        """The points up to the last fold, the older ones coarser."""
        return self._history.timeline()

    def moments(self) -> tuple[int, tuple[Moment, ...]]:
        """The number of the second that the last fold ended, and what was kept since this was last asked."""
        kept, self._moments = self._moments, []
        return self._number, tuple(kept)
