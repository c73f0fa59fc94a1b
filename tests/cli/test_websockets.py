"""WebSocket steps as their user sees them: `try`, `run`, and what several workers count."""

import json

import pytest
from program import Write, vezaflow

from vezaflow.errors import ExitCode

pytestmark = pytest.mark.slow

ACK = 'ack: {where: json("$.type") == "ack" and json("$.id") == sent.id, within: 1s}'
FLOW = f"""
load: {{vus: 4, duration: 1s}}
steps:
  - websocket: /api/v1/ws
    name: chat
    query: {{room: "${{vu}}"}}
    do:
      - send: {{json: {{id: "${{uuid()}}", text: hello}}}}
        {ACK}
      - think: 50ms
      - send: {{json: {{type: ping}}}}
      - receive: {{where: json("$.type") == "pong", within: 2s, extract: {{kind: $.type}}}}
      - log: a ${{kind}}
      - ping: {{within: 1s}}
gates:
  ws_connection_failures: rate < 1 %
  ws_delivered: rate > 99 %
"""


def test_try_shows_messages_both_ways_with_their_times(suite: Write) -> None:
    done = vezaflow("try", suite(FLOW))
    assert done.code == 0, done.text
    lines = [line for line in done.out.splitlines() if line.startswith("▶")]
    assert lines[0].startswith("▶ chat  ")
    assert "101 Switching Protocols" in done.out
    shown = [line for line in lines if line.startswith(("▶ →", "▶ ←"))]
    assert [line[2] for line in shown] == ["→", "←", "→", "←"]
    assert all("   +" in line and line.endswith("s") for line in shown)
    assert '▶ set kind = "pong"' in lines
    assert "▶ a pong" in lines
    assert lines[-1] == "▶ vezaflow closed the WebSocket (code 1000)"
    assert done.out.endswith("1 request, all as expected\n")


def test_a_refusal_is_drawn_where_it_is_written(suite: Write) -> None:
    done = vezaflow("try", suite(FLOW.replace("/api/v1/ws", "/api/v1/tracks")))
    assert done.code == 99
    assert "the response to the upgrade has status" in done.text
    assert "- websocket: /api/v1/tracks" in done.text


def test_a_message_without_an_ack_is_drawn_where_it_is_written(suite: Write) -> None:
    lost = FLOW.replace('json("$.id") == sent.id, within: 1s', 'json("$.id") == "another", within: 20ms')
    done = vezaflow("try", suite(lost))
    assert done.code == 99
    assert "a message was not acknowledged within 20 ms" in done.text
    assert "^^^" in done.text


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_reports_what_was_delivered(suite: Write, workers: str) -> None:
    folder = suite(FLOW)
    done = vezaflow("run", folder, "--workers", workers, "--summary", folder / "summary.json", "--quiet")
    assert done.code in (0, ExitCode.INCONCLUSIVE), done.text  # a busy machine may miss some of the load
    record = json.loads((folder / "summary.json").read_text())
    assert {gate["gate"]: gate["outcome"] for gate in record["gates"]} == {
        "ws_connection_failures: rate < 1 %": "green",
        "ws_delivered: rate > 99 %": "green",
    }
    (row,) = record["channels"]
    assert (row["flow"], row["step"], row["phase"]) == ("flow", "chat", "iteration")
    assert row["ws_delivered"] == 1
    assert row["expected"] >= 4
    assert row["ws_sessions"] >= 4
    assert row["ws_msgs_sent"] == pytest.approx(2 * row["expected"], abs=4)
    assert row["ws_message_latency"]["p95"] < 0.5
    assert row["ws_ping"]["count"] >= 4
    assert "WebSockets" in done.text


NAMES = ("ws_msgs_sent", "ws_msgs_received", "expected", "ws_delivered", "lost", "duplicated")
ROOMS = """
load: {executor: per-vu-iterations, vus: 12, iterations: 1}
steps:
  - websocket: /api/v1/ws
    name: chat
    query: {room: "room-${mod(vu, 2)}"}
    room: room-${mod(vu, 2)}
    do:
      - think: 1s
      - repeat: 10
        do:
          - send: {json: {id: "${uuid()}", text: hello}}
            deliver: {where: json("$.type") == "message" and json("$.id") == sent.id, within: 2s}
          - think: 20ms..60ms
      - think: 1s
gates: {ws_delivered: rate > 99 %}
"""


def test_each_member_of_a_room_is_counted_whatever_worker_it_is_in(suite: Write) -> None:
    folder = suite(ROOMS)
    rows = []
    for workers in ("1", "3"):
        done = vezaflow("run", folder, "--workers", workers, "--summary", folder / "summary.json", "--quiet")
        assert done.code in (0, ExitCode.INCONCLUSIVE), done.text
        (row,) = json.loads((folder / "summary.json").read_text())["channels"]
        rows.append({name: row[name] for name in NAMES})
    assert rows[0] == rows[1]
    assert (rows[0]["ws_msgs_sent"], rows[0]["expected"], rows[0]["ws_delivered"]) == (120, 600, 1)
