"""What happens at a time of the load: carried out once for the whole run, by the process that coordinates it.

Laws: an event that fails is told and is in the result; it ends no run and changes no verdict by itself. What began is
undone: when its time is over, else when the load is, however that ended; an undo is shielded and bounded. The figures
of its windows are taken at its ends.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import trio

from vezaflow import units
from vezaflow.engine import VU, RunEngine
from vezaflow.errors import VezaflowError
from vezaflow.metrics import EventWindows, Summary
from vezaflow.model import ActionKind
from vezaflow.plan import (
    EvaluationError,
    PlannedAction,
    PlannedEvent,
    PlannedHAProxy,
    PlannedMark,
    PlannedProfile,
    PlannedSteps,
)
from vezaflow.results import Happened
from vezaflow.session.haproxy import HAProxyError, run_command
from vezaflow.session.profiling import ProfileError, Profiler

UNDO_LIMIT = 10.0  # seconds for what undoes one event
_SPARE = 2.0  # seconds between a profile at the end of the load, and the end
_LONGEST = 200  # characters of a mark
_MOST_MARKS = 1000


class _ActionError(Exception):
    """Why an action failed, in words."""


@dataclass(slots=True, eq=False)
class _Occurrence:
    """One time that an event happens. Seconds of the load. `owes`: it has still to be undone."""

    event: PlannedEvent | None  # None: a mark by hand
    name: str
    kind: ActionKind
    begin: float
    end: float | None = None
    text: str = ""
    error: str = ""
    undone: float | None = None
    owes: bool = False
    manual: bool = False
    vu: VU | None = None
    told: Happened | None = None  # as it is told, once nothing of it changes any more

    def happened(self, mask: Callable[[str], str]) -> Happened:
        if self.told is not None:
            return self.told
        found = Happened(
            name=mask(self.name),
            kind=self.kind,
            begin=self.begin,
            end=self.end,
            text=mask(self.text),
            error=mask(self.error),
            undone=self.undone,
            manual=self.manual,
        )
        if self.end is not None and not self.owes:
            self.told = found
        return found


def _seconds_of(event: PlannedEvent) -> int:
    """Over how long the profile of an event is taken; 0: it is a snapshot, or none."""
    return event.action.seconds if isinstance(event.action, PlannedProfile) else 0


class EventRunner:
    """Those of one run. `begin` when the load does, `end` when it is over; `mark` in between, from another terminal."""

    def __init__(
        self,
        events: tuple[PlannedEvent, ...],
        engine: RunEngine,
        windows: EventWindows,
        figures: Callable[[], tuple[float, Summary]],
        *,
        until: float,
        clock: Callable[[], float],
        say: Callable[[str], None],
        mask: Callable[[str], str],
        over: Callable[[Happened], None] = lambda _: None,
        profiler: Profiler | None = None,
        is_red: Callable[[], bool] = lambda: False,
    ) -> None:
        """`figures`: how many seconds of the load are covered, and by which. `until`: when it should end, in seconds;
        from then on nothing happens. `over` is told of what has an end. `profiler` takes profiles; `is_red`: whether a
        gate is broken now."""
        self._profiler = profiler or Profiler("", None, say)
        self._is_red = is_red
        self._latest = until
        self._events = {event.name: event for event in events}
        self._engine = engine
        self._windows = windows
        self._figures = figures
        self._clock = clock
        self._say = say
        self._mask = mask
        self._over = over
        self._zero = 0.0
        self._nursery: trio.Nursery | None = None
        self._occurrences: list[_Occurrence] = []
        self._marks = 0
        self._missed: tuple[str, ...] = ()  # profiles that were wanted at the end of a load that ended early

    def begin(self, zero: float, nursery: trio.Nursery) -> None:
        """The load began at `zero` on the clock. Its tasks are cancelled when it is over."""
        self._zero, self._nursery = zero, nursery
        for event in self._events.values():
            if event.on_red:
                nursery.start_soon(self._keep_red, event)
            elif not event.manual:
                nursery.start_soon(self._keep, event)

    def happened(self) -> tuple[Happened, ...]:
        """All so far, in the order of their begin."""
        return tuple(occurrence.happened(self._mask) for occurrence in self._occurrences)

    def notes(self) -> tuple[str, ...]:
        """What could not be undone, a line each."""
        left = (each for each in self._occurrences if each.owes)
        undone = (f"event '{each.name}' was not undone: {each.error}" for each in left)
        missed = (f"the profile '{name}' was not taken: the load ended before its time" for name in self._missed)
        return tuple(map(self._mask, (*undone, *missed)))

    def mark(self, text: str) -> str:
        """Something happened, as somebody at another terminal says; an event of this name starts. Returns what is so
        now. Raises VezaflowError."""
        text = " ".join(text.split())[:_LONGEST]
        if self._nursery is None:
            raise VezaflowError("there is no load to mark")
        if not text:
            raise VezaflowError("a mark needs a text")
        event = self._events.get(text)
        if event is not None:
            if any(each.event is event and each.end is None for each in self._occurrences):
                raise VezaflowError(f"the event '{text}' has not ended")
            self._nursery.start_soon(self._happen, event, True)
            return f"event '{text}' starts at {units.duration(round(self._now(), 1))}"
        if self._marks >= _MOST_MARKS:
            raise VezaflowError(f"this run has {_MOST_MARKS:,} marks, and takes no more")
        self._marks += 1
        now = self._now()
        mark = _Occurrence(None, text, ActionKind.MARK, now, now, manual=True)
        self._occurrences.append(mark)
        self._over(mark.happened(self._mask))
        return f"marked at {units.duration(round(now, 1))}: {text}"

    async def end(self) -> None:
        """The load is over: undo what is to be undone, and end all windows. Not to be cancelled; bounded."""
        self._nursery = None
        await self._take_red()
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                for occurrence in self._last_owing():
                    nursery.start_soon(self._undo, occurrence)
        for occurrence in self._occurrences:
            if occurrence.end is None:
                self._end(occurrence)
        self._windows.end(*self._cut())

    def _last_owing(self) -> list[_Occurrence]:
        """Of an event that happened several times the last one is undone, and with it all of them."""
        last = {each.name: each for each in self._occurrences if each.owes}
        for each in self._occurrences:
            each.owes = each.owes and last[each.name] is each
        return list(last.values())

    def _cut(self) -> tuple[float, Summary]:
        """The figures of this moment, where gates ask for them."""
        return self._figures() if self._windows.judging else (self._now(), Summary())

    def _now(self) -> float:
        return self._clock() - self._zero

    async def _keep(self, event: PlannedEvent) -> None:
        """Let an event happen whenever it is due; where it takes too long a turn is left out."""
        for due in event.starts():
            if due >= self._latest:
                return
            if event.every is not None and self._now() > due + event.every:
                continue
            await self._until(due)
            await self._happen(event)

    async def _keep_red(self, event: PlannedEvent) -> None:
        """Let one happen that takes its time until the load ends, if a gate is broken then. A snapshot waits for the
        end."""
        if seconds := _seconds_of(event):
            await self._until(self._latest - seconds - _SPARE)
            if self._is_red():
                await self._happen(event)

    async def _take_red(self) -> None:
        """The load is over: take the snapshots of one that broke a gate, and say which profiles it is too late for."""
        waiting = [event for event in self._events.values() if event.on_red and not self._has_happened(event)]
        if not waiting or not self._is_red():
            return
        self._missed = tuple(event.name for event in waiting if _seconds_of(event))
        with trio.move_on_after(UNDO_LIMIT) as limit:
            limit.shield = True
            async with trio.open_nursery() as nursery:
                for event in waiting:
                    if not _seconds_of(event):
                        nursery.start_soon(self._happen, event)

    def _has_happened(self, event: PlannedEvent) -> bool:
        return any(each.event is event for each in self._occurrences)

    async def _until(self, moment: float) -> None:
        await trio.sleep(max(0.0, moment - self._now()))

    async def _happen(self, event: PlannedEvent, manual: bool = False) -> None:
        begin = self._now()
        occurrence = _Occurrence(event, event.name, event.action.kind, begin, owes=event.undone, manual=manual)
        self._occurrences.append(occurrence)
        self._windows.open(event.name, begin, *self._cut())
        occurrence.error = "cut off by the end of the load"
        occurrence.error = await self._tried(occurrence, event.action)
        if occurrence.error:
            self._say(f"event '{event.name}' failed: {occurrence.error}")
        if event.lasts is not None:
            await self._until(begin + event.lasts)
            with trio.CancelScope(shield=True):
                await self._undo(occurrence)
        self._end(occurrence)

    def _end(self, occurrence: _Occurrence) -> None:
        """It is over; its window may last longer."""
        event = occurrence.event
        assert event is not None
        occurrence.end = self._now()
        until = occurrence.end + event.window
        self._windows.close(event.name, occurrence.begin, until)
        self._over(occurrence.happened(self._mask))
        if self._nursery is not None:
            self._nursery.start_soon(self._look, until)

    async def _look(self, moment: float) -> None:
        await self._until(moment)
        self._windows.look(*self._cut())

    async def _undo(self, occurrence: _Occurrence) -> None:
        if not occurrence.owes or occurrence.event is None:
            return
        failed = f"took longer than {UNDO_LIMIT:g} s"
        with trio.move_on_after(UNDO_LIMIT):
            failed = await self._tried(occurrence, occurrence.event.final)
        if occurrence.vu is not None:
            occurrence.vu.client.close()
        if failed:
            occurrence.error = "; ".join(filter(None, (occurrence.error, f"finally: {failed}")))
            self._say(f"event '{occurrence.name}' was not undone: {failed}")
            return
        occurrence.owes, occurrence.undone = False, self._now()

    async def _tried(self, occurrence: _Occurrence, action: PlannedAction) -> str:
        """Carry out an action; what went wrong, or ''."""
        try:
            await self._act(occurrence, action)
        except _ActionError as e:
            return str(e)
        except (HAProxyError, ProfileError) as e:
            return str(e)
        except EvaluationError as e:
            return f"{e.message} ({e.span})"
        return ""

    async def _act(self, occurrence: _Occurrence, action: PlannedAction) -> None:
        """Raises _ActionError, HAProxyError, ProfileError or EvaluationError where it fails."""
        match action:
            case PlannedSteps(steps=steps):
                vu = occurrence.vu = occurrence.vu or self._engine.bystander()
                occurrence.text = occurrence.text or units.counted(len(steps), "step")
                if wrong := await self._engine.happen(vu, steps):
                    raise _ActionError(wrong)
            case PlannedHAProxy(address=address, commands=commands):
                vu = occurrence.vu = occurrence.vu or self._engine.bystander()
                sent = [str(command(vu)) for command in commands]
                occurrence.text = occurrence.text or "; ".join(sent)
                for command in sent:
                    if said := await run_command(address, command):
                        occurrence.text += f": {said}"
            case PlannedProfile():
                bystander = self._engine.bystander()
                occurrence.text = await self._profiler.take(occurrence.name, action, bystander, self._now)
            case PlannedMark():
                pass
            case never:
                assert_never(never)
