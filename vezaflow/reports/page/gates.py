"""The gates of a run as a page shows them: value, bound, margin, and where the seconds have it, the value over time.

Law: the drawing is of the same figure as the verdict, interval by interval, or of a count as it grew; where no interval
has the figure (a label that the seconds don't know) there is no drawing rather than a wrong one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from vezaflow.gates import Outcome, Verdict, dimension_of, shown
from vezaflow.metrics import Point, StepName
from vezaflow.reports.page.columns import PageColumns, StepPart, coarser
from vezaflow.reports.page.series import points_of
from vezaflow.reports.page.svg import Axis, Svg, drawing, pixel, polyline, top_of
from vezaflow.reports.rows import by_scope, has_unjudged, margin_text
from vezaflow.results import RunResult

WORDS = {Outcome.GREEN: "held", Outcome.RED: "broke", Outcome.INCONCLUSIVE: "not judged"}
WIDTH, HEIGHT = 168, 40
_PAD = 3
MOST = 56  # dots: one for three pixels
_KNOWN = {"step", "method", "flow"}  # labels by which the seconds are kept apart


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


def gate_rows(result: RunResult, seen: PageColumns) -> tuple[GateRow, ...]:
    """A row for each gate, those over all flows first."""
    concerns = {concern.text for concern in result.concerns}
    seen = coarser(seen, MOST)
    return tuple(_row(result, seen, scope, verdict, concerns) for scope, held in by_scope(result) for verdict in held)


def _row(result: RunResult, seen: PageColumns, scope: str, verdict: Verdict, concerns: set[str]) -> GateRow:
    gate = verdict.gate
    reason = "" if verdict.outcome is Outcome.GREEN else verdict.reason
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
        _chart(result, seen, verdict),
    )


def place_of(verdict: Verdict) -> tuple[str, int] | None:
    """The file and the line of a gate."""
    span = verdict.gate.condition.span
    if not span.source.path:
        return None
    return span.source.path, span.source.position(span.start)[0]


def _chart(result: RunResult, seen: PageColumns, verdict: Verdict) -> Svg | None:
    dots = [(time, value) for time, value in values(result, seen, verdict) if value is not None]
    bound = verdict.bound
    if len(dots) < 2 or bound is None:
        return None
    x = Axis(0.0, max(dots[-1][0], result.duration), _PAD, WIDTH - _PAD)
    y = Axis(0.0, top_of([bound, *(value for _, value in dots)]) * 1.05, HEIGHT - _PAD, _PAD)
    limit = pixel(y.at(float(bound)))
    beyond = _PAD if verdict.gate.condition.operator in ("<", "<=") else HEIGHT - _PAD
    line = polyline([(x.at(time), y.at(value)) for time, value in dots])
    dimension = dimension_of(verdict.gate)
    least, most = (shown(pick(value for _, value in dots), dimension) for pick in (min, max))
    return drawing(
        f'<path d="M{_PAD} {limit}H{WIDTH - _PAD}V{beyond}H{_PAD}z" class="beyond" fill="#c92a2a" fill-opacity=".07"/>'
        f'<path d="M{_PAD} {limit}H{WIDTH - _PAD}" class="bound" stroke="#c92a2a" stroke-dasharray="3 3"/>'
        f'<path d="{line}" class="line main" fill="none" stroke="#3457d5"/>',
        f"{verdict.gate.text} over time: from {least} to {most}, bound {verdict.shown_bound}",
        width=WIDTH,
        height=HEIGHT,
        kind="spark",
    )


def values(result: RunResult, seen: PageColumns, verdict: Verdict) -> Iterator[tuple[float, float | None]]:
    """The gate's figure over time; nothing where no interval has it."""
    gate, aggregate = verdict.gate, verdict.gate.condition.aggregate
    labels = dict(gate.labels)
    if not set(labels) <= _KNOWN:
        return

    def wanted(name: StepName) -> bool:
        flow, step, method = name
        own = {"flow": flow, "step": step, "method": method}
        return gate.flow in (None, flow) and all(own[label] == value for label, value in labels.items())

    match gate.metric:
        case "http_req_duration" | "http_req_failed" | "http_reqs":
            held = seen.of(wanted)
            yield from zip(
                seen.ends, _of_steps(gate.metric, aggregate, gate.condition.argument, seen, held), strict=True
            )
        case "iterations" | "iterations_failed" | "data_sent" | "data_received" | "vus" if not (
            labels or has_unjudged(result)
        ):
            yield from _of_points(gate.metric, aggregate, points_of(result, gate.flow, MOST))
        case _:
            return


def _of_steps(
    metric: str, aggregate: str, argument: float | None, seen: PageColumns, held: Sequence[StepPart]
) -> Iterator[float | None]:
    match metric, aggregate:
        case "http_req_duration", _:
            for each in held:
                yield _time(each, aggregate, argument)
        case "http_req_failed", "rate":
            for each in held:
                yield each.failed / each.requests if each.requests else None
        case "http_reqs", "count":
            yield from accumulate(float(each.requests) for each in held)
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


def _of_points(metric: str, aggregate: str, points: Sequence[Point]) -> Iterator[tuple[float, float | None]]:
    name = {"data_sent": "bytes_sent", "data_received": "bytes_received"}.get(metric, metric)
    total = 0.0
    for point in points:
        amount = float(getattr(point, name))
        total += amount
        match aggregate:
            case "count":
                yield point.second, total
            case "rate":
                yield point.second, amount / point.length
            case "value" | "max" | "min":
                yield point.second, amount
            case _:
                return
