"""The time of a rehearsal: held while somebody is asked, skipped where nobody does anything but wait."""

import time

import pytest
import trio

from vezaflow.session import RehearsalClock


def test_no_timeout_counts_what_is_held() -> None:
    async def main() -> bool:
        with trio.move_on_after(0.02) as scope:
            with clock.held():
                await trio.to_thread.run_sync(time.sleep, 0.06)
            await trio.lowlevel.checkpoint()
        return scope.cancelled_caught

    clock = RehearsalClock()
    assert trio.run(main, clock=clock) is False


def test_after_a_hold_time_goes_on_where_it_stopped() -> None:
    clock = RehearsalClock()
    with clock.held():
        begin = clock.current_time()
        assert clock.current_time() == begin
    assert clock.current_time() >= begin


def test_pauses_are_skipped_where_that_is_asked_for() -> None:
    async def main() -> float:
        begin = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1800)
            nursery.start_soon(trio.sleep, 3600)
        return trio.current_time() - begin

    begin = time.monotonic()
    passed = trio.run(main, clock=RehearsalClock(skipping=True))
    assert passed == pytest.approx(3600, abs=1)
    assert time.monotonic() - begin < 60


def test_nothing_is_skipped_while_somebody_is_asked() -> None:
    async def main() -> bool:
        with trio.move_on_after(1000) as scope, clock.held():
            await trio.to_thread.run_sync(time.sleep, 0.02)
        return scope.cancelled_caught

    clock = RehearsalClock(skipping=True)
    assert trio.run(main, clock=clock) is False
