"""Event stream steps against a fake one, on a mock clock: what is waited for, what is counted, what fails."""

import json
import time
from collections.abc import Callable, Iterable

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Feed, Played, Reply, Target, Told, always, play

from vezaflow.protocols import ErrorKind

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
OPENS = always(Reply(200, after=0.05))
RECEIVES = "    do:\n      - receive: {within: 1s}\n"


async def run(
    keys: str, *told: Told, feed: Feed | None = None, load: str = ONCE, retry: float | None = None,
    answer: Callable[[str, str], Reply] = OPENS,
) -> tuple[Target, Played]:  # fmt: skip
    """One event stream with these keys, and steps that are set in by six."""
    target = Target(answer, feed=feed or (lambda _last_id: told), retry=retry)
    return target, await play(plan_of(f"{load}steps:\n  - sse: /events\n    name: feed\n{keys}"), target)


def figures(played: Played) -> dict[str, int]:
    (row,) = played.summary.streams.values()
    names = ("dials", "opened", "events", "awaited", "refused", "ends", "failures")
    return {
        name: count for name in names if (count := sum(v.values()) if isinstance(v := getattr(row, name), dict) else v)
    }


def incidents(played: Played) -> list[str]:
    return [incident.message for incident in played.engine.incidents.items]


async def test_it_is_opened_held_while_its_steps_run_and_dropped(autojump_clock: trio.testing.MockClock) -> None:
    target, played = await run("    do:\n      - think: 2s\n", Told("a"), Told("b", 1.0))
    (stream,) = target.streams
    assert stream.ending is not None
    assert not stream.ending.by_server
    assert figures(played) == {"dials": 1, "opened": 1, "events": 2}
    assert played.summary.select("sse_connecting").aggregate("max") == pytest.approx(0.05, abs=0.001)
    assert played.summary.select("sse_stream_duration").aggregate("max") == pytest.approx(2.05, abs=0.02)
    assert played.count("sse_streams") == 1
    assert played.count("sse_events") == 2
    assert played.count("iterations") == 1
    assert played.count("iterations_failed") == 0
    assert played.count("http_reqs") == 0


async def test_the_request_asks_for_an_event_stream(autojump_clock: trio.testing.MockClock) -> None:
    target, _ = await run("    headers: {x-a: b}\n    auth: {bearer: t}\n    query: {q: 1}\n    do: [{think: 1ms}]\n")
    _, method, path, head = target.log[0]
    assert (method, path) == ("GET", "/events?q=1")
    for line in ("Accept: text/event-stream", "Cache-Control: no-cache", "x-a: b", "Authorization: Bearer t"):
        assert f"\r\n{line}\r\n" in head
    target, _ = await run("    headers: {accept: text/x}\n    do: [{think: 1ms}]\n")
    assert "event-stream" not in target.log[0][3]


async def test_receive_passes_over_what_does_not_fit_and_reads_the_rest(autojump_clock: trio.testing.MockClock) -> None:
    keys = (
        "    do:\n      - receive:\n          where: message.event == \"price\" and message.id != \"1\"\n"
        "          within: 1s\n          extract: {price: $.p}\n"
        "          expect: {json: {$.p: 7}, that: 'contains(message.data, \"7\")'}\n"
        "      - log: \"got ${price}\"\n"
    )  # fmt: skip
    _, played = await run(keys, Told("hello"), Told('{"p":1}', 0.02, "price", "1"), Told('{"p":7}', 0.03, "price", "2"))
    assert incidents(played) == []
    assert any("got 7" in line for line in played.said)
    assert figures(played) == {"dials": 1, "opened": 1, "events": 3, "awaited": 1}


async def test_an_event_that_does_not_come_in_time_fails_the_step(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run('    do:\n      - receive: {where: message.event == "b", within: 1s}\n', Told("a"))
    assert incidents(played) == ["no event within 1 s (timeout); 1 other event came"]
    failures = played.summary.select("sse_event_failures", labels=[("error", "timeout_message")])
    assert failures.aggregate("rate") == 1
    assert played.count("iterations_failed") == 1


async def test_an_event_that_is_not_as_expected_fails_the_step(autojump_clock: trio.testing.MockClock) -> None:
    keys = "    do:\n      - receive: {within: 1s, expect: {json: {$.p: 7}}}\n"
    _, played = await run(keys, Told('{"p":1}'))
    failures = played.summary.select("sse_event_failures", labels=[("error", "expectation")])
    assert failures.aggregate("rate") == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(204), "status"), (Reply(503), "status"), (Reply(error=ErrorKind.REFUSED), "refused")],
)
async def test_one_that_can_not_be_opened_fails_by_kind(
    reply: Reply, kind: str, autojump_clock: trio.testing.MockClock
) -> None:
    target, played = await run(RECEIVES, answer=always(reply))
    assert target.streams == []
    failures = played.summary.select("sse_connection_failures", labels=[("error", kind)])
    assert failures.aggregate("rate") == 1
    assert played.count("iterations_failed") == 1


async def test_the_end_of_the_stream_fails_who_waits(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run(RECEIVES, Told(ErrorKind.CLOSED))
    assert incidents(played) == ["it ended: closed"]
    assert played.count("sse_unexpected_ends", error="closed") == 1
    assert figures(played) == {"dials": 1, "opened": 1, "awaited": 1, "ends": 1, "failures": 1}


async def test_the_end_of_the_stream_fails_the_step_that_opened_it(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await run("    do:\n      - think: 1s\n", Told(ErrorKind.CLOSED_EARLY))
    assert incidents(played) == ["it ended: closed_early"]
    assert played.count("iterations_failed") == 1


async def test_a_reconnect_goes_on_behind_the_last_event(autojump_clock: trio.testing.MockClock) -> None:
    def feed(last_id: str) -> Iterable[Told]:
        first = int(last_id or 0)
        yield Told("a", 0.01, id=str(first + 1))
        yield Told("b", 0.02, id=str(first + 2))
        yield Told(ErrorKind.CLOSED, 0.03)

    keys = "    reconnect: {wait: 1s}\n    do:\n      - repeat: 5\n        do:\n          - receive: {within: 5s}\n"
    target, played = await run(keys, feed=feed)
    assert [stream.options.last_id for stream in target.streams] == ["", "2", "4"]
    assert incidents(played) == []
    assert ["Last-Event-ID: 2\r\n" in head for *_, head in target.log] == [False, True, False]
    assert played.count("sse_unexpected_ends") == 2
    assert 1 <= played.seconds <= 2.5, "two waits of a half to a whole second"


async def test_a_reconnect_waits_as_long_as_the_server_says(autojump_clock: trio.testing.MockClock) -> None:
    def feed(last_id: str) -> Iterable[Told]:
        return [Told("a", id="1"), Told(ErrorKind.CLOSED, 0.02)] if not last_id else [Told("b")]

    keys = "    reconnect: {wait: 10ms}\n    do:\n      - repeat: 2\n        do:\n          - receive: {within: 9s}\n"
    _, played = await run(keys, feed=feed, retry=3.0)
    assert incidents(played) == []
    assert played.seconds == pytest.approx(3.1, abs=0.1)


async def test_attempts_in_a_row_are_counted_and_then_it_fails(autojump_clock: trio.testing.MockClock) -> None:
    replies = [Reply(200), Reply(503), Reply(503)]
    keys = "    reconnect: {max: 2, wait: 1s}\n    do:\n      - receive: {within: 60s}\n"
    _, played = await run(keys, Told(ErrorKind.CLOSED), answer=lambda _method, _path: replies.pop(0))
    assert incidents(played) == ["the event stream could not be opened again"]
    assert figures(played) == {"dials": 3, "opened": 1, "awaited": 1, "refused": 2, "ends": 1, "failures": 1}


async def test_a_204_ends_the_reconnects_and_is_no_failure_by_itself(autojump_clock: trio.testing.MockClock) -> None:
    replies = [Reply(200), Reply(204)]
    keys = "    reconnect: {max: 9, wait: 1s}\n    do:\n      - think: 30s\n"
    target, played = await run(keys, Told(ErrorKind.CLOSED), answer=lambda _method, _path: replies.pop(0))
    assert (len(target.log), incidents(played)) == (2, [])
    assert figures(played) == {"dials": 1, "opened": 1, "ends": 1}
    replies = [Reply(200), Reply(204)]
    _, played = await run(
        keys.replace("think: 30s", "receive: {}"), Told(ErrorKind.CLOSED), answer=lambda _method, _path: replies.pop(0)
    )
    assert incidents(played) == ["the server has no more events (status 204)"]


async def test_latency_is_of_events_that_say_when_they_were_sent(autojump_clock: trio.testing.MockClock) -> None:
    stated = [{"t": time.time() - 5}, {"t": (time.time() - 5) * 1000}, {"t": None}, {}, {"t": "soon"}]
    told = (Told(json.dumps(each), 0.01) for each in stated)
    _, played = await run('    sent: json("$.t")\n    do:\n      - think: 1s\n', *told, Told("text"))
    latency = played.summary.select("sse_event_latency")
    assert latency.aggregate("count") == 2
    assert latency.aggregate("min") == pytest.approx(5, abs=0.9)
    assert incidents(played) == ['`sent` must be a time, such as seconds since 1970: it is "soon"']


async def test_what_the_end_of_the_run_cuts_off_is_no_failure(autojump_clock: trio.testing.MockClock) -> None:
    load = "load: {vus: 1, duration: 2s, graceful_stop: 0s}\n"
    _, played = await run("    do:\n      - receive: {within: 60s}\n", load=load)
    assert incidents(played) == []
    assert figures(played) == {"dials": 1, "opened": 1}
    assert played.summary.select("sse_stream_duration").aggregate("count") == 1


async def test_an_event_stream_around_a_request_that_it_reports_on(autojump_clock: trio.testing.MockClock) -> None:
    def answer(_method: str, path: str) -> Reply:
        return Reply(200, after=0.05 if path == "/events" else 0.2)

    keys = "    do:\n      - post: /jobs\n      - receive: {within: 1s}\n"
    target, played = await run(keys, Told("done", 0.1), answer=answer)
    assert target.asked == ["GET /events", "POST /jobs"]
    assert incidents(played) == []
    assert played.seconds == pytest.approx(0.25, abs=0.02), "what came meanwhile is there"


async def test_receive_takes_the_stream_that_it_names(autojump_clock: trio.testing.MockClock) -> None:
    def feed(_last_id: str) -> Iterable[Told]:
        return [Told("a", 0.01)]

    keys = (
        "    as: outer\n    do:\n      - websocket: /ws\n        do:\n          - send: hello\n"
        "          - {receive: {where: message.data == \"a\", within: 1s}, from: outer}\n"
    )  # fmt: skip
    target, played = await run(
        keys, feed=feed, answer=lambda _method, path: Reply(101 if path == "/ws" else 200, after=0.01)
    )
    assert incidents(played) == []
    assert [said for _, said in target.sockets[0].heard] == ["hello"]
