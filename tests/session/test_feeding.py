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
    """Takes so many seconds for each tick, and for the first."""

    name = "slow"

    def __init__(self, seconds: float = 0.0, *, first: float = 0.0) -> None:
        self.seconds = seconds
        self.first = first
        self.got: list[float] = []

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        async for each in ticks:
            self.got.append(-1.0 if each.last else each.elapsed)
            await trio.sleep(self.seconds or (self.first if len(self.got) == 1 else 0))


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


async def test_a_slow_output_loses_ticks_and_is_reported_once(autojump_clock: trio.testing.MockClock) -> None:
    output = Slow(first=20.5)
    said, notes = await fed(output, seconds=30)
    assert output.got == [1, *range(2, 2 + QUEUED), *range(22, 31), -1]
    assert notes == tuple(said) == ("output slow was too slow: 15 of 31 ticks lost",)


async def test_what_a_slow_output_has_not_sent_soon_after_the_load_is_lost(
    autojump_clock: trio.testing.MockClock,
) -> None:
    said, notes = await fed(Slow(3.0), seconds=10)
    assert notes == tuple(said)
    assert notes[0].startswith("output slow did not end within 5 s of the load: its last ticks may be missing, and ")


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
