"""Event streams: what opens one, and how it is opened again."""

from dataclasses import replace

from vezaflow.keys import EVENT_STREAM_PARTS
from vezaflow.model import OpenEventStream, Reconnect, Step
from vezaflow.read.mappings import Row, sub_mapping
from vezaflow.read.requests import read_request
from vezaflow.read.trees import check_name
from vezaflow.syntax import Literal, Scalar

_TABLES = {table.name: table for table in EVENT_STREAM_PARTS}
_USUAL = (("Accept", "text/event-stream"), ("Cache-Control", "no-cache"))  # as browsers send (HTML, 9.2.3)


def read_event_stream(row: Row, steps: tuple[Step, ...]) -> OpenEventStream:
    """The step; `steps` are those under its `do`."""
    request = read_request(row, "get", "sse")
    url = row.entries["sse"].value
    headers = request.options.headers
    written = {name.lower() for name, _ in headers}
    usual = ((name, Literal(value, url.span)) for name, value in _USUAL if name.lower() not in written)
    request = replace(
        request,
        name=request.name if request.named else " ".join(url.span.text.strip("\"'").split()),
        options=replace(request.options, headers=(*usual, *headers)),
        streams=True,
    )
    alias, alias_node = row.text("as"), row.node("as")
    if isinstance(alias_node, Scalar):
        check_name(alias_node, row.diagnostics)
    return OpenEventStream(
        request=request,
        alias=alias,
        max_event=row.expression("max_event"),
        sent=row.expression("sent"),
        reconnect=_reconnect(row),
        steps=steps,
        span=row.key_span("sse"),
    )


def _reconnect(row: Row) -> Reconnect | None:
    inner = sub_mapping(row, "reconnect", _TABLES["stream reconnect"])
    if inner is None:
        return None
    return Reconnect(inner.expression("max"), inner.expression("wait"), row.key_span("reconnect"))
