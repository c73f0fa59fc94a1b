"""Recorded at the seam of the clients, and played again there: on trio's mock clock, against a fake target."""

from collections.abc import Callable

import pytest
import trio
from planned import plan_of
from stage import Reply, Target, always

from vezaflow.engine import RunEngine
from vezaflow.metrics import Recorder
from vezaflow.outputs import Trace
from vezaflow.outputs.traced import Traced, TracedMessage, TracedRequest
from vezaflow.plan import Plan, Secrets
from vezaflow.protocols import ClientOptions, ErrorKind, Sender
from vezaflow.tape import Position, Recording, Replay, Tape

pytestmark = pytest.mark.trio

LOGIN = """
steps:
  - post: /login
    name: login
    json: {password: hunter2hunter2}
    extract: {token: $.token}
  - repeat: 2
    do:
      - get: /things
        name: things
        auth: {bearer: "${token}"}
        extract: {id: $.id}
  - get: /things/${id}?key=${token}
    name: detail
"""


def answer(method: str, target: str) -> Reply:
    cookie = ("set-cookie", "sid=cookie-cookie; Path=/")
    if target == "/login":
        return Reply(200, b'{"token": "fresh-fresh-token", "user": "me"}', (cookie,))
    return Reply(200, b'{"id": 7, "echo": "fresh-fresh-token"}')


async def recorded(plan: Plan, target: Target) -> Tape:
    position = Position()
    recording = Recording(position, None, Secrets())
    trace = Trace(hooks=(position.before,))
    await rehearsed(plan, trace, recording.of(target.client))
    return recording.tape(plan, "flow", None)


async def replayed(plan: Plan, tape: Tape) -> tuple[list[Traced], Replay]:
    seen: list[Traced] = []
    position = Position()
    trace = Trace(seen.append, hooks=(position.before,))
    replay = Replay(tape, position, None, Secrets(), trace.said)
    await rehearsed(plan, trace, replay.client)
    return seen, replay


async def rehearsed(plan: Plan, trace: Trace, client: Callable[[ClientOptions], Sender]) -> None:
    engine = RunEngine(plan, recorder=Recorder(0.0), client=client, clock=trio.current_time, observer=trace)
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.wheel.run)
        await engine.rehearse(plan.flows[0])
        nursery.cancel_scope.cancel()


def statuses(seen: list[Traced]) -> list[tuple[str, int]]:
    return [(a.name, a.response.status if a.response else 0) for a in seen if isinstance(a, TracedRequest)]


async def test_every_answer_comes_again(autojump_clock: trio.testing.MockClock) -> None:
    plan = plan_of(LOGIN)
    tape = await recorded(plan, Target(answer))
    seen, replay = await replayed(plan, tape)
    assert statuses(seen) == [("login", 200), ("things", 200), ("things", 200), ("detail", 200)]
    assert [a.response.timing.duration for a in seen if isinstance(a, TracedRequest) and a.response] == pytest.approx(
        [0.01] * 4
    )
    assert replay.others == 0
    assert not any(isinstance(event, TracedMessage) for event in seen)


async def test_no_credential_is_on_the_tape(autojump_clock: trio.testing.MockClock) -> None:
    tape = await recorded(plan_of(LOGIN), Target(answer))
    whole = repr(tape)
    assert "/things/7?key=•••" in whole
    assert not any(word in whole for word in ("fresh-fresh", "cookie-cookie", "hunter2"))
    assert ("set-cookie", "sid=•••; Path=/") in tape.takes[0].headers


async def test_an_edited_extraction_runs_on_the_same_answers(autojump_clock: trio.testing.MockClock) -> None:
    tape = await recorded(plan_of(LOGIN), Target(answer))
    seen, _ = await replayed(plan_of(LOGIN.replace("{token: $.token}", "{token: $.token, user: $.user}")), tape)
    assert isinstance(seen[0], TracedRequest)
    assert seen[0].extracted == (("token", "•••"), ("user", "me"))


async def test_a_request_that_was_never_answered_fails_and_says_so(autojump_clock: trio.testing.MockClock) -> None:
    tape = await recorded(plan_of(LOGIN), Target(answer))
    seen, _ = await replayed(plan_of(LOGIN + "  - get: /new\n    name: new\n"), tape)
    assert isinstance(seen[-1], TracedRequest)
    assert seen[-1].fault is not None
    assert "no response is recorded for 'new'" in seen[-1].fault.message


async def test_one_run_too_many_says_how_many_there_are(autojump_clock: trio.testing.MockClock) -> None:
    tape = await recorded(plan_of("steps: [{repeat: 2, do: [{get: /a, name: a}]}]"), Target(always(Reply())))
    seen, replay = await replayed(plan_of("steps: [{repeat: 3, do: [{get: /b, name: a}]}]"), tape)
    assert replay.others == 2
    assert isinstance(seen[-1], TracedRequest)
    assert seen[-1].fault is not None
    assert "no response is recorded for run 3 of 'a', only 2 runs of it" in seen[-1].fault.message


async def test_another_request_is_answered_and_told(autojump_clock: trio.testing.MockClock) -> None:
    tape = await recorded(plan_of("steps: [{get: /a, name: a}]"), Target(always(Reply())))
    seen, replay = await replayed(plan_of("steps: [{get: /b, name: a}]"), tape)
    assert statuses(seen) == [("a", 200)]
    assert replay.others == 1
    assert isinstance(seen[0], TracedMessage)
    assert (
        "the recorded response is for GET http://127.0.0.1:1/a, and this is GET http://127.0.0.1:1/b" in seen[0].message
    )


async def test_a_step_with_a_new_name_finds_its_answer_by_its_url(autojump_clock: trio.testing.MockClock) -> None:
    tape = await recorded(plan_of("steps: [{get: /a, name: old}]"), Target(always(Reply(204))))
    seen, replay = await replayed(plan_of("steps: [{get: /a, name: new}]"), tape)
    assert statuses(seen) == [("new", 204)]
    assert replay.others == 0
    assert isinstance(seen[0], TracedMessage)
    assert "using the response of 'old'" in seen[0].message


async def test_redirects_retries_and_polls_are_played_in_their_order(autojump_clock: trio.testing.MockClock) -> None:
    flow = """
    steps:
      - get: /from
        name: moved
        retry: {on: [503], max: 2, wait: 1s}
      - poll: {get: /state, name: state}
        until: json("$.done")
        every: 1s
        within: 10s
    """
    count = {"/to": 0, "/state": 0}

    def target(_method: str, path: str) -> Reply:
        if path == "/from":
            return Reply(302, headers=(("location", "/to"),))
        count[path] += 1
        if path == "/to":
            return Reply(200 if count[path] == 2 else 503)
        return Reply(200, b'{"done": true}' if count[path] == 3 else b'{"done": false}')

    plan = plan_of(flow)
    tape = await recorded(plan, Target(target))
    assert [tuple(take.key)[1:] for take in tape.takes] == [(1, 1), (1, 2), (1, 3), (1, 4), (1, 1), (1, 2), (1, 3)]
    seen, replay = await replayed(plan, tape)
    assert [s for _, s in statuses(seen)] == [302, 503, 302, 200, 200, 200, 200]
    assert replay.others == 0


async def test_what_ran_at_the_same_time_is_told_apart(autojump_clock: trio.testing.MockClock) -> None:
    flow = """
    steps:
      - set: {ids: "${[3, 1, 2]}"}
      - for: id
        in: ${ids}
        at_once: 3
        do:
          - {get: "/a/${id}", name: a, extract: {b: $.b}}
          - {get: "/b/${b}", name: b}
    """

    def target(_method: str, path: str) -> Reply:
        number = path[-1]
        return Reply(200, b'{"b": %s}' % number.encode(), after=float(number) + 0.1)

    plan = plan_of(flow)
    tape = await recorded(plan, Target(target))
    assert [take.url[-4:] for take in tape.takes] == ["/a/1", "/a/2", "/b/1", "/a/3", "/b/2", "/b/3"]
    seen, replay = await replayed(plan, tape)
    assert [s for _, s in statuses(seen)] == [200] * 6
    assert replay.others == 0


async def test_a_body_that_is_too_large_is_not_kept_and_that_is_said(autojump_clock: trio.testing.MockClock) -> None:
    plan = plan_of("steps: [{get: /a, name: a}]")
    tape = await recorded(plan, Target(always(Reply(200, b"x" * (5 << 20)))))
    assert tape.takes[0].body is None
    seen, _ = await replayed(plan, tape)
    assert isinstance(seen[0], TracedMessage)
    assert "the body of 'a' was too large to record" in seen[0].message
    assert statuses(seen) == [("a", 200)]


async def test_what_got_no_answer_is_not_recorded(autojump_clock: trio.testing.MockClock) -> None:
    tape = await recorded(plan_of("steps: [{get: /a, name: a}]"), Target(always(Reply(error=ErrorKind.REFUSED))))
    assert tape.takes == ()


async def test_both_have_a_client_s_shape() -> None:
    position = Position()
    recorded: Sender = Recording(position, None, Secrets()).of(Target(always(Reply())).client)(ClientOptions())
    played: Sender = Replay(Tape("f", {}, None, ()), position, None, Secrets(), print).client(ClientOptions())
    for sender in (recorded, played):
        other = sender.by(ClientOptions(insecure=True))
        assert other.cookies is sender.cookies
    assert recorded.certificate_ends() is played.certificate_ends() is None
