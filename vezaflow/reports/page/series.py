"""Charts over time as data: the same lines are drawn as SVG (plain page, print) and by script, and are in a table.

Law: one list of charts for each scope (all flows, and each flow), with their keys in the same order; what only the
whole run has is in no flow's. Times are seconds since the start; None is no data. Percentiles are of what gates judge,
all else of all iterations.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from operator import eq
from typing import Any

from vezaflow.metrics import OTHERS, Point, Reading, StepName, in_turn
from vezaflow.reports.page.columns import MOST, PageColumns, StepPart, coarser
from vezaflow.reports.page.svg import clock, words
from vezaflow.reports.rows import ALL
from vezaflow.results import RunResult
from vezaflow.units import Dimension

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_KIND_TONES = ("bad", "main", "ochre", "teal", "plum")
_ROWS = 12  # of a chart's table
_MOST_OF_FLOW = 150  # points of one flow's lines


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart. `tone`: its class in style.css."""

    name: str
    tone: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over time. `about`: one sentence on what they are."""

    key: str
    title: str
    about: str
    dimension: Dimension | None
    times: tuple[float, ...]
    lines: tuple[Line, ...]

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """A dozen rows of figures, evenly spread over the run, as text."""
        stride = max(1, -(-len(self.times) // _ROWS))
        return tuple(
            (
                clock(round(self.times[at], 1)),
                *(
                    "–" if (v := line.values[at]) is None else words(float(f"{v:.3g}"), self.dimension)
                    for line in self.lines
                ),
            )
            for at in range(stride - 1, len(self.times), stride)
        )

    def to_json(self) -> dict[str, Any]:
        """For the script; three digits are what a pixel shows."""
        return {
            "lines": [
                {"name": line.name, "tone": line.tone, "y": [_short(value) for value in line.values]}
                for line in self.lines
            ],
        }


@dataclass(frozen=True, slots=True)
class ChartScope:
    """All flows, or one, with its charts."""

    name: str
    charts: tuple[Chart, ...]


def scopes_json(found: Sequence[ChartScope]) -> dict[str, Any]:
    """The scopes for the script. Charts that share their times have them once: `t` is their number in `times`."""
    times: dict[tuple[float, ...], int] = {}
    scopes = [
        {
            "name": scope.name,
            "charts": {
                chart.key: {
                    "t": times.setdefault(tuple(round(t, 1) for t in chart.times), len(times)),
                    **chart.to_json(),
                }
                for chart in scope.charts
            },
        }
        for scope in found
    ]
    return {"times": list(times), "scopes": scopes}


def scopes(result: RunResult, seen: PageColumns) -> tuple[ChartScope, ...]:
    """All flows together, and where there are several each of them."""
    flows = result.flow_names
    names = (ALL, *flows) if len(flows) > 1 else (ALL,)
    fewer = coarser(seen, _MOST_OF_FLOW)
    whole = ChartScope(ALL, tuple(_charts(result, seen, None, MOST)))
    return (whole, *(ChartScope(name, tuple(_charts(result, fewer, name, _MOST_OF_FLOW))) for name in names[1:]))


def _charts(result: RunResult, seen: PageColumns, flow: str | None, most: int) -> Iterator[Chart]:
    points = points_of(result, flow, most)
    times = tuple(point.second for point in points)

    def wanted(name: StepName) -> bool:
        return flow in (None, name[0])

    if seen.columns:
        yield latency(seen, seen.of(wanted))

    def line(name: str, tone: str, value: Callable[[Point], float]) -> Line:
        return Line(name, tone, tuple(value(point) for point in points))

    if not points:
        return
    yield Chart(
        "requests", "Requests per second", "Requests that were sent, and how many of them failed.", None, times,
        (
            line("requests/s", "main", lambda point: point.requests / point.length),
            line("failed/s", "bad", lambda point: point.failed / point.length),
        ),
    )  # fmt: skip
    yield Chart("vus", "Virtual users", "VUs that were active.", None, times, (line("VUs", "main", lambda p: p.vus),))
    yield _failures(seen, wanted, points)
    readings = readings_of(result, most)
    yield from _kinds(readings, flow)
    yield Chart(
        "iterations", "Iterations per second", "Iterations that ended, and how many of them failed.", None, times,
        (
            line("iterations/s", "main", lambda point: point.iterations / point.length),
            line("failed/s", "bad", lambda point: point.iterations_failed / point.length),
        ),
    )  # fmt: skip
    yield Chart(
        "bytes", "Bytes per second", "Bytes on the wire, received and sent.", Dimension.SIZE, times,
        (
            line("received/s", "main", lambda point: point.bytes_received / point.length),
            line("sent/s", "second", lambda point: point.bytes_sent / point.length),
        ),
    )  # fmt: skip
    if flow is None and readings:
        yield _generator(readings)


def _kinds(readings: Sequence[Reading], flow: str | None) -> Iterator[Chart]:
    """What failed, by kind: the most frequent ones, and the rest as one line."""
    found = [
        _together(kinds for name, kinds in reading.failures.items() if flow in (None, name)) for reading in readings
    ]
    totals = sum(found, Counter[str]())
    if not totals:
        return
    many = len(totals) > len(_KIND_TONES)
    named = [kind for kind, _ in totals.most_common() if kind != OTHERS][: len(_KIND_TONES) - many]
    lines = [
        Line(kind, tone, tuple(kinds[kind] / each.length for kinds, each in zip(found, readings, strict=True)))
        for kind, tone in zip(named, _KIND_TONES, strict=False)
    ]
    if totals.total() > sum(totals[kind] for kind in named):
        values = tuple(
            (kinds.total() - sum(kinds[kind] for kind in named)) / each.length
            for kinds, each in zip(found, readings, strict=True)
        )
        lines.append(Line(OTHERS, _KIND_TONES[len(named)], values))
    about = "Requests that failed per second, by kind, with the status where there was one."
    times = tuple(each.second for each in readings)
    yield Chart("kinds", "Failures by kind", about, None, times, tuple(lines))


def _together(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    found = Counter[str]()
    for each in counts:
        found.update(each)
    return found


def _generator(readings: Sequence[Reading]) -> Chart:
    """How the load generator itself fared."""
    lines = [
        Line("CPU", "main", tuple(each.cpu for each in readings)),
        Line("event loop late", "bad", tuple(each.late for each in readings)),
    ]
    if any(each.missing is not None for each in readings):
        lines.append(Line("load missing", "second", tuple(each.missing for each in readings)))
    about = "CPU of its busiest process, time in which the event loop was late, and VUs' time that it lost."
    times = tuple(each.second for each in readings)
    return Chart("generator", "Load generator", about, Dimension.RATIO, times, tuple(lines))


def readings_of(result: RunResult, most: int) -> tuple[Reading, ...]:
    """The run's readings, in at most so many."""
    found = result.readings
    stride = ceil(len(found) / most)
    if stride <= 1:
        return found
    return tuple(in_turn(found[at : at + stride]) for at in range(0, len(found), stride))


def latency(seen: PageColumns, held: Sequence[StepPart]) -> Chart:
    """Percentiles of http_req_duration in each column."""
    found = [each.times.quantiles((0.5, 0.95, 0.99, 1.0)) for each in held]
    names = ("p50", "p95", "p99", "max")
    lines = tuple(
        Line(name, tone, tuple(None if row[at] is None else float(row[at] or 0.0) for row in found))
        for at, (name, tone) in enumerate(zip(names, ("light", "main", "second", "faint"), strict=True))
    )
    about = "Percentiles of http_req_duration in each interval, of what gates judge."
    return Chart("latency", "Latency", about, Dimension.TIME, seen.ends, lines)


def _failures(seen: PageColumns, wanted: Callable[[StepName], bool], points: Sequence[Point]) -> Chart:
    """The share of failed requests; where the seconds say so, by the steps that failed most."""
    about = "The share of requests that failed, and that of the steps that failed most."
    if not seen.columns:
        shares = tuple(point.failed / point.requests if point.requests else None for point in points)
        times = tuple(point.second for point in points)
        return Chart("failures", "Failed requests", about, Dimension.RATIO, times, (Line("all", "bad", shares),))
    lines = [Line("all", "bad", _shares(seen.of(wanted)))]
    totals = {
        name: sum(column.steps[name].failed for column in seen.columns if name in column.steps)
        for name in seen.steps
        if wanted(name)
    }
    failing = sorted((name for name, count in totals.items() if count), key=lambda name: -totals[name])
    if len(failing) > 1:
        for name, tone in zip(failing, ("main", "second", "light"), strict=False):
            lines.append(Line(f"{name[0]} › {name[1]}", tone, _shares(seen.of(partial(eq, name)))))
    return Chart("failures", "Failed requests", about, Dimension.RATIO, seen.ends, tuple(lines))


def _shares(held: Sequence[StepPart]) -> tuple[float | None, ...]:
    return tuple(each.failed / each.requests if each.requests else None for each in held)


def points_of(result: RunResult, flow: str | None, most: int) -> tuple[Point, ...]:
    """The timeline of one flow, or of all of them together, in at most so many points."""
    if flow is not None:
        points = result.timeline.of(flow)
    else:
        groups = _at_once(result.timeline.points)
        points = tuple(_added(held, held[0].second, max(point.length for point in held)) for held in groups)
    stride = ceil(len(points) / most)
    if stride <= 1:
        return points
    longer = (points[at : at + stride] for at in range(0, len(points), stride))
    return tuple(
        replace(_added(held, held[-1].second, sum(point.length for point in held)), vus=held[-1].vus) for held in longer
    )


def _at_once(points: Sequence[Point]) -> Iterator[list[Point]]:
    """The points of all flows at the same time: of each flow one, of machines whose clocks differ a little, too."""
    group: list[Point] = []
    for point in sorted(points, key=lambda point: point.second):
        if group and (
            any(point.flow == other.flow for other in group) or point.second - group[0].second > point.length / 2
        ):
            yield group
            group = []
        group.append(point)
    if group:
        yield group


def _added(points: Sequence[Point], second: float, length: float) -> Point:
    """Several points as one; it has no percentiles."""

    def total(name: str) -> int:
        return sum(getattr(point, name) for point in points)

    return Point(
        second, length, points[0].flow, total("vus"), total("requests"), total("failed"), total("iterations"),
        total("iterations_failed"), total("bytes_sent"), total("bytes_received"), None, None, None, None,
    )  # fmt: skip


def _short(value: float | None) -> float | int | None:
    if value is None:
        return None
    short = float(f"{value:.3g}")
    return int(short) if short == int(short) else short
