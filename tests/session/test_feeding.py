"""The ticks' way to the outputs: nobody is waited for while the load goes on, and nothing that fails ends a run."""

from collections.abc import AsyncIterable

import pytest
import trio

from vezaflow.metrics import Recorder
from vezaflow.outputs import FlowNow, Output, Tick
from vezaflow.results import Health
from vezaflow.session.feeding import LAST, QUEUED, Feeding

pytestmark = pytest.mark.trio
NOW = FlowNow("all", 0, 0, 0, 0.0, None, None, ())


def tick(elapsed: float, *, last: bool = False) -> Tick:
    return Tick(elapsed, 0.0, (), NOW, Health(), summary=Recorder(0.0).snapshot(), last=last)


class Slow:
    """Takes so many seconds for each tick."""

    name = "slow"

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.got: list[float] = []

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        async for each in ticks:
            self.got.append(-1.0 if each.last else each.elapsed)
            await trio.sleep(self.seconds)


class Failing:
    name = "failing"

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        async for _ in ticks:
            raise self.error


class Deaf:
    name = "deaf"

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        await trio.sleep_forever()


async def fed(*outputs: Output, seconds: int = 10) -> tuple[list[str], tuple[str, ...]]:
    """A run of so many seconds: what was said meanwhile, and what the result's notes say."""
    said: list[str] = []
    feeding = Feeding(outputs, said.append)
    async with trio.open_nursery() as nursery:
        feeding.begin(nursery)
        for second in range(1, seconds + 1):
            await trio.sleep(1)
            begin = trio.current_time()
            feeding.tick(tick(second))
            assert trio.current_time() == begin
        with trio.move_on_after(LAST):
            await feeding.end(tick(seconds, last=True))
        feeding.close()
        nursery.cancel_scope.cancel()
    return said, feeding.notes()


async def test_an_output_gets_every_tick_and_the_last_is_marked(autojump_clock: trio.testing.MockClock) -> None:
    output = Slow()
    assert await fed(output, seconds=3) == ([], ())
    assert output.got == [1, 2, 3, -1]


async def test_a_slow_output_loses_ticks_is_told_the_end_and_is_reported_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    output, other = Slow(0.6), Slow(3.0)
    said, notes = await fed(output, other, seconds=60)
    assert len(output.got) == 61
    assert len(other.got) < 61 - QUEUED
    assert notes == tuple(said) == ("output slow did not end within 5 s of the load: its last ticks may be missing",)


async def test_ticks_that_were_lost_are_counted(autojump_clock: trio.testing.MockClock) -> None:
    output = Slow(1.5)
    said, notes = await fed(output, seconds=20)
    lost = 21 - len(output.got)
    assert output.got[-1] == -1 or lost
    assert notes == tuple(said)


async def test_an_output_that_fails_is_reported_and_the_others_go_on(autojump_clock: trio.testing.MockClock) -> None:
    output = Slow()
    said, notes = await fed(Failing(OSError(28, "No space left on device")), output)
    assert notes == tuple(said) == ("output failing failed after 1 tick and got no more: No space left on device",)
    assert output.got == [*range(1, 11), -1]


async def test_an_error_of_any_kind_is_said_in_one_line(autojump_clock: trio.testing.MockClock) -> None:
    _, notes = await fed(Failing(ExceptionGroup("", [KeyError("a\nb")])))
    assert notes == ("output failing failed after 1 tick and got no more: KeyError: 'a\\nb'",)


async def test_an_output_that_never_ends_holds_up_nothing(autojump_clock: trio.testing.MockClock) -> None:
    _, notes = await fed(Deaf(), seconds=2)
    assert trio.current_time() == pytest.approx(2 + LAST)
    assert notes == ("output deaf did not end within 5 s of the load: its last ticks may be missing",)
