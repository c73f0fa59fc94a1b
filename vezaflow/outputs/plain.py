"""Progress where there is no terminal: a few plain lines every few seconds, fit for a CI log."""

from collections.abc import Callable

from vezaflow import units
from vezaflow.outputs.lines import plain
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Plan

EVERY = 5.0  # seconds


class Plain:
    """An Output that hands lines to `write` (without their ends)."""

    def __init__(self, write: Callable[[str], None], every: float = EVERY) -> None:
        self._write = write
        self._every = every
        self._due = every

    def begin(self, plan: Plan) -> None:
        self._write(f"{plan.suite}: {units.counted(len(plan.flows), 'flow')}, {units.counted(plan.vus, 'VU')}")

    def tick(self, tick: Tick) -> None:
        # ticks come a hair early or late: half a second's grace keeps the lines five seconds apart
        if tick.elapsed + 0.5 < self._due:
            return
        self._due = tick.elapsed + self._every
        for line in plain(tick):
            self._write(line)

    def end(self) -> None:
        self._write("load finished")
