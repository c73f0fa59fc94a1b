"""The figures that reports put in tables, computed once for all of them. Seconds and shares; None: no data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from vezaflow import units
from vezaflow.gates import Verdict
from vezaflow.metrics import ChannelRow, Dropped, Histogram, Phase, StepRow, StreamRow, Summary, Trend, cut_by
from vezaflow.reports.percentiles import Percentiles
from vezaflow.results import RunResult

ALL = "all"

_WINDOWS = 5  # that are listed


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A flow, or all of them together (`flow` is ALL): of what the gates judged, else of all that there is."""

    flow: str
    vus: int  # the most at once
    vus_requested: int
    iterations: int
    iterations_failed: int
    requests: int
    requests_per_second: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    failed: float | None
    judged: bool
    duration: Histogram


def flow_rows(result: RunResult, *, judged: bool = True) -> tuple[FlowRow, ...]:
    """A row for each flow, and one for all where there are several."""
    rows = tuple(_flow_row(result, flow, judged) for flow in result.flow_names)
    return (*rows, _flow_row(result, None, judged)) if len(rows) > 1 else rows


@dataclass(frozen=True, slots=True)
class ArrivalsRow:
    """An open flow, or all of them together: what was due, and how those fared who came. `dropped` by reason."""

    flow: str
    due: int
    started: int
    dropped: tuple[tuple[str, int], ...]
    delay: Histogram  # from when an iteration was due to its start
    duration: Histogram
    response_time: Histogram  # from when it was due to its end


def arrivals(result: RunResult) -> tuple[ArrivalsRow, ...]:
    """A row for each open flow."""
    found = (arrivals_row(result, asked.flow) for asked in result.flows)
    return tuple(row for row in found if row is not None)


def arrivals_row(result: RunResult, flow: str | None, *, judged: bool = True) -> ArrivalsRow | None:
    """None where the flow (None: any flow) is no open model."""
    if not any(asked.rate is not None for asked in result.flows if flow in (None, asked.flow)):
        return None
    summary = result.summary
    dropped = {
        reason.value: int(
            summary.select("dropped_iterations", flow, (("reason", reason),), judged=judged).aggregate("count") or 0
        )
        for reason in Dropped
    }
    delay = trend(summary, "iteration_delay", flow, judged=judged)
    return ArrivalsRow(
        flow or ALL,
        delay.count + sum(dropped.values()),
        delay.count,
        tuple(dropped.items()),
        delay,
        trend(summary, "iteration_duration", flow, judged=judged),
        trend(summary, "iteration_response_time", flow, judged=judged),
    )


def trend(summary: Summary, metric: str, flow: str | None, *, judged: bool) -> Histogram:
    found = summary.select(metric, flow, judged=judged)
    assert isinstance(found, Trend)
    return found.histogram


def has_unjudged(result: RunResult) -> bool:
    """Whether `measure` kept anything from the gates."""
    return bool(result.summary.select("http_reqs", judged=False).samples)


def _flow_row(result: RunResult, flow: str | None, judged: bool) -> FlowRow:
    summary = result.summary
    requests = summary.select("http_reqs", flow, judged=judged)
    duration = trend(summary, "http_req_duration", flow, judged=judged)
    p50, p95, p99, most = duration.quantiles((0.5, 0.95, 0.99, 1.0))
    asked = sum(a.vus for a in result.flows if flow in (None, a.flow))
    return FlowRow(
        flow or ALL,
        int(summary.select("vus", flow).aggregate("max") or 0),
        asked,
        _count(result, "iterations", flow, judged),
        _count(result, "iterations_failed", flow, judged),
        requests.samples,
        requests.aggregate("rate"),
        p50,
        p95,
        p99,
        most,
        summary.select("http_req_failed", flow, judged=judged).aggregate("rate"),
        judged,
        duration,
    )


def _count(result: RunResult, metric: str, flow: str | None, judged: bool) -> int:
    return int(result.summary.select(metric, flow, judged=judged).aggregate("count") or 0)


@dataclass(frozen=True, slots=True)
class ChannelCells:
    """A step's WebSockets. `failed`: the share of its messages; `delivered`: of those with an `ack`; `troubles`: what
    became of them otherwise, and kinds of failures. `latency` is of the way from a message to its ack."""

    name: str
    opened: int
    refused: int
    closes: Mapping[str, int]  # unexpected ones, by code
    connect_p95: float | None
    sent: int
    received: int
    failed: float | None
    delivered: float | None
    troubles: tuple[tuple[str, int], ...]
    p50: float | None
    p95: float | None
    p99: float | None
    latency: Histogram


def channel_rows(result: RunResult) -> tuple[ChannelCells, ...]:
    """A row for each step that opens WebSockets, in each phase."""
    return tuple(_channel_cells(row) for row in result.summary.channel_rows())


def _channel_cells(row: ChannelRow) -> ChannelCells:
    figures = row.figures
    (connect_p95,) = figures.connecting.quantiles((0.95,))
    p50, p95, p99 = figures.latency.quantiles((0.5, 0.95, 0.99))
    return ChannelCells(
        name=place_in_phase(row.phase, row.flow, row.step),
        opened=figures.sessions,
        refused=figures.refused.total(),
        closes=figures.closes,
        connect_p95=connect_p95,
        sent=figures.sent,
        received=figures.received,
        failed=figures.failures.total() / figures.messages if figures.messages else None,
        delivered=figures.delivered / figures.expected if figures.expected else None,
        troubles=(
            *_by_kind("refused", figures.refused),
            *_by_kind("failed", figures.failures),
            ("lost", figures.lost),
            ("late", figures.late),
            ("duplicated", figures.duplicated),
            ("reordered", figures.reordered),
        ),
        p50=p50,
        p95=p95,
        p99=p99,
        latency=figures.latency,
    )


@dataclass(frozen=True, slots=True)
class StreamCells:
    """A step's event streams. `ended`: those that the server or the network ended; `failed`: the share of the events
    waited for; `troubles`: by kind. `latency` is of the way from the server, where events say when they were sent."""

    name: str
    opened: int
    refused: int
    ended: int
    connect_p95: float | None
    events: int
    failed: float | None
    troubles: tuple[tuple[str, int], ...]
    p50: float | None
    p95: float | None
    p99: float | None
    latency: Histogram


def stream_rows(result: RunResult) -> tuple[StreamCells, ...]:
    """A row for each step that opens event streams, in each phase."""
    return tuple(_stream_cells(row) for row in result.summary.stream_rows())


def _stream_cells(row: StreamRow) -> StreamCells:
    figures = row.figures
    (connect_p95,) = figures.connecting.quantiles((0.95,))
    p50, p95, p99 = figures.latency.quantiles((0.5, 0.95, 0.99))
    return StreamCells(
        name=place_in_phase(row.phase, row.flow, row.step),
        opened=figures.opened,
        refused=figures.refused.total(),
        ended=figures.ends.total(),
        connect_p95=connect_p95,
        events=figures.events,
        failed=figures.failures.total() / figures.awaited if figures.awaited else None,
        troubles=(
            *_by_kind("refused", figures.refused),
            *_by_kind("ended", figures.ends),
            *_by_kind("failed", figures.failures),
        ),
        p50=p50,
        p95=p95,
        p99=p99,
        latency=figures.latency,
    )


def _by_kind(what: str, counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((f"{what} ({kind})", count) for kind, count in sorted(counts.items()))


def around(result: RunResult) -> tuple[StepRow, ...]:
    """The steps outside iterations: preflight, setup, login, finally, teardown."""
    return tuple(row for row in result.summary.step_rows() if row.phase is not Phase.ITERATION)


def windows_text(result: RunResult, event: str) -> str:
    """The times whose figures gates on this event judged: `10 s to 25.3 s`."""
    spans = [window for window in result.event_windows if window.event == event]
    shown = [f"{units.duration(round(each.begin, 2))} to {units.duration(round(each.end, 2))}" for each in spans]
    more = f" and {len(shown) - _WINDOWS} more windows" if len(shown) > _WINDOWS else ""
    return ", ".join(shown[:_WINDOWS]) + more


def by_scope(result: RunResult) -> tuple[tuple[str, tuple[Verdict, ...]], ...]:
    """The verdicts by scope, those over all flows first, the flows in their order."""
    order = {name: number for number, name in enumerate(result.flow_names)}
    ranked = sorted(result.verdicts, key=lambda verdict: order.get(verdict.gate.flow or "", -1))
    return tuple((scope, tuple(held)) for scope, held in groupby(ranked, key=lambda verdict: verdict.gate.flow or ALL))


def margin_text(verdict: Verdict) -> str:
    """How far the value is from its bound, empty where that means nothing, and the figure that it is compared with."""
    room, compared = _room(verdict), verdict.shown_compared
    return f"{room} ({compared})" if room and compared else room or compared


def _room(verdict: Verdict) -> str:
    margin, bound = verdict.margin, verdict.bound
    if isinstance(verdict.value, units.AtLeast):
        return cut_by(verdict.gate.metric)
    if margin is None or verdict.value is None or bound is None:
        return ""
    is_limit = verdict.gate.condition.operator in ("<", "<=")
    name = "the limit" if is_limit else "the minimum"
    if not margin:
        return f"at {name}"
    if verdict.value >= 2 * bound > 0:
        return f"{units.number(verdict.value / bound)}× {name}"
    over = "over" if is_limit else "above"
    return f"{units.ratio(abs(margin))} {over if verdict.value > bound else 'below'} {name}"


def place(flow: str, step: str) -> str:
    """A step as tables name it; what no flow has is just its name."""
    return f"{flow} › {step}" if flow else step


def place_in_phase(phase: Phase, flow: str, step: str) -> str:
    """The same among steps of other phases, which say theirs."""
    name = place(flow, step)
    return name if phase is Phase.ITERATION else f"{phase.value}: {name}"


def times(histogram: Histogram, percentiles: Percentiles) -> tuple[str, ...]:
    """The percentiles of a distribution, as shown."""
    return tuple(map(time, histogram.quantiles(percentiles.shares)))


def time(seconds: float | None) -> str:
    return "–" if seconds is None else units.duration(seconds)


def share(fraction: float | None) -> str:
    return "–" if fraction is None else units.ratio(fraction)


def load_text(result: RunResult) -> str:
    """The requested load: `4 flows, 1,650 VUs`."""
    vus = sum(asked.vus for asked in result.flows)
    return f"{units.counted(len(result.flows), 'flow')}, {units.counted(vus, 'VU')}"
