"""The slowest requests that have a trace, as every report shows them: so that one is found in Tempo or Jaeger."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from vezaflow.metrics import TraceRow
from vezaflow.model import TRACE_ID
from vezaflow.reports.rows import place_in_phase
from vezaflow.results import RunResult


@dataclass(frozen=True, slots=True)
class TraceCells:
    """A request. `url`: of its trace; empty: the suite says none."""

    row: TraceRow
    name: str
    response: str  # `200`, `503 status`, `timeout_wait`
    url: str


def trace_cells(result: RunResult) -> Iterator[TraceCells]:
    """The slowest first."""
    for row in result.summary.trace_rows():
        name = place_in_phase(row.phase, row.flow, row.step)
        response = " ".join(filter(None, (str(row.status) if row.status else "", row.error)))
        yield TraceCells(row, name, response, trace_url(result, row.flow, row.trace_id))


def trace_url(result: RunResult, flow: str, trace_id: str) -> str:
    """The URL of a trace, or empty where there is none, or none that a page may link to."""
    template = dict(result.trace_links).get(flow, "")
    url = template.replace(TRACE_ID, trace_id) if trace_id else ""
    return url if urlsplit(url).scheme in ("http", "https") else ""
