"""Tables of figures as data: one kind of table for all of them, with the numbers to sort by beside the texts.

Law: the figures are those of the other reports (rows.py); a percentile that its reader may choose again says whose
histogram it is of (packed.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vezaflow import units
from vezaflow.metrics import ChannelRow, Dropped, Histogram, ListenerRow, Phase, StepRow
from vezaflow.profiles import Growth
from vezaflow.reports import rows
from vezaflow.reports.profiles import TOP, about
from vezaflow.reports.traces import trace_cells, trace_url
from vezaflow.results import RunResult

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
Shares = Mapping[str, float]
_WHY = {Dropped.NO_FREE_VU: "no free VU", Dropped.GENERATOR_LATE: "generator overloaded"}


@dataclass(frozen=True, slots=True)
class Cell:
    """`value`: what it is sorted by, None: by its text, and last where it is a dash. `tone`: a class of style.css;
    `link`: where it leads to."""

    text: str
    value: float | None = None
    tone: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class TableHead:
    """A column. `share`: it is this percentile, which can be chosen again."""

    text: str
    number: bool = True
    share: float | None = None


@dataclass(frozen=True, slots=True)
class TableLine:
    """A row; its first cell is its head. `times`: the key of its packed histogram."""

    cells: tuple[Cell, ...]
    times: str = ""
    total: bool = False  # of all others together: it stays at the foot


@dataclass(frozen=True, slots=True)
class Grid:
    key: str
    title: str
    caption: str
    heads: tuple[TableHead, ...]
    lines: tuple[TableLine, ...]


def count(amount: float | None) -> Cell:
    return Cell("–" if amount is None else units.number(amount), amount)


def time(seconds: float | None) -> Cell:
    return Cell(rows.time(seconds), None if seconds is None else float(seconds))


def share(fraction: float | None, tone: str = "") -> Cell:
    return Cell(rows.share(fraction), fraction, tone if fraction else "")


def word(text: str) -> Cell:
    return Cell(text)


def heads(*names: str) -> tuple[TableHead, ...]:
    """Columns of numbers."""
    return tuple(TableHead(name) for name in names)


def named(*names: str) -> tuple[TableHead, ...]:
    """Columns of words."""
    return tuple(TableHead(name, number=False) for name in names)


def _chosen(shares: Shares) -> tuple[TableHead, ...]:
    return tuple(TableHead(name, share=share) for name, share in shares.items())


def without_empty(grid: Grid) -> Grid:
    """The table without the columns that have nothing but dashes."""
    kept = [
        at for at in range(len(grid.heads)) if not grid.lines or any(line.cells[at].text != "–" for line in grid.lines)
    ]
    lines = tuple(replace(line, cells=tuple(line.cells[at] for at in kept)) for line in grid.lines)
    return replace(grid, heads=tuple(grid.heads[at] for at in kept), lines=lines)


def _times(times: Histogram, shares: Shares = PERCENTILES) -> tuple[Cell, ...]:
    return tuple(map(time, (*times.quantiles(tuple(shares.values())), times.most)))


def flows(result: RunResult, shares: Shares = PERCENTILES, *, judged: bool = True) -> Grid:
    """A row for each flow and one for all, with these percentiles. `judged` False: what `measure` kept from the
    gates."""
    lines = [
        TableLine(
            (
                word("all flows" if row.flow == rows.ALL else row.flow),
                Cell(_vus(row), row.vus),
                count(row.iterations),
                share(row.iterations_failed / row.iterations if row.iterations else None, "bad"),
                count(row.requests),
                count(row.requests_per_second),
                share(row.failed, "bad"),
                *_times(row.duration, shares),
            ),
            times=_flow_key(row.flow) if judged else "",
            total=row.flow == rows.ALL,
        )
        for row in rows.flow_rows(result, judged=judged)
        if judged or row.requests
    ]
    head = (
        *named("flow"),
        *heads("VUs", "iterations", "it. failed", "requests", "req/s", "failed"),
        *(_chosen(shares) if judged else heads(*shares)),
        *heads("max"),
    )
    if judged:
        caption = "Flows: what gates judge. Latency is http_req_duration."
        return Grid("flows", "Flows", caption, head, tuple(lines))
    return Grid("unjudged", "Left out by measure", "Flows: what `measure` keeps from the gates.", head, tuple(lines))


def _flow_key(flow: str) -> str:
    return f"flow {flow}"


def _vus(row: rows.FlowRow) -> str:
    vus = units.number(row.vus)
    return f"{vus} of {units.number(row.vus_requested)}" if row.vus < row.vus_requested else vus


def step_rows(result: RunResult) -> tuple[StepRow, ...]:
    """The steps of iterations that sent requests, in the order of the run."""
    order = {flow: number for number, flow in enumerate(result.flow_names)}
    found = [row for row in result.summary.step_rows() if row.phase is Phase.ITERATION and row.requests]
    return tuple(sorted(found, key=lambda row: order.get(row.flow, len(order))))


def steps(result: RunResult, shares: Shares = PERCENTILES) -> Grid:
    """A row for each step of the iterations, with these percentiles."""
    lines = [
        TableLine(
            (
                word(row.step),
                word(row.flow),
                word(row.method),
                count(row.requests),
                count(row.requests / result.duration if result.duration else None),
                share(row.failed / row.requests, "bad"),
                *_times(row.duration, shares),
            ),
            times=f"step {number}",
        )
        for number, row in enumerate(step_rows(result))
    ]
    head = (
        *named("step", "flow", "method"), *heads("requests", "req/s", "failed"), *_chosen(shares), *heads("max"),
    )  # fmt: skip
    return Grid("steps", "Steps", "Steps of the iterations. Latency is http_req_duration.", head, tuple(lines))


def around(result: RunResult) -> Grid:
    """The steps outside iterations."""
    lines = [
        TableLine(
            (
                word(row.step), word(row.flow or "–"), word(row.phase.value), count(row.requests),
                share(row.failed / row.requests if row.requests else None, "bad"), *_times(row.duration),
            )
        )
        for row in rows.around(result)
    ]  # fmt: skip
    head = (*named("step", "flow", "phase"), *heads("requests", "failed", *PERCENTILES, "max"))
    caption = "Steps outside iterations, which gates don't cover."
    return Grid("around", "Setup, login, teardown", caption, head, tuple(lines))


def arrivals(result: RunResult) -> Grid:
    """A row for each open flow."""
    lines = []
    for row in rows.arrivals(result):
        dropped = row.due - row.started
        why = ", ".join(f"{units.number(many)} {_WHY[Dropped(reason)]}" for reason, many in row.dropped if many)
        own = (*row.delay.quantiles((0.99,)), *row.duration.quantiles((0.95, 0.99)))
        whole = row.response_time.quantiles((0.95, 0.99, 1.0))
        cells = (word(row.flow), count(row.due), count(dropped), word(why or "–"), *map(time, (*own, *whole)))
        lines.append(TableLine(cells))
    head = (
        *named("flow"), *heads("due", "dropped"), *named("why"),
        *heads("delay p99", "service p95", "service p99", "response p95", "response p99", "response max"),
    )  # fmt: skip
    caption = "Open flows. Response times are from when an iteration was due, service times from its start."
    return Grid("arrivals", "Arrivals", caption, head, tuple(lines))


def listeners(result: RunResult) -> Grid:
    head = (
        *named("listener"),
        *heads("sessions", "startup p50", "startup p95", "not started", "rebuffering", "stalls", "kbit/s", "switches"),
    )
    lines = tuple(TableLine(_listener(row)) for row in result.summary.listener_rows())
    return Grid("listeners", "Listeners", "Players of HLS streams.", head, lines)


def _listener(row: ListenerRow) -> tuple[Cell, ...]:
    felt = row.felt
    return (
        word(_place(row)),
        count(felt.sessions),
        *map(time, felt.startup.quantiles((0.5, 0.95))),
        share(felt.not_started / felt.sessions, "bad"),
        share(felt.stalled_ms / felt.lasted_ms if felt.lasted_ms else None),
        count(felt.stalls),
        count(None if felt.bitrates.mean is None else felt.bitrates.mean * 1000),
        count(felt.switches),
    )


def channels(result: RunResult) -> Grid:
    lines = tuple(
        TableLine(
            (
                word(row.name), count(row.opened), count(row.refused), count(sum(row.closes.values())),
                time(row.connect_p95), count(row.sent), count(row.received), share(row.failed, "bad"),
                share(row.delivered), *map(time, (row.p50, row.p95, row.p99)), word(_troubles(row)),
            )
        )
        for row in rows.channel_rows(result)
    )  # fmt: skip
    head = (
        *named("step"),
        *heads(
            "opened", "refused", "closed", "connect p95", "sent", "received", "failed", "delivered", "p50", "p95", "p99"
        ),
        *named("what failed"),
    )
    caption = "WebSockets. Closed: unexpectedly; times are from a message to its ack."
    return Grid("channels", "WebSockets", caption, head, lines)


def _troubles(row: rows.ChannelCells | rows.StreamCells) -> str:
    closes = row.closes if isinstance(row, rows.ChannelCells) else {}
    said = [f"{units.number(many)} closed with {code}" for code, many in sorted(closes.items())]
    return ", ".join([*said, *(f"{units.number(many)} {what}" for what, many in row.troubles if many)]) or "–"


def streams(result: RunResult) -> Grid:
    lines = tuple(
        TableLine(
            (
                word(row.name), count(row.opened), count(row.refused), count(row.ended), time(row.connect_p95),
                count(row.events), share(row.failed, "bad"), *map(time, (row.p50, row.p95, row.p99)),
                word(_troubles(row)),
            )
        )
        for row in rows.stream_rows(result)
    )  # fmt: skip
    head = (
        *named("step"),
        *heads("opened", "refused", "ended", "connect p95", "events", "failed", "p50", "p95", "p99"),
        *named("what failed"),
    )
    caption = "Event streams. Ended: unexpectedly; times are from the server's `sent`."
    return Grid("streams", "Event streams", caption, head, lines)


def workers(result: RunResult) -> Grid:
    """A row for each process of the generator."""
    lines = tuple(
        TableLine(
            (
                word(f"{worker.name} (lost: {worker.lost})" if worker.lost else worker.name),
                share(worker.vitals.cpu_mean), share(worker.vitals.cpu_max), time(worker.vitals.lag_p99),
                time(worker.vitals.lag_max), share(worker.vitals.lag_share),
                Cell(units.size(worker.vitals.memory), worker.vitals.memory),
            )
        )
        for worker in result.health.workers
    )  # fmt: skip
    head = (*named("process"), *heads("CPU", "CPU max", "lag p99", "lag max", "time late", "memory"))
    caption = "The generator's own processes. CPU is a fraction of one core, lag how late the event loop was."
    return Grid("workers", "Generator", caption, head, lines)


def errors(result: RunResult) -> Grid:
    """A row for each kind of failure of each step."""
    found = result.summary.error_rows()
    traced = any(row.trace_id for row in found)
    lines = tuple(
        TableLine(
            (
                word(row.step), word(row.flow or "–"), word(row.error), word(str(row.status) if row.status else "–"),
                count(row.count), share(row.share), time(max(0.0, row.first)), time(max(0.0, row.last)),
                word(" ".join(row.detail.split())[:240] or "–"),
                *([_trace(row.trace_id, trace_url(result, row.flow, row.trace_id))] if traced else ()),
            )
        )
        for row in found
    )  # fmt: skip
    head = (
        *named("step", "flow", "error", "status"), *heads("count", "of requests", "first", "last"),
        *named("one of them", *(["trace"] if traced else ())),
    )  # fmt: skip
    caption = "Errors by step, kind and status. Times are since the start of the load."
    return Grid("errors", "Errors", caption, head, lines)


def traces(result: RunResult) -> Grid:
    """A row for each of the slowest requests that have a trace."""
    lines = tuple(
        TableLine(
            (
                word(each.name), word(each.response), time(each.row.duration), time(max(0.0, each.row.at)),
                _trace(each.row.trace_id, each.url),
            )
        )
        for each in trace_cells(result)
    )  # fmt: skip
    head = (*named("step", "response"), *heads("duration", "at"), *named("trace"))
    caption = "The slowest requests that carried a trace context, at most 3 of each step."
    return Grid("traces", "Traces", caption, head, lines)


def _trace(trace_id: str, url: str) -> Cell:
    return Cell(trace_id or "–", link=url)


def _place(row: ListenerRow | ChannelRow) -> str:
    return f"{row.flow} › {row.step}" if row.flow else row.step


def profiles(result: RunResult) -> Iterator[Grid]:
    """A table for each profile: the functions that lead, and what they had in the last green run where they grew."""
    head = (*named("function"), *heads("by itself", "with its calls", "was, by itself", "was, with its calls"))
    for number, record in enumerate(result.profiles, start=1):
        if record.problem:
            continue
        before = {growth.function: growth for growth in record.grown}
        shown = {each.function: each for each in (*record.by_flat()[:TOP], *record.by_cum()[:TOP])}
        shown |= {name: each for name in before if (each := record.of(name)) is not None}
        lines = tuple(
            TableLine((word(each.function), share(each.flat), share(each.cum), *_before(before.get(each.function))))
            for each in sorted(shown.values(), key=lambda each: -each.flat)
        )
        since = f" Was: in the last green run, {record.against}, of what grew since." if record.against else ""
        title = f"Profile {record.name}"
        yield Grid(f"profile-{number}", title, f"Shares of {about(record)}.{since}", head, lines)


def _before(growth: Growth | None) -> tuple[Cell, ...]:
    if growth is None:
        return share(None), share(None)
    return share(growth.flat_before), share(growth.cum_before)


def figures(result: RunResult) -> Iterator[Grid]:
    """The tables of figures that there is something in, but for the flows' and the steps'."""
    found: Sequence[Grid] = (
        *([flows(result, judged=False)] if rows.has_unjudged(result) else ()),
        arrivals(result),
        listeners(result),
        channels(result),
        streams(result),
        *profiles(result),
        around(result),
        traces(result),
    )
    yield from (grid for grid in found if grid.lines)
