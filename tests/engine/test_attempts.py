"""Requests that are sent more than once, on a mock clock: `retry` and `poll`."""

import itertools
import time
from collections.abc import Iterable

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Played, Reply, Target, play

from vezaflow.metrics import Summary
from vezaflow.protocols import ErrorKind

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
OK = Reply(after=0.1)


def busy(after: str = "2") -> Reply:
    return Reply(429, headers=(("retry-after", after),), after=0.1)


async def run(steps: str, replies: Iterable[Reply]) -> tuple[list[float], Played]:
    """When each request was sent, from the first one on, and the run."""
    waiting = list(replies)
    target = Target(lambda _method, _path: waiting.pop(0) if len(waiting) > 1 else waiting[0])
    played = await play(plan_of(ONCE + "steps:\n" + steps), target)
    sent = [at for at, *_ in target.log]
    return [at - sent[0] for at in sent], played


def rate(summary: Summary, metric: str) -> float | None:
    return summary.select(metric).aggregate("rate")


def gaps(sent: list[float]) -> list[float]:
    return [later - sooner for sooner, later in itertools.pairwise(sent)]


async def test_backpressure_is_obeyed_and_counted(autojump_clock: trio.testing.MockClock) -> None:
    sent, played = await run("  - {get: /, name: a, retry: 3}\n", [busy("2"), busy("5"), OK])
    assert gaps(sent) == pytest.approx([2.1, 5.1], abs=0.01)
    assert played.count("http_reqs", step="a") == 3
    assert played.count("http_req_errors") == 2, "every attempt is a request like any other"
    assert played.count("http_req_retries", step="a") == 2
    assert played.count("backpressure_obeyed", step="a") == 2
    assert played.count("backpressure_ignored") == 0
    assert rate(played.summary, "step_failed") == 0.0
    assert played.summary.select("step_duration").aggregate("max") == pytest.approx(7.3, abs=0.02)
    assert played.count("iterations_failed") == 0
    assert not played.engine.incidents.items


async def test_a_wait_shorter_than_asked_is_not_obeying(autojump_clock: trio.testing.MockClock) -> None:
    steps = "  - {get: /, retry: {wait: {retry_after: 1s, max: 3s}}}\n"
    sent, played = await run(steps, [busy("10"), busy("3"), OK])
    assert gaps(sent) == pytest.approx([3.1, 3.1], abs=0.01)
    assert played.count("backpressure_obeyed") == 1
    assert played.count("backpressure_ignored") == 1


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S -0000", "%a %b %d %H:%M:%S %Y"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/New_York"])
async def test_a_moment_to_retry_after_is_gmt_in_every_form_and_zone(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch, form: str, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        sent, _ = await run("  - {get: /, retry: 1}\n", [busy(time.strftime(form, time.gmtime(time.time() + 30))), OK])
    finally:
        monkeypatch.undo()
        time.tzset()
    assert gaps(sent) == pytest.approx([30], abs=2)


@pytest.mark.parametrize("header", ["soon", "", "-1", "9" * 400])
async def test_a_retry_after_that_makes_no_sense_is_no_word(
    autojump_clock: trio.testing.MockClock, header: str
) -> None:
    sent, _ = await run("  - {get: /, retry: {wait: {retry_after: 2s, max: 4s}}}\n", [busy(header), OK])
    assert gaps(sent)[0] in (pytest.approx(2.1, abs=0.01), pytest.approx(4.1, abs=0.01))


async def test_the_last_failure_is_the_steps(autojump_clock: trio.testing.MockClock) -> None:
    steps = "  - {get: /, name: a, retry: {max: 2, wait: 1s}}\n  - get: /never\n"
    sent, played = await run(steps, [Reply(503)])
    assert len(sent) == 3
    (incident,) = played.engine.incidents.items
    assert (incident.code, incident.count) == ("VF601", 1)
    assert incident.message == "expected status below 400, got 503 (tried 3 times)"
    assert rate(played.summary, "step_failed") == 1.0
    assert played.count("step_duration") == 1  # a lower bound
    assert played.count("iterations_failed") == 1


@pytest.mark.parametrize(
    ("on", "reply", "attempts"),
    [
        ("[429, 503]", Reply(500), 1),
        ("5xx", Reply(502), 3),
        ("timeout", Reply(error=ErrorKind.TIMEOUT_WAIT), 3),
        ("timeout_send", Reply(error=ErrorKind.TIMEOUT_WAIT), 1),
        ("[connection, 500]", Reply(error=ErrorKind.REFUSED), 3),
        ("[connection, 500]", Reply(error=ErrorKind.TIMEOUT_WAIT), 1),
        ("200", Reply(200), 3),
        ("status", Reply(404), 3),
    ],
)
async def test_only_what_is_named_is_tried_again(
    autojump_clock: trio.testing.MockClock, on: str, reply: Reply, attempts: int
) -> None:
    sent, _ = await run(f"  - {{get: /, retry: {{on: {on}, max: 2, wait: 1s}}}}\n", [reply])
    assert len(sent) == attempts


async def test_exponential_waits_never_grow_beyond_all_numbers(autojump_clock: trio.testing.MockClock) -> None:
    steps = "  - {get: /, retry: {max: 1100, wait: {exponential: 10ms, max: 10ms}}}\n"
    sent, _ = await run(steps, [Reply(503)])
    assert len(sent) == 1101


async def test_exponential_waits_double_with_jitter_up_to_their_most(autojump_clock: trio.testing.MockClock) -> None:
    steps = "  - {get: /, retry: {max: 5, wait: {exponential: 1s, max: 5s}}}\n"
    sent, _ = await run(steps, [Reply(503, after=0.0)])
    for gap, whole in zip(gaps(sent), [1, 2, 4, 5, 5], strict=True):
        assert whole / 2 - 0.01 <= gap <= whole + 0.01
    assert len({round(gap / whole, 3) for gap, whole in zip(gaps(sent), [1, 2, 4, 5, 5], strict=True)}) > 1


async def test_expectations_and_extractions_can_be_tried_again(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - get: /
    retry: {on: [extraction, expectation], wait: 1s}
    expect: {body: {contains: id}}
    extract: {id: $.id}
  - log: ${id}
"""
    sent, played = await run(steps, [Reply(200, b"{}"), Reply(200, b'{"no": "id"}'), Reply(200, b'{"id": 7}')])
    assert len(sent) == 3
    assert played.said == ["7"]


async def test_a_request_that_can_not_be_made_is_not_tried_again(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(lambda _method, _path: OK)
    steps = ONCE + "steps:\n  - set: {none: null}\n  - {get: '/${none}', retry: {on: [5xx, connection]}}\n"
    played = await play(plan_of(steps), target)
    assert target.asked == []
    assert played.count("http_req_errors", error="expression") == 1


READY = """
  - poll:
      get: /upload
      name: done
      extract: {url: $.url}
    until: json("$.status") == "ready"
    every: 2s
    within: 10s
  - log: ${url}
"""
NOT_YET = Reply(200, b'{"status": "pending"}', after=0.5)


async def test_a_poll_goes_on_until_its_answer_says_so(autojump_clock: trio.testing.MockClock) -> None:
    ready = Reply(200, b'{"status": "ready", "url": "/x"}', after=0.5)
    sent, played = await run(READY, [NOT_YET, Reply(200, b"", after=3.0), NOT_YET, ready])
    assert gaps(sent) == pytest.approx([2, 3, 2], abs=0.01), "from start to start, or at once after a slow answer"
    assert played.said == ["/x"]
    assert played.count("http_reqs", step="done") == 4
    assert rate(played.summary, "http_req_failed") == 0.0, "an answer that says `not yet` is a right one"
    assert played.summary.select("step_duration", labels=[("step", "done")]).aggregate("max") == pytest.approx(
        7.5, abs=0.02
    )


async def test_a_poll_that_comes_to_nothing_fails_its_step(autojump_clock: trio.testing.MockClock) -> None:
    sent, played = await run(READY, [NOT_YET])
    assert len(sent) == 6
    (incident,) = played.engine.incidents.items
    assert incident.code == "VF606"
    assert incident.message == (
        'not met within 10 s (6 requests); last response: json("$.status") == "ready" is false (got "pending")'
    )
    assert incident.span.text == 'json("$.status") == "ready"'
    assert rate(played.summary, "step_failed") == 1.0
    assert played.said == []


async def test_a_request_that_fails_ends_its_poll(autojump_clock: trio.testing.MockClock) -> None:
    sent, played = await run(READY, [NOT_YET, Reply(404)])
    assert len(sent) == 2
    assert [incident.code for incident in played.engine.incidents.items] == ["VF601"]


async def test_a_poll_retries_as_its_request_says(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - poll: {get: /upload, retry: {max: 1}}
    until: status() == 200
    within: 10s
"""
    sent, played = await run(steps, [busy("3"), OK])
    assert gaps(sent) == pytest.approx([3.1], abs=0.01)
    assert played.count("iterations_failed") == 0


async def test_a_run_that_is_told_to_stop_keeps_its_waits(autojump_clock: trio.testing.MockClock) -> None:
    async def stop(engine: object) -> None:
        await trio.sleep(1)
        engine.stop()  # type: ignore[attr-defined]

    target = Target(lambda _method, _path: busy("5") if len(target.log) == 1 else OK)
    played = await play(plan_of(ONCE + "steps: [{get: /, retry: 1}]"), target, during=stop)
    sent = [at for at, *_ in target.log]
    assert gaps(sent) == pytest.approx([5.1], abs=0.01)
    assert played.count("backpressure_obeyed") == 1
