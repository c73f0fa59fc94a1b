"""Event stream steps as their user sees them: `try`, `run`, and what several workers count."""

import json

import pytest
from program import Write, vezaflow

from vezaflow.errors import ExitCode

pytestmark = pytest.mark.slow

FLOW = """
load: {vus: 4, duration: 1s}
steps:
  - sse: /api/v1/events?every=0.01
    name: feed
    sent: json("$.sent_at")
    do:
      - repeat: 3
        do:
          - receive: {where: message.event == "tick", within: 2s, extract: {number: $.number}}
      - log: event ${number}
gates:
  sse_connection_failures: rate < 1 %
  sse_event_failures: rate < 1 %
  sse_event_latency: p(95) < 50 ms
"""
RECONNECTS = FLOW.replace("    do:\n      - repeat: 3", "    reconnect: {max: 3}\n    do:\n      - repeat: 3")


def test_try_shows_events_with_their_times(suite: Write) -> None:
    done = vezaflow("try", suite(FLOW))
    assert done.code == 0, done.text
    lines = [line for line in done.out.splitlines() if line.startswith("▶")]
    assert lines[0].startswith("▶ feed  ")
    assert "› Accept: text/event-stream" in done.out
    shown = [line for line in lines if line.startswith("▶ ←")]
    assert shown[0].startswith('▶ ← tick #1: {"number":1,"sent_at":')
    assert all("   +" in line and line.endswith("s") for line in shown)
    assert "▶ set number = 3" in lines
    assert "▶ event 3" in lines
    assert lines[-1] == "▶ vezaflow closed the event stream"
    assert done.out.endswith("1 request, all as expected\n")


def test_what_is_no_event_stream_is_drawn_where_it_is_written(suite: Write) -> None:
    done = vezaflow("try", suite(FLOW.replace("/api/v1/events?every=0.01", "/api/v1/tracks")))
    assert done.code == 99
    assert "the response has the Content-Type 'application/json', and not text/event-stream" in done.text
    assert "- sse: /api/v1/tracks" in done.text


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_reports_what_came(suite: Write, workers: str) -> None:
    folder = suite(FLOW)
    done = vezaflow("run", folder, "--workers", workers, "--summary", folder / "summary.json", "--quiet")
    assert done.code == 0, done.text
    record = json.loads((folder / "summary.json").read_text())
    assert {gate["outcome"] for gate in record["gates"]} == {"green"}
    (row,) = record["streams"]
    assert (row["flow"], row["step"], row["phase"]) == ("flow", "feed", "iteration")
    assert row["sse_streams"] >= 4
    assert row["sse_events"] >= 3 * 4
    assert row["sse_event_latency"]["count"] == row["sse_events"]
    assert row["sse_connecting"]["count"] == row["sse_streams"]
    assert row["sse_unexpected_ends"] == {}
    assert "Event streams" in done.text


def test_a_stream_that_ends_too_early_turns_the_run_red_unless_it_is_opened_again(suite: Write) -> None:
    done = vezaflow("run", suite(FLOW), "--sandbox", "--sse-close-events", "2", "--quiet")
    assert done.code == ExitCode.RED, done.text
    assert "ended (closed)" in done.text
    done = vezaflow("run", suite(RECONNECTS), "--sandbox", "--sse-close-events", "2", "--quiet")
    assert done.code == 0, done.text
    assert "ended (closed)" in done.text


def test_events_that_are_sent_late_turn_the_run_red(suite: Write) -> None:
    done = vezaflow("run", suite(FLOW), "--sandbox", "--sse-delay", "80ms", "--quiet")
    assert done.code == ExitCode.RED, done.text
    assert "RED: 1 gate broke" in done.text
