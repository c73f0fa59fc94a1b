"""The client's figures beside the server's, and what else the server's Prometheus said."""

from collections.abc import Iterator
from dataclasses import dataclass

from vezaflow import units
from vezaflow.gates import shown
from vezaflow.metrics import METRICS
from vezaflow.model import SERVER, ObservedKind, unit_by_name
from vezaflow.observe import Observed, ObservedFigures, ObservedSeries, Quantile
from vezaflow.reports import rows
from vezaflow.reports.endpoints import SHARES, EndpointRow, apart, endpoint_rows
from vezaflow.reports.page.svg import Axis, Svg, pixel
from vezaflow.reports.page.tables import Cell, Grid, TableLine, heads, named, without_empty, word
from vezaflow.results import RunResult
from vezaflow.units import Dimension

MOST = 100  # series that are listed
_DRAWN = SHARES.index(0.95)
_WIDE = 120  # pixels of the longest bar
_COLOURS = {"mine": "#3457d5", "theirs": "#8aa0ea", "apart": "#b6bdc9"}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a path: `client`, `server`, or what they are `apart`. `figures`: p50, p95, p99."""

    who: str
    requests: str
    figures: tuple[str, ...]
    bar: Svg


@dataclass(frozen=True, slots=True)
class ServerPath:
    """A path. `missing`: what one side counted and the other did not; empty: nothing."""

    name: str
    steps: str
    missing: str
    sides: tuple[Side, ...]


def server_paths(result: RunResult) -> tuple[ServerPath, ...]:
    """Each path by the client and by the server; those with the most requests first."""
    found = endpoint_rows(result)
    times = [time for row in found for time in (row.client[_DRAWN], _value(row.server[_DRAWN])) if time is not None]
    x = Axis(0.0, max(times, default=1.0), 0.0, _WIDE)
    return tuple(ServerPath(row.name, ", ".join(row.steps), row.missing, tuple(_sides(row, x))) for row in found)


def _sides(row: EndpointRow, x: Axis) -> Iterator[Side]:
    mine, theirs = row.client[_DRAWN], _value(row.server[_DRAWN])
    if row.client_count is not None:
        yield Side(
            "client", units.number(row.client_count), tuple(map(rows.time, row.client)), _bar(x, 0.0, mine, "mine")
        )
    if row.server_count is not None:
        figures = tuple("–" if each is None else units.duration(each.value) for each in row.server)
        yield Side("server", units.number(row.server_count), figures, _bar(x, 0.0, theirs, "theirs"))
    if mine is not None and theirs is not None:
        yield Side("apart", "", tuple(map(apart, row.differences)), _bar(x, theirs, mine, "apart"))


def _bar(x: Axis, begin: float, end: float | None, tone: str) -> Svg:
    """The p95 as a bar beside its figure."""
    path = ""
    if end is not None:
        start, stop = sorted((x.at(begin), x.at(end)))
        wide = pixel(max(1.0, stop - start))
        path = f'<path d="M{pixel(start)} 3h{wide}v10h-{wide}z" class="{tone}" fill="{_COLOURS[tone]}"/>'
    return Svg(f'<svg class="bar" viewBox="0 0 {_WIDE} 16" width="{_WIDE}" height="16" aria-hidden="true">{path}</svg>')


def _value(found: Quantile | None) -> float | None:
    return None if found is None else found.value


def server_metrics(result: RunResult) -> Grid:
    """A row for each series, with the aggregates that its kind has."""
    observed = result.observed
    found = [] if observed is None else [(each, one) for each in observed.figures for one in each.series]
    lines = [_series(result, figures, series) for figures, series in found[:MOST]]
    left = f" The first {MOST} of {len(found):,} series." if len(found) > MOST else ""
    head = (
        *named("metric", "flow", "series"),
        *heads("count", "per second", "mean", "least", "p50", "p95", "p99", "most", "last"),
        *named("in Prometheus"),
    )
    caption = f"What the server's Prometheus says of the time that gates judge.{left}"
    return without_empty(Grid("metrics", "The server's own metrics", caption, head, tuple(lines)))


def _series(result: RunResult, figures: ObservedFigures, series: ObservedSeries) -> TableLine:
    dimension = _dimension(result, figures)
    grows = figures.kind in (ObservedKind.HISTOGRAM, ObservedKind.COUNTER)
    amount = series.count if figures.kind is ObservedKind.HISTOGRAM else series.total
    counted = None if figures.kind is ObservedKind.HISTOGRAM else dimension

    def figure(value: float | None, of: Dimension | None = dimension) -> Cell:
        return Cell("–" if value is None else shown(value, of), value)

    quantiles = [figures.quantile((series,), share) if series.buckets else None for share in SHARES]
    averaged = figures.kind is not ObservedKind.COUNTER and series.count
    return TableLine(
        (
            word(f"{SERVER}{figures.name}"),
            word(figures.flow or "–"),
            word(", ".join(f"{name}:{value}" for name, value in series.labels) or "–"),
            figure(amount if grows else None, counted),
            figure(amount / series.seconds if grows and series.seconds > 0 else None, counted),
            figure(series.total / series.count if averaged else None),
            figure(series.least),
            *(figure(None if each is None else each.value) for each in quantiles),
            figure(series.most),
            figure(series.last),
            word(figures.of),
        )
    )


def _dimension(result: RunResult, figures: ObservedFigures) -> Dimension | None:
    """What it is measured in: as a gate on it says, else as its name in Prometheus does."""
    name = f"{SERVER}{figures.name}"
    judged = next((verdict.gate for verdict in result.verdicts if verdict.gate.metric == name), None)
    if judged is not None and name not in METRICS:
        return judged.known.dimension
    if result.observed is not None and figures.name == result.observed.latency:
        return Dimension.TIME
    return unit_by_name(figures.of).dimension


def troubles(observed: Observed | None) -> tuple[str, ...]:
    """Why figures are missing, a line each."""
    return () if observed is None else observed.problems
