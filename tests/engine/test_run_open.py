"""The open model on a mock clock: what starts when, what is dropped, what the arriving user felt."""

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Reply, Target, always, play

from vezaflow.engine import RunEngine
from vezaflow.plan import Segment

pytestmark = pytest.mark.trio

RATE = "{executor: constant-arrival-rate, rate: 10/s, duration: 10s, pre_allocated_vus: 2, max_vus: 5}"
FLOW = f"load: {RATE}\nsteps: [{{get: '/${{vu}}'}}]"


class Frozen:
    """Answers at once, but not between two moments: who asks then is answered when it thaws."""

    def __init__(self, first: float, last: float) -> None:
        self._begin = trio.current_time()
        self._first, self._last = first, last

    def __call__(self, _method: str, _target: str) -> Reply:
        now = trio.current_time() - self._begin
        return Reply(after=self._last - now if self._first <= now < self._last else 0.01)


async def test_iterations_start_when_they_are_due(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.01)))
    begin = trio.current_time()
    played = await play(plan_of(FLOW), target)
    assert [at - begin for at, *_ in target.log] == pytest.approx([n / 10 for n in range(100)], abs=0.001)
    assert played.count("iterations") == 100
    assert played.count("dropped_iterations") == 0
    assert played.count("iteration_delay") == 100


async def test_a_load_lasts_for_its_duration_also_after_its_last_start(autojump_clock: trio.testing.MockClock) -> None:
    rate = "{executor: constant-arrival-rate, rate: 10/m, duration: 10s, pre_allocated_vus: 1}"
    begin = trio.current_time()
    played = await play(plan_of(f"load: {rate}\nsteps: [{{get: /}}]"), always(Reply(after=0.01)))
    assert played.count("iterations") == 2
    assert trio.current_time() - begin == pytest.approx(10, abs=0.1)


async def test_a_slow_target_delays_no_start_as_long_as_a_vu_is_free(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.45)))
    begin = trio.current_time()
    played = await play(plan_of(FLOW), target)
    assert [at - begin for at, *_ in target.log] == pytest.approx([n / 10 for n in range(100)], abs=0.001)
    assert played.engine.flows[0].delivered.most == 5


@pytest.mark.parametrize(("index", "expected"), [(0, 25 + 13), (3, 13)])
async def test_vus_that_come_by_hand_get_their_part_of_the_starts(
    index: int, expected: int, autojump_clock: trio.testing.MockClock
) -> None:
    """Of two VUs in four segments the last two have none, and no starts; of eight each has two."""
    rate = "{executor: constant-arrival-rate, rate: 10/s, duration: 10s, pre_allocated_vus: 2, max_vus: 2}"

    async def steer(engine: RunEngine) -> None:
        await trio.sleep(5.01)
        engine.scale("flow", 8)

    plan = plan_of(f"load: {rate}\nsteps: [{{get: /}}]")
    played = await play(plan, always(Reply(after=0.01)), during=steer, segment=Segment(index, 4))
    assert played.count("iterations") == pytest.approx(expected, abs=1)
    assert played.count("dropped_iterations") == 0


async def test_a_start_without_a_free_vu_is_dropped_and_counted(autojump_clock: trio.testing.MockClock) -> None:
    played = await play(plan_of(FLOW), always(Reply(after=0.95)))
    dropped = played.count("dropped_iterations", reason="no_free_vu")
    assert dropped == 50
    assert played.count("iterations") + dropped == 100
    delivered = played.engine.flows[0].delivered
    assert (delivered.due, delivered.dropped) == (100, {"no_free_vu": 50})


async def test_starts_that_the_generator_is_too_late_for_are_dropped(autojump_clock: trio.testing.MockClock) -> None:
    async def stall(_engine: RunEngine) -> None:
        await trio.sleep(2.05)
        autojump_clock.jump(1)  # the loop stood still for a second

    played = await play(plan_of(FLOW), always(Reply(after=0.001)), during=stall)
    assert played.count("dropped_iterations", reason="generator_late") == 9
    assert played.count("iterations") == 91


async def test_a_pause_starts_nothing_and_drops_nothing(autojump_clock: trio.testing.MockClock) -> None:
    async def steer(engine: RunEngine) -> None:
        await trio.sleep(2.05)
        engine.pause()
        await trio.sleep(5)
        engine.resume()

    played = await play(plan_of(FLOW), always(Reply()), during=steer)
    assert played.count("iterations") == 50
    assert played.count("dropped_iterations") == 0


@pytest.mark.parametrize("grace", [0.0, 5.0])
async def test_an_open_flow_can_be_stopped(grace: float, autojump_clock: trio.testing.MockClock) -> None:
    async def steer(engine: RunEngine) -> None:
        await trio.sleep(2.02)
        engine.stop(grace)

    played = await play(plan_of(FLOW), always(Reply(after=0.95)), during=steer)
    assert played.seconds == pytest.approx(2.02 if grace == 0 else 2.95, abs=0.02)
    assert played.count("iterations_interrupted") == (5 if grace == 0 else 0)


async def test_who_came_while_the_target_stood_still_felt_it(autojump_clock: trio.testing.MockClock) -> None:
    flow = FLOW.replace("max_vus: 5", "max_vus: 50")
    played = await play(plan_of(flow), Frozen(2.0, 4.0))
    felt = played.summary.select("iteration_response_time", "flow")
    assert felt.aggregate("max", None) == pytest.approx(2.0, rel=0.01)
    assert felt.aggregate("p", 90) == pytest.approx(1.0, abs=0.11), "twenty of a hundred came within two seconds"


async def test_vus_log_in_before_the_first_start(autojump_clock: trio.testing.MockClock) -> None:
    flow = f"load: {RATE}\nlogin: [{{post: /login}}]\nsteps: [{{get: /x}}]"
    target = Target(lambda method, _target: Reply(after=0.5 if method == "POST" else 0.01))
    begin = trio.current_time()
    played = await play(plan_of(flow), target)
    assert played.count("iterations") == 100
    assert played.count("dropped_iterations") == 0
    assert min(at for at, method, *_ in target.log if method == "GET") - begin == pytest.approx(0.5, abs=0.01)


LOGIN = "login: [{get: /login}]"


async def test_logins_take_nothing_away_from_the_load(autojump_clock: trio.testing.MockClock) -> None:
    def answer(_method: str, target: str) -> Reply:
        return Reply(after=25 if target == "/login" else 0.01)

    target = Target(answer)
    begin = trio.current_time()
    played = await play(plan_of(f"{FLOW}\n{LOGIN}"), target)
    asked = [at - begin for at, _, path, _ in target.log if path != "/login"]
    assert len(asked) == 100
    assert asked[0] == pytest.approx(25, abs=0.1)
    assert played.seconds == pytest.approx(35, abs=0.2)


async def test_nothing_starts_before_all_have_logged_in(autojump_clock: trio.testing.MockClock) -> None:
    slow = iter([0.0001, 3.0])

    def answer(_method: str, target: str) -> Reply:
        return Reply(after=next(slow) if target == "/login" else 0.01)

    target = Target(answer)
    begin = trio.current_time()
    await play(plan_of(f"{FLOW}\n{LOGIN}"), target)
    assert min(at - begin for at, _, path, _ in target.log if path != "/login") >= 3


async def test_a_start_whose_new_vu_cannot_begin_is_dropped(autojump_clock: trio.testing.MockClock) -> None:
    rate = "{executor: constant-arrival-rate, rate: 1/s, duration: 4s, pre_allocated_vus: 1, max_vus: 9}"
    played = await play(
        plan_of(f"load: {rate}\nvars: {{x: '${{1 / (vu - vu)}}'}}\nsteps: [{{get: '/${{x}}'}}]"), always(Reply())
    )
    delivered = played.engine.flows[0].delivered
    assert (delivered.due, sum(delivered.dropped.values())) == (4, 4)


FAST = "{executor: constant-arrival-rate, rate: 1000000/s, duration: 20s, pre_allocated_vus: 1, max_vus: 3}"


async def test_a_rate_that_nothing_can_follow_is_counted_and_can_be_stopped() -> None:
    async def steer(engine: RunEngine) -> None:
        await trio.sleep(0.1)
        engine.stop(0)

    played = await play(plan_of(f"load: {FAST}\nsteps: [{{get: /}}]"), always(Reply(after=0.01)), during=steer)
    delivered = played.engine.flows[0].delivered
    assert 0 < delivered.due < 10_000_000, "of twenty million: it was stopped long before its end"
    begun = played.count("iterations") + played.count("iterations_interrupted")
    assert begun + sum(delivered.dropped.values()) == delivered.due
