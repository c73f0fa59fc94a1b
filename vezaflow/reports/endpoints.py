"""The client's figures beside the server's, one row for each path: what reports show of `observe`.

Both are of the requests of iterations that gates judge. Where a side knows nothing of a path its figures are None, so
that nobody takes a request that is missing for one that was fast.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isinf

from vezaflow import units
from vezaflow.gates import ConcernKind
from vezaflow.metrics import Histogram, Trend, merged
from vezaflow.model import ObservedKind
from vezaflow.observe import ObservedEndpoint, ObservedFigures, Quantile
from vezaflow.results import RunResult
from vezaflow.syntax import Labels

SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """A path: requests and p50, p95, p99 by the client and by the server (with the bounds of their buckets)."""

    method: str
    path: str
    steps: tuple[str, ...]
    client_count: int | None
    server_count: int | None
    client: tuple[float | None, ...]
    server: tuple[Quantile | None, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}".strip()

    @property
    def differences(self) -> tuple[Quantile | None, ...]:
        """What the client waits longer than the server says it took (network, queues, proxies), in seconds; by the
        bounds of the server's bucket it is from `low` to `high`."""
        return tuple(_difference(mine, theirs) for mine, theirs in zip(self.client, self.server, strict=True))

    @property
    def missing(self) -> str:
        """What one side counted and the other did not, in words; empty where they agree."""
        if self.client_count is None:
            return "" if self.server_count == 0 else "not sent by a step that is known to go there"
        if self.server_count is None:
            return "not counted by the server"
        apart = self.client_count - self.server_count
        if not apart:
            return ""
        return f"{units.number(abs(apart))} not counted by the {'server' if apart > 0 else 'client'}"


def _difference(mine: float | None, theirs: Quantile | None) -> Quantile | None:
    if mine is None or theirs is None:
        return None
    return Quantile(mine - theirs.value, mine - theirs.high, mine - theirs.low)


def endpoint_rows(result: RunResult) -> tuple[EndpointRow, ...]:
    """A row for each path; those of the most requests first. None of a segment: the server counts those of all."""
    if any(concern.kind is ConcernKind.SEGMENT for concern in result.concerns):
        return ()
    observed = result.observed
    figures = None if observed is None else observed.of(observed.latency, None)
    if observed is None or figures is None:
        return ()
    rows = [_row(result, figures, endpoint) for endpoint in observed.endpoints]
    rows = [row for row in rows if row.client_count or row.server_count]
    return tuple(sorted(rows, key=lambda row: (row.client_count is None, -(row.client_count or row.server_count or 0))))


def window_text(result: RunResult) -> str:
    """Which time the server's figures are of, and how long the load was judged; empty without any."""
    observed = result.observed
    counted = [] if observed is None else [each for each in observed.figures if each.flow is None and _is_counted(each)]
    if not counted:
        return ""
    series = [one for each in counted for one in each.series]
    begin, end = min(each.begin for each in series), max(each.end for each in series)
    times = (f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S}" for moment in (begin, end))
    judged = units.duration(round(counted[0].period.seconds, 1))
    return f"by the scrapes of {' and '.join(times)} UTC, {units.duration(round(end - begin, 1))} for {judged} of load"


def apart(difference: Quantile | None) -> str:
    """A difference of two times: from the least to the most that it can be."""
    if difference is None:
        return "–"
    if isinf(difference.low):
        return f"< {_signed(difference.high)}"
    low, high = _signed(difference.low), _signed(difference.high)
    return low if low == high else f"{low} to {high}"


def _signed(seconds: float) -> str:
    return units.duration(seconds) if seconds >= 0 else f"-{units.duration(-seconds)}"


def _is_counted(figures: ObservedFigures) -> bool:
    """Whether it is of two scrapes, and not of samples in between."""
    return bool(figures.series) and figures.kind in (ObservedKind.HISTOGRAM, ObservedKind.COUNTER)


def _row(result: RunResult, figures: ObservedFigures, endpoint: ObservedEndpoint) -> EndpointRow:
    found = figures.select(endpoint.labels) if endpoint.labels else ()
    counts, times = [], []
    for labels, flow in _selections(endpoint):
        counts.append(result.summary.select("http_reqs", flow, labels).samples)
        trend = result.summary.select("http_req_duration", flow, labels)
        assert isinstance(trend, Trend)
        times.append(trend.histogram)
    histogram = merged(times) if times else Histogram()
    return EndpointRow(
        endpoint.method,
        endpoint.path,
        tuple(dict.fromkeys(f"{step.flow} › {step.step}" for step in endpoint.steps)),
        sum(counts) if endpoint.steps else None,
        round(sum(each.count for each in found)) if found else None,
        histogram.quantiles(SHARES),
        tuple(figures.quantile(found, share) for share in SHARES),
    )


def _selections(endpoint: ObservedEndpoint) -> Iterator[tuple[Labels, str]]:
    for flow, step, method in dict.fromkeys((each.flow, each.step, each.method) for each in endpoint.steps):
        yield (("method", method), ("step", step)), flow
