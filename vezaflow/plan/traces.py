"""Which requests of a flow carry a trace context, planned."""

from dataclasses import dataclass

from vezaflow.model import Tracing
from vezaflow.plan.compiled import UNKNOWN
from vezaflow.plan.rendering import render
from vezaflow.plan.settings import Settings

EVERY = 100  # requests of which one is traced, where nothing else is said


@dataclass(frozen=True, slots=True)
class PlannedTrace:
    """One of `every` requests has a trace. `link`: the URL of a trace, with TRACE_ID in it; empty: there is none."""

    every: int
    link: str = ""


def plan_trace(flow: Tracing | None, suite: Tracing | None, settings: Settings) -> PlannedTrace | None:
    """A flow's, what it leaves out its suite's; None: nothing is traced."""
    layers = [layer for layer in (flow, suite) if layer is not None]
    if not layers:
        return None
    written = next((layer.every for layer in layers if layer.every is not None), None)
    every = EVERY if written is None else settings.count(written, least=0)
    found = next((layer.link for layer in layers if layer.link is not None), None)
    link = UNKNOWN if found is None else settings.value(found)
    return PlannedTrace(every, "" if link is UNKNOWN or link is None else render(link).strip()) if every else None
