"""The trace context on real connections, read by OpenTelemetry's own propagator."""

import ssl
from pathlib import Path

import h2_peer
import pytest
from h2_peer import Papers
from loaded import loaded
from opentelemetry.trace import SpanContext, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from planned import plan_of
from scripted_server import OK, Script, Stream, read_head, world

from vezaflow.metrics import Summary

pytestmark = pytest.mark.trio
FLOW = """
    load: {executor: per-vu-iterations, vus: 2, iterations: 5}
    steps: [{get: /a, name: a}, {post: /b, json: {x: 1}, name: b}]
"""


def context_of(carrier: dict[str, str]) -> SpanContext:
    return get_current_span(TraceContextTextMapPropagator().extract(carrier)).get_span_context()


async def traced(script: Script, *, tls: ssl.SSLContext | None = None, more: str = "") -> Summary:
    async with world(script, tls=tls) as w:
        suite = f"suite: test\nbase_url: {w.origin.scheme}://{w.origin.authority}\ntrace: {{every: 1}}\n{more}"
        _, summary = await loaded(plan_of(FLOW, suite=suite), w.transport)
        return summary


def check(found: list[SpanContext], summary: Summary) -> None:
    assert len(found) == 20
    assert all(each.is_valid and each.is_remote and each.trace_flags.sampled for each in found)
    assert len({each.trace_id for each in found}) == len({each.span_id for each in found}) == 20
    assert not any(each.trace_state for each in found)
    kept = {int(row.trace_id, 16) for row in summary.trace_rows()}
    assert len(kept) == 6
    assert kept <= {each.trace_id for each in found}


async def test_opentelemetry_reads_it_from_http_1_1() -> None:
    found = []

    async def script(stream: Stream) -> None:
        while head := await read_head(stream):
            lines = (line.partition(": ") for line in head.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:])
            found.append(context_of({name.lower(): value for name, _, value in lines}))
            await stream.send_all(OK)

    check(found, await traced(script))


async def test_opentelemetry_reads_it_from_http_2(tmp_path: Path) -> None:
    found = []

    async def script(stream: Stream) -> None:
        peer = h2_peer.Peer(stream)
        while request := await peer.request():
            found.append(context_of({name.decode(): value.decode() for name, value in request.fields}))
            await peer.respond(request)

    papers = Papers(tmp_path)
    check(found, await traced(script, tls=papers.server(), more="http: {version: 2}\ntls: {insecure: true}\n"))
