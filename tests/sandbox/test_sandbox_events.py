"""The sandbox's event stream, as httpx-sse's client sees it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from httpx_sse import ServerSentEvent, connect_sse

from vezaflow.errors import VezaflowError
from vezaflow.sandbox import Sandbox, SandboxSettings, start


@contextmanager
def listening(sandbox: Sandbox, query: str = "?every=0.01", last: str = "") -> Iterator[Iterator[ServerSentEvent]]:
    headers = {"Last-Event-ID": last} if last else {}
    with httpx.Client(timeout=5, trust_env=False) as client:
        url = f"{sandbox.base_url}/api/v1/events{query}"
        with connect_sse(client, "GET", url, headers=headers) as source:
            yield (event for event in source.iter_sse() if event.data)


def test_events_are_numbered_and_say_when_they_were_sent(sandbox: Sandbox) -> None:
    with listening(sandbox) as events:
        found = [next(events) for _ in range(12)]
    assert [event.id for event in found] == [str(number) for number in range(1, 13)]
    assert {event.event for event in found} == {"tick"}
    record = json.loads(found[0].data)
    assert record["number"] == 1
    assert abs(time.time() * 1000 - record["sent_at"]) < 5000


def test_it_continues_after_the_last_event(sandbox: Sandbox) -> None:
    with listening(sandbox, last="41") as events:
        assert next(events).id == "42"


def test_there_are_heartbeats_and_a_time_to_reconnect(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/api/v1/events?every=0.001&last=10"
    text = httpx.get(url, trust_env=False).text
    assert text.startswith("retry: 100\n\n")
    assert "\n: heartbeat\n\nid: 10\n" in text


def test_after_the_last_one_a_reconnect_is_answered_with_204(sandbox: Sandbox) -> None:
    with listening(sandbox, "?every=0.001&last=3") as events:
        assert [event.id for event in events] == ["1", "2", "3"]
    response = httpx.get(f"{sandbox.base_url}/api/v1/events?last=3", headers={"Last-Event-ID": "3"}, trust_env=False)
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(("query", "last"), [("?every=x", ""), ("?last=x", ""), ("", "x")])
def test_what_is_no_number_is_refused(sandbox: Sandbox, query: str, last: str) -> None:
    headers = {"Last-Event-ID": last} if last else {}
    assert httpx.get(f"{sandbox.base_url}/api/v1/events{query}", headers=headers, trust_env=False).status_code == 422


@pytest.mark.slow
def test_its_faults_end_a_stream_and_send_events_late() -> None:
    with start(SandboxSettings(sse_close_events=4, sse_delay=0.05)) as sandbox:
        with listening(sandbox, last="2") as events:
            found = list(events)
        assert [event.id for event in found] == ["3", "4", "5", "6"]
        with listening(sandbox) as events:
            record = json.loads(next(events).data)
            assert time.time() * 1000 - record["sent_at"] > 45


def test_faults_below_zero_are_refused() -> None:
    with pytest.raises(VezaflowError, match="event streams"):
        SandboxSettings(sse_delay=-1)
