"""`try --step`: stops before each step, shows what comes and the variables, and waits for a key.

While it waits the rehearsal's time stands still, the connections stay served, and Ctrl-C ends the program as ever.
"""

import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import assert_never

import trio

from vezaflow import units
from vezaflow.cli.printing import live
from vezaflow.diagnostics import Span, covered, printable
from vezaflow.engine import GO_ON, VU, Signal, StepPlace
from vezaflow.errors import VezaflowError
from vezaflow.metrics import Phase
from vezaflow.model import Beside, Block, Ends, Leaf, Loop, OneOf, Pause, Sends
from vezaflow.outputs import place_of
from vezaflow.plan import (
    UNSET,
    Plan,
    PlannedDataSource,
    PlannedFlow,
    PlannedStep,
    Variables,
    requests_of,
    show,
)
from vezaflow.session import RehearsalClock

_MOST_LINES = 8  # of the step's YAML
_MOST_VALUES = 10
_OF_SUITE = frozenset({Phase.PREFLIGHT, Phase.SETUP, Phase.TEARDOWN})
_BOLD, _DIM, _CYAN, _YELLOW = "1", "2", "36", "33"
_KEYS = "Enter: run it   c: continue to the end   v: all variables   q: quit"


def require_terminal() -> None:
    """Raises VezaflowError where nobody could press a key."""
    if not (sys.stdin.isatty() and live(sys.stdout)):
        raise VezaflowError(
            "--step needs a terminal for its keys",
            hint="run it in a terminal, with neither input nor output redirected",
        )


class Stepper:
    """`before` is a hook of the Trace. `shown`: the names that it stops at (None: everywhere).

    What runs at the same time is one stop.
    """

    def __init__(
        self,
        plan: Plan,
        flow: PlannedFlow,
        clock: RehearsalClock,
        say: Callable[[str], None],
        *,
        color: bool,
        width: int,
        shown: frozenset[str] | None = None,
    ) -> None:
        self.quit = False
        self._variables = {True: plan.variables, False: flow.variables}
        self._data_sources = dict(flow.data_sources)
        self._clock = clock
        self._say = say
        self._secrets = plan.secrets
        self._color = color
        self._width = width
        self._shown = shown
        self._asks = True
        self._task: trio.lowlevel.Task | None = None  # steps side by side have others, and responses would come between
        self._last: dict[str, str] = {}

    async def before(self, step: PlannedStep, vu: VU, place: StepPlace) -> int:
        self._task = self._task or trio.lowlevel.current_task()
        if self._asks and not self.quit and trio.lowlevel.current_task() is self._task and self._stops_at(step):
            self._show(step, place)
            values = self._values(vu, place)
            self._list(values, _MOST_VALUES)
            with self._clock.held():
                await self._ask(values)
        return Signal.STOP_RUN if self.quit else GO_ON

    def _stops_at(self, step: PlannedStep) -> bool:
        if self._shown is None or step.name in self._shown:
            return True
        return _at_once(step) and any(request.name in self._shown for request in requests_of((step,)))

    async def _ask(self, values: dict[str, str]) -> None:
        while True:
            match await self._key():
                case "\r" | "\n" | " " | "n":
                    return
                case "c":
                    self._asks = False
                    return
                case "q" | "\x04" | "":
                    self.quit = True
                    return
                case "v":
                    self._list(values, None)

    async def _key(self) -> str:
        with _keys_as_they_come():
            sys.stdout.write(self._paint(_YELLOW, f"  {_KEYS} "))
            sys.stdout.flush()
            await trio.lowlevel.wait_readable(sys.stdin.fileno())
            key = os.read(sys.stdin.fileno(), 64).decode("utf-8", "replace")
        sys.stdout.write("\r\x1b[K\n")
        return key

    def _show(self, step: PlannedStep, place: StepPlace) -> None:
        where = place_of(step.span, place.included)
        if place.phase is not Phase.ITERATION:
            where = f"{place.phase.value}, {where}"
        title = self._paint(_BOLD, printable(self._secrets.mask(step.name or "next")))
        self._say(f"{self._paint(_YELLOW, '■')} {title}  {self._paint(_DIM, where)}")
        lines = _written(covered(step.span, self._secrets))
        gutter = len(str(lines[-1][0]))
        for number, line in lines[:_MOST_LINES]:
            self._say(self._cut(printable(f"  {number:>{gutter}} | {line}")))
        if len(lines) > _MOST_LINES:
            self._say(self._paint(_DIM, f"  {'':>{gutter}}   … {units.counted(len(lines) - _MOST_LINES, 'line')} more"))

    def _values(self, vu: VU, place: StepPlace) -> dict[str, str]:
        of_suite = place.phase in _OF_SUITE
        known = _known(self._variables[of_suite], vu, {} if of_suite else self._data_sources)
        return {name: show(value, 4096, self._secrets.mask) for name, value in known}

    def _list(self, values: dict[str, str], most: int | None) -> None:
        """The variables, those that are new or changed first."""
        changed = [name for name in values if self._last.get(name) != values[name]]
        names = sorted(values, key=lambda name: name not in changed)
        for name in names[:most]:
            text = f"{name} = {values[name]}"
            line = printable(f"  {text}" if most is None else self._cut(f"  {text}"))
            tone = _CYAN if name in changed else _DIM
            self._say(self._paint(tone, line[: 2 + len(name)]) + line[2 + len(name) :])
        if most is not None and len(names) > most:
            self._say(self._paint(_DIM, f"  … and {units.counted(len(names) - most, 'variable')} more"))
        self._last = values

    def _cut(self, line: str) -> str:
        return line if len(line) <= self._width else f"{line[: self._width - 1]}…"

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text


def _at_once(step: PlannedStep) -> bool:
    """Whether steps within it run at the same time."""
    match step.shape:
        case Beside():
            return True
        case Loop(at_once=at_once) | Sends(at_once=at_once):
            return at_once != 1
        case Leaf() | Pause() | Block() | OneOf() | Ends():
            return False
        case never:
            assert_never(never)


def _known(variables: Variables, vu: VU, data_sources: Mapping[int, PlannedDataSource]) -> Iterator[tuple[str, object]]:
    """Every variable and row that there is; a fragment's own with the fragment's path."""
    values = (
        data_sources[slot].rows.written(value) if slot in data_sources and value is not UNSET else value
        for slot, value in enumerate(vu.slots)
    )
    for name, value in (*variables.constants, *zip(variables.names, values, strict=False)):
        if value is not UNSET and "websocket:" not in name:  # one that is open has no value to show
            scope, _, own = name.rpartition(":")
            fragment = scope.rpartition(":")[2].partition("@")[0]
            yield f"{own} ({fragment})" if fragment else own, value


def _written(span: Span) -> list[tuple[int, str]]:
    """The lines in which a step stands, with their numbers: those around its verb that are set as deep as it."""
    source = span.source
    number, column = source.position(span.start)
    depth = column - 1
    first = last = number
    while first > 1 and not source.line(first)[:depth].strip() and _depth(source.line(first - 1)) >= depth - 2:
        first -= 1
    while last <= source.text.count("\n") and _depth(source.line(last + 1)) >= depth:
        last += 1
    return [(each, source.line(each)) for each in range(first, last + 1)]


def _depth(line: str) -> int:
    """How far a line is set in; -1 for an empty one, which belongs nowhere."""
    return len(line) - len(line.lstrip()) if line.strip() else -1


@contextmanager
def _keys_as_they_come() -> Iterator[None]:
    """The terminal gives each key at once, unseen, and forgets those that were pressed too early."""
    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    try:
        tty.setcbreak(stdin)
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
