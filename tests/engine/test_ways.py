"""Steps that connect otherwise than their flow, on a mock clock: which client sends, whose cookies, when it closes."""

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Reply, Target, always, play

from vezaflow.protocols import ClientOptions

pytestmark = pytest.mark.trio

ONCE = "load: {executor: per-vu-iterations, vus: 1, iterations: 2}\n"
FAR = "http: {local_address: 127.0.0.2}"


def ways(target: Target) -> list[tuple[str, str]]:
    """What was asked for, and from which address."""
    froms = ["".join(sender.options.local_addresses) for sender in target.senders]
    return [(path, far) for (_, _, path, _), far in zip(target.log, froms, strict=True)]


async def test_a_step_of_its_own_way_has_a_client_of_its_own_and_the_next_step_the_flow_s_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    target = Target(always(Reply()))
    await play(plan_of(f"{ONCE}steps: [{{get: /a}}, {{get: /b, {FAR}}}, {{get: /c}}]"), target)
    assert ways(target) == [("/a", ""), ("/b", "127.0.0.2"), ("/c", "")] * 2
    usual, far, *_ = target.senders
    assert target.senders == [usual, far, usual] * 2, "made once, and kept"
    assert far.cookies is usual.cookies, "they are the same user"
    assert target.open_clients == 0
    assert len(target.closed) == 2, "both at the end"


async def test_a_client_per_way_not_per_step(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply()))
    await play(plan_of(f"{ONCE}steps: [{{get: /a, {FAR}}}, {{get: /b, {FAR}}}]"), target)
    assert len(set(map(id, target.senders))) == 1
    assert target.senders[0].options == ClientOptions(local_addresses=("127.0.0.2",))


async def test_redirects_retries_polls_and_pages_go_the_way_of_their_step(
    autojump_clock: trio.testing.MockClock,
) -> None:
    answers = {
        "/from": [Reply(302, headers=(("location", "/to"),))],
        "/busy": [Reply(503), Reply()],
        "/poll": [Reply(body=b"no"), Reply(body=b"yes")],
        "/pages": [Reply(body=b'{"next": "/more"}')],
    }

    def answer(_method: str, path: str) -> Reply:
        left = answers.get(path)
        return left.pop(0) if left else Reply(body=b"{}")

    flow = f"""
    load: {{executor: per-vu-iterations, vus: 1, iterations: 1}}
    steps:
      - {{get: /from, {FAR}}}
      - {{get: /busy, retry: 1, {FAR}}}
      - {{poll: {{get: /poll, {FAR}}}, until: body() == "yes", within: 5s}}
      - {{paginate: {{get: /pages, {FAR}}}, next: $.next, pages: 2}}
      - {{get: /usual}}
    """
    target = Target(answer)
    await play(plan_of(flow), target)
    far, usual = ways(target)[:-1], ways(target)[-1]
    assert [path for path, _ in far] == ["/from", "/to", "/busy", "/busy", "/poll", "/poll", "/pages", "/more"]
    assert {way for _, way in far} == {"127.0.0.2"}
    assert usual == ("/usual", "")


async def test_what_runs_at_the_same_time_goes_each_its_way_and_a_host_has_its_places_for_all(
    autojump_clock: trio.testing.MockClock,
) -> None:
    flow = f"{ONCE}steps: [{{parallel: [{{get: /a, {FAR}}}, {{get: /b}}, {{get: /c, {FAR}}}], per_host: 2}}]"
    target = Target(always(Reply(after=1.0)))
    await play(plan_of(flow), target)
    assert sorted(ways(target)) == sorted([("/a", "127.0.0.2"), ("/b", ""), ("/c", "127.0.0.2")] * 2)
    assert target.most["127.0.0.1:1"] == 2


async def test_the_parts_of_an_upload_go_its_way(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply()))
    upload = "upload: '/${part.index}', of: 3 MiB, part: 1 MiB, at_once: 2"
    await play(plan_of(f"steps: [{{{upload}, {FAR}}}, {{get: /after}}]"), target)
    assert sorted(ways(target)) == [("/0", "127.0.0.2"), ("/1", "127.0.0.2"), ("/2", "127.0.0.2"), ("/after", "")]


async def test_a_step_that_is_cut_off_leaves_finally_the_flow_s_way(autojump_clock: trio.testing.MockClock) -> None:
    flow = f"""
    load: {{vus: 1, duration: 1s, graceful_stop: 0s}}
    steps: [{{get: /slow, {FAR}}}]
    finally: [{{post: /out}}]
    """
    target = Target(lambda _method, path: Reply(after=60.0 if path == "/slow" else 0.0))
    await play(plan_of(flow), target)
    assert ways(target) == [("/slow", "127.0.0.2"), ("/out", "")]


async def test_an_iteration_that_connects_anew_lets_go_of_every_way(autojump_clock: trio.testing.MockClock) -> None:
    flow = f"{ONCE}http: {{connections: per_iteration}}\nsteps: [{{get: /a, {FAR}}}]"
    target = Target(always(Reply()))
    await play(plan_of(flow), target)
    assert len(target.closed) == 1 + 4 * 2, "the flow's alone at first; then both after, before, after, and at the end"
    assert target.open_clients == 0
