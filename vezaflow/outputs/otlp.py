"""OpenTelemetry metrics: OTLP over HTTP as protobuf, gzipped, without a SDK.

Laws: names are those of the catalog, times in seconds, sizes in bytes. Counters are monotonic sums; a rate is one, too,
apart by the attribute `condition` (`nonzero`: it hit), as in k6; trends are exponential histograms of the scale 5.
Cumulative points are of the time since the load began, delta points of the time since the last payload. The resource
is the run.
"""

import gzip
from collections.abc import Iterable, Sequence
from typing import Any

from vezaflow import __version__
from vezaflow.aside import patiently
from vezaflow.metrics import METRICS, MetricKind
from vezaflow.outputs.exponential import SCHEMA, exponential
from vezaflow.outputs.posting import PostError
from vezaflow.outputs.series import SentSeries, SeriesBuilder, SeriesFigures
from vezaflow.outputs.sink import LIMITS, HttpCarrier, Say, Sink, SinkLimits
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Plan, PlannedOutput
from vezaflow.units import Dimension

HEADERS = {"Content-Encoding": "gzip", "Content-Type": "application/x-protobuf"}
_UNITS = {Dimension.TIME: "s", Dimension.SIZE: "By", Dimension.RATIO: "1"}
_DELTA, _CUMULATIVE = 1, 2  # AggregationTemporality
_BILLION = 10**9


class Otlp:
    """Makes payloads of ticks."""

    def __init__(self, planned: PlannedOutput, plan: Plan) -> None:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        self._request = ExportMetricsServiceRequest
        self._delta = planned.delta
        self._builder = SeriesBuilder(plan, planned.labels, intervals=planned.delta)
        self._mask = plan.secrets.mask
        self._began = self._stamp = 0  # nanoseconds
        self._attributes: dict[tuple[int, tuple[tuple[str, str], ...]], bytes] = {}  # written, by a series' number

    def encode(self, tick: Tick) -> Sequence[bytes]:
        """The tick as an export request."""
        now = round(tick.at.timestamp() * 1000) * (_BILLION // 1000)
        self._began = self._began or min(round(tick.began.timestamp() * 1000) * (_BILLION // 1000), now - 1)
        start = (self._stamp or self._began) if self._delta else self._began
        self._stamp = max(now, self._stamp + 1)
        request = self._request()
        resource = request.resource_metrics.add()
        about = {
            "service.name": "vezaflow",
            "service.version": __version__,
            "vezaflow.run.id": tick.run_id,
            "vezaflow.suite": self._mask(tick.suite),
        }
        _attributes(resource.resource, about.items())
        scope = resource.scope_metrics.add()
        scope.scope.name, scope.scope.version = "vezaflow", __version__
        named: dict[str, Any] = {}
        for series in patiently(self._builder.build(tick)):
            metric = named.get(series.name)
            if metric is None:
                metric = named[series.name] = scope.metrics.add(name=series.name, unit=_unit(series))
                if series.name in METRICS:
                    metric.description = METRICS[series.name].doc
            self._add(metric, series, start)
        return [gzip.compress(request.SerializeToString(), 5)]

    def _add(self, metric: Any, series: SentSeries, start: int) -> None:
        figures = series.since if self._delta else series.whole
        match series.kind:
            case MetricKind.GAUGE:
                point = metric.gauge.data_points.add(time_unix_nano=self._stamp, as_double=series.whole.value)
                self._label(point, series)
            case MetricKind.COUNTER:
                self._sum(metric, series, start, figures.value)
            case MetricKind.RATE:
                self._sum(metric, series, start, figures.value, ("condition", "nonzero"))
                self._sum(metric, series, start, figures.total - figures.value, ("condition", "zero"))
            case MetricKind.TREND:
                self._histogram(metric, series, start, figures)

    def _sum(self, metric: Any, series: SentSeries, start: int, value: float, *more: tuple[str, str]) -> None:
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = _DELTA if self._delta else _CUMULATIVE
        point = metric.sum.data_points.add(start_time_unix_nano=start, time_unix_nano=self._stamp, as_int=round(value))
        self._label(point, series, *more)

    def _label(self, point: Any, series: SentSeries, *more: tuple[str, str]) -> None:
        """Give a point its series' attributes. To read their bytes is quicker than to add them one by one."""
        held = self._attributes.get((series.number, more))
        if held is None:
            labelled = type(point)()
            _attributes(labelled, (*series.labels, *more))
            held = self._attributes[series.number, more] = labelled.SerializeToString()
        point.MergeFromString(held)

    def _histogram(self, metric: Any, series: SentSeries, start: int, figures: SeriesFigures) -> None:
        assert figures.times is not None
        if not figures.times.samples:
            return
        held = metric.exponential_histogram
        held.aggregation_temporality = _DELTA if self._delta else _CUMULATIVE
        found = exponential(figures.times, series.scale)
        point = held.data_points.add(
            start_time_unix_nano=start,
            time_unix_nano=self._stamp,
            count=found.count,
            sum=found.total,
            scale=SCHEMA,
            zero_count=found.zeros,
        )
        least, most = figures.times.quantiles((0.0, 1.0))
        if least is not None and most is not None:
            point.min, point.max = least * series.scale, most * series.scale
        # the bucket i holds (base^i, base^(i+1)] here, and (base^(i-1), base^i] in Prometheus
        point.positive.offset = found.first - 1
        point.positive.bucket_counts.extend(found.counts)
        self._label(point, series)


def otlp(planned: PlannedOutput, plan: Plan, say: Say, limits: SinkLimits = LIMITS) -> Sink:
    """The output of a run."""
    assert planned.target is not None
    carrier = HttpCarrier(planned.target, {**HEADERS, **dict(planned.headers)}, limits.timeout, check_taken)
    name = f"otlp ({planned.target.origin.authority})"
    return Sink(name, Otlp(planned, plan).encode, carrier, planned.every, say, limits)


def check_taken(body: bytes) -> None:
    """Raise PostError where a collector took a request and refused points of it."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

    try:
        partial = ExportMetricsServiceResponse.FromString(body).partial_success
    except DecodeError:  # some answer in plain text
        return
    if partial.rejected_data_points:
        raise PostError(f"{partial.rejected_data_points:,} points of a payload refused: {partial.error_message}")


def _unit(series: SentSeries) -> str:
    return _UNITS.get(series.dimension, "1") if series.dimension is not None else "1"


def _attributes(owner: Any, labels: Iterable[tuple[str, str]]) -> None:
    for name, value in labels:
        owner.attributes.add(key=name).value.string_value = value
