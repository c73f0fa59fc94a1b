"""Telling others of a run, against real servers: what they get, and that nothing of theirs matters to the run."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trio
from listener import Answer, Listener, listener
from sample_run import GREEN, RED, run

from vezaflow.model import ActionKind, Chat, Event
from vezaflow.plan import Announcements, Constant, PlannedGrafana, PlannedNotification, Targets
from vezaflow.results import Happened, RunResult, Standing
from vezaflow.session import Announcer, Patience

TOKEN = "glsa_0123456789"
QUICK = Patience(timeout=5.0, pause=0.0, longest_pause=0.01)
MADE = Answer(body=b'{"message":"Annotation added","id":17}')
HOOK, ANNOTATIONS, ANNOTATION = "hook", "api/annotations", "api/annotations/17"
EVERY = frozenset(Event)


def grafana(url: str) -> Announcements:
    return Announcements(PlannedGrafana(Targets(url, ()), "uid1", "k6", (), TOKEN))


def hooks(url: str, *on: frozenset[Event], path: str = f"/{HOOK}") -> Announcements:
    """A notification for each set of events; its body is its number."""
    target = Targets(url, ()).resolve(path)
    return Announcements(
        notifications=tuple(
            PlannedNotification(number, target, events, (("x-key", "k"),), None, Constant({"number": number}))
            for number, events in enumerate(on, start=1)
        )
    )


def told(
    announcements: Announcements, result: RunResult, patience: Patience = QUICK, events: tuple[Happened, ...] = ()
) -> list[str]:
    """What went wrong, as the run's notes have it, and as people are told at once."""
    said: list[str] = []
    announcer = Announcer(announcements, said.append, patience=patience)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(announcer.run)
            announcer.begin(result.started, result.suite, result.run_id)
            for happened in events:
                announcer.event(happened)
            await announcer.tell(result)
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert said == announcer.notes
    return said


def test_a_run_is_one_region_on_its_dashboard() -> None:
    result = run(RED)
    with listener(**{ANNOTATIONS: [MADE]}) as server:
        assert told(grafana(server.url), result) == []
    begin, end = server.asked
    assert (begin.method, begin.path) == ("POST", f"/{ANNOTATIONS}")
    assert (end.method, end.path) == ("PATCH", f"/{ANNOTATION}")
    assert {each.headers["authorization"] for each in server.asked} == {f"Bearer {TOKEN}"}
    assert {each.headers["content-type"] for each in server.asked} == {"application/json"}
    started = int(result.started.timestamp() * 1000)
    assert begin.json == {
        "dashboardUID": "uid1",
        "time": started,
        "tags": ["vezaflow", "veza-capacity"],
        "text": f"veza-capacity: load test started, run {result.run_id}",
    }
    assert end.json["timeEnd"] == started + 10_400
    assert end.json["tags"] == ["vezaflow", "veza-capacity", "red"]
    assert end.json["text"].startswith("veza-capacity: RED: ")


def test_an_event_is_a_region_of_its_own_and_a_mark_a_moment() -> None:
    result = run(RED)
    failover = Happened("failover", ActionKind.HAPROXY, 2.0, 5.0, "set server be/s1 state maint", "no such server")
    mark = Happened("deployed", ActionKind.MARK, 3.0, 3.0, manual=True)
    with listener(**{ANNOTATIONS: [MADE]}) as server:
        assert told(grafana(server.url), result, events=(failover, mark)) == []
    started = int(result.started.timestamp() * 1000)
    found = {each.json["text"]: each.json for each in server.asked if "event" in each.json["tags"]}
    region = found["veza-capacity: failover (set server be/s1 state maint, failed: no such server)"]
    assert (region["time"], region["timeEnd"]) == (started + 2000, started + 5000)
    assert region["tags"] == ["vezaflow", "veza-capacity", "event"]
    moment = found["veza-capacity: deployed"]
    assert (moment["time"], "timeEnd" in moment) == (started + 3000, False)


@pytest.mark.parametrize(
    ("answers", "note", "asked"),
    [
        ({ANNOTATIONS: [Answer(500)]}, "could not be created: status 500: ok", 1),
        ({ANNOTATIONS: [Answer(401, b"Unauthorized")]}, "could not be created: status 401: Unauthorized", 1),
        ({ANNOTATIONS: [Answer(200, b"<html>")]}, "could not be created: the response has no id", 1),
        ({ANNOTATIONS: [Answer(302)]}, "could not be created: status 302", 1),
        ({ANNOTATIONS: [MADE], ANNOTATION: [Answer(500)]}, "could not be completed: status 500", 2),
    ],
    ids=["500", "401", "no JSON", "redirect", "500 at the end"],
)
def test_what_grafana_refuses_is_told_once(answers: dict[str, list[Answer]], note: str, asked: int) -> None:
    with listener(**answers) as server:
        (said,) = told(grafana(server.url), run(GREEN))
    assert said.startswith("Grafana: the annotation ")
    assert note in said
    assert len(server.asked) == asked


def test_a_grafana_that_hangs_is_given_up_in_time() -> None:
    with listener(**{ANNOTATIONS: [Answer(hangs=True)]}) as server:
        (said,) = told(grafana(server.url), run(GREEN), Patience(timeout=0.1))  # or it would wait for ever
    assert "timeout_wait" in said


def test_the_beginning_of_an_annotation_holds_nobody_up() -> None:
    with listener(**{ANNOTATIONS: [Answer(hangs=True)]}) as server:

        async def main() -> None:
            announcer = Announcer(grafana(server.url), lambda _: None)
            async with trio.open_nursery() as nursery:
                await nursery.start(announcer.run)
                announcer.begin(datetime.now(UTC), "a", "b")  # or it would wait for ever
                nursery.cancel_scope.cancel()

        trio.run(main)


def test_each_webhook_hears_of_its_events_only() -> None:
    red, green, accepted = frozenset({Event.RED}), frozenset({Event.GREEN}), frozenset({Event.ACCEPTED})
    with listener() as server:
        assert told(hooks(server.url, red, green, accepted, EVERY), run(RED)) == []
        assert sorted(each.json["number"] for each in server.asked) == [1, 4]
        assert told(hooks(server.url, red, green, accepted, EVERY), run(GREEN)) == []
        assert sorted(each.json["number"] for each in server.asked[2:]) == [2, 4]
    assert {(each.method, each.headers["x-key"]) for each in server.asked} == {("POST", "k")}


def test_the_acceptance_is_announced_with_the_run_that_brings_it() -> None:
    why = "accepted: 3 nights in a row are green"
    accepted = replace(run(GREEN), standing=Standing("night 3 of 3: accepted", "", why))
    with listener() as server:
        announcements = hooks(server.url, frozenset({Event.ACCEPTED}), frozenset({Event.RED}))
        chat = replace(announcements.notifications[0], template=Chat.MATRIX, json=None)
        assert told(Announcements(notifications=(*announcements.notifications, chat)), accepted) == []
        assert told(announcements, run(GREEN)) == []
    assert len(server.asked) == 2
    (text,) = (each.json["text"] for each in server.asked if "text" in each.json)
    assert why in text
    assert "night 3 of 3" in text


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_may_pass_is_tried_a_second_time(status: int) -> None:
    with listener(hook=[Answer(status), Answer()]) as server:
        assert told(hooks(server.url, EVERY), run(GREEN)) == []
    assert [each.json for each in server.asked] == [{"number": 1}] * 2


def test_two_tries_are_all() -> None:
    with listener(hook=[Answer(503, b"no\nbackend")]) as server:
        assert told(hooks(server.url, EVERY), run(GREEN)) == [
            "notification 1 could not be sent: status 503: no backend"
        ]
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    with listener(hook=[Answer(status)]) as server:
        (said,) = told(hooks(server.url, EVERY), run(GREEN))
    assert f"status {status}" in said
    assert len(server.asked) == 1


def test_a_webhook_that_hangs_is_not_asked_twice_it_may_have_the_message() -> None:
    with listener(hook=[Answer(hangs=True)]) as server:
        (said,) = told(hooks(server.url, EVERY), run(GREEN), Patience(timeout=0.1))
        assert len(server.asked) == 1
    assert "timeout_wait" in said


def test_nobody_there_is_tried_twice_and_told() -> None:
    with listener() as server:
        url = server.url
    assert told(hooks(url, EVERY), run(GREEN)) == ["notification 1 could not be sent: refused: connection refused"]


def _in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("said", "least", "limit"),
    [(lambda: "0", 0.0, 30.0), (lambda: "3600", 0.05, 0.05), (_in_an_hour, 0.05, 0.05), (lambda: "soon", 0.0, 30.0)],
    ids=["seconds", "too many seconds", "a date", "no time"],
)
def test_retry_after_is_kept_up_to_a_limit(said: Callable[[], str], least: float, limit: float) -> None:
    with listener(hook=[Answer(429, headers={"Retry-After": said()}), Answer()]) as server:
        slept = _slept(server, Patience(timeout=5.0, pause=0.0, longest_pause=limit))
    assert len(server.asked) == 2
    assert least <= slept < 20


def _slept(server: Listener, patience: Patience) -> float:
    begin = time.monotonic()
    assert told(hooks(server.url, EVERY), run(GREEN), patience) == []
    return time.monotonic() - begin


def test_a_body_that_cannot_be_made_is_told_and_the_others_are_sent() -> None:
    with listener() as server:
        good = hooks(server.url, EVERY, EVERY)
        first, second = good.notifications
        broken = replace(first, json=Constant({"a": float("inf")}))
        (said,) = told(Announcements(notifications=(broken, second)), run(GREEN))
    assert said.startswith("notification 1 could not be sent: the body is not JSON: ")
    assert [each.json for each in server.asked] == [{"number": 2}]


def test_who_tells_nobody_starts_nothing() -> None:
    assert told(Announcements(), run(GREEN)) == []
