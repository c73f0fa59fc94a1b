"""A tick as lines of fixed columns: the same for the live display and for a log. Pieces carry a style's name
(rich's words), so that who has no colours just joins the texts.
"""

from vezaflow import units
from vezaflow.gates import Outcome, Verdict
from vezaflow.outputs.tick import FlowNow, Tick, first_trouble
from vezaflow.results import Health

Piece = tuple[str, str]  # text, style
Line = list[Piece]

_MARKS = {Outcome.GREEN: ("✓", "green"), Outcome.RED: ("✗", "bold red"), Outcome.INCONCLUSIVE: ("–", "dim")}
_BAR = 30
_EVENTS = 3  # that are shown, the last ones
_WORKERS_SHOWN = 2  # one by one
_SHOWN_FROM = 0.001  # of the load
_WORDS_FROM = 100  # columns from which a broken gate is shown in words


def display(tick: Tick, suite: str, width: int) -> list[Line]:
    """The whole display, at most `width` columns wide."""
    name = min(20, max(4, *(len(flow.flow) for flow in tick.flows))) if tick.flows else 4
    rows = [*tick.flows, tick.pooled] if len(tick.flows) > 1 or tick.pooled.gates else [*tick.flows]
    head = f" {'flow':<{name}}  {'VUs':>11}  {'iterations':>10}  {'req/s':>7}  {'p95':>8}  {'failed':>7}  gates"
    return [
        _progress(tick, suite, width),
        [],
        [(cut(head, width), "dim")],
        *(_row(row, name, width) for row in rows),
        [],
        *([(cut(f" {server_text(tick)}", width), "")] for _ in tick.server[:1]),
        _health(tick, width),
        *([(cut(f" {note}", width), "yellow")] for note in tick.manual_changes),
        *([(cut(f" event {each.line}", width), "red" if each.error else "cyan")] for each in tick.events[-_EVENTS:]),
    ]


def plain(tick: Tick) -> list[str]:
    """The tick for a log: one line of the whole, one for each flow."""
    whole = tick.pooled
    left = f"{units.duration(round(tick.remaining))} left" if tick.remaining >= 1 else _draining(tick)
    first = f"[{units.duration(round(tick.elapsed))}, {left}] {_plain_row(whole)}"
    if len(tick.health.workers) > 1:
        first += f"; {_cpu(tick.health)}"
    if lack := missing(tick.health.load_missing):
        first += f"; {lack}"
    if tick.server:
        first += f"; {server_text(tick)}"
    first += "".join(f"; {note}" for note in tick.manual_changes)
    first += "".join(f"; event {each.line}" for each in tick.events if each.end is None)
    return [first, *(f"    {flow.flow}: {_plain_row(flow)}" for flow in tick.flows if len(tick.flows) > 1)]


def server_text(tick: Tick) -> str:
    """The server's p95 beside the client's."""
    theirs = ", ".join(f"{each.name} {_time(each.p95)}" for each in tick.server)
    return f"p95 by the server: {theirs} (by the client: {_time(tick.pooled.p95)})"


def cut(text: str, width: int) -> str:
    """The text in at most so many columns."""
    return text if len(text) <= width else text[: width - 1] + "…"


def missing(load_missing: float) -> str:
    """How much of the load is missing, empty where that is next to nothing."""
    return f"{units.ratio(round(load_missing, 4))} of the load missing" if load_missing >= _SHOWN_FROM else ""


def _progress(tick: Tick, suite: str, width: int) -> Line:
    total = tick.elapsed + tick.remaining
    share = min(1.0, tick.elapsed / total) if total else 1.0
    left = f"{units.duration(round(tick.elapsed))} of {units.duration(round(total))}"
    if tick.remaining < 1:
        left = _draining(tick)
    title = cut(suite, max(8, width - _BAR - len(left) - 5))
    whole = max(0, min(_BAR, width - len(title) - len(left) - 5))
    full = round(share * whole)
    bar: Line = [("━" * full, "green"), ("━" * (whole - full), "bright_black")]
    return [(f" {title}  ", "bold"), *bar, (f"  {left}", "")]


def _draining(tick: Tick) -> str:
    """What a run waits for when its duration is over."""
    return f"draining: {units.counted(tick.pooled.vus, 'VU')} finishing, up to {units.duration(round(tick.grace))}"


def _row(flow: FlowNow, name: int, width: int) -> Line:
    vus = units.number(flow.vus)
    if flow.vus < flow.vus_requested:
        vus = f"{vus}/{units.number(flow.vus_requested)}"
    failing = "red" if flow.failure_rate else ""
    line: Line = [
        (f" {cut(flow.flow, name):<{name}}", "bold"),
        (f"  {vus:>11}  {units.number(flow.iterations):>10}", ""),
        (f"  {units.number(flow.requests_per_second):>7}  {_time(flow.p95):>8}", ""),
        (f"  {_share(flow.failure_rate):>7}  ", failing),
    ]
    if flow.dropped:
        line.append((f"{units.number(flow.dropped)} dropped  ", "red"))
    room = width - sum(len(text) for text, _ in line)
    return line + _gates(flow.gates, room, width >= _WORDS_FROM)


def _gates(gates: tuple[Verdict, ...], room: int, words: bool) -> Line:
    if len(gates) > room:
        outcomes = {verdict.outcome for verdict in gates}
        worst = next(o for o in (Outcome.RED, Outcome.INCONCLUSIVE, Outcome.GREEN) if o in outcomes)
        return [_MARKS[worst]]
    pieces = [_MARKS[verdict.outcome] for verdict in gates]
    broken = first_trouble(gates)
    if broken is not None and words and room - len(gates) > 12:
        pieces.append((cut(f" {broken.reason}", room - len(gates)), "red"))
    return pieces


def _health(tick: Tick, width: int) -> Line:
    health = tick.health
    lack = missing(health.load_missing)
    lag = f"event-loop lag p99 {units.duration(health.vitals.lag_p99)}"
    text = ", ".join(filter(None, (f" generator: {_cpu(health)}", lack, lag, units.size(health.vitals.memory))))
    return [(cut(text, width), "yellow" if lack or health.vitals.cpu_mean > 0.85 else "dim")]


def _cpu(health: Health) -> str:
    """Of several workers each one's CPU now, or where they are many the least and the most."""
    workers = health.workers
    if len(workers) < 2:
        return f"{units.ratio(health.vitals.cpu_mean)} of a core"
    if len(workers) <= _WORKERS_SHOWN:
        each = " + ".join(units.ratio(worker.vitals.cpu) for worker in workers)
    else:
        shares = sorted(worker.vitals.cpu for worker in workers)
        each = f"{units.ratio(shares[0])} to {units.ratio(shares[-1])}"
    return f"{len(workers)} workers at {each}"


def _plain_row(flow: FlowNow) -> str:
    text = (
        f"{units.counted(flow.vus, 'VU')}, {units.counted(flow.iterations, 'iteration')}, "
        f"{units.number(flow.requests_per_second)} req/s, p95 {_time(flow.p95)}, failed {_share(flow.failure_rate)}"
    )
    if flow.dropped:
        text += f", {units.number(flow.dropped)} dropped"
    broken = first_trouble(flow.gates)
    return f"{text}; gate broken so far: {broken.reason}" if broken else text


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else units.duration(seconds)


def _share(share: float | None) -> str:
    return "–" if share is None else units.ratio(share)
