"""The open model: iterations start when they are due, whatever the target does.

Laws: the driver never waits for a VU. A start that is due takes a VU that is free, or a new one while there are fewer
than max_vus; else it is dropped, and counted. What is due by the time that the driver wakes is started together, each
with its own due time. A start for which the generator comes LATE is dropped too: it would be another load. What is
dropped is counted in one go, and the others have their turn between two looks: no rate is too high to be stopped.
"""

from collections import deque
from collections.abc import Callable
from math import inf

import trio
from trio.lowlevel import Abort, Task, current_task

from vezaflow.engine.term import Term
from vezaflow.engine.users import Users, closing
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import Dropped
from vezaflow.plan import Segment, Starts
from vezaflow.protocols import park, trap, wake

LATE = 0.1  # seconds: starts that come later in one burst are not the load that was asked for
_GAP = 0.001  # seconds between the logins of VUs that shall stand ready


class _Place:
    """Where a VU waits for its next iteration. `due`: when that was to start; None: there is none, go home."""

    __slots__ = ("due", "task", "waiting")

    def __init__(self, task: Task, free: deque["_Place"]) -> None:
        self.task = task
        self.due: float | None = None
        self.waiting = trap(lambda _raise_cancel: self._leave(free))

    def _leave(self, free: deque["_Place"]) -> Abort:
        free.remove(self)
        return Abort.SUCCEEDED


class OpenDriver:
    """Starts iterations at this segment's part of all `starts` (from the begin), on its VUs."""

    def __init__(self, users: Users, term: Term, segment: Segment, starts: Starts) -> None:
        load = users.flow.load
        self._users = users
        self._term = term
        self._segment = segment
        self._all = starts
        self._starts = segment.deal(starts, load.max_vus)
        self._ready = segment.share(load.vus)
        self._most = segment.share(load.max_vus)
        self._free: deque[_Place] = deque()
        self._pool: trio.Nursery | None = None
        self._made = self._there = self._coming = 0
        self._all_ready: trio.Event | None = None  # while that is waited for
        self._wait = trio.CancelScope()
        self.remaining: int | None = None  # what is due and not started is dropped, not left

    async def run(self, begin: float, load_begins: Callable[[float], None]) -> None:
        """Live from `begin` (on the clock) to the end of the last VU. The load, and with it the flow's time, begins
        when all VUs that shall stand ready do: logging in takes nothing away from it."""
        async with trio.open_nursery() as pool:
            self._pool = pool
            await self._stand_ready(begin)
            if not self._term.over:
                begin = max(begin, self._term.clock())
                load_begins(begin)
                await self._start_all(begin)
            self._send_home(len(self._free))
            self._pool = None

    def scale(self, vus: int) -> None:
        """From now on so many VUs at most, of all segments together, and what is to come is dealt among these."""
        self._most = self._segment.share(vus)
        self._send_home(min(len(self._free), self._there - self._most))
        self._starts = self._segment.deal(self._all, vus)
        self.wake()

    def wake(self) -> None:
        """The term has changed: look again."""
        self._wait.cancel()

    async def _stand_ready(self, begin: float) -> None:
        for index in range(self._ready):
            if self._users.has_login:
                await self._term.until(begin + index * _GAP * self._segment.count)
            if self._term.over:
                return
            self._add(None)
        if self._coming:
            self._all_ready = trio.Event()
            await self._all_ready.wait()

    def _add(self, due: float | None) -> None:
        assert self._pool is not None
        number = self._segment.number(self._made)
        self._made += 1
        self._there += 1
        self._coming += 1
        self._pool.start_soon(self._live, number, due)

    async def _start_all(self, begin: float) -> None:
        """To the end of the load, which lasts as long as was asked also after its last start."""
        clock, term, starts = self._term.clock, self._term, self._starts
        done = 0
        while not term.over:
            if starts is not self._starts:
                starts = self._starts
                done = starts.before(clock() - begin)
            due = begin + starts[done] if done < len(starts) else inf
            now = clock()
            with trio.CancelScope() as self._wait:
                await trio.sleep(max(0.0, min(due, term.end) - now))
            if due < term.end and starts is self._starts and (now := clock()) >= due:
                done = self._start_due(begin, done, now)

    def _start_due(self, begin: float, done: int, now: float) -> int:
        """Start or drop what is due by now: the next after so many that are done, at least. How many are done then."""
        starts, first = self._starts, self._starts[done]
        until = max(first, min(now, self._term.end) - begin)  # the sum and the difference may be a hair apart
        if self._term.paused:
            return starts.before(until, done + 1)
        if now - begin - first > LATE:
            late = starts.before(min(now - LATE, self._term.end) - begin, done)
            self._drop(Dropped.GENERATOR_LATE, late - done)
            done = late
        while done < len(starts) and (at := starts[done]) <= until:
            if not self._start(begin + at):
                rest = starts.before(until, done + 1)
                self._drop(Dropped.NO_FREE_VU, rest - done)
                return rest
            done += 1
        return done

    def _start(self, due: float) -> bool:
        """False: nobody is there for it."""
        users = self._users
        if self._free:
            place = self._free.popleft()
            place.due = due
            wake(place.task)
        elif self._there >= self._most:
            return False
        elif users.has_login:
            self._add(None)
            users.drop(Dropped.NO_FREE_VU)
        else:
            self._add(due)
        users.delivered.due += 1
        return True

    def _drop(self, reason: Dropped, count: int) -> None:
        self._users.delivered.due += count
        self._users.drop(reason, count)

    def _send_home(self, count: int) -> None:
        for _ in range(count):
            wake(self._free.popleft().task)

    async def _live(self, number: int, due: float | None) -> None:
        """One VU from login to finally."""
        users = self._users
        vu = users.make(number)
        with users.present(), closing(vu.client):
            try:
                begun = await users.begin(vu)
                self._arrived()
                if begun:
                    await self._serve(vu, due)
                elif due is not None and not vu.absent:
                    users.drop(Dropped.NO_FREE_VU)
            finally:
                self._there -= 1
                await users.finish(vu)

    def _arrived(self) -> None:
        self._coming -= 1
        if not self._coming and self._all_ready is not None:
            self._all_ready.set()

    async def _serve(self, vu: VU, due: float | None) -> None:
        """Iterations, one whenever one is due."""
        users, clock, place = self._users, self._term.clock, _Place(current_task(), self._free)
        body, record = users.body, users.record
        fresh, deals_rows = users.fresh(vu), users.deals_rows
        while True:
            if due is None:
                if self._pool is None or self._there > self._most:
                    return
                place.due = None
                self._free.append(place)
                await park(place.waiting)
                due = place.due
                if due is None:
                    return
            if fresh is not None:
                vu.slots[:] = fresh
            if deals_rows and not users.deal(vu):
                return
            vu.failed = False
            started = clock()
            record.delayed(started - due)
            try:
                signal = await body(vu)
            except trio.Cancelled:
                record.interrupted()
                raise
            ended = clock()
            failed = vu.failed or signal == Signal.FAIL
            record.iteration(ended - started, failed, signal == Signal.FAIL)
            record.responded(ended - due, signal == Signal.FAIL)
            users.delivered.iterations += 1
            vu.turn += 1
            due = None
            if signal >= Signal.STOP_VU:
                users.obey(signal)
                return
