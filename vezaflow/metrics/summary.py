"""All the figures of a run, or of one worker's share: frozen, mergeable without loss, open to questions.

Rows are kept apart by flow, phase, step, method, group, tags, status, failure and whether gates judge them;
`select` adds the rows that a question is about. What is zero by nature (connecting on a reused connection, a
check that held) is derived here, never recorded.
"""

from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from vezaflow.metrics.attempts import Attempts
from vezaflow.metrics.catalog import ERROR_CLASSES, INTERRUPTED, METRICS, PAGE, Metric, MetricKind, Of, Phase
from vezaflow.metrics.channels import Channels
from vezaflow.metrics.figures import Connections, FlowKey, Iterations, RequestKey, Requests, StepKey, Vus
from vezaflow.metrics.histogram import Histogram, merged
from vezaflow.metrics.listening import Listening
from vezaflow.metrics.measurement import Counter, Gauge, Measurement, Rate, Trend
from vezaflow.metrics.rows import SummaryRow
from vezaflow.metrics.streams import Streams
from vezaflow.metrics.successes import Successes
from vezaflow.metrics.summary_json import SummaryFormat
from vezaflow.metrics.traces import KEPT
from vezaflow.untrusted import Shape

Labels = Iterable[tuple[str, str]]
Question = tuple[str, str | None]  # a metric, and the flow that is asked about (None: all)


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One kind of failure of one step. Times are seconds since the run's start."""

    flow: str
    phase: Phase
    step: str
    error: str
    status: int  # 0: no response
    count: int
    share: float  # of the step's requests in this phase
    first: float
    last: float
    detail: str  # one sample
    trace_id: str = ""  # of the first that has a trace


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step in one phase, as tables show it."""

    flow: str
    phase: Phase
    step: str
    method: str
    requests: int
    failed: int
    duration: Histogram


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One of the slowest requests of a step that have a trace. Seconds; `at`: when it ended, since the load's begin."""

    flow: str
    phase: Phase
    step: str
    method: str
    status: int  # 0: no response
    error: str  # empty: as expected
    duration: float
    at: float
    trace_id: str


@dataclass(frozen=True, slots=True)
class ListenerRow:
    """The sessions of one `hls` step in one phase, as tables show them."""

    flow: str
    phase: Phase
    step: str
    felt: Listening


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """The WebSockets of one step in one phase, as tables show them."""

    flow: str
    phase: Phase
    step: str
    figures: Channels


@dataclass(frozen=True, slots=True)
class StreamRow:
    """The event streams of one step in one phase, as tables show them."""

    flow: str
    phase: Phase
    step: str
    figures: Streams


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A question's scope: a row is asked about when every label that is set agrees."""

    flow: str | None
    phase: Phase
    labels: tuple[tuple[str, str], ...]
    judged: bool | None

    def step(self, key: StepKey) -> bool:
        if self.flow is not None and key.flow != self.flow:
            return False
        if key.phase is not self.phase or (self.judged is not None and key.judged is not self.judged):
            return False
        return all(_agrees(key, name, value) for name, value in self.labels if name not in _OUTCOMES)

    def outcome(self, key: RequestKey) -> bool:
        return self.step(key.at) and all(
            _OUTCOMES[name](key, value) for name, value in self.labels if name in _OUTCOMES
        )

    def flow_row(self, key: FlowKey) -> bool:
        named = [value for name, value in self.labels if name == "flow"]
        return (
            (self.flow is None or key.flow == self.flow)
            and all(key.flow == value for value in named)
            and (self.judged is None or key.judged is self.judged)
        )

    def label(self, name: str) -> str | None:
        return next((value for label, value in self.labels if label == name), None)

    def without(self, *names: str) -> "_Wanted":
        return replace(self, labels=tuple([pair for pair in self.labels if pair[0] not in names]))


_OUTCOMES: dict[str, Callable[[RequestKey, str], bool]] = {
    "status": lambda key, value: value in (str(key.status), f"{key.status // 100}xx", f"{key.status // 100}XX"),
    "error": lambda key, value: key.error == value or key.error in ERROR_CLASSES.get(value, ()),
    "expected_response": lambda key, value: value == ("false" if key.error else "true"),
}


def _called(by: str, name: str, wanted: str | None) -> bool:
    """Whether one of several values by name is asked for."""
    return wanted in (None, name) or (by == "error" and name in ERROR_CLASSES.get(wanted or "", ()))


def _agrees(key: StepKey, name: str, value: str) -> bool:
    held = _identity(key, name)
    if name != PAGE or held == value or held is None:
        return held == value
    low, _, high = value.partition("..")
    return all(number.isdecimal() for number in (low, held, high)) and int(low) <= int(held) <= int(high)


def _identity(key: StepKey, name: str) -> str | None:
    match name:
        case "flow":
            return key.flow
        case "step":
            return key.step
        case "method":
            return key.method
        case "group":
            return key.group
    return dict(key.tags).get(name)


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows by key. Nobody changes a summary; `merge` and `minus` make new ones."""

    requests: Mapping[RequestKey, Requests] = field(default_factory=dict)
    steps: Mapping[StepKey, Connections] = field(default_factory=dict)
    flows: Mapping[FlowKey, Iterations] = field(default_factory=dict)
    vus: Mapping[str, Vus] = field(default_factory=dict)
    attempts: Mapping[StepKey, Attempts] = field(default_factory=dict)
    listening: Mapping[StepKey, Listening] = field(default_factory=dict)
    channels: Mapping[StepKey, Channels] = field(default_factory=dict)
    streams: Mapping[StepKey, Streams] = field(default_factory=dict)
    successes: Mapping[str, Successes] = field(default_factory=dict)

    def select(
        self, metric: str, flow: str | None = None, labels: Labels = (), judged: bool | None = True
    ) -> Measurement:
        """The metric's figures in one flow (None: pooled over all) where all labels agree. Without a label
        `phase` only what iterations sent; `judged=None`: also what `measure:` keeps from the gates.
        KeyError: no such metric."""
        given = dict(labels)
        phase = Phase(given.pop("phase", "iteration"))
        whole = True if phase is not Phase.ITERATION and judged is not None else judged
        wanted = _Wanted(flow, phase, tuple(sorted(given.items())), whole)
        known = METRICS[metric]
        match known.kind:
            case MetricKind.TREND:
                return Trend(merged(self._values(known, wanted)), known.scale)
            case MetricKind.RATE:
                return self._rate(known, wanted)
            case MetricKind.COUNTER:
                return self._counter(known, wanted)
            case MetricKind.GAUGE:
                return self._gauge(known, wanted)

    def steps_with(self, flow: str | None, labels: Labels) -> frozenset[tuple[str, str, str]] | None:
        """The steps (flow, step, method) whose requests these labels select, of what gates judge. None: they select a
        part of some step's, by its outcome or where steps share a name."""
        given = dict(labels)
        if given.pop("phase", "iteration") != "iteration" or not given.keys().isdisjoint(_OUTCOMES):
            return None
        wanted = _Wanted(flow, Phase.ITERATION, tuple(given.items()), judged=True)
        every = replace(wanted, flow=None, labels=())
        keys = {key.at for key in self.requests if every.step(key.at)}
        chosen = {(key.flow, key.step, key.method) for key in keys if wanted.step(key)}
        others = {(key.flow, key.step, key.method) for key in keys if not wanted.step(key)}
        return None if chosen & others else frozenset(chosen)

    def _rows(self, of: Of, wanted: _Wanted) -> Iterator[SummaryRow]:
        """The rows of this kind that a question is about."""
        match of:
            case Of.REQUESTS | Of.FAILURES | Of.INTERRUPTED:
                chosen = _REQUESTS[of]
                yield from (row for key, row in self.requests.items() if chosen(key.error) and wanted.outcome(key))
            case Of.CONNECTIONS:
                yield from (row for key, row in self.steps.items() if wanted.step(key))
            case Of.STEPS:
                yield from (row for key, row in self.attempts.items() if wanted.step(key))
            case Of.LISTENING:
                yield from (row for key, row in self.listening.items() if wanted.step(key))
            case Of.CHANNELS:
                wanted = wanted.without("error", "code")
                yield from (row for key, row in self.channels.items() if wanted.step(key))
            case Of.STREAMS:
                wanted = wanted.without("error")
                yield from (row for key, row in self.streams.items() if wanted.step(key))
            case Of.FLOWS:
                yield from (row for key, row in self.flows.items() if wanted.flow_row(key))
            case Of.ELSEWHERE:
                raise KeyError("not in a summary")
            case Of.VUS:
                judged = bool(wanted.judged)
                yield from (row for flow, row in self.vus.items() if wanted.flow_row(FlowKey(flow, judged)))
            case Of.EVENTS:
                pass  # only who knows when events happened can tell

    def _values(self, metric: Metric, wanted: _Wanted) -> Iterator[Any]:
        """What each row has of a metric: its number, or its histogram."""
        named = wanted.label(metric.by)
        for row in self._rows(metric.of, wanted):
            held = row.times(metric.value)
            if metric.by:
                yield from (value for name, value in held.items() if _called(metric.by, name, named))
            else:
                yield held

    def _sum(self, of: Of, value: str, wanted: _Wanted) -> int:
        return sum(getattr(row, value) for row in self._rows(of, wanted))

    def _rate(self, metric: Metric, wanted: _Wanted) -> Rate:
        if metric.of is Of.CONNECTIONS:
            return self._checks(wanted)
        if metric.out_of:
            return Rate(sum(self._values(metric, wanted)), self._sum(metric.of, metric.out_of, wanted))
        hits = self._sum(metric.of, metric.value, wanted)
        # `error` only ever marks failures, so it narrows the hits; of all the requests they are a share
        return Rate(hits, self._sum(Of.REQUESTS, "count", wanted.without("error")))

    def _checks(self, wanted: _Wanted) -> Rate:
        check = wanted.label("check")
        evaluated = failed = 0
        wanted = wanted.without("check")
        for key, row in self.steps.items():
            if wanted.step(key):
                names = {*row.checks, *row.failed_checks}
                chosen = names if check is None else names & {check}
                evaluated += row.answered * len(chosen)
                failed += sum(row.failed_checks[name] for name in chosen)
        return Rate(evaluated - failed, evaluated)

    def _counter(self, metric: Metric, wanted: _Wanted) -> Counter:
        total: int = sum(self._values(metric, wanted))
        return Counter(total, self._population(metric, wanted, total), self.seconds(wanted.flow, wanted.judged))

    def _population(self, metric: Metric, wanted: _Wanted, total: int) -> int:
        """How many there are of what a counter counts some: it says whether a zero means anything."""
        match metric.of:
            case Of.STEPS:
                return self._sum(Of.STEPS, "done", wanted)
            case Of.LISTENING:
                return self._sum(Of.LISTENING, "sessions", wanted)
            case Of.CHANNELS:
                return self._sum(Of.CHANNELS, "dials" if metric.value == "sessions" else "sessions", wanted)
            case Of.STREAMS:
                return self._sum(Of.STREAMS, "dials" if metric.value == "opened" else "opened", wanted)
            case Of.FLOWS:
                started = self._sum(Of.FLOWS, "done", wanted) + self._sum(Of.FLOWS, "interrupted", wanted)
                return started + (sum(self._values(metric, wanted.without(metric.by))) if metric.by else 0)
            case _:
                sent = self._sum(Of.REQUESTS, "count", wanted.without(*_OUTCOMES))
                return sent + (total if metric.of is Of.INTERRUPTED else 0) or total  # bytes may be no request's

    def _gauge(self, metric: Metric, wanted: _Wanted) -> Gauge:
        looks = max((row.times("looks") for row in self._rows(metric.of, wanted)), default=0)
        now = self._sum(metric.of, metric.value, wanted)
        if metric.value != "value":
            return Gauge(now, now, now, looks)
        return Gauge(now, self._sum(metric.of, "min", wanted), self._sum(metric.of, "max", wanted), looks)

    def seconds(self, flow: str | None = None, judged: bool | None = True) -> float:
        """How long the (not) judged part lasted; of all flows the longest. None: both parts."""
        spans: Tally[str] = Tally()
        for key, row in self.flows.items():
            if (flow is None or key.flow == flow) and (judged is None or key.judged is judged):
                spans[key.flow] += row.seconds  # type: ignore[assignment]  # a tally of seconds
        return max(spans.values(), default=0.0)

    def flow_names(self) -> tuple[str, ...]:
        """The flows, in the order in which they were opened."""
        return tuple(dict.fromkeys(key.flow for key in self.flows if key.flow))

    def step_rows(self) -> tuple[StepRow, ...]:
        """One row for each step and phase, judged or not."""
        rows: dict[tuple[str, Phase, str, str], list[tuple[RequestKey, Requests]]] = {}
        for key, row in self.requests.items():
            if key.error != INTERRUPTED:
                at = key.at
                rows.setdefault((at.flow, at.phase, at.step, at.method), []).append((key, row))
        return tuple(
            StepRow(
                *place,
                requests=sum(row.count for _, row in held),
                failed=sum(row.count for key, row in held if key.error),
                duration=merged(row.duration for _, row in held),
            )
            for place, held in rows.items()
            if any(row.count for _, row in held)  # else they are bytes of what is held open
        )

    def trace_rows(self) -> tuple[TraceRow, ...]:
        """The slowest requests with a trace, so many of each step and phase, judged or not; the slowest first."""
        found = [
            TraceRow(at.flow, at.phase, at.step, at.method, key.status, key.error, *sample)
            for key, row in self.requests.items()
            for at in [key.at]
            for sample in row.slowest
        ]
        seen: Tally[tuple[str, Phase, str, str]] = Tally()
        kept = []
        for row in sorted(found, key=lambda row: (-row.duration, row.at, row.trace_id)):
            place = (row.flow, row.phase, row.step, row.method)
            seen[place] += 1
            if seen[place] <= KEPT:
                kept.append(row)
        return tuple(kept)

    def listener_rows(self) -> tuple[ListenerRow, ...]:
        """One row for each `hls` step and phase that had sessions, judged or not."""
        rows: dict[tuple[str, Phase, str], Listening] = {}
        for key, row in self.listening.items():
            rows.setdefault((key.flow, key.phase, key.step), Listening()).add(row)
        return tuple(ListenerRow(*place, row) for place, row in rows.items() if row.sessions)

    def channel_rows(self) -> tuple[ChannelRow, ...]:
        """One row for each step with WebSockets and phase, judged or not."""
        rows: dict[tuple[str, Phase, str], Channels] = {}
        for key, row in self.channels.items():
            rows.setdefault((key.flow, key.phase, key.step), Channels()).add(row)
        return tuple(ChannelRow(*place, row) for place, row in rows.items())

    def stream_rows(self) -> tuple[StreamRow, ...]:
        """One row for each step with event streams and phase, judged or not."""
        rows: dict[tuple[str, Phase, str], Streams] = {}
        for key, row in self.streams.items():
            rows.setdefault((key.flow, key.phase, key.step), Streams()).add(row)
        return tuple(StreamRow(*place, row) for place, row in rows.items())

    def error_rows(self) -> tuple[ErrorRow, ...]:
        """One row for each step, kind of failure and status; the most frequent first."""
        totals: Tally[tuple[str, Phase, str]] = Tally()
        failures: dict[tuple[str, Phase, str, str, int], Requests] = {}
        for key, row in self.requests.items():
            if key.error == INTERRUPTED:
                continue
            place = (key.at.flow, key.at.phase, key.at.step)
            totals[place] += row.count
            if key.error:
                failures.setdefault((*place, key.error, key.status), Requests()).add(row)
        rows = [
            ErrorRow(*kind, row.count, row.count / totals[kind[:3]], row.first, row.last, row.detail, _trace(row))
            for kind, row in failures.items()
        ]
        return tuple(sorted(rows, key=lambda row: (-row.count, row.flow, row.step, row.error)))

    def merge(self, other: "Summary") -> "Summary":
        """Both shares of a run as one. Exact: the merge of any split equals the whole."""
        return Summary(*[_merged(mine, theirs) for mine, theirs in zip(_parts(self), _parts(other), strict=True)])

    def minus(self, earlier: "Summary") -> "Summary":
        """What came since an earlier snapshot of this same summary. VUs stay as they are now."""
        return Summary(*[_since(now, before) for now, before in zip(_parts(self), _parts(earlier), strict=True)])

    def only(self, flow: str | None, metric: str) -> "Summary":
        """What a question about this metric of this flow (None: of all) needs, and no other histogram."""
        asked = [(metric, flow)]
        return Summary(**{part.name: dict(self.asked_rows(part.name, asked)) for part in fields(self)})

    def asked_rows(self, part: str, questions: Collection[Question]) -> Iterator[tuple[Any, Any]]:
        """The rows of one part (a field's name) with their keys, as several questions need them: without any other
        histogram."""
        flows = {flow for _, flow in questions}
        kept: dict[str | None, list[str]] = {flow: [] for flow in flows}
        for metric, flow in questions:
            if _PARTS[METRICS[metric].of] == part:
                kept[flow].append(METRICS[metric].value)
        for key, row in getattr(self, part).items():
            flow = _flow_of(key)
            if None in flows or flow in flows:
                yield key, row.only(*kept.get(None, ()), *kept.get(flow, ()))

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every row and every bucket; `from_json` reads it back."""
        return _FORMAT.write(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Summary":
        return cls(**_FORMAT.read(record))


_FORMAT = SummaryFormat(Summary)
SHAPE: Shape = _FORMAT.shape
_PARTS = {
    Of.REQUESTS: "requests",
    Of.FAILURES: "requests",
    Of.INTERRUPTED: "requests",
    Of.CONNECTIONS: "steps",
    Of.STEPS: "attempts",
    Of.LISTENING: "listening",
    Of.CHANNELS: "channels",
    Of.STREAMS: "streams",
    Of.FLOWS: "flows",
    Of.VUS: "vus",
    Of.EVENTS: "successes",
}
_REQUESTS: dict[Of, Callable[[str], bool]] = {
    Of.REQUESTS: lambda error: error != INTERRUPTED,
    Of.FAILURES: lambda error: error not in ("", INTERRUPTED),
    Of.INTERRUPTED: lambda error: error == INTERRUPTED,
}


def parts_of(questions: Iterable[Question]) -> tuple[str, ...]:
    """The parts of a summary (its fields' names) that questions about the figures of a time need."""
    return tuple(dict.fromkeys(("flows", "requests", *(_PARTS[METRICS[metric].of] for metric, _ in questions))))


def _trace(row: Requests) -> str:
    return row.traced[0].trace if row.traced else ""


def _parts(summary: Summary) -> list[Mapping[Any, Any]]:
    """Its rows, by kind."""
    return [getattr(summary, part.name) for part in fields(summary)]


def _flow_of(key: RequestKey | StepKey | FlowKey | str) -> str:
    if isinstance(key, str):
        return key
    return key.at.flow if isinstance(key, RequestKey) else key.flow


def _merged(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> dict[Any, Any]:
    whole = {key: row.copy() for key, row in one.items()}
    for key, row in other.items():
        if key in whole:
            whole[key].add(row)
        else:
            whole[key] = row.copy()
    return whole


def _since(now: Mapping[Any, Any], before: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: row.minus(before[key]) if key in before else row for key, row in now.items()}


def merge_all(summaries: Iterable[Summary]) -> Summary:
    """One summary of all the shares."""
    whole = Summary()
    for summary in summaries:
        whole = whole.merge(summary)
    return whole


def in_sequence(parts: Iterable[Summary]) -> Summary:
    """Parts of a run, one after another. Their times add up, which those of workers beside one another don't."""
    whole: dict[str, dict[Any, Any]] = {part.name: {} for part in fields(Summary)}
    for part in parts:
        for name, held in whole.items():
            for key, row in getattr(part, name).items():
                if key not in held:
                    held[key] = row.copy()
                    continue
                mine = held[key]
                seconds = mine.seconds + row.seconds if isinstance(row, Iterations) else 0.0
                mine.add(row)
                if isinstance(row, Iterations):
                    mine.seconds = seconds
    return Summary(**whole)
