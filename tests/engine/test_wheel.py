"""Sleeping in buckets, on trio's mock clock."""

import pytest
import trio
import trio.testing

from vezaflow.engine.wheel import BUCKET, Wheel


async def slept(wheel: Wheel, seconds: float) -> float:
    start = trio.current_time()
    await wheel.sleep_until(start + seconds)
    return trio.current_time() - start


@pytest.mark.trio
async def test_a_sleeper_wakes_no_earlier_than_asked_and_a_bucket_later_at_most(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with trio.open_nursery() as nursery:
        wheel = Wheel(trio.current_time)
        await nursery.start(wheel.run)
        for seconds in (0.0, 0.001, 0.5, 3.3333):
            took = await slept(wheel, seconds)
            assert seconds <= took <= seconds + BUCKET + 1e-9
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_short_sleep_asked_for_later_ends_before_a_long_one(autojump_clock: trio.testing.MockClock) -> None:
    order: list[float] = []

    async def sleeper(seconds: float) -> None:
        await wheel.sleep_until(trio.current_time() + seconds)
        order.append(seconds)

    async with trio.open_nursery() as nursery:
        wheel = Wheel(trio.current_time)
        await nursery.start(wheel.run)
        async with trio.open_nursery() as sleepers:
            sleepers.start_soon(sleeper, 10.0)
            await trio.testing.wait_all_tasks_blocked()
            sleepers.start_soon(sleeper, 1.0)
            await trio.testing.wait_all_tasks_blocked()
            sleepers.start_soon(sleeper, 0.01)
        nursery.cancel_scope.cancel()
    assert order == [0.01, 1.0, 10.0]


@pytest.mark.trio
async def test_wake_all_ends_every_sleep(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        wheel = Wheel(trio.current_time)
        await nursery.start(wheel.run)
        start = trio.current_time()
        async with trio.open_nursery() as sleepers:
            for seconds in (5.0, 50.0, 500.0):
                sleepers.start_soon(wheel.sleep_until, start + seconds)
            await trio.testing.wait_all_tasks_blocked()
            wheel.wake_all()
        assert trio.current_time() == start
        assert await slept(wheel, 0.1) >= 0.1  # and the wheel goes on
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_cancelled_sleeper_leaves_the_others_alone(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        wheel = Wheel(trio.current_time)
        await nursery.start(wheel.run)
        with trio.move_on_after(0.5) as scope:
            await wheel.sleep_until(trio.current_time() + 1.0)
        assert scope.cancelled_caught
        assert await slept(wheel, 1.0) >= 1.0
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_cancelled_sleeper_may_sleep_again_in_the_same_bucket(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        wheel = Wheel(trio.current_time)
        await nursery.start(wheel.run)
        moment = trio.current_time() + 1.0
        with trio.move_on_after(0.5):
            await wheel.sleep_until(moment)
        await wheel.sleep_until(moment)
        assert moment <= trio.current_time() <= moment + BUCKET + 1e-9
        assert await slept(wheel, 1.0) >= 1.0
        nursery.cancel_scope.cancel()
