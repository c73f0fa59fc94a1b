"""The closed model: so many VUs, each of which begins its next iteration when its last one is over.

Laws: VUs come and go as the pacer says. Who goes ends the iteration that runs, within the graceful ramp-down, and
does not rest any more. A VU keeps its number: who comes again is the same user afresh. A VU whose iterations fail one
after another begins them ever less often, so that a target that is down is not hammered.
"""

from collections.abc import Callable, Iterable

import trio

from vezaflow.engine.own_time import KeptTime, LooseTime, OwnTime
from vezaflow.engine.pauses import FailureBackoff, pause_of
from vezaflow.engine.term import Term
from vezaflow.engine.users import Users, closing
from vezaflow.engine.vu import VU, Signal
from vezaflow.model import Executor
from vezaflow.plan import PlannedFlow, Segment, VuChange, pauses_in

_FAIL, _STOP_VU = Signal.FAIL, Signal.STOP_VU  # a look into an enumeration takes 0.03 µs


class _Stay:
    """How long one VU is there."""

    __slots__ = ("resting", "scope")

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        self.resting = False

    def end(self, grace: float) -> None:
        """Go home: from a rest at once, from an iteration when it is over, or cut off after the grace (seconds)."""
        if self.resting:
            self.scope.cancel()
        else:
            self.scope.deadline = trio.current_time() + grace

    def go_on(self) -> bool:
        """Stay after all. False: it is too late for that."""
        if self.scope.cancel_called:
            return False
        self.scope.deadline = float("inf")
        return True


class ClosedDriver:
    """Keeps as many VUs of one segment as `changes` (from the begin) ask for."""

    def __init__(self, users: Users, term: Term, segment: Segment, changes: Iterable[VuChange]) -> None:
        flow = users.flow
        self._users = users
        self._term = term
        self._segment = segment
        self._changes = changes
        self._think = pause_of(flow.think, flow.span) if flow.think is not None else None
        self._pace = pause_of(flow.pace, flow.span) if flow.pace is not None else None
        self._backoff = FailureBackoff(flow.failure_backoff, users.jitter) if flow.failure_backoff else None
        self._pauses = flow.think is not None or flow.pace is not None or pauses_in(flow.steps)
        self._each = flow.load.iterations if flow.load.executor is Executor.PER_VU_ITERATIONS else None
        self.remaining = _shared_iterations(flow, segment)  # None: they are not shared
        self._vus = 0  # that there shall be
        self._last = 0  # the highest number among them
        self._stays: dict[int, _Stay] = {}
        self._crowd: trio.Nursery | None = None

    async def run(self, begin: float, load_begins: Callable[[float], None]) -> None:
        """Live from `begin` (on the clock) to the end of the last VU."""
        load_begins(begin)
        async with trio.open_nursery() as crowd:
            self._crowd = crowd
            if self._users.flow.load.executor.lasts:
                crowd.start_soon(self._term.until, self._term.end)
            for change in self._changes:
                await self._term.until(begin + change.at)
                if self._term.over:
                    return
                self._keep(change.vus)

    def scale(self, vus: int) -> None:
        """From now on so many VUs, of all segments together; who is too many goes home."""
        if self._crowd is None or self._term.over or not self._crowd.child_tasks:
            return  # not begun, or over: a nursery that all have left is closed
        self._crowd.start_soon(self._term.until, self._term.end)  # a flow without VUs is not over: more may come
        self._keep(self._segment.share(vus))

    def wake(self) -> None:
        """The term has changed: who sleeps looks for himself."""
        self._term.wheel.wake_all()

    def _keep(self, vus: int) -> None:
        before, self._vus = self._vus, vus
        self._last = self._segment.number(vus - 1) if vus else 0
        for index in range(before, vus):
            self._admit(self._segment.number(index))
        for index in range(vus, before):
            stay = self._stays.get(self._segment.number(index))
            if stay is not None:
                stay.end(self._users.flow.load.graceful_ramp_down)

    def _admit(self, number: int) -> None:
        assert self._crowd is not None
        there = self._stays.get(number)
        if there is None or not there.go_on():
            stay = self._stays[number] = _Stay()
            self._crowd.start_soon(self._live, number, stay)

    async def _live(self, number: int, stay: _Stay) -> None:
        """One VU from login to finally."""
        users = self._users
        vu = users.make(number)
        with users.present(), closing(vu.client):
            try:
                with stay.scope:
                    if await users.begin(vu):
                        await self._iterate(vu, stay)
            finally:
                if self._stays.get(number) is stay:
                    del self._stays[number]
                await users.finish(vu)

    async def _iterate(self, vu: VU, stay: _Stay) -> None:
        users, term = self._users, self._term
        clock, body, record = term.clock, users.body, users.record
        fresh, deals_rows = users.fresh(vu), users.deals_rows
        if term.paused:
            stay.resting = True
            await term.resumed()
            stay.resting = False
        backoff, failures = self._backoff, 0
        vu.time = self._time(clock())
        while clock() < term.end and vu.number <= self._last and self._another(vu):
            if fresh is not None:
                vu.slots[:] = fresh
            if deals_rows and not users.deal(vu):
                self._give_back(vu)
                return
            vu.failed = False
            own = vu.time.own
            started = clock()
            try:
                signal = await body(vu)
            except trio.Cancelled:
                record.interrupted()
                self._give_back(vu)
                raise
            ended = clock()
            failed = vu.failed
            if signal:  # the usual case is 0, and no more is looked at
                failed = failed or signal == _FAIL
            if failed:
                record.iteration(ended - started, failed=True, cut=signal == _FAIL)
            else:
                record.iteration(ended - started)
            users.delivered.iterations += 1
            vu.turn += 1
            if signal >= _STOP_VU:
                users.obey(signal)
                return
            if failed:  # a target that refuses at once must not spin the loop out of everyone's reach
                await trio.lowlevel.checkpoint()
            if vu.number > self._last:
                return
            stay.resting = True
            if self._think is not None:
                pause = self._think(vu)
            elif self._pace is not None:
                vu.time.own = min(vu.time.own, ended)
                pause = own + self._pace(vu) - vu.time.own
            else:
                pause = 0.0
            if not failed:
                failures = 0
            elif backoff:
                failures += 1
                pause = max(pause, backoff.apart(failures) - (ended - started))
            if pause > 0:
                await term.until(vu.time.pause(pause, clock()))
                vu.time.paused(clock())
            elif self._pauses:
                vu.time.iterated(own, started, ended)
            if term.paused:
                await term.resumed()
                vu.time = self._time(clock())
            stay.resting = False

    def _time(self, now: float) -> OwnTime:
        """From now on a VU's own time is kept, and nothing is owed to it so far. A flow without pauses owes nothing."""
        return KeptTime(now, self._users.delivered) if self._pauses else LooseTime()

    def _another(self, vu: VU) -> bool:
        """Whether the executor has one more iteration for this VU; a shared one is taken here."""
        if self._each is not None and vu.iteration >= self._each:
            return False
        if self.remaining is None:
            return True
        if self.remaining == 0:
            return False
        self.remaining -= 1
        return True

    def _give_back(self, vu: VU) -> None:
        """An iteration that was interrupted, or could not begin, is one that the executor still owes."""
        if self._each is not None:
            self._users.delivered.unfinished += self._each - vu.iteration
        elif self.remaining is not None:
            self.remaining += 1


def _shared_iterations(flow: PlannedFlow, segment: Segment) -> int | None:
    load = flow.load
    if load.executor is not Executor.SHARED_ITERATIONS or load.iterations is None:
        return None
    return segment.iterations(load.iterations, load.vus)
