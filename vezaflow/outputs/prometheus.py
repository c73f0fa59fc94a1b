"""Prometheus remote write 1.0, as k6 sends it: names, labels and units are k6's, so that its dashboards work.

Laws: one writer; every payload has one timestamp, above that of the one before. Counters are of the whole run. Gauges
of a trend's statistics and rates are of the time since the last payload; native histograms (schema 5) are of the whole
run. A counter or histogram that is new begins with 0 at the last payload's time, so that `increase` counts all of it.

    k6_<counter>_total, k6_<rate>_rate, k6_<gauge>, k6_<trend>_<stat>; natively k6_<trend>_seconds
    vezaflow_gate_value, _bound, _ok; vezaflow_run_info; vezaflow_vus by scenario; vezaflow_generator_…
"""

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from vezaflow.aside import patiently
from vezaflow.metrics import METRICS, MetricKind, Trend
from vezaflow.outputs.exponential import SCHEMA, exponential
from vezaflow.outputs.series import OWN, Labels, SentSeries, SeriesBuilder
from vezaflow.outputs.sink import LIMITS, HttpCarrier, Say, Sink, SinkLimits
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Plan, PlannedOutput
from vezaflow.protobuf import Message, messages
from vezaflow.units import Dimension

PREFIX = "k6_"
HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
ZERO_THRESHOLD = 2.0**-128
STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
"""The NaN that says that a series has ended."""
_UNITS = {Dimension.TIME: "_seconds", Dimension.SIZE: "_bytes"}
_REMOTE_WRITE = {
    "WriteRequest": {"timeseries": "repeated TimeSeries = 1", "metadata": "repeated MetricMetadata = 3"},
    "MetricMetadata": {"type": "int32 = 1", "metric_family_name": "string = 2", "help": "string = 4"},
    "TimeSeries": {
        "labels": "repeated Label = 1",
        "samples": "repeated Sample = 2",
        "histograms": "repeated Histogram = 4",
    },
    "Label": {"name": "string = 1", "value": "string = 2"},
    "Sample": {"value": "double = 1", "timestamp": "int64 = 2"},
    "Histogram": {
        "count_int": "uint64 = 1",
        "sum": "double = 3",
        "schema": "sint32 = 4",
        "zero_threshold": "double = 5",
        "zero_count_int": "uint64 = 6",
        "positive_spans": "repeated BucketSpan = 11",
        "positive_deltas": "repeated sint64 = 12",
        "timestamp": "int64 = 15",
    },
    "BucketSpan": {"offset": "sint32 = 1", "length": "uint32 = 2"},
}
_COUNTER, _GAUGE, _HISTOGRAM = 1, 2, 3  # of MetricMetadata


@cache
def _classes() -> dict[str, Message]:
    return messages("prometheus", _REMOTE_WRITE)


def write_request() -> Message:
    """The class of a remote write's message."""
    return _classes()["WriteRequest"]


class RemoteWrite:
    """Makes payloads of ticks."""

    def __init__(self, planned: PlannedOutput, plan: Plan) -> None:
        self._planned = planned
        self._builder = SeriesBuilder(plan, planned.labels, intervals=not planned.native)
        self._told = False  # what the metrics mean
        self._stamp = 0  # of the last payload, in milliseconds
        self._seen: dict[tuple[str, Labels], tuple[Message, bool]] = {}  # with its labels; whether it is a histogram

    def encode(self, tick: Tick) -> Sequence[bytes]:
        """The tick as a remote write; with the last one, what marks all series as ended."""
        now = round(tick.at.timestamp() * 1000)
        before = self._stamp or now - max(1, round(tick.elapsed * 1000))
        self._stamp = max(now, before + 1)
        request = write_request()()
        if not self._told:
            self._told = True
            _describe(request, native=self._planned.native)
        for series in patiently(self._builder.build(tick)):
            self._add(request, series, before)
        made = [_packed(request)]
        if tick.last and self._planned.stale_markers:
            made.append(_packed(self._ended()))
        return made

    def _add(self, request: Message, series: SentSeries, before: int) -> None:
        match series.kind:
            case MetricKind.COUNTER:
                new = (f"{_name(series)}_total", series.labels) not in self._seen
                added = self._series(request, f"{_name(series)}_total", series.labels)
                if new:
                    added.samples.add(value=0.0, timestamp=before)
                added.samples.add(value=series.whole.value, timestamp=self._stamp)
            case MetricKind.GAUGE:
                self._sample(request, _name(series), series.labels, series.whole.value)
            case MetricKind.RATE:
                if series.since.total > 0:
                    rate = series.since.value / series.since.total
                    self._sample(request, f"{_name(series)}_rate", series.labels, rate)
            case MetricKind.TREND if self._planned.native:
                self._histogram(request, series, before)
            case MetricKind.TREND:
                for stat, value in statistics(series, self._planned.stats):
                    self._sample(request, f"{_name(series)}_{stat.replace('.', '')}", series.labels, value)

    def _sample(self, request: Message, name: str, labels: Labels, value: float) -> None:
        self._series(request, name, labels).samples.add(value=value, timestamp=self._stamp)

    def _histogram(self, request: Message, series: SentSeries, before: int) -> None:
        assert series.whole.times is not None
        name = _name(series) + _UNITS.get(series.dimension, "") if series.dimension else _name(series)
        new = (name, series.labels) not in self._seen
        added = self._series(request, name, series.labels, histogram=True)
        if new:
            added.histograms.add(schema=SCHEMA, zero_threshold=ZERO_THRESHOLD, timestamp=before)
        found = exponential(series.whole.times, series.scale)
        held = added.histograms.add(
            count_int=found.count,
            sum=found.total,
            schema=SCHEMA,
            zero_threshold=ZERO_THRESHOLD,
            zero_count_int=found.zeros,
            timestamp=self._stamp,
        )
        spans, deltas = found.spans()
        for offset, length in spans:
            held.positive_spans.add(offset=offset, length=length)
        held.positive_deltas.extend(deltas)

    def _series(self, request: Message, name: str, labels: Labels, *, histogram: bool = False) -> Message:
        held = self._seen.get((name, labels))
        if held is None:
            held = self._seen[name, labels] = (_labelled(name, labels), histogram)
        added = request.timeseries.add()
        added.MergeFrom(held[0])
        return added

    def _ended(self) -> Message:
        """Every series that was sent, marked as ended a millisecond after its last sample."""
        request = write_request()()
        self._stamp += 1
        for labelled, histogram in self._seen.values():
            added = request.timeseries.add()
            added.MergeFrom(labelled)
            if histogram:
                added.histograms.add(sum=STALE, schema=SCHEMA, timestamp=self._stamp)
            else:
                added.samples.add(value=STALE, timestamp=self._stamp)
        return request


def statistics(series: SentSeries, stats: Sequence[str]) -> Iterator[tuple[str, float]]:
    """A trend's statistics of the time since the last look; none without samples."""
    times = series.since.times
    if times is None or not times.samples:
        return
    trend = Trend(times, series.scale)
    shares = [stat for stat in stats if stat[0] == "p"]
    percentiles = dict(zip(shares, times.quantiles([float(stat[1:]) / 100 for stat in shares]), strict=True))
    for stat in stats:
        if stat == "sum":
            value: float | None = (trend.aggregate("avg") or 0.0) * times.samples
        elif stat in percentiles:
            found = percentiles[stat]
            value = None if found is None else found * series.scale
        else:
            value = trend.aggregate(stat)
        if value is not None:
            yield stat, float(value)


def prometheus(planned: PlannedOutput, plan: Plan, say: Say, limits: SinkLimits = LIMITS) -> Sink:
    """The output of a run."""
    assert planned.target is not None
    import cramjam  # noqa: F401  (loaded now, and not in the load)

    write_request()
    carrier = HttpCarrier(planned.target, {**HEADERS, **dict(planned.headers)}, limits.timeout)
    name = f"prometheus ({planned.target.origin.authority})"
    return Sink(name, RemoteWrite(planned, plan).encode, carrier, planned.every, say, limits)


def _name(series: SentSeries) -> str:
    return series.name if series.name.startswith(OWN) else PREFIX + series.name


def _labelled(name: str, labels: Labels) -> Message:
    """A series without samples: made once, for its labels are most of the work."""
    found = _classes()["TimeSeries"]()
    for label, value in sorted((("__name__", name), *labels)):
        found.labels.add(name=label, value=value)
    return found


def _describe(request: Message, *, native: bool) -> None:
    for metric in METRICS.values():
        match metric.kind:
            case MetricKind.COUNTER:
                kind, end = _COUNTER, "_total"
            case MetricKind.RATE:
                kind, end = _GAUGE, "_rate"
            case MetricKind.GAUGE:
                kind, end = _GAUGE, ""
            case MetricKind.TREND:
                if not native:
                    continue
                kind, end = _HISTOGRAM, _UNITS.get(metric.dimension, "") if metric.dimension else ""
        request.metadata.add(type=kind, metric_family_name=f"{PREFIX}{metric.name}{end}", help=metric.doc)


def _packed(request: Message) -> bytes:
    import cramjam

    written: Any = request.SerializeToString()
    return bytes(cramjam.snappy.compress_raw(written))
