"""How late the loop was, on a clock of the test's own."""

import subprocess
import sys

import pytest
import trio
import trio.testing

from vezaflow.engine.health import NO_VITALS, PROBE, HealthMonitor, Vitals, worst


@pytest.mark.trio
async def test_the_time_that_the_loop_was_away_is_a_share_of_all(mock_clock: trio.testing.MockClock) -> None:
    health = HealthMonitor(trio.current_time, trio.current_time)
    async with trio.open_nursery() as nursery:
        await nursery.start(health.run)
        health.begin()
        for late in 4 * (0.0, 0.0, 0.1, 0.0):
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(PROBE + late)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    found = health.vitals()
    assert found.lag_max == pytest.approx(0.1)
    assert found.lag_p99 == pytest.approx(0.1, rel=0.001)
    assert found.lag_share == pytest.approx(0.1 / 0.3)


@pytest.mark.trio
async def test_what_was_before_the_load_is_forgotten(mock_clock: trio.testing.MockClock) -> None:
    health = HealthMonitor(trio.current_time, trio.current_time)
    async with trio.open_nursery() as nursery:
        await nursery.start(health.run)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(1.0)
        await trio.testing.wait_all_tasks_blocked()
        health.begin()
        nursery.cancel_scope.cancel()
    found = health.vitals()
    assert (found.lag_max, found.lag_p99, found.lag_share) == (0.0, 0.0, 0.0)


@pytest.mark.trio
async def test_a_part_of_a_load_that_is_over_at_once_is_no_busy_core(mock_clock: trio.testing.MockClock) -> None:
    """A worker without VUs: what its start took is all that it used, in as much time."""
    health = HealthMonitor(trio.current_time, trio.current_time)
    async with trio.open_nursery() as nursery:
        await nursery.start(health.run)
        health.begin()
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(PROBE + 0.02)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    found = health.vitals()
    assert found.cpu_mean == pytest.approx(PROBE + 0.02)
    assert found.cpu_max == pytest.approx(PROBE + 0.02)
    assert found.lag_share == pytest.approx(0.02)


def test_memory_is_the_processs_own_whatever_its_parent_has() -> None:
    """ru_maxrss of a child begins with its parent's."""
    ballast = bytearray(300 << 20)
    code = "from vezaflow.engine import HealthMonitor; print(HealthMonitor().vitals().memory)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert 5 << 20 < int(said) < len(ballast) // 2


def test_who_has_reported_nothing_says_nothing_of_the_kernel() -> None:
    stamped = Vitals(0.1, 0.1, 0.1, 0.001, 0.001, 50 << 20, receive_clock="kernel")
    assert worst([stamped, NO_VITALS]) == stamped
    assert worst([NO_VITALS]) == worst([]) == NO_VITALS
