"""WebSocket steps against the `websockets` package's server: over TLS, at the same time, cut off, and slow."""

import json
import ssl
from typing import Any

import pytest
import trio
import trustme
from planned import plan_of
from websockets.asyncio.server import ServerConnection
from ws_peer import Handler, echo, ws_server

from vezaflow.engine import RunEngine
from vezaflow.metrics import Recorder, Summary
from vezaflow.protocols import Transport

pytestmark = [pytest.mark.trio, pytest.mark.slow]
ONCE = "load: {executor: per-vu-iterations, vus: 3, iterations: 1}\n"
ACK = 'ack: {where: json("$.id") == sent.id, within: 1s}'


async def ran(steps: str, handler: Handler = echo, load: str = ONCE, **more: Any) -> tuple[RunEngine, Summary]:
    """A flow against a server with this handler."""
    with ws_server(handler, **more) as origin:
        plan = plan_of(f"{load}base_url: {origin.scheme}://localhost:{origin.port}\n{steps}")
        transport = Transport()
        recorder = Recorder(transport.reactor.clock())
        engine = RunEngine(plan, recorder=recorder, client=transport.client, clock=transport.reactor.clock)
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.run)
            await nursery.start(engine.wheel.run)
            await engine.load(transport.reactor.clock())
            nursery.cancel_scope.cancel()
        recorder.fold(transport.reactor.clock())
    return engine, recorder.snapshot()


def count(summary: Summary, metric: str, **labels: str) -> float:
    return summary.select(metric, labels=tuple(labels.items())).aggregate("count") or 0


async def test_messages_come_back_and_are_timed() -> None:
    steps = f"""steps:
  - websocket: /
    do:
      - repeat: 20
        do: [{{send: {{json: {{id: "${{uuid()}}"}}}}, {ACK}}}]
      - send: {{bytes: AAEC}}
      - receive: {{where: 'size() == 3', within: 5s}}
      - ping: {{}}
"""
    engine, summary = await ran(steps)
    assert [incident.message for incident in engine.incidents.items] == []
    assert count(summary, "ws_sessions") == 3
    assert summary.select("ws_delivered").aggregate("rate") == 1
    assert summary.select("ws_delivered").samples == 60
    assert 0 < (summary.select("ws_message_latency").aggregate("max") or 0) < 1
    assert count(summary, "ws_ping") == 3
    assert count(summary, "ws_msgs_received") == 63


async def test_bytes_are_those_of_frames_before_tls() -> None:
    moved = []
    for times in (1, 11):
        steps = f"steps: [{{websocket: /, do: [{{repeat: {times}, do: [{{send: hello}}, {{receive: {{}}}}]}}]}}]\n"
        _, summary = await ran(steps, load="load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n")
        moved.append((count(summary, "data_sent"), count(summary, "data_received")))
    (sent, received), more = moved
    assert min(sent, received) > 100, "the upgrade is in it"
    assert (more[0] - sent, more[1] - received) == (10 * (2 + 4 + 5), 10 * (2 + 5))  # headers, masks, texts


async def test_over_tls_with_compression_and_a_subprotocol() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    steps = """tls: {insecure: true}
steps:
  - websocket: /
    compress: true
    subprotocols: [chat.v2, chat.v1]
    do:
      - send: hello
      - receive: {where: message == "hello"}
"""
    engine, summary = await ran(steps, tls=context, compression="deflate", subprotocols=["chat.v1"])
    assert [incident.message for incident in engine.incidents.items] == []
    assert count(summary, "ws_msgs_received") == 3


async def test_branches_at_the_same_time_each_hold_one() -> None:
    steps = """steps:
  - parallel:
      - websocket: /one
        name: one
        do: [{send: a}, {receive: {}}]
      - websocket: /two
        name: two
        do: [{send: b}, {receive: {}}]
"""
    engine, summary = await ran(steps)
    assert [incident.message for incident in engine.incidents.items] == []
    assert (count(summary, "ws_sessions", step="one"), count(summary, "ws_sessions", step="two")) == (3, 3)


async def test_a_server_that_closes_is_met_with_its_code() -> None:
    async def leaves(peer: ServerConnection) -> None:
        await peer.recv()
        await peer.close(4003, "enough")

    engine, summary = await ran("steps: [{websocket: /, do: [{send: a}, {receive: {within: 5s}}]}]\n", leaves)
    assert count(summary, "ws_unexpected_closes", code="4003") == 3
    (incident,) = engine.incidents.items
    assert incident.message == "the server closed the WebSocket (code 4003: enough)"


async def test_a_connection_that_breaks_is_closed_with_1006() -> None:
    async def breaks(peer: ServerConnection) -> None:
        await peer.recv()
        peer.transport.abort()

    _, summary = await ran("steps: [{websocket: /, do: [{send: a}, {receive: {within: 5s}}]}]\n", breaks)
    assert count(summary, "ws_unexpected_closes", code="1006") == 3


async def test_a_message_over_the_limit_ends_it() -> None:
    async def much(peer: ServerConnection) -> None:
        await peer.send("x" * 5000)
        await peer.wait_closed()

    steps = "steps: [{websocket: /, max_message: 4 KiB, do: [{receive: {within: 5s}}]}]\n"
    _, summary = await ran(steps, much)
    assert count(summary, "ws_unexpected_closes", code="1009") == 3
    assert count(summary, "ws_message_failures", error="too_large") == 3


async def test_what_is_held_at_the_end_of_the_run_is_cut_off_without_a_failure() -> None:
    heard: list[str] = []

    async def listens(peer: ServerConnection) -> None:
        heard.append(json.loads(await peer.recv())["id"])
        await peer.wait_closed()

    load = "load: {vus: 2, duration: 300ms, graceful_stop: 0s}\n"
    steps = f"steps: [{{websocket: /, do: [{{send: {{json: {{id: x}}}}, {ACK}}}, {{think: 60s}}]}}]\n"
    engine, summary = await ran(steps, listens, load)
    assert heard == ["x", "x"]
    assert engine.incidents.items == ()
    assert summary.select("ws_delivered").samples == 0
    assert count(summary, "ws_unexpected_closes") == 0
    assert count(summary, "ws_session_duration") == 2
