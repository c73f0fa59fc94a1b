"""The server's figures over the load that has ended: which scrapes are waited for, what is asked, what it comes to.

Laws: raw samples are read, and never rates of Prometheus, whose windows are other ones. What does not come in time is
not waited for: the figures say which time they are of. No failure leaves this file; it becomes the reason in the
result.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from statistics import median

import trio

from vezaflow import units
from vezaflow.model import ObservedKind
from vezaflow.observe.endpoints import endpoints_of, path_label
from vezaflow.observe.histograms import Bucket, Buckets, classic, united
from vezaflow.observe.observed import Observed, ObservedEndpoint, ObservedFigures, ObservedSeries
from vezaflow.observe.prometheus import PrometheusApi, RawSeries, UnreadError, duration, quoted, selector
from vezaflow.observe.window import Increase, NativeSample, Period
from vezaflow.plan import ObservedMetric, PlannedPrometheus

Periods = Mapping[str | None, Period]  # by flow; None: of all flows together
LOOK_BACK = 120.0  # seconds before the load in which its first scrape is looked for: twice the longest usual interval
CHUNK = 300.0  # seconds of samples that are read at once
LEAST_COVERED = 0.9  # of a period: with less, the figures would be of another time than the load's
USUAL_INTERVAL = 15.0  # seconds between two scrapes, where nothing says
_WAITED = 0.8  # of the time there is, at most for scrapes to come: the rest is for reading what there is
_UNKNOWN = 5.0  # seconds that a metric is waited for that was never seen, where the interval is not known
_LATE = 2.0  # seconds that a scrape may take until its samples can be read
_MOST_POINTS = 10_000  # Prometheus gives no more than 11,000
_ROUNDED = 0.002  # of a step: the request has milliseconds
_RANGE = "$__range"
_PARTS = ("_bucket", "_count", "_sum")


@dataclass(slots=True)
class _Track:
    """One series as it is read: its increase in each period."""

    name: str
    labels: Mapping[str, str]
    increases: dict[Period, Increase]
    gaps: list[float] = field(default_factory=list)
    last: float = float("-inf")

    def take(self, series: RawSeries) -> None:
        for at, value in series.samples:
            if at > self.last:
                if self.last > 0:
                    self.gaps.append(at - self.last)
                self.last = at
                for increase in self.increases.values():
                    increase.take(at, value)


_Tracks = dict[tuple[str, tuple[tuple[str, str], ...]], _Track]


async def read(prometheus: PlannedPrometheus, api: PrometheusApi, periods: Periods, clock_offset: float) -> Observed:
    """All metrics over all periods, which are by the load generator's clock."""
    source = prometheus.base.url
    reader = _Reader(prometheus, api, clock_offset, trio.current_time() + _WAITED * prometheus.wait)
    try:
        with trio.fail_after(prometheus.wait):
            figures = await reader.all(periods)
    except UnreadError as e:
        return Observed(source, problem=str(e), clock_offset=clock_offset)
    except trio.TooSlowError:
        return Observed(source, problem=f"not read within {units.duration(prometheus.wait)}", clock_offset=clock_offset)
    latency, endpoints = "", tuple[ObservedEndpoint, ...]()
    for metric in prometheus.metrics:
        whole = next((each for each in figures if each.name == metric.name and each.flow is None), None)
        if whole is not None and metric.kind is ObservedKind.HISTOGRAM and path_label(metric.by) and not whole.problem:
            latency, endpoints = metric.name, endpoints_of(whole, metric.by, prometheus.sent)
            break
    return Observed(source, figures, "", clock_offset, latency, endpoints)


class _Reader:
    def __init__(self, prometheus: PlannedPrometheus, api: PrometheusApi, clock_offset: float, patience: float) -> None:
        """`patience`: until when scrapes are waited for, on trio's clock."""
        self._patience = patience
        self._prometheus = prometheus
        self._api = api
        self._offset = clock_offset
        self._interval = 0.0
        self._exponential = False

    async def all(self, periods: Periods) -> tuple[ObservedFigures, ...]:
        theirs = {flow: _moved(period, self._offset) for flow, period in periods.items()}
        version = await self._api.version()
        self._exponential = not version.startswith("2.")
        found: list[ObservedFigures] = []
        raw = [each for each in self._prometheus.metrics if _is_raw(each)]
        for metric in (*raw, *(each for each in self._prometheus.metrics if not _is_raw(each))):
            try:
                parts = await (self._counted(metric, theirs) if _is_raw(metric) else self._evaluated(metric, theirs))
            except UnreadError as e:
                parts = [self._lacking(metric, flow, period, str(e)) for flow, period in theirs.items()]
            found += parts
        order = {metric.name: number for number, metric in enumerate(self._prometheus.metrics)}
        if found and all(each.problem for each in found) and len({each.problem for each in found}) == 1:
            only = found[0].problem
            if not any(each.of in only for each in found):  # not of one metric: of Prometheus itself
                raise UnreadError(only)
        return tuple(self._ours(each) for each in sorted(found, key=lambda each: order[each.name]))

    def _lacking(self, metric: ObservedMetric, flow: str | None, period: Period, problem: str) -> ObservedFigures:
        return ObservedFigures(metric.name, metric.kind, metric.of, flow, period, problem=problem)

    def _ours(self, figures: ObservedFigures) -> ObservedFigures:
        """The same by the load generator's clock."""
        series = tuple(
            replace(each, begin=each.begin - self._offset, end=each.end - self._offset) for each in figures.series
        )
        return replace(figures, period=_moved(figures.period, -self._offset), series=series)

    async def _counted(self, metric: ObservedMetric, periods: Periods) -> list[ObservedFigures]:
        """A counter or a histogram: its raw samples, from before the load to the scrape after it."""
        chosen = _selector(metric)
        begin, end = min(each.begin for each in periods.values()), max(each.end for each in periods.values())
        tracks: _Tracks = {}
        at = begin - LOOK_BACK
        while True:
            now = await self._api.now()
            until = min(at + CHUNK, now)
            await self._take(f"{chosen}[{duration(until - at)}]", until, tracks, periods)
            if until < min(now, end):
                at = until
                continue
            interval = self._learnt(tracks.values())
            wait = 2 * interval + _LATE if tracks else self._interval or _UNKNOWN
            if (until >= end and _covered(tracks.values(), end, interval)) or now >= end + wait:
                break
            left = self._patience - trio.current_time()
            if left <= 0:
                break
            await trio.sleep(min(left, 1.0, max(0.1, interval / 4)))
            at = max(begin - LOOK_BACK, until - 2 * interval)  # a scrape can be read a moment after its own time
        await self._born(tracks.values(), periods)
        return [self._summed(metric, flow, period, tracks.values()) for flow, period in periods.items()]

    async def _take(self, promql: str, until: float, tracks: _Tracks, periods: Periods) -> None:
        for series in await self._api.query(promql, until):
            key = (series.name, tuple(sorted(series.labels.items())))
            if key not in tracks:
                increases = {period: Increase(period) for period in set(periods.values())}
                tracks[key] = _Track(series.name, series.labels, increases)
            tracks[key].take(series)

    def _learnt(self, tracks: Iterable[_Track]) -> float:
        """The seconds between two scrapes, of the slowest target."""
        gaps = [median(track.gaps) for track in tracks if track.gaps]
        interval = max(gaps, default=USUAL_INTERVAL)
        self._interval = min(self._interval or interval, interval)
        return interval

    async def _born(self, tracks: Iterable[_Track], periods: Periods) -> None:
        """Series that begin within a period have counted from zero, if their target was scraped before."""
        tracks = list(tracks)
        late = [track for track in tracks if any(each.first is not None for each in track.increases.values())]
        instances = sorted({track.labels.get("instance", "") for track in late})
        if not late or instances == [""]:
            return
        pattern = "|".join(_literally(each) for each in instances if each)
        for period in set(periods.values()):
            at = period.begin
            up = await self._api.query(f"up{{instance=~{quoted(pattern)}}}[{duration(LOOK_BACK)}]", at)
            scraped = {_target(each.labels): each.samples[-1][0] for each in up if each.samples}
            for track in late:
                begun = scraped.get(_target(track.labels))
                if begun is not None:
                    track.increases[period].from_zero(begun)

    def _summed(
        self, metric: ObservedMetric, flow: str | None, period: Period, tracks: Iterable[_Track]
    ) -> ObservedFigures:
        """The increases of a period, with the labels that are kept apart."""
        groups: dict[tuple[tuple[str, str], ...], list[_Track]] = {}
        for track in tracks:
            groups.setdefault(_kept(track.labels, metric.by), []).append(track)
        series = [found for labels, held in groups.items() if (found := _group(metric, labels, held, period))]
        native = any(track.increases[period].native is not None for track in tracks)
        figures = ObservedFigures(
            metric.name, metric.kind, metric.of, flow, period, tuple(series), exponential=native and self._exponential
        )
        return replace(figures, problem=_problem(metric, figures))

    async def _evaluated(self, metric: ObservedMetric, periods: Periods) -> list[ObservedFigures]:
        """A gauge or an expression: its values at the scrapes within the load."""
        found = []
        for flow, period in periods.items():
            series = await self._values(metric, period)
            groups = [each for raw in series if (each := _gauge(metric, raw, period)) is not None]
            figures = ObservedFigures(metric.name, metric.kind, metric.of, flow, period, tuple(groups))
            problem = "" if groups else f"Prometheus has no samples of {metric.of} in this time"
            if groups and metric.kind is ObservedKind.GAUGE:  # a query may be sparse on purpose: `x > 5`
                begin, step = self._evaluations(period)
                moments = {at for raw in series for at, _ in _numbers(raw)}
                problem = _sparse(metric, len(moments) / (1 + int((period.end - begin) / step + _ROUNDED)))
            found.append(replace(figures, problem=problem))
        return found

    async def _values(self, metric: ObservedMetric, period: Period) -> tuple[RawSeries, ...]:
        if metric.kind is ObservedKind.QUERY and _RANGE in metric.of:
            return await self._api.query(metric.of.replace(_RANGE, duration(period.seconds)), period.end)
        promql = metric.of
        if metric.kind is ObservedKind.GAUGE:
            by = f" by ({', '.join(metric.by)})" if metric.by else ""
            promql = f"sum{by} ({selector(metric.of, metric.match)})"
        begin, step = self._evaluations(period)
        return await self._api.query_range(promql, begin, period.end, step)

    def _evaluations(self, period: Period) -> tuple[float, float]:
        """When a gauge or an expression is first evaluated, and every how many seconds."""
        step = max(self._interval or min(USUAL_INTERVAL, period.seconds / 4), period.seconds / _MOST_POINTS)
        return period.begin + min(step, period.seconds / 2), step


def _is_raw(metric: ObservedMetric) -> bool:
    return metric.kind in (ObservedKind.HISTOGRAM, ObservedKind.COUNTER)


def _selector(metric: ObservedMetric) -> str:
    if metric.kind is ObservedKind.COUNTER:
        return selector(metric.of, metric.match)
    return selector("", metric.match, pattern=f"{metric.of}({'|'.join(_PARTS)})?")


def _moved(period: Period, seconds: float) -> Period:
    return Period(period.begin + seconds, period.end + seconds)


def _covered(tracks: Iterable[_Track], end: float, interval: float) -> bool:
    """Whether all series that are still scraped have a sample at the end of the load or after it."""
    alive = [track for track in tracks if track.last >= end - 2.5 * interval]
    return bool(alive) and all(track.last >= end for track in alive)


def _target(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels.get("job", ""), labels.get("instance", "")


def _literally(text: str) -> str:
    """A text as a regular expression (RE2) for itself."""
    return "".join(f"\\{each}" if each in "\\.+*?()|[]{}^$" else each for each in text)


def _kept(labels: Mapping[str, str], by: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, labels[name]) for name in by if name in labels))


def _group(
    metric: ObservedMetric, labels: tuple[tuple[str, str], ...], tracks: Sequence[_Track], period: Period
) -> ObservedSeries | None:
    """Several series as one; None where they have nothing in the period."""
    found = [(track, track.increases[period]) for track in tracks]
    found = [(track, each) for track, each in found if each.begin is not None and each.begin != each.end]
    if not found:
        return None
    begin = min(each.begin for _, each in found if each.begin is not None)
    end = max(each.end for _, each in found if each.end is not None)
    if metric.kind is ObservedKind.COUNTER:
        total = sum(each.total for _, each in found) * metric.scale
        return ObservedSeries(labels, begin, end, 0.0, total)
    native = [each.native for _, each in found if each.native is not None]
    if native:
        return _histogram(labels, begin, end, metric.scale, united(each.buckets for each in native), native)
    edges: dict[float, float] = {}
    sums = {"_count": 0.0, "_sum": 0.0}
    for track, each in found:
        part = track.name.removeprefix(metric.of)
        if part in sums:
            sums[part] += each.total
        elif part == "_bucket" and (edge := _edge(track.labels)) is not None:
            edges[edge] = edges.get(edge, 0.0) + each.total
    whole = [NativeSample(sums["_count"], sums["_sum"], ())]
    return _histogram(labels, begin, end, metric.scale, classic(edges.items()), whole)


def _histogram(
    labels: tuple[tuple[str, str], ...],
    begin: float,
    end: float,
    scale: float,
    buckets: Buckets,
    parts: Sequence[NativeSample],
) -> ObservedSeries:
    scaled = tuple(Bucket(each.low * scale, each.high * scale, each.count) for each in buckets)
    count, total = sum(each.count for each in parts), sum(each.total for each in parts)
    return ObservedSeries(labels, begin, end, count, total * scale, buckets=scaled)


def _edge(labels: Mapping[str, str]) -> float | None:
    try:
        return float(labels["le"])
    except (KeyError, ValueError):
        return None


def _gauge(metric: ObservedMetric, raw: RawSeries, period: Period) -> ObservedSeries | None:
    values = [(at, value * metric.scale) for at, value in _numbers(raw)]
    if not values:
        return None
    only = [value for _, value in values]
    labels = _kept(raw.labels, metric.by) if metric.by else tuple(sorted(raw.labels.items()))
    times = (values[0][0], values[-1][0]) if len(values) > 1 else (period.begin, period.end)
    return ObservedSeries(labels, *times, len(only), sum(only), min(only), max(only), only[-1])


def _numbers(raw: RawSeries) -> Iterator[tuple[float, float]]:
    for at, value in raw.samples:
        if isinstance(value, float) and isfinite(value):
            yield at, value


def _problem(metric: ObservedMetric, figures: ObservedFigures) -> str:
    """Why the figures can't be used; empty: they can."""
    period = figures.period
    if not figures.series:
        return f"Prometheus has no two samples of {metric.of} around this time"
    begin, end = min(each.begin for each in figures.series), max(each.end for each in figures.series)
    covered = min(end, period.end) - max(begin, period.begin)
    return _sparse(metric, covered / period.seconds)


def _sparse(metric: ObservedMetric, share: float) -> str:
    """Why figures that cover this share of the time can't be used; empty: they can."""
    if share >= LEAST_COVERED:
        return ""
    return (
        f"Prometheus has samples of {metric.of} for only {units.ratio(max(0.0, share))} of this time: was it scraped?"
    )
