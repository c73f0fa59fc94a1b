"""What each kind of step does to a VU, on a mock clock."""

from collections import Counter
from itertools import pairwise

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Played, Reply, Target, always, play

from vezaflow.protocols import ErrorKind
from vezaflow.units import AtLeast

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"


async def once(steps: str, target: Target | None = None, *, iterations: int = 1) -> tuple[list[str], Played]:
    target = target or Target(always(Reply()))
    load = ONCE.replace("iterations: 1}", f"iterations: {iterations}}}")
    played = await play(plan_of(load + "steps:\n" + steps), target)
    return target.asked, played


def incident(played: Played) -> tuple[str, str]:
    (only,) = played.engine.incidents.items
    return only.code, only.message


async def test_choose_is_exact_over_a_hundred_iterations(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - choose:
      - {weight: 60, do: [{get: /search}]}
      - {weight: 30, do: [{get: /list}]}
      - {weight: 10, do: [{get: /detail}]}
"""
    asked, _ = await once(steps, iterations=200)
    assert Counter(asked) == {"GET /search": 120, "GET /list": 60, "GET /detail": 20}


async def test_for_goes_over_a_list_and_repeat_counts(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - for: name
    in: [a, b]
    do: [{get: "/${name}"}]
  - repeat: 2
    do: [{get: /again}]
"""
    asked, _ = await once(steps)
    assert asked == ["GET /a", "GET /b", "GET /again", "GET /again"]


async def test_while_ends_with_its_condition_or_its_bound(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - set: {n: 0}
  - while: n < 3
    max: 10
    do: [{get: "/n/${n}"}, {set: {n: "${n + 1}"}}]
  - while: "true"
    max: 2
    do: [{get: /bounded}]
"""
    asked, _ = await once(steps)
    assert asked == ["GET /n/0", "GET /n/1", "GET /n/2", "GET /bounded", "GET /bounded"]


async def test_if_takes_one_side(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - if: iteration == 0
    do: [{get: /first}]
    else: [{get: /later}]
"""
    asked, _ = await once(steps, iterations=3)
    assert asked == ["GET /first", "GET /later", "GET /later"]


async def test_an_answer_that_asks_for_an_endless_pause_fails_the_step(
    autojump_clock: trio.testing.MockClock,
) -> None:
    steps = """
  - {get: /, extract: {after: $.after}}
  - think: ${after}
"""
    _, played = await once(steps, Target(always(Reply(body=b'{"after": 1e308}'))))
    assert incident(played) == ("VF605", "expected a duration for a pause, got 1e+308")


async def test_think_pauses_within_its_range(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.0)))
    await once("  - get: /a\n  - think: 1s..3s\n  - get: /b\n", target)
    pause = target.log[1][0] - target.log[0][0]
    assert 1.0 <= pause <= 3.01


async def test_a_pause_may_be_put_together_from_a_number_and_its_unit(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.0)))
    await once('  - get: /a\n  - think: "${random(2, 2)}s"\n  - get: /b\n', target)
    assert 2.0 <= target.log[1][0] - target.log[0][0] <= 2.01


async def test_skip_ends_the_iteration_without_a_failure(autojump_clock: trio.testing.MockClock) -> None:
    asked, played = await once("  - get: /a\n  - skip: enough\n  - get: /b\n", iterations=2)
    assert asked == ["GET /a", "GET /a"]
    assert played.count("iterations") == 2
    assert played.count("iterations_failed") == 0


@pytest.mark.parametrize("scope", ["vu", "flow", "run"])
async def test_stop_ends_what_it_says(autojump_clock: trio.testing.MockClock, scope: str) -> None:
    asked, _ = await once(f"  - get: /a\n  - stop: {scope}\n  - get: /b\n", iterations=5)
    assert asked == ["GET /a"]


async def test_log_speaks(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await once("  - get: /a\n  - log: 'vu ${vu}, iteration ${iteration}'\n", iterations=2)
    assert played.said == ["vu 1, iteration 0", "vu 1, iteration 1"]


@pytest.mark.parametrize("around", ["group: g", "if: vu > 0", "repeat: 1"])
async def test_a_loop_that_waits_for_nothing_lets_others_run(
    around: str, autojump_clock: trio.testing.MockClock
) -> None:
    loops = "".join(f"      - {{repeat: 9, do: [{{{around}, do: [{{log: {name}}}]}}]}}\n" for name in "ab")
    _, played = await once(f"  - parallel:\n{loops}")
    assert sum(one != other for one, other in pairwise(played.said)) > 4


async def test_variables_begin_afresh_in_each_iteration(autojump_clock: trio.testing.MockClock) -> None:
    steps = "  - get: /${seen ?? 'nothing'}\n  - set: {seen: yes it was}\n"
    asked, _ = await once(steps, iterations=2)
    assert asked == ["GET /nothing", "GET /nothing"]


async def test_groups_are_timed_with_what_is_in_them(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - group: outer
    do:
      - get: /a
      - group: inner
        do: [{get: /b}]
"""
    _, played = await once(steps, Target(always(Reply(after=1.0))))
    duration = played.summary.select("group_duration", None, (("group", "outer"),)).aggregate("max", None)
    assert duration == pytest.approx(2.0, rel=0.01)
    assert played.count("http_reqs", group="outer::inner") == 1


async def test_a_failed_request_ends_its_iteration(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(lambda method, path: Reply(status=500 if path == "/a" else 200))
    asked, played = await once("  - get: /a\n  - get: /b\n", target)
    assert asked == ["GET /a"]
    assert played.count("iterations_failed") == 1
    assert incident(played) == ("VF601", "expected status below 400, got 500")


async def test_on_failure_continue_goes_on_and_still_counts(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(lambda method, path: Reply(status=500 if path == "/a" else 200))
    asked, played = await once("  - get: /a\n    on_failure: continue\n  - get: /b\n", target)
    assert asked == ["GET /a", "GET /b"]
    assert played.summary.select("http_req_failed").aggregate("rate", None) == 0.5
    assert played.count("iterations_failed") == 1


async def test_an_error_without_an_answer_is_counted_by_its_kind(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await once("  - get: /a\n", Target(always(Reply(error=ErrorKind.RESET))))
    assert played.count("http_req_errors", error="reset") == 1
    assert played.count("http_reqs") == 1
    assert played.summary.select("http_req_duration").aggregate("count", None) in (0, None)


@pytest.mark.parametrize(
    ("expect", "reply", "message"),
    [
        ("204", Reply(status=200), "expected status 204, got 200"),
        ("2xx", Reply(status=404), "expected status 2xx, got 404"),
        ("{that: 'len(json(\"$.data\")) > 0'}", Reply(body=b'{"data":[]}'), 'len(json("$.data")) > 0 is false (got 0)'),
        ("{json: {$.name: Ada}}", Reply(body=b'{"name":"Bob"}'), 'expected $.name to be "Ada", got "Bob"'),
        ("{json: {$.name: Ada}}", Reply(body=b"<html>"), "the body is not valid JSON"),
        ("{headers: {x-cache: HIT}}", Reply(headers=(("x-cache", "MISS"),)), 'x-cache to be "HIT", got "MISS"'),
        ("{headers: {x-cache: HIT}}", Reply(headers=(("via", "1"),)), "header x-cache is missing: the headers are via"),
        ("{body: {contains: hello}}", Reply(body=b"goodbye"), 'expected the body to contain "hello", got "goodbye"'),
        ("{body: {matches: '^a+$'}}", Reply(body=b"b"), "expected the body to match ^a+$"),
    ],
)
async def test_an_expectation_that_fails_says_what_was_there(
    autojump_clock: trio.testing.MockClock, expect: str, reply: Reply, message: str
) -> None:
    _, played = await once(f"  - get: /a\n    expect: {expect}\n", Target(always(reply)))
    assert message in incident(played)[1]
    assert played.summary.select("http_req_failed").aggregate("rate", None) == 1.0


async def test_every_check_is_counted(autojump_clock: trio.testing.MockClock) -> None:
    steps = "  - get: /a\n    expect: {that: ['json(\"$.n\") == 1', 'json(\"$.n\") == 2']}\n"
    _, played = await once(steps, Target(always(Reply(body=b'{"n":1}'))), iterations=4)
    assert played.summary.select("checks").aggregate("rate", None) == 0.5


@pytest.mark.parametrize(
    ("extract", "reply", "url"),
    [
        ("$.id", Reply(body=b'{"id":7}'), "/7"),
        ("{json: '$.a[*].id', pick: last}", Reply(body=b'{"a":[{"id":1},{"id":2}]}'), "/2"),
        ("{json: '$.a[*]', where: n > 1, pick: first}", Reply(body=b'{"a":[{"n":1},{"n":2}]}'), "/%7B%22n%22%3A2%7D"),
        ("{json: '$.a[*]', pick: 1}", Reply(body=b'{"a":[5,6]}'), "/6"),
        ("{regex: 'id=(\\d+)'}", Reply(body=b"x id=42 y"), "/42"),
        ("{header: X-Id}", Reply(headers=(("x-id", "h1"),)), "/h1"),
        ("{json: $.none, default: d}", Reply(body=b"{}"), "/d"),
    ],
)
async def test_what_is_extracted_is_used(
    autojump_clock: trio.testing.MockClock, extract: str, reply: Reply, url: str
) -> None:
    asked, _ = await once(f"  - get: /a\n    extract: {{x: {extract}}}\n  - get: /${{x}}\n", Target(always(reply)))
    assert asked == ["GET /a", f"GET {url}"]


@pytest.mark.parametrize(
    ("extract", "reply", "message"),
    [
        ("$.id", Reply(body=b'{"name":"x"}'), '\'x\': no match; the body: {"name":"x"}'),
        ("$.id", Reply(body=b""), "the body is not valid JSON"),
        ("{header: X-Id}", Reply(headers=(("via", "1"),)), "the headers are via"),
        ("{json: '$.a[*]', pick: 5}", Reply(body=b'{"a":[1]}'), "no match number 5: there are 1"),
        ("{json: '$.a[*]', where: n > 5}", Reply(body=b'{"a":[{"n":1}]}'), "none of 1 matches satisfies `where`"),
        ("{m3u8: segments}", Reply(body=b"<html>"), "the body is not a playlist"),
    ],
)
async def test_an_extraction_that_finds_nothing_fails_its_request_and_says_what_was_there(
    autojump_clock: trio.testing.MockClock, extract: str, reply: Reply, message: str
) -> None:
    steps = f"  - get: /a\n    extract: {{x: {extract}}}\n  - get: /${{x}}\n"
    asked, played = await once(steps, Target(always(reply)))
    assert asked == ["GET /a"]
    assert message in incident(played)[1]


async def test_the_first_failure_at_a_place_is_kept_with_what_its_answer_offers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    bodies = iter([b'{"titel":1}', b'{"other":2}'])
    target = Target(lambda _method, _path: Reply(body=next(bodies)))
    steps = "  - repeat: 2\n    do: [{get: /a, extract: {x: $.title}, on_failure: continue}]\n  - log: ${x}\n"
    _, played = await once(steps, target)
    first = next(found for found in played.engine.incidents.items if found.code == "VF603")
    assert first.count == 2
    assert first.diagnostic().help == "`$` has no 'title': did you mean `$.titel`?\n$.titel = 1"


async def test_playlists_are_walked_by_absolute_uris(autojump_clock: trio.testing.MockClock) -> None:
    master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=128000\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=256000\nmid/p.m3u8\n"
    master += b"#EXT-X-STREAM-INF:BANDWIDTH=900000\nhigh.m3u8\n"
    media = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n" + b"".join(b"#EXTINF:6,\ns%d.ts\n" % n for n in range(5))
    steps = """
  - get: /t/master.m3u8
    extract: {variant: {m3u8: variants, where: bandwidth <= 256000, pick: last}}
  - get: ${variant.uri}
    extract: {segments: {m3u8: segments, take: 2}}
  - for: segment
    in: ${segments}
    do: [{get: "${segment.uri}", name: segment}]
"""
    target = Target(lambda method, path: Reply(body=master if "master" in path else media))
    asked, _ = await once(steps, target)
    assert asked == ["GET /t/master.m3u8", "GET /t/mid/p.m3u8", "GET /t/mid/s0.ts", "GET /t/mid/s1.ts"]


async def test_redirects_are_followed_and_each_hop_is_a_request(autojump_clock: trio.testing.MockClock) -> None:
    def answer(method: str, path: str) -> Reply:
        return Reply(status=302, headers=(("location", "/b"),)) if path == "/a" else Reply()

    asked, played = await once("  - post: /a\n    json: {x: 1}\n    headers: {authorization: secret}\n", Target(answer))
    assert asked == ["POST /a", "GET /b"]
    assert played.count("http_reqs") == 2
    assert played.count("iterations_failed") == 0


async def test_a_redirect_that_was_expected_is_not_followed(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(status=302, headers=(("location", "/b"),))))
    asked, _ = await once("  - get: /a\n    expect: 302\n", target)
    assert asked == ["GET /a"]


async def test_redirects_that_go_in_circles_are_a_failure(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(status=302, headers=(("location", "/a"),))))
    asked, played = await once("  - get: /a\n    follow: 3\n", target)
    assert len(asked) == 4
    assert played.count("http_req_errors", error="too_many_redirects") == 1


async def test_a_redirect_that_leaves_the_allowed_hosts_is_not_followed(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(status=302, headers=(("location", "http://veza.example/x"),))))
    asked, played = await once("  - get: /a\n", target)
    assert asked == ["GET /a"]
    assert played.count("http_req_errors", error="guard") == 1


async def test_credentials_do_not_follow_to_another_origin(autojump_clock: trio.testing.MockClock) -> None:
    leads = {"/a": "http://localhost:9/b", "/b": "http://localhost:9/c"}

    def answer(method: str, path: str) -> Reply:
        return Reply(status=307, headers=(("location", leads[path]),)) if path in leads else Reply()

    target = Target(answer)
    await once("  - get: /a\n    auth: {bearer: hush}\n", target)
    assert ["hush" in head for *_, head in target.log] == [True, False, False], "nor to where that one leads"


async def test_an_extracted_url_that_leaves_the_allowed_hosts_is_not_asked(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target = Target(always(Reply(body=b'{"u":"http://veza.example/x"}')))
    asked, played = await once("  - get: /a\n    extract: {u: $.u}\n  - get: ${u}\n", target)
    assert asked == ["GET /a"]
    assert played.count("http_req_errors", error="guard") == 1


async def test_an_expression_that_fails_fails_its_iteration_only(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(body=b'{"a":"text"}')))
    steps = "  - get: /a\n    extract: {a: $.a}\n  - set: {b: '${a + 1}'}\n  - get: /never\n"
    asked, played = await once(steps, target, iterations=2)
    assert asked == ["GET /a", "GET /a"]
    assert incident(played) == ("VF605", '`+` expects numbers, got a text: "text"')
    assert played.engine.incidents.items[0].count == 2


async def test_an_extraction_sees_where_redirects_led(autojump_clock: trio.testing.MockClock) -> None:
    def answer(_method: str, path: str) -> Reply:
        return {
            "/a": Reply(301, headers=(("location", "/b"),)),
            "/b": Reply(302, headers=(("location", "/c"),)),
        }.get(path, Reply(200, b"<p> here </p>"))

    steps = """
  - get: /a
    extract:
      end: url
      code: status
      hops: {response: redirects, all: true}
      text: {css: p, pipe: trim}
  - log: ${text} ${code} ${end} ${hops[0].status} ${hops[1].url} ${hops[1].location}
"""
    _, played = await once(steps, Target(answer))
    assert played.said == ["here 200 http://127.0.0.1:1/c 301 http://127.0.0.1:1/b /c"]


async def test_a_request_that_timed_out_took_at_least_its_timeout(autojump_clock: trio.testing.MockClock) -> None:
    late = Target(always(Reply(error=ErrorKind.TIMEOUT_WAIT, after=0.31)))
    _, played = await once("  - {get: /slow, timeout: 300 ms}\n", late)
    longest = played.summary.select("http_req_duration").aggregate("max")
    assert (longest, isinstance(longest, AtLeast)) == (0.3, True)
    assert incident(played) == ("VF604", "no response within 300 ms (timeout)")
    (row,) = played.summary.error_rows()
    assert row.detail == "no response within 300 ms (timeout)"


@pytest.mark.parametrize("kind", [ErrorKind.REFUSED, ErrorKind.RESET, ErrorKind.CLOSED_EARLY])
async def test_a_request_that_nobody_took_has_no_duration(
    kind: ErrorKind, autojump_clock: trio.testing.MockClock
) -> None:
    _, played = await once("  - {get: /slow, timeout: 300 ms}\n", Target(always(Reply(error=kind))))
    assert played.summary.select("http_req_duration").samples == 0


async def test_a_group_within_a_group_has_its_whole_name(autojump_clock: trio.testing.MockClock) -> None:
    _, played = await once("  - group: shop\n    do:\n      - group: cart\n        do: [{get: /cart}]\n")
    assert played.count("http_reqs", group="shop::cart") == 1
    assert played.count("http_reqs", group="shop") == 0
    assert [played.count("group_duration", group=name) for name in ("shop", "shop::cart")] == [1, 1]
