"""What a VU does at the same time, on a mock clock: `parallel`, and `for` with `at_once`."""

from collections.abc import Callable

import pytest
import trio
import trio.testing
from planned import inputs, plan_of
from stage import Played, Reply, Target, always, play

from vezaflow.protocols import ErrorKind

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 1}\n"
HOST = "127.0.0.1:1"


def by_path(**replies: Reply) -> Callable[[str, str], Reply]:
    """A target that answers each path as said, all others in 1 s."""
    return lambda _method, path: replies.get(path.strip("/"), Reply(after=1.0))


async def run(steps: str, target: Target) -> tuple[list[tuple[float, str]], Played]:
    """When what was asked for, from the first request on."""
    played = await play(plan_of(ONCE + "steps:\n" + steps), target)
    begun = target.log[0][0]
    return [(round(at - begun, 3), path) for at, _, path, _ in target.log], played


def value(body: str, after: float = 1.0) -> Reply:
    return Reply(body=body.encode(), after=after)


async def test_branches_run_at_the_same_time_and_the_step_ends_with_the_last(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target = Target(by_path(b=Reply(after=3.0)))
    asked, played = await run("  - {parallel: [{get: /a}, {get: /b}, {get: /c}], name: all}\n  - get: /d\n", target)
    assert asked == [(0, "/a"), (0, "/b"), (0, "/c"), (3, "/d")], "in the order in which they are written"
    assert target.most[HOST] == 3
    assert played.count("http_reqs") == 4
    whole = played.summary.select("step_duration", labels=[("step", "all")])
    assert whole.aggregate("count") == 1
    assert whole.aggregate("max") == pytest.approx(3, abs=0.02)


async def test_no_more_requests_than_allowed_are_on_their_way_to_one_host(
    autojump_clock: trio.testing.MockClock,
) -> None:
    gets = ", ".join(f"{{get: /{name}}}" for name in "abcde")
    target = Target(by_path())
    asked, _ = await run(f"  - {{parallel: [{gets}], per_host: 2}}\n", target)
    assert sorted(asked) == [(0, "/a"), (0, "/b"), (1, "/c"), (1, "/d"), (2, "/e")]
    assert target.most[HOST] == 2


async def test_browsers_six_are_what_holds_without_a_word(autojump_clock: trio.testing.MockClock) -> None:
    gets = ", ".join(f"{{get: /{number}}}" for number in range(20))
    target = Target(by_path())
    _, played = await run(f"  - parallel: [{gets}]\n", target)
    assert target.most[HOST] == 6
    assert played.count("http_reqs") == 20


async def test_each_host_has_its_own_places(autojump_clock: trio.testing.MockClock) -> None:
    here, there = "{get: /a}, {get: /b}, {get: /c}", "{get: 'http://127.0.0.1:2/a'}, {get: 'http://127.0.0.1:2/b'}"
    target = Target(by_path())
    asked, _ = await run(f"  - {{parallel: [{here}, {there}], per_host: 2}}\n", target)
    assert [at for at, _ in asked] == [0, 0, 0, 0, 1]
    assert target.most == {HOST: 2, "127.0.0.1:2": 2}


async def test_a_group_is_a_branch_of_several_steps(autojump_clock: trio.testing.MockClock) -> None:
    steps = "  - parallel: [{get: /a}, {group: chain, do: [{get: /b, extract: {x: body}}, {get: '/c/${x}'}]}]\n"
    asked, played = await run(steps, Target(by_path(b=value("7"))))
    assert asked == [(0, "/a"), (0, "/b"), (1, "/c/7")]
    assert played.count("group_duration", group="chain") == 1


async def test_what_branches_set_is_there_behind_them(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - set: {who: nobody}
  - parallel:
      - {get: /a, extract: {first: body}}
      - group: g
        do: [{think: 5s}, {set: {seen: "${who}"}}]
      - set: {who: ann}
  - log: ${first} ${who} ${seen}
"""
    _, played = await run(steps, Target(by_path(a=value("1"))))
    assert played.said == ["1 ann nobody"]


async def test_the_branch_written_last_stays_whichever_ended_last(autojump_clock: trio.testing.MockClock) -> None:
    steps = "  - parallel: [{get: /a, extract: {x: body}}, {get: /b, extract: {x: body}}]\n  - log: ${x}\n"
    for slow in "ab":
        replies = {name: value(name, 9.0 if name == slow else 1.0) for name in "ab"}
        _, played = await run(steps, Target(by_path(**replies)))
        assert played.said == ["b"]


async def test_a_branch_that_leaves_a_value_alone_does_not_undo_what_another_set(
    autojump_clock: trio.testing.MockClock,
) -> None:
    steps = """
  - set: {x: old}
  - parallel: [{get: /a, extract: {x: body}}, {if: vu > 1, do: [{set: {x: never}}]}]
  - log: ${x}
"""
    _, played = await run(steps, Target(by_path(a=value("new"))))
    assert played.said == ["new"]


async def test_a_branch_that_fails_cuts_no_other_off_and_ends_the_iteration(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target = Target(by_path(a=Reply(500, after=0.1), b=Reply(after=2.0)))
    steps = "  - {parallel: [{get: /a}, {get: /b}], name: both}\n  - get: /never\n"
    asked, played = await run(steps, target)
    assert [path for _, path in asked] == ["/a", "/b"]
    assert played.count("http_reqs") == 2
    assert played.count("http_req_errors") == 1
    assert played.count("iterations_failed") == 1
    assert played.summary.select("step_failed").aggregate("rate") == 1.0


async def test_a_failure_that_may_be_lets_the_iteration_go_on_and_marks_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target = Target(by_path(a=Reply(error=ErrorKind.RESET)))
    steps = "  - parallel: [{get: /a, on_failure: continue}, {get: /b}]\n  - get: /after\n"
    asked, played = await run(steps, target)
    assert asked[-1][1] == "/after"
    assert played.count("iterations_failed") == 1


@pytest.mark.parametrize(("branch", "failed"), [("{skip: enough}", 0), ("{set: {x: '${1 / (vu - 1)}'}}", 1)])
async def test_a_branch_can_end_the_iteration_when_all_have_ended(
    autojump_clock: trio.testing.MockClock, branch: str, failed: int
) -> None:
    steps = f"  - parallel: [{{get: /a}}, {branch}]\n  - get: /never\n"
    asked, played = await run(steps, Target(by_path()))
    assert [path for _, path in asked] == ["/a"]
    assert (played.count("http_reqs"), played.count("iterations_failed")) == (1, failed)


async def test_a_list_is_gone_through_so_many_at_a_time(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(by_path(**{"1": Reply(after=2.5)}))
    asked, played = await run("  - {for: n, in: '${range(5)}', at_once: 2, do: [{get: '/${n}', name: n}]}\n", target)
    assert asked == [(0, "/0"), (0, "/1"), (1, "/2"), (2, "/3"), (2.5, "/4")]
    assert target.most[HOST] == 2
    assert played.count("http_reqs", step="n") == 5


async def test_rounds_have_values_of_their_own_and_the_last_ones_stay(autojump_clock: trio.testing.MockClock) -> None:
    steps = """
  - for: n
    in: [a, b, c]
    at_once: 3
    do: [{get: "/${n}", extract: {x: body}}, {log: "${n}${x}"}]
  - log: at last ${x}
"""
    replies = {"a": value("1", 3.0), "b": value("2", 2.0), "c": value("3", 1.0)}
    _, played = await run(steps, Target(by_path(**replies)))
    assert played.said == ["c3", "b2", "a1", "at last 3"]


async def test_after_a_failure_no_further_round_begins_and_those_begun_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target = Target(by_path(**{"0": Reply(404, after=0.5), "1": Reply(after=5.0)}))
    asked, played = await run("  - {for: n, in: '${range(9)}', at_once: 2, do: [{get: '/${n}'}]}\n", target)
    assert [path for _, path in asked] == ["/0", "/1"]
    assert played.count("http_reqs") == 2
    assert played.count("iterations_failed") == 1


@pytest.mark.parametrize("items", ["${range(0)}", "${range(1)}"])
async def test_short_lists_are_no_trouble(autojump_clock: trio.testing.MockClock, items: str) -> None:
    target = Target(by_path())
    await run(f"  - get: /\n  - {{for: n, in: '{items}', at_once: 4, do: [{{get: '/${{n}}'}}]}}\n", target)
    assert len(target.log) == 1 + int(items[8])


async def test_a_parallel_within_a_parallel_keeps_both_limits(autojump_clock: trio.testing.MockClock) -> None:
    inner = "{parallel: [{get: /c}, {get: /d}, {get: /e}], per_host: 2}"
    target = Target(by_path())
    _, played = await run(f"  - {{parallel: [{{get: /a}}, {{get: /b}}, {inner}], per_host: 3}}\n", target)
    assert target.most[HOST] == 3
    assert played.count("http_reqs") == 5


async def test_the_seed_says_what_branches_send(autojump_clock: trio.testing.MockClock) -> None:
    flow = ONCE + "steps:\n  - parallel: [{get: '/a/${random(0, 999)}'}, {get: '/b/${random(0, 999)}'}]\n"
    flow += "  - {for: n, in: [1, 2, 3], at_once: 2, do: [{get: '/${n}/${random(0, 999)}'}]}\n"
    runs = []
    for slow in ("/a", "/b"):

        def answer(_method: str, path: str, slow: str = slow) -> Reply:
            return Reply(after=2.0 if path.startswith(slow) else 1.0)

        target = Target(answer)
        await play(plan_of(flow, inputs=inputs(seed=3)), target)
        runs.append(sorted(target.asked))
    assert runs[0] == runs[1]
    assert len({path.rpartition("/")[2] for path in runs[0]}) > 1, "each draws its own"


async def test_the_end_of_the_run_reaches_all_branches(autojump_clock: trio.testing.MockClock) -> None:
    flow = "load: {vus: 3, duration: 10s, graceful_stop: 1s}\nsteps: [{parallel: [{get: /a}, {get: /b}]}]\n"
    target = Target(always(Reply(after=100.0)))
    played = await play(plan_of(flow), target)
    assert played.seconds == pytest.approx(11, abs=0.1)
    assert target.on_their_way[HOST] == 0
    assert played.count("iterations_interrupted") == 3


async def test_login_and_finally_may_do_things_at_the_same_time(autojump_clock: trio.testing.MockClock) -> None:
    flow = "login: [{parallel: [{get: /a, extract: {x: body}}, {get: /b}]}]\n"
    flow += "finally: [{parallel: [{get: /e}, {get: /f}]}]\n"
    target = Target(by_path(a=value("7")))
    await play(plan_of(ONCE + flow + "steps: [{get: '/c/${x}'}]\n"), target)
    assert [(round(at), path) for at, _, path, _ in target.log] == [
        (0, "/a"), (0, "/b"), (1, "/c/7"), (2, "/e"), (2, "/f"),
    ]  # fmt: skip


async def test_one_that_has_to_wait_and_is_sent_again_holds_no_place_meanwhile(
    autojump_clock: trio.testing.MockClock,
) -> None:
    replies = [Reply(503, after=1.0), Reply(after=1.0), Reply(after=1.0)]
    target = Target(lambda _method, _path: replies.pop(0))
    asked, _ = await run("  - {parallel: [{get: /a, retry: {max: 1, wait: 5s}}, {get: /b}], per_host: 1}\n", target)
    assert [path for _, path in asked] == ["/a", "/b", "/a"]
    assert [at for at, _ in asked] == pytest.approx([0, 1, 6], abs=0.01)
