"""The server's p95 while the load goes on, for the display: of all so far, as the client's beside it.

Prometheus computes it, so that the load generator has next to nothing to do. What fails is silent: whoever reads the
figures after the load says so then.
"""

from dataclasses import dataclass
from math import isfinite

from vezaflow.model import ObservedKind
from vezaflow.observe.prometheus import PrometheusApi, UnreadError, duration, selector
from vezaflow.plan import ObservedMetric, PlannedPrometheus

EVERY = 5.0  # seconds between two looks
_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class ServerNow:
    """A histogram of the server: `p95` in base units."""

    name: str
    p95: float


async def server_now(prometheus: PlannedPrometheus, api: PrometheusApi, seconds: float) -> tuple[ServerNow, ...]:
    """All histograms over the last so many seconds, as far as they can be had."""
    found = []
    for metric in prometheus.metrics:
        if metric.kind is ObservedKind.HISTOGRAM:
            p95 = await _p95(metric, api, seconds)
            if p95 is not None:
                found.append(ServerNow(metric.name, p95))
    return tuple(found)


async def _p95(metric: ObservedMetric, api: PrometheusApi, seconds: float) -> float | None:
    span = duration(seconds)
    buckets, native = selector(f"{metric.of}_bucket", metric.match), selector(metric.of, metric.match)
    classic = f"histogram_quantile({_SHARE}, sum by (le) (increase({buckets}[{span}])))"
    try:
        series = await api.query(f"{classic} or histogram_quantile({_SHARE}, sum(increase({native}[{span}])))")
    except UnreadError:
        return None
    values = [value for each in series for _, value in each.samples if isinstance(value, float) and isfinite(value)]
    return values[0] * metric.scale if values else None
