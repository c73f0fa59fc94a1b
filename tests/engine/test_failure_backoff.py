"""A VU whose iterations fail one after another: it begins them ever less often, and a target that is down is left in
peace, with the failures counted as they are."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from planned import inputs, plan_of
from stage import Reply, Target, always, play

from vezaflow.engine.pauses import FailureBackoff
from vezaflow.protocols import ErrorKind

pytestmark = pytest.mark.trio

DOWN = Reply(after=0.0001, error=ErrorKind.REFUSED)
UP = Reply(after=0.1)


def gaps_of(target: Target) -> list[float]:
    """The time from each request to the next."""
    starts = [at for at, *_ in target.log]
    return [later - earlier for earlier, later in pairwise(starts)]


def down_until(moment: float) -> Callable[[str, str], Reply]:
    """A target that refuses connections at first."""
    return lambda _method, _target: UP if trio.current_time() >= moment else DOWN


@pytest.mark.parametrize("steps", ["[{get: /x}, {think: 2s}]", "[{get: /x}]"])
async def test_a_dead_target_is_asked_ever_less_often(autojump_clock: trio.testing.MockClock, steps: str) -> None:
    target = Target(always(DOWN))
    played = await play(plan_of(f"load: {{vus: 1, duration: 60s}}\nsteps: {steps}"), target)
    first, *gaps = gaps_of(target)
    assert first < 0.01, "one failure alone changes nothing"
    wholes = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, *[5.0] * 100]
    assert all(whole / 2 - 0.51 < gap <= whole + 0.01 for gap, whole in zip(gaps, wholes, strict=False))
    assert 15 < len(gaps) < 30
    assert played.count("iterations_failed") == played.count("http_req_failed") == len(target.log)


async def test_what_a_vu_pauses_after_failures_is_its_own_time(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(DOWN))
    yaml = "load: {vus: 10, duration: 60s, graceful_stop: 0s}\nsteps: [{get: /x}, {think: 2s}]"
    delivered = (await play(plan_of(yaml), target)).engine.flows[0].delivered
    assert delivered.time_lost == pytest.approx(0, abs=0.01)
    assert delivered.lived > 10 * 50


async def test_a_target_that_comes_back_has_its_load_at_once(autojump_clock: trio.testing.MockClock) -> None:
    begun = trio.current_time()
    target = Target(down_until(begun + 20))
    await play(plan_of("load: {vus: 1, duration: 60s}\nsteps: [{get: /x}]\nthink: 900ms"), target)
    back = [at for at, *_ in target.log if at >= 20]
    assert back[0] < 25.1
    assert [at - back[0] for at in back[1:]] == [pytest.approx(number, abs=0.01) for number in range(1, len(back))]


@pytest.mark.parametrize("pause", ["think: 100ms", "pace: 200ms"])
async def test_single_failures_change_no_beat(autojump_clock: trio.testing.MockClock, pause: str) -> None:
    answers = iter([UP, Reply(500, after=0.1)] * 1000)
    target = Target(lambda _method, _target: next(answers))
    await play(plan_of(f"load: {{vus: 1, duration: 20s}}\nsteps: [{{get: /x}}]\n{pause}"), target)
    assert gaps_of(target) == [pytest.approx(0.2, abs=0.005)] * (len(target.log) - 1)


@pytest.mark.parametrize("pause", ["think: 7s", "pace: 7s"])
async def test_pauses_that_are_longer_are_what_they_are(autojump_clock: trio.testing.MockClock, pause: str) -> None:
    target = Target(always(DOWN))
    await play(plan_of(f"load: {{vus: 1, duration: 100s}}\nsteps: [{{get: /x}}]\n{pause}"), target)
    assert gaps_of(target) == [pytest.approx(7, abs=0.01)] * (len(target.log) - 1)


async def test_failures_that_took_their_time_wait_no_longer(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=6.0, error=ErrorKind.TIMEOUT_WAIT)))
    await play(plan_of("load: {vus: 1, duration: 100s}\nsteps: [{get: /x}]"), target)
    assert gaps_of(target) == [pytest.approx(6, abs=0.01)] * (len(target.log) - 1)


async def test_the_author_may_have_none(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(Reply(after=0.01, error=ErrorKind.REFUSED)))
    await play(plan_of("load: {vus: 1, duration: 5s}\nsteps: [{get: /x}]\nfailure_backoff: 0s"), target)
    assert len(target.log) == pytest.approx(500, abs=5)


@pytest.mark.parametrize(
    "steps",
    [
        "[{set: {x: '${1 / (vu - vu)}'}}, {get: /x}]",
        "[{get: '/${1 / (vu - vu)}'}]",
        "[{get: /x, on_failure: continue}]",
    ],
)
@pytest.mark.parametrize("executor", ["constant-vus", "ramping-vus"])
async def test_whatever_fails_at_once_does_not_spin(
    autojump_clock: trio.testing.MockClock, steps: str, executor: str
) -> None:
    ramp = "{executor: ramping-vus, start_vus: 5, stages: [{duration: 20s, target: 5}]}"
    load = "{vus: 5, duration: 20s}" if executor == "constant-vus" else ramp
    played = await play(plan_of(f"load: {load}\nsteps: {steps}"), always(DOWN))
    assert 5 * 8 < played.count("iterations_failed") < 5 * 20


async def test_counted_iterations_back_off_as_well_and_all_are_done(autojump_clock: trio.testing.MockClock) -> None:
    yaml = "load: {executor: shared-iterations, vus: 10, iterations: 200}\nsteps: [{get: /x}]"
    played = await play(plan_of(yaml), always(DOWN))
    assert played.count("iterations_failed") == 200
    assert played.engine.flows[0].delivered.unfinished == 0
    assert 20 < played.seconds < 90


async def test_arrivals_are_what_the_rate_says(autojump_clock: trio.testing.MockClock) -> None:
    target = Target(always(DOWN))
    load = "load: {executor: constant-arrival-rate, rate: 10/s, duration: 10s, pre_allocated_vus: 10}"
    await play(plan_of(f"{load}\nsteps: [{{get: /x}}]"), target)
    assert len(target.log) == 100


async def test_users_come_back_one_by_one(autojump_clock: trio.testing.MockClock) -> None:
    begun = trio.current_time()
    target = Target(down_until(begun + 30))
    await play(plan_of("load: {vus: 200, duration: 60s}\nsteps: [{get: /x}, {think: 1m}]"), target)
    back = sorted(at for at, *_ in target.log if at >= 30)
    assert max(sum(1 for at in back if start <= at < start + 0.5) for start in back) < 60


async def test_what_is_drawn_is_drawn_the_same_with_failures_and_without(
    autojump_clock: trio.testing.MockClock,
) -> None:
    steps = "[{get: '/${random(1, 1000000)}'}, {get: /fails}]"

    async def drawn(backoff: str) -> list[str]:
        target = Target(lambda _method, path: DOWN if path == "/fails" else UP)
        yaml = f"load: {{executor: per-vu-iterations, vus: 1, iterations: 20}}\nsteps: {steps}\n{backoff}"
        await play(plan_of(yaml, inputs=inputs(seed=7)), target)
        return [asked for asked in target.asked if "fails" not in asked]

    assert await drawn("") == await drawn("failure_backoff: 0s")


@given(failures=st.integers(2, 5000), most=st.floats(0.01, 60))
async def test_a_back_off_is_never_longer_than_was_said(failures: int, most: float) -> None:
    assert min(most, 0.1) / 2 <= FailureBackoff(most, Random(1)).apart(failures) <= most
