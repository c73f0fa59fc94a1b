"""The end of a run for people: the verdict first, then what it stands on, then what to look at.

In the order in which somebody on call asks: the verdict, what broke and how, the server's figures beside the client's,
what happened meanwhile, the pages; then the tables. Nothing is shown of what a suite does not use.

Text only: with `colour` a terminal's colours and marks, without it plain words that a log keeps. No line is wider
than `width`, but for paths, links, messages of a server, and the author's own YAML.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from vezaflow import units
from vezaflow.diagnostics import columns, printable, render_one
from vezaflow.engine import Vitals
from vezaflow.gates import Concern, Outcome, Verdict
from vezaflow.metrics import Dropped, ListenerRow
from vezaflow.reports import rows
from vezaflow.reports.audits import audit_lines
from vezaflow.reports.endpoints import EndpointRow, apart, endpoint_rows, window_text
from vezaflow.reports.look import DIM, Look, padded, table, wrapped
from vezaflow.reports.percentiles import USUAL, Percentiles
from vezaflow.reports.profiles import profile_lines
from vezaflow.reports.steps import SLOWEST, around_lines, iteration_steps, step_lines
from vezaflow.reports.traces import trace_cells, trace_url
from vezaflow.results import RunResult, headline
from vezaflow.scale import MachineFigures, WorkerState

_ERRORS = 12
_INCIDENTS = 3
_NAME = 16  # columns of a flow's name
_TRACES = 5
_EVENTS = 12
_TONES = {Outcome.GREEN: "32", Outcome.RED: "1;31", Outcome.INCONCLUSIVE: "33"}
_MARKS = {Outcome.GREEN: "✓", Outcome.RED: "✗", Outcome.INCONCLUSIVE: "–"}
_WORDS = {Outcome.GREEN: "held ", Outcome.RED: "BROKE", Outcome.INCONCLUSIVE: "?    "}


def console(
    result: RunResult,
    *,
    colour: bool = False,
    width: int = 100,
    height: int | None = None,
    percentiles: Percentiles = USUAL,
) -> str:
    """The whole summary, its lines ended. `height`: lines of a terminal, which all steps are not to fill; None: they
    are all shown."""
    look = Look(colour, width)
    short = height is not None and len(iteration_steps(result)) > max(SLOWEST, height // 2)
    parts: tuple[Iterable[str], ...] = (
        _verdict(result, look),
        _gates(result, look),
        _errors(result, look),
        _incidents(result, look),
        _server(result, look),
        _events(result, look),
        profile_lines(result.profiles, look),
        audit_lines(result.audits, look),
        _flows(result, look, percentiles),
        step_lines(result, look, percentiles, short=short),
        _arrivals(result, look),
        _listeners(result, look),
        _channels(result, look, percentiles),
        _streams(result, look, percentiles),
        around_lines(result, look, percentiles),
        _traces(result, look),
        _generator(result, look),
    )
    blocks = map(list, parts)
    return "\n".join("\n".join(block) + "\n" for block in blocks if block)


def _mark(outcome: Outcome, look: Look) -> str:
    return look.paint((_MARKS if look.colour else _WORDS)[outcome], _TONES[outcome])


def _verdict(result: RunResult, look: Look) -> Iterator[str]:
    tone = _TONES[result.outcome]
    said = headline(result.outcome, result.verdicts, result.concerns)
    yield from wrapped(printable(said), look, "", partial(look.paint, tone=f"1;{tone}"))
    if result.aborted:
        yield from _said(f"stopped early by the gate {result.aborted}", look)
    for number, concern in enumerate(result.concerns):
        if number or result.outcome is not Outcome.INCONCLUSIVE:  # else the headline says it
            yield from _said(concern.text, look)
        if concern.remedy:
            yield from _aside(f"to fix: {concern.remedy}", look)
    if result.outcome is Outcome.INCONCLUSIVE and not result.concerns:
        yield from _aside("to fix: see the reasons below; check those gates' labels and steps, or run for longer", look)
    for note in result.notes:
        yield from _said(f"note: {note}", look)
    where = f" on {result.base_url}" if result.base_url else ""
    lasted = units.duration(round(result.duration)) if result.duration >= 1 else units.duration(result.duration)
    yield ""
    began = f"{result.started:%Y-%m-%d %H:%M:%S} UTC"
    yield from _said(f"{result.suite}: {lasted}{where}, {rows.load_text(result)}, {began}", look)
    for line in (result.standing.accepted or result.standing.night, result.standing.baseline):
        if line:
            yield from _said(line, look)
    for link in result.links:
        yield f"  {printable(link.name)}: {printable(link.url)}"


def _said(text: str, look: Look) -> Iterator[str]:
    return wrapped(printable(text), look, "  ")


def _aside(text: str, look: Look) -> Iterator[str]:
    return wrapped(printable(text), look, "    ", partial(look.paint, tone=DIM))


def _gates(result: RunResult, look: Look) -> Iterator[str]:
    if not result.verdicts:
        return
    yield look.title("Gates")
    texts = [verdict.gate.text for verdict in result.verdicts]
    wide = min(max(map(columns, texts)), max(30, look.width - 40))
    shown = max(len(verdict.shown) for verdict in result.verdicts)
    sign = 1 if look.colour else max(map(len, _WORDS.values()))
    for scope, verdicts in rows.by_scope(result):
        yield f"  {'all flows' if scope == rows.ALL else printable(scope)}"
        for verdict in verdicts:
            remark = _remark(verdict, result.concerns)
            text, mark = printable(verdict.gate.text), _mark(verdict.outcome, look)
            if columns(text) > wide:  # the columns stay columns: the value goes on the next line
                yield f"    {mark} {text}"
                text, mark = "", " " * sign
            row = f"    {mark} {padded(text, wide)}  {verdict.shown:>{shown}}"
            beside = 4 + sign + 1 + wide + 2 + shown + 2
            if beside + columns(remark) <= look.width:
                yield f"{row}  {look.paint(remark, DIM)}".rstrip()
            else:
                yield row.rstrip()
                yield from wrapped(printable(remark), look, " " * (5 + sign), partial(look.paint, tone=DIM))


def _remark(verdict: Verdict, concerns: Sequence[Concern]) -> str:
    if any(verdict.reason == concern.text for concern in concerns):
        return "not judged: see above"
    if verdict.outcome is Outcome.INCONCLUSIVE:
        return verdict.reason
    return rows.margin_text(verdict)


def _events(result: RunResult, look: Look) -> Iterator[str]:
    if not result.events:
        return
    yield look.title("Events")
    for happened in result.events[:_EVENTS]:
        yield from _said(happened.line, look)
    if len(result.events) > _EVENTS:
        yield look.paint(f"  and {len(result.events) - _EVENTS} more: see the JSON summary", DIM)
    for name in dict.fromkeys(window.event for window in result.event_windows):
        yield from _aside(f"gates with `during:{name}` cover {rows.windows_text(result, name)}", look)


def _flows(result: RunResult, look: Look, percentiles: Percentiles) -> Iterator[str]:
    head = ("flow", "VUs", "iterations", "requests", "req/s", *percentiles.names, "max", "failed")
    spare = percentiles.spare(("max", "VUs"), ("requests", "req/s"))
    yield look.title("Flows")
    yield from table(head, [_flow_cells(row, percentiles) for row in rows.flow_rows(result)], look, spare, least=_NAME)
    if rows.has_unjudged(result):
        yield ""
        yield look.paint("  Not covered by gates (left out by `measure`)", DIM)
        cells = [_flow_cells(row, percentiles) for row in rows.flow_rows(result, judged=False) if row.requests]
        yield from table(head, cells, look, spare, least=_NAME)


def _flow_cells(row: rows.FlowRow, percentiles: Percentiles) -> tuple[str, ...]:
    vus = units.number(row.vus)
    if row.vus < row.vus_requested:
        vus += f"/{units.number(row.vus_requested)}"
    rate = "–" if row.requests_per_second is None else units.number(row.requests_per_second)
    times = (*rows.times(row.duration, percentiles), rows.time(row.max))
    counts = (units.number(row.iterations), units.number(row.requests), rate)
    return (row.flow, vus, *counts, *times, rows.share(row.failed))


_SERVER_HEAD = (
    "path", "requests", "p50", "p95", "p99", "server's requests", "server p50", "server p95", "server p99",
    "p95 apart",
)  # fmt: skip
_PATHS = 12


def _server(result: RunResult, look: Look) -> Iterator[str]:
    found = endpoint_rows(result)
    if not found:
        return
    yield look.title("Client and server") + look.paint(" (apart: network, queues, proxies)", DIM)
    yield from table(_SERVER_HEAD, [_endpoint_cells(row) for row in found[:_PATHS]], look, _SERVER_SPARE)
    missing: dict[str, list[str]] = {}
    for row in found[:_PATHS]:
        if row.missing:
            missing.setdefault(row.missing, []).append(row.name)
    for what, names in missing.items():
        yield from _said(f"{', '.join(names)}: {what}", look)
    if len(found) > _PATHS:
        yield look.paint(f"  and {len(found) - _PATHS} more paths: see the JSON summary", DIM)
    if window := window_text(result):
        yield from _aside(f"the server's figures are {window}", look)


_SERVER_SPARE = ("server p50", "p50", "server p99", "p99", "server's requests")


def _endpoint_cells(row: EndpointRow) -> tuple[str, ...]:
    counts = ("–" if count is None else units.number(count) for count in (row.client_count, row.server_count))
    mine, theirs = counts
    client = tuple(map(rows.time, row.client))
    server = tuple("–" if each is None else units.duration(each.value) for each in row.server)
    return (row.name, mine, *client, theirs, *server, apart(row.differences[1]))


_ARRIVALS_HEAD = (
    "open flow", "due", "dropped", "delay p99", "service p95", "service p99", "response p95", "response p99",
    "response max",
)  # fmt: skip
_WHY = {Dropped.NO_FREE_VU: "no free VU", Dropped.GENERATOR_LATE: "generator overloaded"}


def _arrivals(result: RunResult, look: Look) -> Iterator[str]:
    found = rows.arrivals(result)
    if not found:
        return
    yield look.title("Arrivals") + look.paint(" (service time / response time from scheduled start)", DIM)
    yield from table(_ARRIVALS_HEAD, [_arrivals_cells(row) for row in found], look, _SPARE)
    for row in found:
        why = ", ".join(f"{units.number(count)} ({_WHY[Dropped(reason)]})" for reason, count in row.dropped if count)
        if why:
            yield from _said(f"{row.flow} dropped iterations: {why}", look)


def _arrivals_cells(row: rows.ArrivalsRow) -> tuple[str, ...]:
    dropped = row.due - row.started
    share = f" ({units.ratio(dropped / row.due)})" if dropped else ""
    times = (*row.delay.quantiles((0.99,)), *row.duration.quantiles((0.95, 0.99)))
    felt = row.response_time.quantiles((0.95, 0.99, 1.0))
    return (row.flow, units.number(row.due), f"{units.number(dropped)}{share}", *map(rows.time, (*times, *felt)))


_LISTENERS_HEAD = (
    "listener", "sessions", "startup p50", "startup p95", "not started", "rebuffering", "stalls", "kbit/s", "switches",
)  # fmt: skip


def _listeners(result: RunResult, look: Look) -> Iterator[str]:
    found = result.summary.listener_rows()
    if found:
        yield look.title("Listeners")
        yield from table(_LISTENERS_HEAD, [_listener_cells(row) for row in found], look, _SPARE)


def _listener_cells(row: ListenerRow) -> tuple[str, ...]:
    felt = row.felt
    name = rows.place(row.flow, row.step)
    startup = tuple(rows.time(value) for value in felt.startup.quantiles((0.5, 0.95)))
    shares = (felt.not_started / felt.sessions, felt.stalled_ms / felt.lasted_ms if felt.lasted_ms else None)
    rate = "–" if felt.bitrates.mean is None else units.number(felt.bitrates.mean * 1000)
    counts = (units.number(felt.stalls), rate, units.number(felt.switches))
    return (name, units.number(felt.sessions), *startup, *map(rows.share, shares), *counts)


_CHANNELS_HEAD = (
    "WebSockets", "opened", "refused", "closed", "connect p95", "sent", "received", "failed", "delivered",
)  # fmt: skip
_MESSAGES_SPARE = ("connect p95", "received")


def _channels(result: RunResult, look: Look, percentiles: Percentiles) -> Iterator[str]:
    found = rows.channel_rows(result)
    if not found:
        return
    yield look.title("WebSockets") + look.paint(" (closed: unexpectedly; times from a message to its ack)", DIM)
    head, spare = (*_CHANNELS_HEAD, *percentiles.names), percentiles.spare(_MESSAGES_SPARE)
    yield from table(head, [_channel_cells(row, percentiles) for row in found], look, spare)
    for row in found:
        said = [f"closed with {code}: {units.number(count)}" for code, count in sorted(row.closes.items())]
        said += [f"{what}: {units.number(count)}" for what, count in row.troubles if count]
        if said:
            yield from _said(f"{row.name}: {', '.join(said)}", look)


def _channel_cells(row: rows.ChannelCells, percentiles: Percentiles) -> tuple[str, ...]:
    counts = tuple(map(units.number, (row.opened, row.refused, sum(row.closes.values()))))
    times = rows.times(row.latency, percentiles)
    messages = tuple(map(units.number, (row.sent, row.received)))
    return (
        row.name, *counts, rows.time(row.connect_p95), *messages, rows.share(row.failed), rows.share(row.delivered),
        *times,
    )  # fmt: skip


_STREAMS_HEAD = ("event streams", "opened", "refused", "ended", "connect p95", "events", "failed")


def _streams(result: RunResult, look: Look, percentiles: Percentiles) -> Iterator[str]:
    found = rows.stream_rows(result)
    if not found:
        return
    yield look.title("Event streams") + look.paint(" (ended: unexpectedly; times from the server's `sent`)", DIM)
    head, spare = (*_STREAMS_HEAD, *percentiles.names), percentiles.spare(_MESSAGES_SPARE)
    yield from table(head, [_stream_cells(row, percentiles) for row in found], look, spare)
    for row in found:
        said = [f"{what}: {units.number(count)}" for what, count in row.troubles]
        if said:
            yield from _said(f"{row.name}: {', '.join(said)}", look)


def _stream_cells(row: rows.StreamCells, percentiles: Percentiles) -> tuple[str, ...]:
    counts = map(units.number, (row.opened, row.refused, row.ended))
    times = rows.times(row.latency, percentiles)
    return (row.name, *counts, rows.time(row.connect_p95), units.number(row.events), rows.share(row.failed), *times)


_SPARE = (
    "response max", "startup p50", "switches", "service p99", "delay p99", "response p99", "CPU max", "lag max",
)  # fmt: skip
"""Columns that go first where there is no room."""


def _traces(result: RunResult, look: Look) -> Iterator[str]:
    found = list(trace_cells(result))
    if not found:
        return
    yield look.title("Slowest requests with a trace")
    for each in found[:_TRACES]:
        took, moment = units.duration(each.row.duration), units.duration(round(max(0.0, each.row.at), 2))
        yield from _said(f"{each.name}: {took}, {each.response}, at {moment}", look)
        yield look.paint(f"      {printable(each.url) or each.row.trace_id}", DIM)
    if len(found) > _TRACES:
        yield look.paint(f"  and {len(found) - _TRACES} more: see the JSON summary", DIM)


def _errors(result: RunResult, look: Look) -> Iterator[str]:
    found = result.summary.error_rows()
    if not found:
        return
    yield look.title("Errors")
    for row in found[:_ERRORS]:
        what = f"{units.number(row.count)} × {row.error}" + (f" {row.status}" if row.status else "")
        step = printable(rows.place(row.flow, row.step))
        first, last = (units.duration(max(0.0, moment)) for moment in (row.first, row.last))
        when = f"first at {first}, last at {last}" if row.count > 1 else f"at {first}"
        share = f"{units.ratio(row.share)} of requests"
        head = f"  {step}  {look.paint(what, '31')}"
        if columns(f"  {step}  {what} ({share}), {when}") <= look.width:
            yield f"{head} ({share}), {when}"
        elif columns(f"  {step}  {what}") <= look.width:
            yield head
            yield from wrapped(f"{share}, {when}", look, "      ")
        else:
            yield from wrapped(step, look, "  ")
            yield from wrapped(f"{what}, {share}, {when}", look, "      ")
        if row.detail:
            yield from wrapped(_one_line(row.detail), look, "      ", partial(look.paint, tone=DIM))
        if row.trace_id:
            yield look.paint(f"      trace {trace_url(result, row.flow, row.trace_id) or row.trace_id}", DIM)
    if len(found) > _ERRORS:
        yield look.paint(f"  and {len(found) - _ERRORS} more kinds of errors: see the JSON summary", DIM)


def _incidents(result: RunResult, look: Look) -> Iterator[str]:
    for number, incident in enumerate(result.incidents[:_INCIDENTS]):
        if number:
            yield ""
        yield render_one(incident, colour=look.colour, width=look.width).rstrip("\n")


def _generator(result: RunResult, look: Look) -> Iterator[str]:
    health, vitals = result.health, result.health.vitals
    if not health.workers:  # of a run that was killed nothing is known
        return
    yield look.title("Generator")
    cpu = f"CPU {units.ratio(vitals.cpu_mean)} of a core (max {units.ratio(vitals.cpu_max)})"
    yield from _said(f"{cpu}, memory {units.size(vitals.memory)}, seed {result.seed}", look)
    lag = f"p99 {units.duration(vitals.lag_p99)}, max {units.duration(vitals.lag_max)}"
    yield from _said(f"event-loop lag: {lag}", look)
    lost = f"{units.ratio(round(health.load_missing, 5))} of their time lost to the generator"
    yield from _said(f"VUs: {units.number(health.vus_started)} started, {lost}", look)
    yield from _said(_stamped(vitals), look)
    if len(health.workers) > 1:
        yield from table(_WORKER_HEAD, [_worker_cells(worker) for worker in health.workers], look, _SPARE)
    if result.machines:
        yield from table(_MACHINE_HEAD, [_machine_cells(machine) for machine in result.machines], look, _MACHINE_SPARE)
    for path in result.files:
        yield f"  written: {printable(str(path))}"


def _stamped(vitals: Vitals) -> str:
    """By which clock responses are timed."""
    if vitals.receive_clock != "kernel":
        return "responses are timed when they are read: the kernel gives no timestamps here"
    were = "response was" if vitals.late_reads == 1 else "responses were"
    most = f" (max {units.duration(vitals.read_delay_max)})" if vitals.late_reads else ""
    late = f"{units.number(vitals.late_reads)} {were} read more than 1 ms late{most}"
    return f"responses are timed by the kernel; {late}"


_WORKER_HEAD = ("worker", "CPU", "CPU max", "lag p99", "lag max", "memory")


def _worker_cells(worker: WorkerState) -> tuple[str, ...]:
    vitals = worker.vitals
    name = f"{worker.name} (lost)" if worker.lost else worker.name
    lags = (units.duration(vitals.lag_p99), units.duration(vitals.lag_max))
    return (name, units.ratio(vitals.cpu_mean), units.ratio(vitals.cpu_max), *lags, units.size(vitals.memory))


_MACHINE_HEAD = ("machine", "workers", "requests", "p50", "p95", "p99", "failed", "CPU max", "lag p99", "start")
_MACHINE_SPARE = ("CPU max", "p50", "p99")


def _machine_cells(machine: MachineFigures) -> tuple[str, ...]:
    name = f"{machine.name} (lost)" if machine.lost else machine.name
    times = ("–" if time is None else units.duration(time) for time in (machine.p50, machine.p95, machine.p99))
    failed = units.ratio(machine.failed / machine.requests) if machine.requests else "–"
    start = f"±{units.duration(machine.clock_error)}"
    health = (units.ratio(machine.cpu_max), units.duration(machine.lag_p99))
    return (name, units.number(machine.workers), units.number(machine.requests), *times, failed, *health, start)


def _one_line(text: str, width: int = 160) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= width else line[: width - 1] + "…"
