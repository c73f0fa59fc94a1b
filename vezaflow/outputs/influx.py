"""InfluxDB's line protocol over HTTP: one point a series, its measurement the metric's name, its tags the labels.

Laws: fields are `value` of a gauge; `total` (the whole run) and `count` (since the last payload) of a counter; `rate`,
`count` (hits) and `total` of a rate, since then; and of a trend `count` with its statistics, since then. Times are in
seconds, and timestamps in nanoseconds, as the protocol has them without a `precision`.
"""

from collections.abc import Iterator, Sequence

from vezaflow.aside import patiently
from vezaflow.metrics import MetricKind
from vezaflow.outputs.prometheus import statistics
from vezaflow.outputs.series import SentSeries, SeriesBuilder
from vezaflow.outputs.sink import LIMITS, HttpCarrier, Say, Sink, SinkLimits
from vezaflow.outputs.tick import Tick
from vezaflow.plan import STATS, Plan, PlannedOutput

HEADERS = {"Content-Type": "text/plain; charset=utf-8"}
_STATS = ("count", *STATS)


class Influx:
    """Makes payloads of ticks."""

    def __init__(self, planned: PlannedOutput, plan: Plan) -> None:
        self._builder = SeriesBuilder(plan, planned.labels)
        self._heads: dict[int, str] = {}  # name and tags, by a series' number

    def encode(self, tick: Tick) -> Sequence[bytes]:
        """The tick as lines."""
        stamp = round(tick.at.timestamp() * 1000) * 1_000_000
        lines = [self._line(series, stamp) for series in patiently(self._builder.build(tick))]
        return ["".join(lines).encode()]

    def _line(self, series: SentSeries, stamp: int) -> str:
        fields = ",".join([f"{name}={value!r}" for name, value in _fields(series)])
        if not fields:
            return ""
        head = self._heads.get(series.number)
        if head is None:
            tags = [f",{name}={_escaped(value)}" for name, value in series.labels]
            head = self._heads[series.number] = f"{series.name}{''.join(tags)}"
        return f"{head} {fields} {stamp}\n"


def influx(planned: PlannedOutput, plan: Plan, say: Say, limits: SinkLimits = LIMITS) -> Sink:
    """The output of a run."""
    assert planned.target is not None
    carrier = HttpCarrier(planned.target, {**HEADERS, **dict(planned.headers)}, limits.timeout)
    name = f"influx ({planned.target.origin.authority})"
    return Sink(name, Influx(planned, plan).encode, carrier, planned.every, say, limits)


def _fields(series: SentSeries) -> Iterator[tuple[str, float]]:
    since = series.since
    match series.kind:
        case MetricKind.GAUGE:
            yield "value", series.whole.value
        case MetricKind.COUNTER:
            yield from (("total", series.whole.value), ("count", since.value))
        case MetricKind.RATE:
            if since.total > 0:
                yield from (("rate", since.value / since.total), ("count", since.value), ("total", since.total))
        case MetricKind.TREND:
            yield from statistics(series, _STATS)


def _escaped(text: str) -> str:
    """A tag's value: commas, equals signs and spaces are escaped, and a line break can't be."""
    text = " ".join(text.splitlines())
    for sign in ",= ":
        text = text.replace(sign, f"\\{sign}")
    return f"{text} " if text.endswith("\\") else text
