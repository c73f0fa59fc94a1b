"""All the figures of a run, or of one worker's share: frozen, mergeable without loss, open to questions.

Rows are kept apart by flow, phase, step, method, group, tags, status, failure and whether gates judge them;
`select` adds the rows that a question is about. What is zero by nature (connecting on a reused connection, a
check that held) is derived here, never recorded.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vezaflow.metrics.attempts import Attempts
from vezaflow.metrics.catalog import ERROR_CLASSES, INTERRUPTED, METRICS, PAGE, Kind, Phase
from vezaflow.metrics.figures import Connections, FlowKey, Iterations, RequestKey, Requests, StepKey, Vus
from vezaflow.metrics.histogram import Histogram, merged
from vezaflow.metrics.measurement import Counter, Gauge, Measurement, Rate, Trend

Labels = Iterable[tuple[str, str]]
_CONNECTION_METRICS = {
    "http_req_blocked": "blocked",
    "http_req_connecting": "connecting",
    "http_req_tls_handshaking": "tls",
}
_ITERATION_METRICS = {
    "iteration_duration": "duration",
    "iteration_delay": "delay",
    "iteration_response_time": "response_time",
}
_REQUEST_METRICS = {
    "http_req_duration": "duration",
    "http_req_sending": "sending",
    "http_req_waiting": "waiting",
    "http_req_receiving": "receiving",
}


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One kind of failure of one step. Times are seconds since the run's start."""

    flow: str
    phase: Phase
    step: str
    error: str
    status: int  # 0: no answer
    count: int
    share: float  # of the step's requests in this phase
    first: float
    last: float
    detail: str  # one sample


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


_ATTEMPT_COUNTERS: dict[str, Callable[[Attempts], int]] = {
    "http_req_retries": lambda row: row.retries,
    "backpressure_obeyed": lambda row: row.obeyed,
    "backpressure_ignored": lambda row: row.asked - row.obeyed,
}
_OUTCOMES: dict[str, Callable[[RequestKey, str], bool]] = {
    "status": lambda key, value: value in (str(key.status), f"{key.status // 100}xx", f"{key.status // 100}XX"),
    "error": lambda key, value: key.error == value or key.error in ERROR_CLASSES.get(value, ()),
    "expected_response": lambda key, value: value == ("false" if key.error else "true"),
}


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
        match METRICS[metric].kind:
            case Kind.TREND:
                return Trend(self._trend(metric, wanted))
            case Kind.RATE:
                return self._rate(metric, wanted)
            case Kind.COUNTER:
                return self._counter(metric, wanted)
            case Kind.GAUGE:
                return self._gauge(metric, wanted)

    def _trend(self, metric: str, wanted: _Wanted) -> Histogram:
        if metric in _REQUEST_METRICS:
            name = _REQUEST_METRICS[metric]
            return merged(getattr(row, name) for row in self._requests(wanted))
        if metric in _CONNECTION_METRICS:
            name = _CONNECTION_METRICS[metric]
            return merged(row.trend(name) for key, row in self.steps.items() if wanted.step(key))
        if metric == "step_duration":
            return merged(row.duration for row in self._attempts(wanted))
        rows = [row for key, row in self.flows.items() if wanted.flow_row(key)]
        if metric in _ITERATION_METRICS:
            return merged(getattr(row, _ITERATION_METRICS[metric]) for row in rows)
        group = wanted.label("group")
        return merged(held for row in rows for name, held in row.groups.items() if group in (None, name))

    def _requests(self, wanted: _Wanted, interrupted: bool = False) -> Iterator[Requests]:
        for key, row in self.requests.items():
            if (key.error == INTERRUPTED) is interrupted and wanted.outcome(key):
                yield row

    def _attempts(self, wanted: _Wanted) -> list[Attempts]:
        return [row for key, row in self.attempts.items() if wanted.step(key)]

    def _rate(self, metric: str, wanted: _Wanted) -> Rate:
        match metric:
            case "checks":
                return self._checks(wanted)
            case "step_failed":
                rows = self._attempts(wanted)
                return Rate(sum(row.failed for row in rows), sum(row.done for row in rows))
        return self._failed(wanted)

    def _failed(self, wanted: _Wanted) -> Rate:
        # `error` only ever marks failures, so it narrows the hits; of all the requests they are a share
        failures = [(key, row) for key, row in self.requests.items() if _is_failure(key)]
        hits = sum(row.count for key, row in failures if wanted.outcome(key))
        return Rate(hits, sum(row.count for row in self._requests(wanted.without("error"))))

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

    def _counter(self, metric: str, wanted: _Wanted) -> Counter:
        seconds = self.seconds(wanted.flow, wanted.judged)
        rows = [row for key, row in self.flows.items() if wanted.flow_row(key)]
        started = sum(row.done + row.interrupted for row in rows)
        match metric:
            case "iterations":
                return Counter(sum(row.done for row in rows), started, seconds)
            case "iterations_failed":
                return Counter(sum(row.failed for row in rows), started, seconds)
            case "iterations_interrupted":
                return Counter(sum(row.interrupted for row in rows), started, seconds)
            case "dropped_iterations":
                reason = wanted.label("reason")
                dropped: Tally[str] = sum((row.dropped for row in rows), Tally())
                asked = sum(n for name, n in dropped.items() if reason in (None, name))
                return Counter(asked, started + dropped.total(), seconds)
        if metric in _ATTEMPT_COUNTERS:
            attempts = self._attempts(wanted)
            total = sum(_ATTEMPT_COUNTERS[metric](row) for row in attempts)
            return Counter(total, sum(row.done for row in attempts), seconds)
        return self._request_counter(metric, wanted, seconds)

    def _request_counter(self, metric: str, wanted: _Wanted, seconds: float) -> Counter:
        population = sum(row.count for row in self._requests(wanted.without(*_OUTCOMES)))
        rows = list(self._requests(wanted))
        match metric:
            case "http_reqs":
                total = sum(row.count for row in rows)
            case "http_req_errors":
                total = self._failed(wanted).hits
            case "data_sent":
                total = sum(row.bytes_sent for row in rows)
            case "data_received":
                total = sum(row.bytes_received for row in rows)
            case "http_reqs_interrupted":
                total = sum(row.count for row in self._requests(wanted, interrupted=True))
                population += total
            case _:
                raise KeyError(metric)
        return Counter(total, population, seconds)

    def _gauge(self, metric: str, wanted: _Wanted) -> Gauge:
        rows = [row for flow, row in self.vus.items() if wanted.flow_row(FlowKey(flow, bool(wanted.judged)))]
        looks = max((row.looks for row in rows), default=0)
        if metric == "vus_max":
            asked = sum(row.asked for row in rows)
            return Gauge(asked, asked, asked, looks)
        least, most = sum(row.minimum for row in rows), sum(row.maximum for row in rows)
        return Gauge(sum(row.value for row in rows), least, most, looks)

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
        )

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
            ErrorRow(*kind, row.count, row.count / totals[kind[:3]], row.first, row.last, row.detail)
            for kind, row in failures.items()
        ]
        return tuple(sorted(rows, key=lambda row: (-row.count, row.flow, row.step, row.error)))

    def merge(self, other: "Summary") -> "Summary":
        """Both shares of a run as one. Exact: the merge of any split equals the whole."""
        return Summary(
            _merged(self.requests, other.requests),
            _merged(self.steps, other.steps),
            _merged(self.flows, other.flows),
            _merged(self.vus, other.vus),
            _merged(self.attempts, other.attempts),
        )

    def minus(self, earlier: "Summary") -> "Summary":
        """What came since an earlier snapshot of this same summary. VUs stay as they are now."""
        return Summary(
            _since(self.requests, earlier.requests),
            _since(self.steps, earlier.steps),
            _since(self.flows, earlier.flows),
            self.vus,
            _since(self.attempts, earlier.attempts),
        )

    def only(self, flow: str | None, metric: str) -> "Summary":
        """What a question about this metric of this flow (None: of all) needs, and no other histogram."""
        times, connections = _REQUEST_METRICS.get(metric, ""), _CONNECTION_METRICS.get(metric, "")
        whole = metric in ("iteration_duration", "group_duration")
        return Summary(
            {key: row.only(times) for key, row in self.requests.items() if flow in (None, key.at.flow)},
            {key: row.only(connections) for key, row in self.steps.items() if flow in (None, key.flow)},
            {key: row.only(whole) for key, row in self.flows.items() if flow in (None, key.flow)},
            {name: row for name, row in self.vus.items() if flow in (None, name)},
            {k: row.only(metric == "step_duration") for k, row in self.attempts.items() if flow in (None, k.flow)},
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every row and every bucket; `from_json` reads it back."""
        from vezaflow.metrics.summary_json import written

        return written(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Summary":
        from vezaflow.metrics.summary_json import read

        return read(record)


def _is_failure(key: RequestKey) -> bool:
    return bool(key.error) and key.error != INTERRUPTED


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
