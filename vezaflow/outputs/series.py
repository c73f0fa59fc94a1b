"""A tick as series: every metric of the catalog by flow and step, the run itself, the generator's health.

Laws: labels are k6's (`scenario` is the flow, `name` and `url` the step as written), and what stands in them comes from
the plan; what a server chooses (statuses, close codes) has room for `MOST_VALUES` of each step and then counts as
`other`. So the number of series is bounded by the plan (`most_series`), whatever the traffic. A series is in a list
once, keeps its labels and its number, and never goes back. Nothing in it is secret.

What never changes is made once, here and in the outputs: it was most of the work, which a thread of the load's process
does. `python -m bench.outputs` measures it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from itertools import chain
from typing import Any, NamedTuple

from vezaflow.aside import patiently
from vezaflow.metrics import (
    ERRORS,
    INTERRUPTED,
    METRICS,
    PAGE,
    FlowKey,
    Histogram,
    Metric,
    MetricKind,
    Of,
    Phase,
    RequestKey,
    StepKey,
    Summary,
)
from vezaflow.outputs.about_run import OTHER, AboutRun, most_about
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Plan, PlannedRequest, blocks_of
from vezaflow.units import Dimension

Labels = tuple[tuple[str, str], ...]  # sorted by name
OWN = "vezaflow_"  # what the names of series that are no metric of the catalog begin with
MOST_VALUES = 8  # of a label that the server chooses, of one step
_GROUP = "::"  # what k6 puts before the names of groups
_NAME = re.compile(r"[^A-Za-z0-9_]")


class _Detail(Enum):
    """How far the series of a request's metric are apart."""

    STEP = "step"
    EXPECTED = "expected"
    OUTCOME = "outcome"
    ERROR = "error"
    FLOW = "flow"


# `http_req_failed` has no outcome: each of its series would be 0 or 1 for ever. k6 has bytes by scenario, too.
_DETAILS = {
    "http_reqs": _Detail.OUTCOME,
    "http_req_duration": _Detail.OUTCOME,
    "http_req_sending": _Detail.EXPECTED,
    "http_req_waiting": _Detail.EXPECTED,
    "http_req_receiving": _Detail.EXPECTED,
    "http_req_errors": _Detail.ERROR,
    "data_sent": _Detail.FLOW,
    "data_received": _Detail.FLOW,
}
_SUMMED = frozenset(("reason",))  # a metric's label `by` that is left out, as k6 has none
_HELD: dict[Of, Callable[[Summary], Mapping[StepKey, Any]]] = {
    Of.STEPS: lambda summary: summary.attempts,
    Of.LISTENING: lambda summary: summary.listening,
    Of.CHANNELS: lambda summary: summary.channels,
    Of.STREAMS: lambda summary: summary.streams,
}
_OF_REQUESTS = (Of.REQUESTS, Of.FAILURES, Of.INTERRUPTED, Of.CONNECTIONS, Of.STEPS)
_OF_OTHERS = (Of.STEPS, Of.LISTENING, Of.CHANNELS, Of.STREAMS)
_HEALTH = 6  # series of a worker


_Place = tuple[RequestKey | StepKey | FlowKey | None, str | None]  # a row; which one of what it holds by name


class SeriesFigures(NamedTuple):
    """A counter's sum or a gauge's value; of a rate the hits with their total; of a trend its distribution."""

    value: float = 0.0
    total: float = 0.0
    times: Histogram | None = None


class KnownSeries(NamedTuple):
    """What never changes of a series. `number`: from 0 on, in the order in which they came. `scale`: a trend's units in
    one of its distribution's."""

    number: int
    name: str
    kind: MetricKind
    labels: Labels
    dimension: Dimension | None = None
    scale: float = 1.0


class SentSeries(NamedTuple):
    """A series with its figures of the whole run so far, and those since the last look. What an output makes of its
    name and labels it makes once, and keeps by `number`."""

    number: int
    name: str
    kind: MetricKind
    labels: Labels
    dimension: Dimension | None
    scale: float
    whole: SeriesFigures
    since: SeriesFigures


class SeriesBuilder:
    """One run's series. `labels` are those of every one of them; without `intervals` nothing says how trends went
    since the last look, which is half of the work."""

    def __init__(self, plan: Plan, labels: Iterable[tuple[str, str]] = (), *, intervals: bool = True) -> None:
        self._intervals = intervals
        self._about = AboutRun(plan)
        self._labels = tuple((name, plan.secrets.mask(value)) for name, value in labels)
        self._shared: Labels = ()  # labels of this run's series
        self._steps: dict[StepKey, Labels] = {}
        self._chosen: dict[tuple[str, Labels], set[str]] = {}
        self._series: dict[tuple[str, Labels], KnownSeries] = {}
        self._places: dict[str, dict[_Place, KnownSeries]] = {}  # by metric: the series that a row's figures count in
        self._before: dict[int, SeriesFigures] = {}

    def build(self, tick: Tick) -> list[SentSeries]:
        """The series of a tick."""
        testid = () if any(name == "testid" for name, _ in self._labels) else (("testid", tick.run_id),)
        shared = (*self._labels, *(pair for pair in testid if pair[1]))
        if shared != self._shared:
            self._shared, self._places = shared, {}
        found: dict[int, SentSeries] = {}
        for series, whole in chain(self._measured(tick.summary), patiently(self._own(tick))):
            before = self._before.get(series.number)
            self._before[series.number] = whole
            since = whole if before is None else _since(whole, before, times=self._intervals)
            found[series.number] = SentSeries(*series, whole, since)
        return list(found.values())

    def _measured(self, summary: Summary) -> Iterator[tuple[KnownSeries, SeriesFigures]]:
        for metric in METRICS.values():
            places = self._places.setdefault(metric.name, {})
            groups: dict[int, tuple[KnownSeries, list[Any]]] = {}
            for place, value in patiently(_rows(metric, summary)):
                series = places.get(place)
                if series is None:
                    series = places[place] = self._of_metric(metric, place)
                groups.setdefault(series.number, (series, []))[1].append(value)
            for series, values in patiently(groups.values()):
                figures = _together(metric.kind, values)
                if figures.times is None or figures.times.samples:
                    yield series, figures

    def _of_metric(self, metric: Metric, place: _Place) -> KnownSeries:
        labels = self._labels_at(metric, place)
        return self._known(metric.name, metric.kind, labels, metric.dimension, metric.scale)

    def _known(
        self, name: str, kind: MetricKind, labels: Labels, dimension: Dimension | None = None, scale: float = 1.0
    ) -> KnownSeries:
        """The series of this name and these labels."""
        labels = _joined(self._shared, labels)
        found = self._series.get((name, labels))
        if found is None:
            found = KnownSeries(len(self._series), name, kind, labels, dimension, scale)
            self._series[name, labels] = found
        return found

    def _labels_at(self, metric: Metric, place: _Place) -> Labels:
        key, name = place
        match key:
            case None:
                return ()
            case RequestKey():
                return self._request(key, _DETAILS.get(metric.name, _Detail.STEP))
            case FlowKey():
                labels = _present(("scenario", key.flow))
            case StepKey():
                labels = self._step(key)
        if name is None:
            return labels
        return _joined(labels, ((metric.by or "check", self._shown(metric, labels, name)),))

    def _shown(self, metric: Metric, labels: Labels, name: str) -> str:
        """What a row is told apart by, as the value of its label."""
        if metric.by == "group":
            return _GROUP + name
        return self._bounded(metric.name, labels, name) if metric.by == "code" else name

    def _request(self, key: RequestKey, detail: _Detail) -> Labels:
        step = self._step(key.at)
        expected = ("expected_response", "false" if key.error else "true")
        match detail:
            case _Detail.STEP:
                return step
            case _Detail.EXPECTED:
                return _joined(step, (expected,))
            case _Detail.ERROR:
                return _joined(step, (("error", key.error),))
            case _Detail.OUTCOME:
                status = self._bounded("status", _joined(step, (expected,)), str(key.status))
                return _joined(step, (expected, ("status", status)))
            case _Detail.FLOW:
                return _present(("scenario", key.at.flow))

    def _step(self, key: StepKey) -> Labels:
        found = self._steps.get(key)
        if found is None:
            own = {
                "scenario": key.flow,
                "name": key.step,
                "url": key.step,
                "method": key.method,
                "group": f"{_GROUP}{key.group}" if key.group else "",
                "phase": "" if key.phase is Phase.ITERATION else key.phase.value,
            }
            tags = {label_name(name): value for name, value in key.tags if name != PAGE}
            found = self._steps[key] = _present(*(tags | own).items())
        return found

    def _bounded(self, name: str, labels: Labels, value: str) -> str:
        """The value, as long as there is room for it."""
        chosen = self._chosen.setdefault((name, labels), set())
        if value not in chosen:
            if len(chosen) >= MOST_VALUES:
                return OTHER
            chosen.add(value)
        return value

    def _own(self, tick: Tick) -> Iterator[tuple[KnownSeries, SeriesFigures]]:
        for flow, row in tick.summary.vus.items():
            yield self._gauge("vus", row.value, ("scenario", flow))
        for name, value, labels in self._about.figures(tick):
            yield self._gauge(name, value, *labels)
        for worker in tick.health.workers:
            at, vitals = ("instance", worker.name), worker.vitals
            yield self._gauge("generator_cpu", vitals.cpu, at)
            yield self._gauge("generator_lag_p99_seconds", vitals.lag_p99, at)
            yield self._gauge("generator_lag_max_seconds", vitals.lag_max, at)
            yield self._gauge("generator_memory_bytes", vitals.memory, at)
            yield self._gauge("generator_late_reads", vitals.late_reads, at)
            yield self._gauge("generator_up", 0.0 if worker.lost else 1.0, at)
        yield self._gauge("generator_load_missing", tick.health.load_missing)

    def _gauge(self, name: str, value: float, *labels: tuple[str, str]) -> tuple[KnownSeries, SeriesFigures]:
        return self._known(OWN + name, MetricKind.GAUGE, _present(*labels)), SeriesFigures(float(value))


def most_series(plan: Plan, stats: int) -> int:
    """How many series a run of this plan can have in one process, `stats` of each trend."""
    blocks = [plan.preflight.requests, plan.setup, plan.teardown]
    blocks += [part for flow in plan.flows for part in (flow.login, flow.steps, flow.final)]
    steps = [step for block in blocks for step in _all(block)]
    found = most_about(plan) + len(plan.flows) + _HEALTH + 1
    for step in steps:
        checks = len(step.checks) if isinstance(step, PlannedRequest) else 0
        kinds = _OF_REQUESTS if isinstance(step, PlannedRequest) else _OF_OTHERS
        found += sum(_most(metric, checks, stats) for metric in METRICS.values() if metric.of in kinds)
    groups = sum(1 for block in blocks for step in _all(block) if getattr(step.shape, "group", ""))
    for metric in METRICS.values():
        if metric.of in (Of.FLOWS, Of.VUS):
            most = max(1, groups) if metric.by == "group" else len(plan.flows) + 1
            found += most * (stats if metric.kind is MetricKind.TREND else 1)
    return found


def label_name(text: str) -> str:
    """A text as the name of a label."""
    name = _NAME.sub("_", text)
    return f"_{name}" if name[:1].isdigit() else name


def _most(metric: Metric, checks: int, stats: int) -> int:
    sets = {
        _Detail.STEP: 1,
        _Detail.EXPECTED: 2,
        _Detail.OUTCOME: 2 * (MOST_VALUES + 1),
        _Detail.ERROR: len(ERRORS),
        _Detail.FLOW: 1,
    }[_DETAILS.get(metric.name, _Detail.STEP)]
    if metric.of is Of.CONNECTIONS and metric.kind is MetricKind.RATE:
        sets = checks
    elif metric.by and metric.kind is not MetricKind.RATE:
        sets = len(ERRORS) if metric.by == "error" else MOST_VALUES + 1
    return sets * (stats if metric.kind is MetricKind.TREND else 1)


def _all(steps: Iterable[Any]) -> Iterator[Any]:
    for step in steps:
        yield step
        for inner in blocks_of(step):
            yield from _all(inner)


def _rows(metric: Metric, summary: Summary) -> Iterator[tuple[_Place, Any]]:
    """What each row has of a metric, with its place."""
    match metric.of:
        case Of.REQUESTS | Of.FAILURES | Of.INTERRUPTED:
            yield from _of_requests(metric, summary)
        case Of.CONNECTIONS:
            for key, row in summary.steps.items():
                if metric.kind is not MetricKind.RATE:
                    yield (key, None), row.times(metric.value)
                    continue
                for check in sorted({*row.checks, *row.failed_checks}):
                    yield (key, check), (row.answered - row.failed_checks[check], row.answered)
        case Of.STEPS | Of.LISTENING | Of.CHANNELS | Of.STREAMS:
            for key, row in _HELD[metric.of](summary).items():
                yield from _held(metric, key, row)
        case Of.FLOWS:
            for flow, iterations in summary.flows.items():
                yield from _held(metric, flow, iterations)
        case Of.VUS:  # one series, as k6 has: its dashboard takes the mean of all
            yield from (((None, None), row.times(metric.value)) for row in summary.vus.values())


def _of_requests(metric: Metric, summary: Summary) -> Iterator[tuple[_Place, Any]]:
    for key, row in summary.requests.items():
        if (key.error == INTERRUPTED) is not (metric.of is Of.INTERRUPTED):
            continue
        if metric.kind is MetricKind.RATE:
            yield (key, None), (row.count if key.error else 0, row.count)
        elif key.error or metric.of is not Of.FAILURES:
            yield (key, None), row.times(metric.value)


def _held(metric: Metric, key: StepKey | FlowKey, row: Any) -> Iterator[tuple[_Place, Any]]:
    held = row.times(metric.value)
    if metric.kind is MetricKind.RATE:
        yield (key, None), (sum(held.values()) if metric.by else held, row.times(metric.out_of))
    elif metric.by in _SUMMED:
        yield (key, None), sum(held.values())
    elif metric.by:
        yield from (((key, name), value) for name, value in held.items())
    else:
        yield (key, None), held


def _present(*labels: tuple[str, str]) -> Labels:
    return tuple(sorted(pair for pair in labels if pair[1]))


def _joined(labels: Iterable[tuple[str, str]], more: Iterable[tuple[str, str]]) -> Labels:
    """Both; what is in `more` wins."""
    return tuple(sorted({**dict(labels), **dict(more)}.items()))


def _together(kind: MetricKind, values: list[Any]) -> SeriesFigures:
    match kind:
        case MetricKind.COUNTER | MetricKind.GAUGE:
            return SeriesFigures(float(sum(values)))
        case MetricKind.RATE:
            return SeriesFigures(float(sum(hits for hits, _ in values)), float(sum(total for _, total in values)))
        case MetricKind.TREND if len(values) == 1:
            return SeriesFigures(times=values[0])
        case MetricKind.TREND:
            whole = Histogram()
            for value in values:
                if value.samples:
                    whole.add(value)
            return SeriesFigures(times=whole)


def _since(now: SeriesFigures, before: SeriesFigures, *, times: bool) -> SeriesFigures:
    return SeriesFigures(
        now.value - before.value, now.total - before.total, _times_since(now.times, before.times) if times else None
    )


def _times_since(now: Histogram | None, before: Histogram | None) -> Histogram | None:
    if now is None or before is None:
        return now
    return Histogram() if now.samples == before.samples else now.minus(before)
