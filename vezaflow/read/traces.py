"""`trace` of a suite or a flow.

In the link `${trace_id}` is no variable: it stays as it is written until a report knows the id.
"""

from dataclasses import replace

from vezaflow.diagnostics import Diagnostics
from vezaflow.keys import TRACE
from vezaflow.model import TRACE_ID, Tracing
from vezaflow.read.mappings import Row, sub_mapping
from vezaflow.syntax import Expression, Literal, Name, Template


def read_trace(row: Row) -> Tracing | None:
    """The settings under `trace`; None if there are none."""
    inner = sub_mapping(row, "trace", TRACE)
    if inner is None:
        return None
    link = inner.expression("link")
    return Tracing(inner.expression("every"), None if link is None else _kept(link, row.diagnostics), inner.span)


def _kept(link: Expression, diagnostics: Diagnostics) -> Expression:
    """The link with the id's place as text."""
    parts = link.parts if isinstance(link, Template) else (link,)
    kept = tuple(
        Literal(TRACE_ID, part.span) if isinstance(part, Name) and part.name == "trace_id" else part for part in parts
    )
    if kept == parts:
        diagnostics.error(
            "VF702",
            link.span,
            "the link does not say where the trace's id goes",
            help=f"write `{TRACE_ID}` there, as in http://127.0.0.1:16686/trace/{TRACE_ID}",
        )
    return replace(link, parts=kept) if isinstance(link, Template) else kept[0]
