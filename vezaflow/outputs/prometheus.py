"""Prometheus remote write 1.0, as k6 sends it: names, labels and units are k6's, so that its dashboards work.

Laws: one writer; every payload has one timestamp, above that of the one before. Counters are of the whole run. Gauges
of a trend's statistics and rates are of the time since the last payload; native histograms (schema 5) are of the whole
run. A counter or histogram that is new begins with 0 at the last payload's time, so that `increase` counts all of it.

    k6_<counter>_total, k6_<rate>_rate, k6_<gauge>, k6_<trend>_<stat>; natively k6_<trend>_seconds
    vezaflow_gate_value, _bound, _ok; vezaflow_run_info; vezaflow_vus by scenario; vezaflow_generator_…
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from vezaflow.aside import patiently
from vezaflow.metrics import METRICS, MetricKind
from vezaflow.outputs.exponential import SCHEMA, exponential
from vezaflow.outputs.series import OWN, SentSeries, SeriesBuilder
from vezaflow.outputs.sink import LIMITS, HttpCarrier, Say, Sink, SinkLimits
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Plan, PlannedOutput
from vezaflow.protobuf import Message, delimited, messages
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
_SERIES, _LABELS, _SAMPLES, _HISTOGRAMS = 1, 1, 2, 4  # fields, by the table above
_VALUE = bytes((1 << 3 | 1,))  # what a sample's value begins with
_DOUBLE = struct.Struct("<d").pack
_NAME = "__name__"
_COUNTER, _GAUGE, _HISTOGRAM = 1, 2, 3  # of MetricMetadata


@cache
def _classes() -> dict[str, Message]:
    return messages("prometheus", _REMOTE_WRITE)


def write_request() -> Message:
    """The class of a remote write's message."""
    return _classes()["WriteRequest"]


class _Begun(NamedTuple):
    """The bytes of a series before its samples. `of_value`, `of_zero`: with what says that one sample follows, which
    has a value or, being 0, only its time of `size` bytes."""

    labels: bytes
    histogram: bool
    of_value: bytes
    of_zero: bytes

    @classmethod
    def of(cls, labels: bytes, size: int, *, histogram: bool) -> "_Begun":
        value = delimited(_SERIES, labels + delimited(_SAMPLES, _VALUE + bytes(8 + size)))
        zero = delimited(_SERIES, labels + delimited(_SAMPLES, bytes(size)))
        return cls(labels, histogram, value[: len(value) - 8 - size], zero[: len(zero) - size])


@dataclass(frozen=True, slots=True)
class _Moment:
    """When samples were taken, as their fields have it."""

    milliseconds: int
    written: bytes

    @classmethod
    def of(cls, milliseconds: int) -> "_Moment":
        return cls(milliseconds, _classes()["Sample"](timestamp=milliseconds).SerializeToString())

    def sample(self, value: float) -> bytes:
        """A series' field with one sample."""
        return delimited(_SAMPLES, (_VALUE + _DOUBLE(value) if value else b"") + self.written)


class RemoteWrite:
    """Makes payloads of ticks. A series is put together of bytes, of which those of its labels are made once: a message
    for each took four times as long."""

    def __init__(self, planned: PlannedOutput, plan: Plan) -> None:
        self._planned = planned
        self._builder = SeriesBuilder(plan, planned.labels, intervals=not planned.native)
        self._ends = {stat: f"_{stat.replace('.', '')}" for stat in planned.stats}
        self._told = False  # what the metrics mean
        self._stamp = 0  # of the last payload, in milliseconds
        self._around: dict[int, tuple[bytes, bytes]] = {}  # by a series' number: its labels before and behind its name
        self._size = 0  # bytes of a moment
        self._seen: dict[tuple[int, str], _Begun] = {}  # by a series' number and the end of its name

    def encode(self, tick: Tick) -> Sequence[bytes]:
        """The tick as a remote write; with the last one, what marks all series as ended."""
        now = round(tick.at.timestamp() * 1000)
        before = self._stamp or now - max(1, round(tick.elapsed * 1000))
        self._stamp = max(now, before + 1)
        then, at = _Moment.of(before), _Moment.of(self._stamp)
        self._fit(len(at.written))
        found: list[bytes] = []
        for series in patiently(self._builder.build(tick)):
            found += self._written(series, then, at)
        if not self._told:
            self._told = True
            found.append(_described(native=self._planned.native))
        made = [_packed(found)]
        if tick.last and self._planned.stale_markers:
            made.append(_packed(self._ended()))
        return made

    def _written(self, series: SentSeries, then: _Moment, at: _Moment) -> Iterator[bytes]:
        match series.kind:
            case MetricKind.COUNTER if (series.number, "_total") not in self._seen:
                begun = self._begun(series, "_total")
                yield delimited(_SERIES, begun.labels + then.sample(0.0) + at.sample(series.whole.value))
            case MetricKind.COUNTER:
                yield self._sampled(series, "_total", series.whole.value, at)
            case MetricKind.GAUGE:
                yield self._sampled(series, "", series.whole.value, at)
            case MetricKind.RATE:
                if series.since.total > 0:
                    yield self._sampled(series, "_rate", series.since.value / series.since.total, at)
            case MetricKind.TREND if self._planned.native:
                yield self._histogram(series, then, at)
            case MetricKind.TREND:
                for stat, value in statistics(series, self._planned.stats):
                    yield self._sampled(series, self._ends[stat], value, at)

    def _sampled(self, series: SentSeries, end: str, value: float, at: _Moment) -> bytes:
        begun = self._seen.get((series.number, end)) or self._begun(series, end)
        return begun.of_value + _DOUBLE(value) + at.written if value else begun.of_zero + at.written

    def _histogram(self, series: SentSeries, then: _Moment, at: _Moment) -> bytes:
        assert series.whole.times is not None
        histogram = _classes()["Histogram"]
        end = _UNITS.get(series.dimension, "") if series.dimension else ""
        begun, zero = self._seen.get((series.number, end)), b""
        if begun is None:
            begun = self._begun(series, end, histogram=True)
            first = histogram(schema=SCHEMA, zero_threshold=ZERO_THRESHOLD, timestamp=then.milliseconds)
            zero = delimited(_HISTOGRAMS, first.SerializeToString())
        found = exponential(series.whole.times, series.scale)
        held = histogram(
            count_int=found.count,
            sum=found.total,
            schema=SCHEMA,
            zero_threshold=ZERO_THRESHOLD,
            zero_count_int=found.zeros,
            timestamp=at.milliseconds,
        )
        spans, deltas = found.spans()
        for offset, length in spans:
            held.positive_spans.add(offset=offset, length=length)
        held.positive_deltas.extend(deltas)
        return delimited(_SERIES, begun.labels + zero + delimited(_HISTOGRAMS, held.SerializeToString()))

    def _begun(self, series: SentSeries, end: str, *, histogram: bool = False) -> _Begun:
        found = _Begun.of(self._labelled(series, end), self._size, histogram=histogram)
        self._seen[series.number, end] = found
        return found

    def _fit(self, size: int) -> None:
        """Moments have another size from now on: once in the hundred years, and in tests."""
        if size != self._size:
            self._size = size
            kept = self._seen.items()
            self._seen = {key: _Begun.of(each.labels, size, histogram=each.histogram) for key, each in kept}

    def _labelled(self, series: SentSeries, end: str) -> bytes:
        """The labels of a series, sorted, with its name among them."""
        around = self._around.get(series.number)
        if around is None:
            around = self._around[series.number] = (
                b"".join([_label(*pair) for pair in series.labels if pair[0] < _NAME]),
                b"".join([_label(*pair) for pair in series.labels if pair[0] >= _NAME]),
            )
        name = series.name if series.name.startswith(OWN) else PREFIX + series.name
        return around[0] + _label(_NAME, name + end) + around[1]

    def _ended(self) -> list[bytes]:
        """Every series that was sent, marked as ended a millisecond after its last sample."""
        self._stamp += 1
        marker = _classes()["Histogram"](sum=STALE, schema=SCHEMA, timestamp=self._stamp).SerializeToString()
        of_kind = {True: delimited(_HISTOGRAMS, marker), False: _Moment.of(self._stamp).sample(STALE)}
        return [delimited(_SERIES, begun.labels + of_kind[begun.histogram]) for begun in self._seen.values()]


def statistics(series: SentSeries, stats: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """A trend's statistics of the time since the last look; none without samples."""
    times = series.since.times
    if times is None or not times.samples:
        return
    shares = _shares(stats)
    found = dict(zip(shares, times.quantiles(tuple(shares.values())), strict=True))
    found["avg"] = found["sum"] = times.mean
    for stat in stats:
        if stat == "count":
            yield stat, float(times.samples)
        elif (value := found[stat]) is not None:
            yield stat, float(value * series.scale * (times.samples if stat == "sum" else 1))


@cache
def _shares(stats: tuple[str, ...]) -> dict[str, float]:
    """The quantiles among statistics."""
    named = {"min": 0.0, "med": 0.5, "max": 1.0}
    percentiles = {stat: float(stat[1:]) / 100 for stat in stats if stat[0] == "p"}
    return percentiles | {stat: named[stat] for stat in stats if stat in named}


def prometheus(planned: PlannedOutput, plan: Plan, say: Say, limits: SinkLimits = LIMITS) -> Sink:
    """The output of a run."""
    assert planned.target is not None
    import cramjam  # noqa: F401  (loaded now, and not in the load)

    write_request()
    carrier = HttpCarrier(planned.target, {**HEADERS, **dict(planned.headers)}, limits.timeout)
    name = f"prometheus ({planned.target.origin.authority})"
    return Sink(name, RemoteWrite(planned, plan).encode, carrier, planned.every, say, limits)


def _label(name: str, value: str) -> bytes:
    return delimited(_LABELS, _classes()["Label"](name=name, value=value).SerializeToString())


def _described(*, native: bool) -> bytes:
    request = write_request()()
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
    return bytes(request.SerializeToString())


def _packed(written: list[bytes]) -> bytes:
    import cramjam

    return bytes(cramjam.snappy.compress_raw(b"".join(written)))
