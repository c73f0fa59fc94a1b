"""A run that is steered while it goes: paused, resumed, given more or fewer VUs."""

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Reply, Target, always, play

from vezaflow.engine import RunEngine

pytestmark = pytest.mark.trio

FLOW = "load: {vus: 4, duration: 10s}\nsteps: [{get: '/${vu}'}]\nthink: 900ms"


def starts(target: Target, begin: float, end: float) -> int:
    return sum(begin <= at < end for at, *_ in target.log)


async def test_a_paused_flow_begins_nothing_until_it_is_resumed(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.1)))
    begin = trio.current_time()

    async def steer(engine: RunEngine) -> None:
        await trio.sleep(2.5)
        engine.pause("flow")
        await trio.sleep(4)
        engine.resume()

    played = await play(plan_of(FLOW), target, during=steer)
    assert starts(target, begin + 2.6, begin + 6.4) == 0
    assert starts(target, begin + 6.4, begin + 6.6) == 4, "all go on at once"
    assert 9 < played.seconds < 10.5, "the time goes on meanwhile"


async def test_a_paused_flow_can_be_stopped(autojump_clock: trio.testing.MockClock) -> None:
    async def steer(engine: RunEngine) -> None:
        engine.pause()
        await trio.sleep(2)
        engine.stop()

    played = await play(plan_of(FLOW), always(Reply(after=0.1)), during=steer)
    assert played.seconds < 3


async def test_a_flow_gets_more_vus_and_fewer(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.1)))
    begin = trio.current_time()

    async def steer(engine: RunEngine) -> None:
        for at, vus in ((2.5, 9), (4.5, 1), (6.5, 0), (8.5, 3)):
            await trio.sleep(begin + at - trio.current_time())
            engine.scale("flow", vus)

    await play(plan_of(FLOW), target, during=steer)
    seconds = [(3.5, 4.5), (5.5, 6.5), (7.5, 8.5), (8.6, 9.6)]
    assert [starts(target, begin + first, begin + last) for first, last in seconds] == [9, 1, 0, 3]
    asked = {path for _, _, path, _ in target.log}
    assert asked == {f"/{vu}" for vu in range(1, 10)}, "who comes later has a number of its own"


async def test_a_flow_that_is_over_is_not_scaled_any_more(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.1)))
    once = "load: {executor: per-vu-iterations, vus: 2, iterations: 3}\nsteps: [{get: /once}]"
    played = await play(plan_of(once), target)
    played.engine.scale("flow", 9)
    assert len(target.log) == 6


async def test_a_paused_user_who_is_taken_away_goes_at_once(autojump_clock: trio.testing.MockClock) -> None:
    left: list[int] = []

    async def steer(engine: RunEngine) -> None:
        engine.pause()
        await trio.sleep(2)
        engine.scale("flow", 1)
        await trio.sleep(0.1)
        left.append(engine.flows[0].active)

    await play(plan_of(FLOW), always(Reply(after=0.1)), during=steer)
    assert left == [1], "who has nothing to do needs no graceful ramp-down"


async def test_a_user_who_is_taken_away_does_not_rest_first(autojump_clock: trio.testing.MockClock) -> None:
    left: list[int] = []

    async def steer(engine: RunEngine) -> None:
        await trio.sleep(0.05)
        engine.scale("flow", 0)
        await trio.sleep(0.2)
        left.append(engine.flows[0].active)

    await play(plan_of(FLOW), always(Reply(after=0.1)), during=steer)
    assert left == [0]


async def test_a_login_has_no_longer_than_the_graceful_ramp_down(autojump_clock: trio.testing.MockClock) -> None:
    left: list[int] = []
    flow = """
load: {executor: ramping-vus, start_vus: 3, stages: [{duration: 20s, target: 3}], graceful_ramp_down: 2s}
login: [{get: /slow, timeout: 60s}]
steps: [{get: /}]
"""

    async def steer(engine: RunEngine) -> None:
        await trio.sleep(1)
        engine.scale("flow", 0)
        for _ in range(2):
            await trio.sleep(1.5)
            left.append(engine.flows[0].active)

    await play(plan_of(flow), always(Reply(after=15)), during=steer)
    assert left == [3, 0]
