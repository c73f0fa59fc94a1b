"""An Explanation for people: whether it may start, the load over time, each flow, and what it needs.

Text only: with `colour` a terminal's colours. No line is wider than `width`, but for the author's own words.
"""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import inf

from vezaflow import units
from vezaflow.explain.amount import Amount
from vezaflow.explain.data_sources import Lasts, data_source_words
from vezaflow.explain.drawing import load_over_time
from vezaflow.explain.explained import Explanation, FlowExplained, request_rate, sent_rate
from vezaflow.explain.machines import machines_of
from vezaflow.explain.requests import Way
from vezaflow.explain.surroundings import audits_of, events_of, reads_from, reports_to, sends_to
from vezaflow.explain.words import load_words
from vezaflow.limits import Enough
from vezaflow.model import Executor
from vezaflow.reports import DIM, Look, table, wrapped

_LABEL = 11
_TONES = {Enough.YES: "32", Enough.CLOSE: "33", Enough.NO: "1;31"}


def page(explanation: Explanation, *, colour: bool = False, width: int = 100) -> str:
    """The whole page, its lines ended."""
    look = Look(colour, width)
    parts: tuple[Callable[[Explanation, Look], Iterable[str]], ...] = (
        _headline, load_over_time, _flows, _data, _around, events_of, audits_of, _hosts, reports_to, reads_from,
        sends_to, machines_of, _machine,
    )  # fmt: skip
    blocks = [list(part(explanation, look)) for part in parts]
    return "\n".join("\n".join(line.rstrip() for line in block) + "\n" for block in blocks if block)


def _headline(e: Explanation, look: Look) -> Iterator[str]:
    plan = e.plan
    words, tone = _may_start(e)
    yield from wrapped(f"{plan.suite} {words}", look, "", lambda line: look.paint(line, tone))
    for line in textwrap.wrap(plan.description, look.width - 2):
        yield f"  {look.paint(line, DIM)}"
    yield ""
    for label, text in _whole(e):
        yield from _row(label, text, look)


def _may_start(e: Explanation) -> tuple[str, str]:
    if e.refused is not None:
        return f"would be refused: {e.why}, see below", _TONES[Enough.NO]
    if any(list(each.warnings) for each in e.machines):
        return "ready to run, but not without warnings of its machines, see below", _TONES[Enough.CLOSE]
    if any(check.remedy for check in e.limits):
        return "ready to run, but close to the limits of this machine, see below", _TONES[Enough.CLOSE]
    return "ready to run", "1;32"


def _whole(e: Explanation) -> Iterator[tuple[str, str]]:
    plan, division = e.plan, e.division
    grace = plan.cut_off - plan.seconds
    drain = f", then up to {units.duration(grace)} of graceful stop" if grace else ""
    yield "duration", units.duration(plan.seconds) + drain
    parts = [f"segment {division.segment}"] if division.segment.count > 1 else []
    parts += [units.counted(division.workers, "worker")] if division.workers > 1 else []
    parts += [f"on {units.counted(len(e.machines), 'machine')}"] if e.machines else []
    shared = f" ({', '.join(parts)})" if parts else ""
    yield "load", f"{units.counted(len(e.flows), 'flow')}, {units.counted(e.vus, 'VU')} at most{shared}"
    yield "at least", f"{units.counted(e.requests, 'request')}, {units.size(e.sent)} sent"
    if (rates := _rates(e.rate, e.request_rate, e.sent_rate)) is not None:
        yield "at most", rates
    if plan.shown_inputs:
        yield "inputs", ", ".join(f"{name}={value}" for name, value in plan.shown_inputs)


def _flows(e: Explanation, look: Look) -> Iterator[str]:
    yield look.title("Flows") + look.paint(" (upper bounds: as if responses took no time)", DIM)
    for number, flow in enumerate(e.flows):
        if number:
            yield ""
        yield from wrapped(f"{flow.name}: {load_words(flow, e.division.segment)}", look, "  ", look.title)
        for label, text in _of_flow(flow):
            yield from _row(label, text, look)
    if e.gates:
        yield ""
        yield look.title("  all flows together")
        for label, text in _list("gates", e.gates):
            yield from _row(label, text, look)


def _of_flow(flow: FlowExplained) -> Iterator[tuple[str, str]]:
    yield "iteration", _iteration(flow.iteration)
    rates = _rates(flow.rate, request_rate(flow), sent_rate(flow))
    yield "at most", rates or "limited only by the target: there is no pause"
    if flow.resting > flow.max_vus:
        most = units.counted(flow.max_vus, "VU")
        yield "too few", f"{most} at most: pauses alone need {flow.resting:,}, so iterations will be dropped"
    yield "total", _in_all(flow)
    yield from _list("connects", _connects(flow))
    if flow.traced:
        yield "traced", f"one of {flow.traced:,} requests" if flow.traced > 1 else "every request"
    yield from _list("opens", _opened(flow))
    yield from _list("listens", (f"{each.step}: {each.what}" for each in flow.listens))
    if once := _named((("login", flow.login), ("finally", flow.final))):
        yield "each VU", f"once, at least: {once}"
    kept = [f"{kept.what} of {kept.step}: {', '.join(kept.why)}" for kept in flow.kept]
    yield from _list("keeps", kept or ["no response data, only metrics"])
    yield from _list("mix", flow.mix)
    yield from _list("gates", flow.gates or ["none: nothing is checked"])
    if flow.unwatched:
        yield "no gate on", "dropped_iterations: if the target stalls, the run is inconclusive, not red"
    if flow.judged:
        yield "judged", flow.judged


def _connects(flow: FlowExplained) -> Iterator[str]:
    if flow.connections.most > 1:
        yield f"up to {flow.connections.most} connections per VU at the same time"
    yield from _ways(flow.ways)


def _opened(flow: FlowExplained) -> Iterator[str]:
    names: dict[str, list[str]] = {}
    for opened in flow.opened:
        names.setdefault(opened.what, []).append(opened.step)
    return (f"{units.counted(len(steps), what)}: {', '.join(steps)}" for what, steps in names.items())


def _ways(ways: Iterable[Way]) -> Iterator[str]:
    return (f"{way.step}: {', '.join(way.words)}" for way in ways)


def _list(label: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(texts):
        yield "" if number else label, text


def _iteration(amount: Amount) -> str:
    count = units.counted(amount.requests, "request")
    if amount.most == inf:
        requests = f"at least {count}, more depending on the responses"
    elif amount.most > amount.requests:
        requests = f"{amount.requests:,} to {units.counted(int(amount.most), 'request')}"
    else:
        requests = count
    pause = f", {units.duration(amount.pause)} of pauses" if amount.pause else ""
    return f"{requests}; at least {units.size(amount.sent)} sent{pause}"


def _rates(iterations: float | None, requests: float | None, sent: float | None) -> str | None:
    if iterations is None or sent is None:
        return None
    counts = f", {units.number(requests)} requests/s" if requests is not None else ""
    return f"{units.number(iterations)} iterations/s{counts}, sending at least {units.size(sent)}/s"


def _in_all(flow: FlowExplained) -> str:
    amounts = f"at least {units.counted(flow.requests, 'request')}, {units.size(flow.sent)} sent"
    count = units.counted(flow.iterations, "iteration")
    if flow.lacks and flow.iterations == flow.iterations_most:
        return f"{count}, then '{flow.lacks}' is exhausted: {amounts}"
    if flow.load.is_open:
        return f"{count} scheduled: {amounts}"
    if flow.iterations == flow.iterations_most:
        return f"{count}: {amounts}"
    if not flow.iterations:
        by_hand = flow.load.executor is Executor.EXTERNALLY_CONTROLLED
        return "depends on `vezaflow scale`" if by_hand else "limited by its data, see below"
    most = "" if flow.iterations_most is None else f"; at most {units.counted(flow.iterations_most, 'iteration')}"
    lack = f", then '{flow.lacks}' is exhausted" if flow.lacks and most else ""
    return f"{amounts}, in each VU's first iteration{most}{lack}"


def _data(e: Explanation, look: Look) -> Iterator[str]:
    if e.data_sources:
        yield look.title("Data")
    for found in e.data_sources:
        what, reach = data_source_words(found, e.division.segment)
        yield from wrapped(what, look, "  ")
        yield from wrapped(reach, look, "    ", str if found.lasts is Lasts.YES else partial(_doubtful, look))


def _doubtful(look: Look, line: str) -> str:
    return look.paint(line, _TONES[Enough.CLOSE])


def _around(e: Explanation, look: Look) -> Iterator[str]:
    around = (("preflight", e.around.preflight), ("setup", e.around.setup), ("teardown", e.around.teardown))
    if once := _named(around):
        yield look.title("Setup, login, teardown") + look.paint(" (once; lower bounds)", DIM)
        yield f"  {once}"
    for line in _ways(e.around.ways):
        yield from wrapped(line, look, "  ")


def _named(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {units.counted(count, 'request')}" for name, count in counts if count)


def _hosts(e: Explanation, look: Look) -> Iterator[str]:
    yield look.title("Hosts")
    for host in e.hosts:
        why = host.allowed if host.allowed == "loopback" else f"allowed by {host.allowed}"
        text = f"{host.origin.scheme}://{host.origin.authority} ({why}): {', '.join(host.by)}"
        yield from wrapped(text, look, "  ")
    if e.led:
        allowed = ", ".join(("loopback", *e.plan.targets.allow))
        yield from wrapped(f"URLs only known at run time, checked by the guard ({allowed}):", look, "  ")
        for step, url in e.led:
            yield from wrapped(f"{step}: {url}", look, "    ")


def _machine(e: Explanation, look: Look) -> Iterator[str]:
    if e.machines:
        return
    yield look.title("This machine")
    if not e.limits:
        yield "  does not report its limits"
        return
    rows = [(c.label, c.show(c.needed), c.show(c.there), c.enough.value) for c in e.limits]
    lines = table(("", "needed", "available", ""), rows, look)
    yield next(lines)
    for check, line in zip(e.limits, lines, strict=True):
        yield look.paint(line, _TONES[check.enough]) if check.remedy else line
        if check.remedy:
            yield from wrapped(f"to fix: {check.remedy}", look, "    ")


def _row(label: str, text: str, look: Look) -> Iterator[str]:
    """A label, and what there is to say, which stays beside it."""
    first, *rest = textwrap.wrap(text, max(20, look.width - _LABEL - 4), break_long_words=False, break_on_hyphens=False)
    yield f"    {look.paint(f'{label:<{_LABEL}}', DIM)}{first}"
    yield from (f"    {'':<{_LABEL}}{line}" for line in rest)
