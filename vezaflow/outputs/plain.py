"""Progress where there is no terminal: a few plain lines every few seconds, fit for a CI log."""

from collections.abc import AsyncIterable, Callable

from vezaflow import units
from vezaflow.outputs.lines import plain
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Plan

EVERY = 5.0  # seconds


class Plain:
    """An Output that hands lines to `write` (without their ends)."""

    name = "the progress lines"

    def __init__(self, plan: Plan, write: Callable[[str], None], every: float = EVERY) -> None:
        self._begin = f"{plan.suite}: {units.counted(len(plan.flows), 'flow')}, {units.counted(plan.vus, 'VU')}"
        self._write = write
        self._every = every

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        self._write(self._begin)
        due = self._every
        shown = 0  # events
        async for tick in ticks:
            over = tick.events[shown:]
            while over and over[0].end is not None:
                self._write(f"event {over[0].line}")
                shown, over = shown + 1, over[1:]
            # ticks come a hair early or late: half a second's grace keeps the lines five seconds apart
            if tick.elapsed + 0.5 >= due and not tick.last:
                due = tick.elapsed + self._every
                for line in plain(tick):
                    self._write(line)
        self._write("load finished")
