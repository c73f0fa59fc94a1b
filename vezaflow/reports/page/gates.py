"""The gates of a run as a page shows them: value, bound, margin, and where the seconds have it, the value over time.

Law: the drawing is of the same figure as the verdict, interval by interval, or of a count as it grew; where no interval
has the figure there is no drawing rather than a wrong one, and `why` says so. Of a gate with `during` the times that it
judges stand out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from vezaflow.gates import Outcome, Verdict, dimension_of, shown
from vezaflow.metrics import DURING, ERROR_CLASSES, OTHERS, OUTSIDE, Of, Point, Reading
from vezaflow.model import SERVER
from vezaflow.reports.page.columns import PageColumns, StepPart, coarser
from vezaflow.reports.page.series import points_of, readings_of
from vezaflow.reports.page.svg import Axis, Svg, drawing, pixel, polyline, top_of
from vezaflow.reports.rows import by_scope, has_unjudged, margin_text
from vezaflow.results import RunResult

WORDS = {Outcome.GREEN: "held", Outcome.RED: "broke", Outcome.INCONCLUSIVE: "not judged"}
WIDTH, HEIGHT = 168, 40
_PAD = 3
MOST = 56  # dots: one for three pixels
_KNOWN = {"step", "method", "flow"}  # labels by which the seconds are kept apart
_BY_STEP = {"http_req_duration", "http_req_failed", "http_reqs"}  # metrics that the seconds have
_BY_FLOW = {"iterations", "iterations_failed", "data_sent", "data_received", "vus"}  # metrics that the timeline has


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate. `place`: file and line, where they are known."""

    scope: str
    text: str
    outcome: str
    word: str
    value: str
    bound: str
    margin: str
    samples: str
    reason: str
    place: tuple[str, int] | None
    chart: Svg | None
    why: str  # there is none


def gate_rows(result: RunResult, seen: PageColumns) -> tuple[GateRow, ...]:
    """A row for each gate, those over all flows first."""
    concerns = {concern.text for concern in result.concerns}
    seen = coarser(seen, MOST)
    return tuple(_row(result, seen, scope, verdict, concerns) for scope, held in by_scope(result) for verdict in held)


def _row(result: RunResult, seen: PageColumns, scope: str, verdict: Verdict, concerns: set[str]) -> GateRow:
    gate = verdict.gate
    reason = "" if verdict.outcome is Outcome.GREEN else verdict.reason
    why = _without(result, seen, verdict)
    chart = None if why else _chart(result, seen, verdict)
    return GateRow(
        "all flows" if scope == "all" else scope,
        gate.text,
        verdict.outcome.value,
        WORDS[verdict.outcome],
        verdict.shown,
        verdict.shown_bound,
        margin_text(verdict),
        f"{verdict.samples:,}",
        "see the verdict" if reason in concerns else reason,
        place_of(verdict),
        chart,
        "" if chart is not None else why or "fewer than two parts of the run have this figure",
    )


def place_of(verdict: Verdict) -> tuple[str, int] | None:
    """The file and the line of a gate."""
    span = verdict.gate.condition.span
    if not span.source.path:
        return None
    return span.source.path, span.source.position(span.start)[0]


def _without(result: RunResult, seen: PageColumns, verdict: Verdict) -> str:
    """Why there is no drawing; empty where there is something to draw."""
    gate = verdict.gate
    if gate.metric.startswith(SERVER):
        return "the server's figures are read once, for the whole time"
    if gate.is_elsewhere:
        return "an audited page has one figure, and none over time"
    if gate.known.of is Of.EVENTS:
        return "there is one figure for each event, and none over time"
    if not seen.columns:
        return "the run has no figures by second"
    labels = dict(gate.labels)
    during = labels.pop(DURING, None)
    if during not in (None, OUTSIDE) and not _windows(result, str(during)):
        return f"the event '{during}' has no time that was judged"
    if gate.metric in _BY_STEP:
        if result.summary.steps_with(gate.flow, labels.items()) is not None:
            return ""
        parts = [name for name in labels if name not in _KNOWN] or ["step"]
        return f"figures by second are not kept apart by {' and '.join(parts)}"
    if gate.metric == "http_req_errors" and labels.keys() <= {"flow", "error"}:
        return "" if _exact(result) else "failures over time are not kept apart from those that gates don't judge"
    if gate.metric not in _BY_FLOW:
        return f"{gate.metric} is kept for the whole run, not by second"
    if labels.keys() - {"flow"}:
        return f"{gate.metric} is not kept by second for {' and '.join(labels)}"
    return "figures by second include what `measure` keeps from gates" if has_unjudged(result) else ""


def _exact(result: RunResult) -> bool:
    """Whether the readings have every failure that gates judge, by its kind, and no other."""
    kinds = (kind for reading in result.readings for flow in reading.failures.values() for kind in flow)
    return bool(result.readings) and not has_unjudged(result) and OTHERS not in kinds


def _windows(result: RunResult, during: str) -> list[tuple[float, float]]:
    """The times of an event that gates judged; `none`: those of all events, which they left out."""
    return [(each.begin, each.end) for each in result.event_windows if during in (OUTSIDE, each.event)]


def _chart(result: RunResult, seen: PageColumns, verdict: Verdict) -> Svg | None:
    during = dict(verdict.gate.labels).get(DURING)
    found = list(values(result, seen, verdict))
    dots = [(time, value) for time, value in found if value is not None]
    bound = verdict.bound
    if len(dots) < 2 or bound is None:
        return None
    x = Axis(0.0, max(dots[-1][0], result.duration), _PAD, WIDTH - _PAD)
    y = Axis(0.0, top_of([bound, *(value for _, value in dots)]) * 1.05, HEIGHT - _PAD, _PAD)
    limit = pixel(y.at(float(bound)))
    beyond = _PAD if verdict.gate.condition.operator in ("<", "<=") else HEIGHT - _PAD
    places = [(x.at(time), None if value is None else y.at(value)) for time, value in found]
    line = polyline(places)
    drawn = f'<path d="{line}" class="line main" fill="none" stroke="#3457d5"/>'
    bands = said = ""
    if during is not None:
        windows = _windows(result, during)
        bands = "".join(
            f"M{pixel(x.at(begin))} 0h{pixel(max(1.0, x.at(end) - x.at(begin)))}V{HEIGHT}"
            f"h-{pixel(max(1.0, x.at(end) - x.at(begin)))}z"
            for begin, end in windows[:MOST]
        )
        bands = f'<path d="{bands}" class="mark" fill="#b8860033"/>'
        inside = _judged([time for time, _ in found], windows, outside=during == OUTSIDE)
        judged = polyline([(at, value if held else None) for (at, value), held in zip(places, inside, strict=True)])
        drawn = (
            f'<path d="{line}" class="line faint" fill="none" stroke="#b6bdc9"/>'
            f'<path d="{judged}" class="line main" fill="none" stroke="#3457d5"/>'
        )
        where = "outside of all events" if during == OUTSIDE else f"during {during}"
        said = f"; judged {where}, the events' times are shaded"
    dimension = dimension_of(verdict.gate)
    least, most = (shown(pick(value for _, value in dots), dimension) for pick in (min, max))
    return drawing(
        f'{bands}<path d="M{_PAD} {limit}H{WIDTH - _PAD}V{beyond}H{_PAD}z" class="beyond" fill="#c92a2a" '
        f'fill-opacity=".07"/>'
        f'<path d="M{_PAD} {limit}H{WIDTH - _PAD}" class="bound" stroke="#c92a2a" stroke-dasharray="3 3"/>{drawn}',
        f"{verdict.gate.text} over time: from {least} to {most}, bound {verdict.shown_bound}{said}",
        width=WIDTH,
        height=HEIGHT,
        kind="spark",
    )


def _judged(ends: Sequence[float], windows: Sequence[tuple[float, float]], *, outside: bool = False) -> list[bool]:
    """Of parts that end so: whether one touches a window; `outside`: whether some of it is in none."""
    parts = list(zip([0.0, *ends[:-1]], ends, strict=True))
    if outside:
        return [not any(at <= begin and end <= until for at, until in windows) for begin, end in parts]
    return [any(at < end and begin < until for at, until in windows) for begin, end in parts]


def values(result: RunResult, seen: PageColumns, verdict: Verdict) -> Iterator[tuple[float, float | None]]:
    """The gate's figure over time; nothing where no interval has it. A count grows only in times that are judged."""
    gate, aggregate = verdict.gate, verdict.gate.condition.aggregate
    labels = dict(gate.labels)
    during = labels.pop(DURING, None)

    def counts(ends: Sequence[float]) -> list[bool]:
        if during is None:
            return [True] * len(ends)
        return _judged(ends, _windows(result, during), outside=during == OUTSIDE)

    match gate.metric:
        case "http_req_duration" | "http_req_failed" | "http_reqs":
            steps = result.summary.steps_with(gate.flow, labels.items()) or frozenset()
            held = seen.of(steps.__contains__)
            found = _of_steps(gate.metric, aggregate, gate.condition.argument, seen, held, counts(seen.ends))
            yield from zip(seen.ends, found, strict=True)
        case "http_req_errors":
            readings = readings_of(result, MOST)
            flow, kind = gate.flow or labels.get("flow"), labels.get("error")
            ends = [each.second for each in readings]
            yield from _of_kinds(readings, flow, kind, aggregate, counts(ends))
        case "iterations" | "iterations_failed" | "data_sent" | "data_received" | "vus":
            points = points_of(result, gate.flow or labels.get("flow"), MOST)
            yield from _of_points(gate.metric, aggregate, points, counts([point.second for point in points]))
        case _:
            return


def _of_kinds(
    readings: Sequence[Reading], flow: str | None, kind: str | None, aggregate: str, counted: Sequence[bool]
) -> Iterator[tuple[float, float | None]]:
    total = 0
    for reading, counts in zip(readings, counted, strict=True):
        failed = sum(
            many
            for name, kinds in reading.failures.items()
            if flow in (None, name)
            for each, many in kinds.items()
            if kind in (None, each.partition(" ")[0]) or each.partition(" ")[0] in ERROR_CLASSES.get(kind or "", ())
        )
        total += failed if counts else 0
        yield reading.second, float(total) if aggregate == "count" else failed / reading.length


def _of_steps(
    metric: str,
    aggregate: str,
    argument: float | None,
    seen: PageColumns,
    held: Sequence[StepPart],
    counted: Sequence[bool],
) -> Iterator[float | None]:
    match metric, aggregate:
        case "http_req_duration", _:
            for each in held:
                yield _time(each, aggregate, argument)
        case "http_req_failed", "rate":
            for each in held:
                yield each.failed / each.requests if each.requests else None
        case "http_reqs", "count":
            yield from accumulate(float(each.requests) * counts for each, counts in zip(held, counted, strict=True))
        case "http_reqs", "rate":
            for column, each in zip(seen.columns, held, strict=True):
                yield each.requests / column.length
        case _:
            yield from (None for _ in held)


def _time(each: StepPart, aggregate: str, argument: float | None) -> float | None:
    times = each.times
    match aggregate:
        case "p" if argument is not None:
            value = times.quantile(argument / 100)
        case "med":
            value = times.quantile(0.5)
        case "max":
            value = times.most
        case "min":
            value = times.least
        case "avg":
            value = times.mean
        case _:
            return None
    return None if value is None else float(value)


def _of_points(
    metric: str, aggregate: str, points: Sequence[Point], counted: Sequence[bool]
) -> Iterator[tuple[float, float | None]]:
    name = {"data_sent": "bytes_sent", "data_received": "bytes_received"}.get(metric, metric)
    total = 0.0
    for point, counts in zip(points, counted, strict=True):
        amount = float(getattr(point, name))
        total += amount * counts
        match aggregate:
            case "count":
                yield point.second, total
            case "rate":
                yield point.second, amount / point.length
            case "value" | "max" | "min":
                yield point.second, amount
            case _:
                return
