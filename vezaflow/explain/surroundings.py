"""What happens beside the load, in an explanation: pages that are audited, whom figures come from, where they go.

Each part of a plan's surroundings is on the page and in the document: by its title, and by its key. Of a URL only the
origin is shown, since its path or its query may be what lets one post there.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from vezaflow import units
from vezaflow.audit import Tool
from vezaflow.explain.amount import amount_of
from vezaflow.explain.explained import Explanation
from vezaflow.model import AuditMoment
from vezaflow.observe import EVERY
from vezaflow.plan import (
    PlannedAudit,
    PlannedEvent,
    PlannedHAProxy,
    PlannedOutput,
    PlannedProfile,
)
from vezaflow.reports import Look, wrapped

Json = dict[str, Any]
_WHEN = {AuditMoment.DURING: "during the load, from its start on"}


def events_of(e: Explanation, look: Look) -> Iterator[str]:
    """When each happens, what is done, and whether it is undone."""
    if e.plan.events:
        yield look.title("Events")
    for event in e.plan.events:
        yield from wrapped(f"{event.name}: {_event(event)}", look, "  ")


def audits_of(e: Explanation, look: Look) -> Iterator[str]:
    """Which pages are audited, when and how often, by which gates; and what that takes."""
    if not e.plan.audits:
        return
    yield look.title("Pages audited")
    for audit in e.plan.audits:
        yield from wrapped(f"{audit.name}: {_when(audit)}, {_runs(audit)}", look, "  ")
        if login := _login(audit):
            yield from wrapped(f"login: {units.counted(login, 'request')}, once, at least", look, "    ")
        for page, forecast in audit.visits:
            yield from wrapped(f"{page.name}: {forecast.url}", look, "    ")
        for gate in audit.gates:
            yield from wrapped(f"gate {gate.text}", look, "    ")
        if not audit.gates:
            yield "    no gates: the pages are only shown"
    for tool in e.tools.all if e.tools is not None else ():
        yield from wrapped(f"needs {_tool(tool)}", look, "  ", partial(_toned, look, tool))
        if tool.problem:
            yield from wrapped(f"to fix: {tool.remedy}", look, "    ")


def reports_to(e: Explanation, look: Look) -> Iterator[str]:
    """Who hears of the run."""
    found = tuple(e.plan.announcements.listeners())
    if found:
        yield look.title("Reports to")
    for kind, origin, of, form in found:
        yield from wrapped(f"{kind} {origin.scheme}://{origin.authority} ({form}): {', '.join(of)}", look, "  ")


def reads_from(e: Explanation, look: Look) -> Iterator[str]:
    """Who is asked for the server's own figures, and when."""
    prometheus = e.plan.observe
    if prometheus is not None:
        yield look.title("Reads the server's figures from")
        names = ", ".join(each.metric.name for each in prometheus.metrics)
        when = f"after the load, and every {units.duration(EVERY)} for the display"
        yield from wrapped(f"prometheus {prometheus.base.url}, {when}: {names}", look, "  ")


def sends_to(e: Explanation, look: Look) -> Iterator[str]:
    """Where the figures go while the run is in progress."""
    if e.plan.outputs:
        yield look.title("Sends its figures to")
    for output in e.plan.outputs:
        yield from wrapped(f"{output.name} {_aim(output)}, {_often(output)}", look, "  ")


def surroundings_to_json(e: Explanation) -> Json:
    """The keys of all that, as the document has them."""
    plan = e.plan
    return {
        "events": [_event_to_json(event) for event in plan.events],
        "audits": [_audit_to_json(audit) for audit in plan.audits],
        "audit_needs": [_tool_to_json(tool) for tool in (e.tools.all if e.tools is not None else ())],
        "reports_to": [
            {
                "kind": told.kind,
                "scheme": told.origin.scheme,
                "host": told.origin.host,
                "port": told.origin.port,
                "of": list(told.of),
                "form": told.form,
            }
            for told in plan.announcements.listeners()
        ],
        "reads_from": _reads_from(e),
        "sends_to": [_output_to_json(output) for output in plan.outputs],
    }


def _event(event: PlannedEvent) -> str:
    if event.at is not None:
        when = f"at {units.duration(event.at)}"
    elif event.on_red:
        when = "at the end, if a gate is broken"
    else:
        when = "by `vezaflow mark`" if event.every is None else f"every {units.duration(event.every)}"
    lasts = f", for {units.duration(event.lasts)}" if event.lasts is not None else ""
    if isinstance(event.action, PlannedProfile) and event.action.seconds:
        lasts += f", for {units.duration(event.action.seconds)}"
    address = _address(event)
    where = f" at {address}" if address is not None else ""
    return f"{when}{lasts}, {event.action.kind.value}{where}{', then undone' if event.undone else ''}"


def _address(event: PlannedEvent) -> str | None:
    """Of HAProxy's runtime API: the path of its socket, or host:port."""
    match event.action:
        case PlannedHAProxy(address=str(path)):
            return path
        case PlannedHAProxy(address=(host, port)):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:
            return None


def _when(audit: PlannedAudit) -> str:
    assert audit.moment is not None
    return _WHEN.get(audit.moment, f"{audit.moment.value} the load")


def _runs(audit: PlannedAudit) -> str:
    pages, runs = units.counted(len(audit.pages), "page"), units.counted(audit.runs, "run")
    return f"{pages}, {runs} of each ({audit.form_factor.value}, at most {units.duration(audit.timeout)} a run)"


def _login(audit: PlannedAudit) -> int:
    return sum(amount_of(flow.login).requests for flow in audit.plan.flows)


def _tool(tool: Tool) -> str:
    if tool.problem:
        return f"{tool.name}, but {tool.problem}"
    return f"{tool.name} {tool.version}".rstrip() + f": {tool.path}"


def _toned(look: Look, tool: Tool, line: str) -> str:
    return look.paint(line, "1;31") if tool.problem else line


def _aim(output: PlannedOutput) -> str:
    if output.target is not None:
        return f"{output.target.origin.scheme}://{output.target.origin.authority}"
    if output.file is None:
        return output.aim
    return "standard output" if output.file == "-" else output.file


def _often(output: PlannedOutput) -> str:
    if output.samples:
        return f"every request, in at most {units.counted(output.files, 'file')} of {units.size(output.most)}"
    return f"every {units.duration(output.every)}"


def _reads_from(e: Explanation) -> Json | None:
    prometheus = e.plan.observe
    if prometheus is None:
        return None
    origin = prometheus.base.origin
    names = [each.metric.name for each in prometheus.metrics]
    return {"scheme": origin.scheme, "host": origin.host, "port": origin.port, "metrics": names, "every": EVERY}


def _event_to_json(event: PlannedEvent) -> Json:
    profile = event.action if isinstance(event.action, PlannedProfile) else None
    return {
        "name": event.name,
        "at": event.at,
        "every": event.every,
        "for": event.lasts,
        "window": event.window,
        "kind": event.action.kind.value,
        "address": _address(event),
        "profile_seconds": None if profile is None else profile.seconds,
        "on_red": event.on_red,
        "undone": event.undone,
    }


def _audit_to_json(audit: PlannedAudit) -> Json:
    return {
        "audit": audit.name,
        "when": None if audit.moment is None else audit.moment.value,
        "pages": [{"page": page.name, "url": forecast.url} for page, forecast in audit.visits],
        "login_requests": _login(audit),
        "runs": audit.runs,
        "form_factor": audit.form_factor.value,
        "timeout": audit.timeout,
        "gates": [gate.text for gate in audit.gates],
    }


def _tool_to_json(tool: Tool) -> Json:
    return {
        "name": tool.name,
        "path": tool.path,
        "version": tool.version,
        "problem": tool.problem,
        "remedy": tool.remedy,
    }


def _output_to_json(output: PlannedOutput) -> Json:
    origin = output.target.origin if output.target is not None else None
    return {
        "output": output.name,
        "file": output.file,
        "scheme": origin.scheme if origin is not None else None,
        "host": origin.host if origin is not None else output.host or None,
        "port": origin.port if origin is not None else output.port or None,
        "every": None if output.samples else output.every,
        "samples": output.samples,
    }
