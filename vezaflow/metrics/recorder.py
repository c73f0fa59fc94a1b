"""Where samples are taken in: the hot path of the figures. One process, one thread, one recorder.

A sample is a few array appends and no more (0.28 µs for `answered`); once a second `fold` lets numpy turn the
arrays into histograms (0.1 µs a sample) and makes a point of the timeline for each flow. What can be derived (waiting,
checks that held, zeros of reused connections) is derived later. Clock values are the caller's
(`time.perf_counter` or trio's clock), kept as seconds since `started`.
"""

from array import array
from collections import Counter as Tally
from collections.abc import Callable
from math import ceil, inf
from typing import TYPE_CHECKING

from vezaflow.metrics.ages import History
from vezaflow.metrics.attempts import Attempts, StepRecorder
from vezaflow.metrics.catalog import INTERRUPTED, Phase
from vezaflow.metrics.figures import Connections, FlowKey, Iterations, RequestKey, Requests, StepKey, Vus
from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.moments import Moment
from vezaflow.metrics.summary import Summary
from vezaflow.metrics.timeline import Point, Timeline
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


class RequestRecorder:
    """Takes in one step's requests. Seconds and bytes."""

    __slots__ = (
        "_attempts", "_blocked", "_cells", "_checks", "_connecting", "_failed_checks", "_failures", "_key", "_started",
        "_tls",
    )  # fmt: skip

    def __init__(self, key: StepKey, checks: tuple[str, ...], started: float) -> None:
        self._key = key  # its `judged` is not used: the recorder says which side a fold goes to
        self._checks = tuple(sorted(checks))
        self._started = started
        self._cells: dict[int, _Cell] = {}
        self._failures: dict[tuple[int, str], _Cell] = {}
        self._blocked, self._connecting, self._tls = array("d"), array("d"), array("d")
        self._failed_checks: Tally[str] = Tally()
        self._attempts: StepRecorder | None = None

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
        """A response came. With a `failure` (its kind) it was not the one expected, and `now` is needed."""
        if failure:
            cell = self._failure(status, failure, now, detail)
        else:
            try:
                cell = self._cells[status]
            except KeyError:
                cell = self._cells[status] = _Cell(status, "")
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

    def _failure(self, status: int, kind: str, now: float, detail: str) -> _Cell:
        cell = self._failures.get((status, kind))
        if cell is None:
            cell = self._failures[status, kind] = _Cell(status, kind)
        cell.seen(now - self._started, detail)
        return cell

    def _every_cell(self) -> list[_Cell]:
        return [*self._cells.values(), *self._failures.values()]


class FlowRecorder:
    """Takes in one flow's iterations. Set `vus` to how many run now, `left` to when the last one left, `vus_max` to how
    many were asked for."""

    __slots__ = (
        "_cut", "_cut_groups", "_cut_response_times", "_delays", "_dropped", "_durations", "_failed", "_groups",
        "_interrupted", "_judged", "_name", "_response_times", "_since", "_steps", "left", "vus", "vus_max",
    )  # fmt: skip

    def __init__(self, name: str, since: float) -> None:
        self._name = name
        self._steps: list[RequestRecorder] = []
        self._durations, self._delays, self._response_times = array("d"), array("d"), array("d")
        self._groups: dict[str, array[float]] = {}
        self._cut, self._cut_response_times = array("d"), array("d")  # of what a failure cut short: lower bounds
        self._cut_groups: dict[str, array[float]] = {}
        self._failed = self._interrupted = 0
        self._dropped: Tally[str] = Tally()
        self._judged = True
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

    def point(self, flow: FlowRecorder, started: float, now: float) -> Point:
        return Point(
            now - started,
            now - self.begun,
            flow._name,
            flow.vus,
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


class Recorder:
    """All of a process's samples. `started`: the clock's value that times are counted from. `keep`: also each
    second's times until they are asked for, for figures that are a share of something."""

    def __init__(self, started: float, *, keep: bool = False) -> None:
        import numpy  # noqa: F401  # its 0.1 s now, not in the middle of the load

        self.started = started
        self._keep = keep
        self._number = 0  # of the second that the last fold ended
        self._moments: list[Moment] = []
        self._flows: dict[str, FlowRecorder] = {}
        self._steps: dict[StepKey, RequestRecorder] = {}
        self._seconds: dict[str, _Second] = {}
        self._requests: dict[RequestKey, Requests] = {}
        self._connections: dict[StepKey, Connections] = {}
        self._attempts: dict[StepKey, Attempts] = {}
        self._iterations: dict[FlowKey, Iterations] = {}
        self._vus: dict[str, Vus] = {}
        self._history = History()

    def begin(self, now: float) -> None:
        """The load begins: from here on times and the timeline count. What came before stays in the figures."""
        self.fold(now)
        self._history = History()
        self._moments.clear()
        self._number = 0
        self.started = now
        for step in self._steps.values():
            step._started = now

    def flow(self, name: str) -> FlowRecorder:
        """The flow's recorder, one for each name. Steps of no flow (preflight, setup) are of the flow ""."""
        held = self._flows.get(name)
        if held is None:
            held = self._flows[name] = FlowRecorder(name, self.started)
            self._seconds[name] = _Second(self.started)
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
    ) -> RequestRecorder:
        """The step's recorder, one for each set of labels. `checks`: what each response is checked for."""
        key = StepKey(flow, phase, step, method, group, tuple(sorted(tags)), True)
        held = self._steps.get(key)
        if held is None:
            held = self._steps[key] = RequestRecorder(key, checks, self.started)
            self.flow(flow)._steps.append(held)
        else:
            held._checks = tuple(sorted({*held._checks, *checks}))
        return held

    def judge(self, flow: str, on: bool, now: float) -> None:
        """From now on the flow's samples are judged by the gates, or only shown."""
        held = self.flow(flow)
        self._fold_flow(held, now)
        held._judged = on

    def fold(self, now: float) -> None:
        """Once a second: arrays to histograms, and a point of the timeline for each flow."""
        self._number = max(self._number + 1, round(now - self.started))
        for flow in self._flows.values():
            self._fold_flow(flow, now)
            second = self._seconds[flow._name]
            self._vus.setdefault(flow._name, Vus()).look(flow.vus, flow.vus_max)
            if flow._name and now > second.begun:
                moment = Moment(self._number, second.point(flow, self.started, now), second.times())
                self._history.take(moment)
                if self._keep:
                    self._moments.append(moment)
                self._seconds[flow._name] = _Second(now)

    def _fold_flow(self, flow: FlowRecorder, now: float) -> None:
        second = self._seconds[flow._name]
        for step in flow._steps:
            self._fold_step(step, flow._judged, second)
        row = self._iterations.setdefault(FlowKey(flow._name, flow._judged), Iterations())
        done, failed = flow.fold_into(row, now)
        second.iterations += done
        second.iterations_failed += failed

    def _fold_step(self, step: RequestRecorder, judged: bool, second: _Second) -> None:
        in_load = step._key.phase is Phase.ITERATION
        key = step._key if judged or not in_load else step._key._replace(judged=False)
        answered = 0
        for cell in step._every_cell():
            if in_load:
                second.take(cell)
            if cell.durations or cell.unanswered:
                answered += len(cell.durations)
                outcome = RequestKey(key, cell.status, cell.error)
                cell.fold_into(self._requests.setdefault(outcome, Requests()))
        if answered or step._blocked:
            self._fold_connections(step, key, answered)
        if step._attempts is not None:
            step._attempts.fold_into(self._attempts.setdefault(key, Attempts()))

    def _fold_connections(self, step: RequestRecorder, key: StepKey, answered: int) -> None:
        import numpy as np

        row = self._connections.setdefault(key, Connections())
        row.answered += answered
        row.checks = step._checks
        row.failed_checks += step._failed_checks
        step._failed_checks.clear()
        if step._blocked:
            row.blocked.record_many(np.array(step._blocked))
            row.connecting.record_many(np.array(step._connecting))
            row.tls.record_many(np.array(step._tls))
            del step._blocked[:], step._connecting[:], step._tls[:]

    def snapshot(self) -> Summary:
        """The figures up to the last fold. Cheap: histograms share their buckets until the next."""
        return Summary(
            {key: row.copy() for key, row in self._requests.items()},
            {key: row.copy() for key, row in self._connections.items()},
            {key: row.copy() for key, row in self._iterations.items()},
            {flow: row.copy() for flow, row in self._vus.items()},
            {key: row.copy() for key, row in self._attempts.items()},
        )

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
