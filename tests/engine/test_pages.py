"""Walks through pages, on a mock clock: where each leads, where it ends, and what it leaves behind."""

import json
from collections.abc import Sequence

import pytest
import trio
import trio.testing
from planned import inputs, plan_of, plan_or_faults
from stage import Played, Reply, Target, play

from vezaflow.metrics import Summary

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
WALK = """
  - paginate:
      get: /tracks
      name: list
      query: {limit: 2}
      extract:
        ids: {json: "$.data[*]", all: true}
        total: $.total
    next: $.next
    into: query.cursor
    pages: 5
  - log: ${len(ids)} of ${total}, ${ids}
"""


def page(data: Sequence[int], following: object, *, after: float = 0.1, total: int = 3) -> Reply:
    body = json.dumps({"data": data, "next": following, "total": total}).encode()
    return Reply(200, body, after=after)


async def walked(steps: str, replies: dict[str, Reply], *, before: str = "") -> tuple[list[str], Played]:
    """The targets that were asked for, in their order, and the run."""
    target = Target(lambda _method, path: replies.get(path, Reply(404)))
    played = await play(plan_of(ONCE + before + "steps:\n" + steps), target)
    return [path for _, _, path, _ in target.log], played


def slowest(summary: Summary, **labels: str) -> float | None:
    return summary.select("http_req_duration", labels=labels.items()).aggregate("max")


THREE = {
    "/tracks?limit=2": page([1, 2], "b"),
    "/tracks?limit=2&cursor=b": page([3, 4], "c&d", after=0.2),
    "/tracks?limit=2&cursor=c%26d": page([5], None, after=0.4, total=5),
}


async def test_a_walk_goes_where_each_answer_leads_and_gathers_from_all(
    autojump_clock: trio.testing.MockClock,
) -> None:
    asked, played = await walked(WALK, THREE)
    assert asked == list(THREE)
    assert played.said == ["5 of 5, [1,2,3,4,5]"]
    assert played.count("iterations_failed") == 0


async def test_each_page_is_a_label_and_the_whole_walk_a_step(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await walked(WALK, THREE)
    summary = played.summary
    assert [slowest(summary, page=str(number)) for number in (1, 2, 3, 4)] == [
        pytest.approx(0.1, rel=0.01),
        pytest.approx(0.2, rel=0.01),
        pytest.approx(0.4, rel=0.01),
        None,
    ]
    assert slowest(summary, page="1..2") == pytest.approx(0.2, rel=0.01)
    assert played.count("http_reqs", step="list") == played.count("http_reqs", page="1..3") == 3
    assert summary.select("step_duration", labels=[("step", "list")]).aggregate("max") == pytest.approx(0.7, rel=0.01)
    assert summary.select("step_failed").aggregate("rate") == 0.0


async def test_what_is_measured_by_page_survives_the_way_through_a_worker(
    autojump_clock: trio.testing.MockClock,
) -> None:
    _, played = await walked(WALK, THREE)
    twice = Summary.from_json(played.summary.to_json()).merge(played.summary)
    assert twice.select("http_reqs", labels=[("page", "2..3")]).aggregate("count") == 4
    assert slowest(twice, page="2") == slowest(played.summary, page="2")


@pytest.mark.parametrize("end", [None, "", False])
async def test_nothing_next_ends_the_walk(autojump_clock: trio.testing.MockClock, end: object) -> None:
    asked, _ = await walked(WALK, {"/tracks?limit=2": page([1], end)})
    assert len(asked) == 1


async def test_a_next_that_is_not_there_ends_the_walk(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await walked(WALK, {"/tracks?limit=2": Reply(200, b'{"data": [1], "total": 1}')})
    assert played.said == ["1 of 1, [1]"]


async def test_a_cursor_of_zero_leads_on(autojump_clock: trio.testing.MockClock) -> None:
    asked, _ = await walked(WALK, {"/tracks?limit=2": page([1], 0), "/tracks?limit=2&cursor=0": page([2], None)})
    assert len(asked) == 2


async def test_a_walk_has_no_more_pages_than_asked_for(autojump_clock: trio.testing.MockClock) -> None:
    replies = {
        "/tracks?limit=2": page([1], "x"),
        "/tracks?limit=2&cursor=x": page([1], "y"),
        "/tracks?limit=2&cursor=y": page([1], "x"),
    }
    asked, played = await walked(WALK, replies)
    assert len(asked) == 5
    assert played.said == ["5 of 3, [1,1,1,1,1]"]


async def test_a_cursor_that_never_changes_fails_instead_of_asking_for_the_same_page_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    replies = {"/tracks?limit=2": page([1], "x"), "/tracks?limit=2&cursor=x": page([1], "x")}
    asked, played = await walked(WALK, replies)
    assert asked == list(replies)
    (incident,) = played.engine.incidents.items
    assert (incident.code, incident.message) == ("VF603", "'next': \"x\" is the URL of the same page (page 2)")
    assert played.summary.select("step_failed").aggregate("rate") == 1.0


@pytest.mark.parametrize(("default", "shown"), [("7", "7"), ("none", '"none"'), ("null", "null")])
async def test_a_default_that_is_no_list_can_not_be_gathered(
    autojump_clock: trio.testing.MockClock, default: str, shown: str
) -> None:
    walk = WALK.replace("all: true}", f"all: true, default: {default}}}")
    _, played = await walked(walk, {"/tracks?limit=2": page([], None)})
    assert [(incident.code, incident.message) for incident in played.engine.incidents.items] == [
        ("VF603", f"'ids' is a list of values of all pages, and its default is {shown} (page 1)")
    ]


async def test_an_empty_page_adds_its_default(autojump_clock: trio.testing.MockClock) -> None:
    walk = WALK.replace("all: true}", "all: true, default: []}")
    replies = {"/tracks?limit=2": page([], "b"), "/tracks?limit=2&cursor=b": page([3], None)}
    _, played = await walked(walk, replies)
    assert played.said == ["1 of 3, [3]"]


async def test_each_walk_begins_at_the_first_page(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(lambda _method, path: THREE[path])
    twice = "load: {executor: per-vu-iterations, vus: 1, iterations: 2}\nsteps:\n"
    played = await play(plan_of(twice + WALK), target)
    assert [path for _, _, path, _ in target.log] == [*THREE, *THREE]
    assert played.said == ["5 of 5, [1,2,3,4,5]"] * 2


async def test_a_query_may_say_where_the_walk_begins(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - set: {begin: b}
  - paginate: {get: /tracks, query: {cursor: "${begin}", limit: 2}}
    next: $.next
    into: query.cursor
    pages: 5
"""
    replies = {"/tracks?cursor=b&limit=2": page([1], "c"), "/tracks?cursor=c&limit=2": page([1], None)}
    asked, _ = await walked(steps, replies)
    assert asked == list(replies)


async def test_a_page_that_fails_ends_the_walk_and_says_which_it_was(autojump_clock: trio.testing.MockClock) -> None:
    asked, played = await walked(WALK, {"/tracks?limit=2": page([1], "gone")})
    assert len(asked) == 2
    assert played.said == []
    (incident,) = played.engine.incidents.items
    assert incident.message == "expected status below 400, got 404 (page 2)"
    assert played.summary.select("step_failed").aggregate("rate") == 1.0
    assert played.count("http_req_errors", page="2") == 1


async def test_an_answer_that_can_not_be_read_is_no_end(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - paginate: {get: /a}
    next: $.next
    into: query.cursor
    pages: 5
"""
    _, played = await walked(steps, {"/a": Reply(200, b"<html>")})
    (incident,) = played.engine.incidents.items
    assert incident.code == "VF603"
    assert incident.message.startswith("'next': the body is not valid JSON")
    assert incident.span.text == "$.next"


async def test_a_page_is_sent_again_as_its_request_says(autojump_clock: trio.testing.MockClock) -> None:
    answers = [Reply(429, headers=(("retry-after", "2"),)), page([1], "b"), page([2], None)]
    target = Target(lambda _method, _path: answers.pop(0))
    steps = """
  - paginate: {get: /a, name: a, retry: 1}
    next: $.next
    into: query.cursor
    pages: 5
"""
    played = await play(plan_of(ONCE + "steps:\n" + steps), target)
    assert [path for _, _, path, _ in target.log] == ["/a", "/a", "/a?cursor=b"]
    assert played.count("http_req_retries", step="a") == played.count("backpressure_obeyed") == 1
    assert played.count("http_reqs", page="1") == 2


async def test_an_answer_that_was_taken_and_yet_is_asked_for_again_leads_on_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    answers = [page([1], "b")._replace(status=503), page([1], "b"), page([2], None)]
    target = Target(lambda _method, _path: answers.pop(0))
    steps = """
  - paginate: {get: /a, name: a, expect: {status: [200, 503]}, retry: {max: 1, wait: 1s}}
    next: $.next
    into: query.cursor
    pages: 5
"""
    played = await play(plan_of(ONCE + "steps:\n" + steps), target)
    assert [path for _, _, path, _ in target.log] == ["/a", "/a", "/a?cursor=b"]
    assert played.engine.incidents.items == ()


async def test_an_input_can_not_ask_for_more_pages_than_there_are_figures_for() -> None:
    flow = "steps:\n" + WALK.replace("pages: 5", "pages: ${env.PAGES}")
    assert plan_or_faults(flow, inputs=inputs({"PAGES": "500"}))[0] is not None
    _, (fault,) = plan_or_faults(flow, inputs=inputs({"PAGES": "501"}))
    assert (fault.code, fault.message) == ("VF702", "501 pages: the maximum is 500")


LINKED = """
  - paginate: {get: "/a?limit=2", name: a, headers: {x-mine: here}}
    next: {link: next}
    pages: 5
"""


async def test_a_link_header_leads_on_from_the_url_that_answered(autojump_clock: trio.testing.MockClock) -> None:
    replies = {
        "/a?limit=2": Reply(200, headers=(("link", '</a?limit=2&p=2>; rel="next", </z>; rel=last'),)),
        "/a?limit=2&p=2": Reply(200, headers=(("link", "<b/c>; rel=next"),)),
        "/b/c": Reply(200, headers=(("link", "</a>; rel=prev"),)),
    }
    target = Target(lambda _method, path: replies[path])
    await play(plan_of(ONCE + "steps:\n" + LINKED), target)
    assert [path for _, _, path, _ in target.log] == list(replies)
    assert all("x-mine: here" in head for *_, head in target.log)


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("<http://[x>; rel=next", '"http://[x" is not a valid URL: Invalid IPv6 URL'),
        ("<?limit=2>; rel=next", '"http://127.0.0.1:1/a?limit=2" is the URL of the same page'),
    ],
)
async def test_a_link_that_leads_nowhere_is_the_failure_of_its_page(
    autojump_clock: trio.testing.MockClock, link: str, why: str
) -> None:
    asked, played = await walked(LINKED, {"/a?limit=2": Reply(200, headers=(("link", link),))})
    assert len(asked) == 1
    (incident,) = played.engine.incidents.items
    assert incident.message == f"'next': {why} (page 1)"


async def test_a_url_to_a_host_that_is_not_allowed_is_refused(autojump_clock: trio.testing.MockClock) -> None:
    link = ("link", "<https://elsewhere.example/a>; rel=next")
    asked, played = await walked(LINKED, {"/a?limit=2": Reply(200, headers=(link,))})
    assert len(asked) == 1
    assert played.count("http_req_errors", error="guard", page="2") == 1


async def test_credentials_stay_with_the_host_that_they_are_for(autojump_clock: trio.testing.MockClock) -> None:
    away = Reply(200, headers=(("link", "<http://localhost:2/b>; rel=next"),))
    further = Reply(307, headers=(("location", "/b2"),))
    back = Reply(200, headers=(("link", "<http://127.0.0.1:1/c>; rel=next"),))
    replies = {"/a?limit=2": away, "/b": further, "/b2": back, "/c": Reply()}
    target = Target(lambda _method, path: replies[path])
    await play(plan_of(ONCE + "auth: {bearer: t}\nsteps:\n" + LINKED), target)
    assert ["Authorization" in head for *_, head in target.log] == [True, False, False, True]


async def test_without_into_what_leads_on_is_a_url(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - paginate: {get: /a}
    next: $.next
    pages: 5
"""
    _, played = await walked(steps, {"/a": page([1], 7)})
    (incident,) = played.engine.incidents.items
    assert incident.message == "'next': 7 is not a URL; to send it as a query parameter set `into` (page 1)"


async def test_a_tag_named_page_gives_way_to_the_walk_s_own(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await walked(LINKED, {"/a?limit=2": Reply()}, before="tags: {page: home, team: a}\n")
    assert played.count("http_reqs", page="1", team="a") == 1
    assert played.count("http_reqs", page="home") == 0


async def test_two_walks_keep_their_places_apart(autojump_clock: trio.testing.MockClock) -> None:
    both = WALK + WALK.replace("list", "again").replace("/tracks", "/more")
    replies = {**THREE, "/more?limit=2": page([9], None, total=1)}
    asked, played = await walked(both, replies)
    assert asked == [*THREE, "/more?limit=2"]
    assert played.said == ["5 of 5, [1,2,3,4,5]", "1 of 1, [9]"]


async def test_walks_beside_each_other_are_each_their_own(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - parallel:
      - paginate: {get: /tracks, name: list, query: {limit: 2}, extract: {ids: {json: "$.data[*]", all: true}}}
        next: $.next
        into: query.cursor
        pages: 5
      - for: place
        in: [a, b]
        at_once: 2
        do:
          - paginate: {get: "/${place}", name: place}
            next: {link: next}
            pages: 5
  - log: ${ids}
"""
    replies = {
        **THREE,
        "/a": Reply(200, headers=(("link", "</a2>; rel=next"),)),
        "/a2": Reply(),
        "/b": Reply(200, headers=(("link", "</b2>; rel=next"),), after=0.05),
        "/b2": Reply(),
    }
    asked, played = await walked(steps, replies)
    assert sorted(asked) == sorted(replies)
    assert played.said == ["[1,2,3,4,5]"]
    assert played.count("http_reqs", step="place", page="2") == 2
    assert played.count("iterations_failed") == 0
