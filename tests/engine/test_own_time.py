"""What the generator takes of its users' time: it is given back where it can be, and counted where it can't."""

import pytest
import trio
import trio.testing
from planned import plan_of
from stage import Reply, Target, always, play

from vezaflow.engine import Delivered, RunEngine
from vezaflow.engine.own_time import HANDLING, MOST_OWED

pytestmark = pytest.mark.trio


def late(seconds: float, after: float = 0.1) -> Target:
    """A target whose answers lie there for a while, since the generator has other things to do."""
    return Target(always(Reply(after=after)), read_late=seconds)


async def starts_of(yaml: str, target: Target) -> tuple[list[float], Delivered]:
    """When requests were sent (seconds from the first), and what the flow's load was."""
    played = await play(plan_of(yaml), target)
    starts = [at for at, *_ in target.log]
    return [at - starts[0] for at in starts], played.engine.flows[0].delivered


@pytest.mark.parametrize(("pause", "beat"), [("think: 400ms", 0.5 + HANDLING), ("pace: 500ms", 0.5)])
async def test_users_keep_their_beat_however_late_answers_are_read(
    autojump_clock: trio.testing.MockClock, pause: str, beat: float
) -> None:
    load = "load: {vus: 1, duration: 60s}"
    starts, delivered = await starts_of(f"{load}\nsteps: [{{get: /x}}]\n{pause}", late(0.02))
    assert starts == [pytest.approx(number * beat, abs=0.004) for number in range(120)]
    assert delivered.time_lost == 0
    assert delivered.lived == pytest.approx(60, abs=0.6)


async def test_the_beat_is_kept_over_several_requests_and_a_pause_among_them(
    autojump_clock: trio.testing.MockClock,
) -> None:
    steps = "steps: [{get: /a}, {get: /b}, {think: 300ms}]"
    starts, delivered = await starts_of(f"load: {{vus: 1, duration: 50s}}\n{steps}", late(0.01))
    assert starts[::2] == [pytest.approx(number * (0.5 + 2 * HANDLING), abs=0.004) for number in range(100)]
    assert delivered.time_lost == 0


async def test_what_cannot_be_given_back_is_as_much_of_the_load_that_is_missing(
    autojump_clock: trio.testing.MockClock,
) -> None:
    yaml = "load: {vus: 3, duration: 60s}\nsteps: [{get: /x}]\nthink: 400ms"
    starts, delivered = await starts_of(yaml, late(0.2))
    missing = 1 - len(starts) / (3 * 120)
    assert missing == pytest.approx(0.235, abs=0.01)  # 0.5 s asked for, 0.2 taken, 0.043 given back
    assert delivered.time_lost / delivered.lived == pytest.approx(missing, abs=0.01)


async def stalled(seconds: float) -> tuple[list[float], Delivered]:
    """The time between the requests of a run in which the generator stands still once, and what its load was."""
    target = late(0.0)

    async def stall(_engine: object) -> None:
        await trio.sleep(10)
        target.read_late = seconds
        await trio.sleep(0.5)
        target.read_late = 0.0

    plan = plan_of("load: {vus: 1, duration: 60s}\nsteps: [{get: /x}]\nthink: 400ms")
    played = await play(plan, target, during=stall)
    gaps = [after - before for (before, *_), (after, *_) in zip(target.log, target.log[1:], strict=False)]
    return gaps, played.engine.flows[0].delivered


async def test_what_a_stall_took_is_given_back_little_by_little(autojump_clock: trio.testing.MockClock) -> None:
    gaps, delivered = await stalled(0.4)
    assert len(gaps) == 119
    assert max(gaps) == pytest.approx(0.857, abs=0.005)
    assert sorted(gaps)[:8] == [pytest.approx(0.458, abs=0.005)] * 8
    assert delivered.time_lost == pytest.approx(0)


async def test_a_long_stall_is_not_made_up_for(autojump_clock: trio.testing.MockClock) -> None:
    gaps, delivered = await stalled(3.0)
    assert len(gaps) == pytest.approx(119 - (3.0 - 0.043 - MOST_OWED) / 0.5, abs=1)
    assert sum(gap < 0.48 for gap in gaps) == pytest.approx(MOST_OWED / 0.043, abs=1)
    assert delivered.time_lost == pytest.approx(3.0 - 0.043 - MOST_OWED, abs=0.01)


async def test_a_wait_that_the_target_asks_for_is_never_shorter(autojump_clock: trio.testing.MockClock) -> None:
    asked = iter(range(1000))
    busy = Reply(status=503, after=0.01, headers=(("retry-after", "1"),))
    target = Target(lambda _method, _path: Reply(after=0.01) if next(asked) % 2 else busy, read_late=0.05)
    steps = "steps: [{get: /x, retry: {on: [503], max: 1, wait: {retry_after: 1s}}}]"
    starts, _ = await starts_of(f"load: {{vus: 1, duration: 20s}}\n{steps}\nthink: 1s", target)
    waits = [after - before for before, after in zip(starts[::2], starts[1::2], strict=False)]
    assert min(waits) >= 1.01


async def test_polls_and_retries_that_are_woken_as_timers_go_owe_nothing(
    autojump_clock: trio.testing.MockClock,
) -> None:
    poll = "{poll: {get: /x, on_failure: continue}, until: status() == 201, every: 9ms, within: 500ms}"
    retry = "{get: /y, retry: {on: [200], max: 50, wait: 9ms}}"
    yaml = f"load: {{vus: 1, duration: 20s}}\nsteps: [{poll}, {retry}]\nthink: 10ms\nfailure_backoff: 0s"
    starts, delivered = await starts_of(yaml, late(0.0, after=0.003))
    assert len(starts) > 1500
    assert delivered.lived > 18
    assert delivered.time_lost < 0.001 * delivered.lived


async def test_who_makes_no_pause_is_owed_nothing(autojump_clock: trio.testing.MockClock) -> None:
    _, delivered = await starts_of("load: {vus: 1, duration: 10s}\nsteps: [{get: /x}]", late(0.05))
    assert (delivered.lived, delivered.time_lost) == (0, 0)


@pytest.mark.parametrize("pause", ["think: 0s", "pace: 50ms"])
async def test_a_pause_that_is_none_asks_for_as_much_as_goes(
    autojump_clock: trio.testing.MockClock, pause: str
) -> None:
    yaml = f"load: {{vus: 1, duration: 10s}}\nsteps: [{{get: /x}}]\n{pause}"
    _, delivered = await starts_of(yaml, late(0.05))
    assert delivered.time_lost == 0


async def test_what_any_client_takes_for_a_request_is_not_held_against_the_generator(
    autojump_clock: trio.testing.MockClock,
) -> None:
    steps = "steps: [{repeat: 1000, do: [{get: /x}]}, {think: 1ms}]"
    starts, delivered = await starts_of(f"load: {{vus: 1, duration: 10s}}\n{steps}", late(0.00009, after=0.001))
    assert len(starts) == pytest.approx(10_000 / 1.09, rel=0.11)
    assert delivered.lived > 8
    assert delivered.time_lost == 0


async def test_iterations_without_a_pause_are_owed_nothing(autojump_clock: trio.testing.MockClock) -> None:
    steps = "steps: [{get: /x}, {if: 'mod(iteration, 10) == 9', do: [{think: 1s}]}]"
    starts, delivered = await starts_of(f"load: {{vus: 1, duration: 20s}}\n{steps}", late(0.05))
    assert len(starts) == pytest.approx(10 * 20 / (10 * 0.15 + 0.95), abs=2)
    assert delivered.lived == pytest.approx(20 * 1.1 / 2.45, abs=1.2)
    assert delivered.time_lost == 0


async def test_what_runs_side_by_side_takes_as_long_as_it_takes(autojump_clock: trio.testing.MockClock) -> None:
    steps = "steps: [{parallel: [{get: /a}, {group: b, do: [{get: /b}, {think: 200ms}]}], per_host: 1}]"
    starts, delivered = await starts_of(f"load: {{vus: 1, duration: 20s}}\n{steps}\nthink: 100ms", late(0.05))
    assert starts[::2] == [pytest.approx(number * 0.6, abs=0.004 * number + 0.01) for number in range(len(starts[::2]))]
    assert delivered.time_lost == 0


@pytest.mark.parametrize(
    "inner",
    ["parallel: [{group: b, do: [{think: 100ms}]}]", "for: x\n    in: [1]\n    at_once: 2\n    do: [{think: 100ms}]"],
)
async def test_a_pause_in_a_branch_that_lasts_too_long_is_load_that_is_missing(
    autojump_clock: trio.testing.MockClock, inner: str
) -> None:
    async def stall(_engine: RunEngine) -> None:
        for _ in range(120):
            await trio.sleep(0.5)
            autojump_clock.jump(0.2)  # whoever wakes in this time comes late

    plan = plan_of(f"load: {{vus: 4, duration: 60s}}\nsteps:\n  - get: /x\n  - {inner}")
    played = await play(plan, always(Reply(after=0.001)), during=stall)
    delivered = played.engine.flows[0].delivered
    assert delivered.lived == pytest.approx(4 * 60, rel=0.02)
    share = delivered.time_lost / delivered.lived
    assert share == pytest.approx(1 - played.count("iterations") * 0.1011 / (4 * 60), abs=0.02)
    assert share > 0.1


async def test_a_debt_is_given_back_once_however_many_rounds_rest(autojump_clock: trio.testing.MockClock) -> None:
    rounds = "{for: x, in: [1, 2, 3, 4, 5, 6, 7, 8], at_once: 2, do: [{get: /x}, {think: 100ms}]}"
    starts, delivered = await starts_of(
        f"load: {{vus: 1, duration: 20s}}\nsteps: [{{get: /late}}, {rounds}]", late(0.02, after=0.01)
    )
    iteration = (starts[-9] - starts[0]) / (len(starts[:-9]) / 9)
    assert iteration == pytest.approx(0.01 + 4 * 0.13, abs=0.005), "of each iteration's 20 ms late nothing twice"
    assert delivered.time_lost == pytest.approx(0, abs=0.02)


async def test_polls_that_the_generator_slows_down_are_load_that_is_missing(
    autojump_clock: trio.testing.MockClock,
) -> None:
    poll = "{poll: {get: /x, on_failure: continue}, until: status() == 201, every: 20ms, within: 500ms}"
    yaml = f"load: {{vus: 1, duration: 20s}}\nsteps: [{poll}]\nthink: 10ms\nfailure_backoff: 0s"
    starts, delivered = await starts_of(yaml, late(0.03, after=0.003))
    assert delivered.time_lost / delivered.lived == pytest.approx(1 - len(starts) * 0.02 / 20, abs=0.05)


async def test_what_comes_after_the_last_pause_of_an_iteration_counts_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    load = "load: {executor: per-vu-iterations, vus: 1, iterations: 1, max_duration: 60s}"
    steps = "steps: [{think: 100ms}, {repeat: 10, do: [{get: /x}]}]"
    _, delivered = await starts_of(f"{load}\n{steps}", late(0.1, after=0.1))
    assert delivered.lived == pytest.approx(2.1, abs=0.01)
    assert delivered.time_lost == pytest.approx(1, abs=0.01)


async def test_an_open_load_owes_its_users_nothing(autojump_clock: trio.testing.MockClock) -> None:
    load = "load: {executor: constant-arrival-rate, rate: 2/s, duration: 10s, pre_allocated_vus: 5}"
    starts, delivered = await starts_of(f"{load}\nsteps: [{{get: /x}}, {{think: 1s}}, {{get: /y}}]", late(0.2))
    assert len(starts) == 40
    assert (delivered.lived, delivered.time_lost) == (0, 0)
