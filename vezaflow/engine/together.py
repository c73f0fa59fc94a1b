"""What one VU does at the same time: the branches of a `parallel`, the rounds of a `for` with `at_once`.

Laws: each begins with what the VU knows and sees nothing of the others; when all have ended the VU knows what they set,
in the order in which they are written, whichever ended first. One that fails cuts no other off, though no further
round begins. Random numbers are drawn from the VU's in that same order, so that a seed says what is sent. Every task is
of the step's own nursery.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import trio

from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.own_time import LooseTime
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import StepRecorder
from vezaflow.plan import Chance, PlannedFor, PlannedParallel
from vezaflow.protocols import (
    Body,
    ClientOptions,
    Exchange,
    Origin,
    RequestOptions,
    Sender,
    SenderAround,
)
from vezaflow.units import counted, duration


class ParallelTask(NamedTuple):
    """What runs, the slots that it sets, and as whom."""

    run: Run
    sets: Sequence[int]
    branch: VU


class PerHost(SenderAround):
    """A client of which only so many requests to one host are on their way together. Channels take no place: browsers
    count them apart, and they stay open."""

    __slots__ = ("_most", "_places")

    def __init__(self, client: Sender, most: int, places: dict[Origin, trio.Semaphore] | None = None) -> None:
        self._client = client
        self._most = most
        self._places = {} if places is None else places
        self.cookies = client.cookies

    async def send(self, origin: Origin, head: bytes, body: Body, options: RequestOptions) -> Exchange:
        """As the client does, when there is a place; waiting for one is no part of the request's time."""
        place = self._places.get(origin)
        if place is None:
            place = self._places[origin] = trio.Semaphore(self._most)
        try:
            place.acquire_nowait()
        except trio.WouldBlock:
            await place.acquire()
        try:
            return await self._client.send(origin, head, body, options)
        finally:
            place.release()

    def beside(self) -> "PerHost":
        return self

    def lane(self) -> "PerHost":
        return PerHost(self._client.lane(), self._most, self._places)

    def by(self, options: ClientOptions) -> "PerHost":
        """A host has its places however it is connected to."""
        return PerHost(self._client.by(options), self._most, self._places)


def parallel_step(step: PlannedParallel, runs: Sequence[Run], record: StepRecorder | None, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU; `runs` are its branches."""
    branches = tuple((run, branch.sets) for run, branch in zip(runs, step.branches, strict=True))
    per_host, count, clock, shown = step.per_host, len(branches), context.clock, context.observer is not None

    async def run(vu: VU) -> int:
        started = clock()
        client = PerHost(vu.client.beside(), per_host)
        tasks = [ParallelTask(each, sets, as_branch(vu, client, vu.random)) for each, sets in branches]
        if shown:
            context.tell(f"{count} branches at the same time")
        together = Branches(vu, tasks, clock)
        signal = await together.run(count)
        seconds = clock() - started
        if shown:
            context.tell(f"total {duration(seconds)}")
        if record is not None:
            record.ended(seconds, failed=together.failed)
        return signal

    return run


def spread_step(
    step: PlannedFor, items: Callable[[VU], Sequence[Any]], body: Run, context: FlowContext, *, yields: bool
) -> Run:
    """A `for` with `at_once`, whose rounds are `body`; `yields`: they wait for nothing themselves."""
    slot, sets, at_once, shown = step.slot, step.sets, step.at_once, context.observer is not None

    async def run(vu: VU) -> int:
        found, client, chance = items(vu), vu.client.beside(), vu.random.branch()

        def rounds() -> Iterator[ParallelTask]:
            for item in found:
                branch = as_branch(vu, client, chance)
                branch.slots[slot] = item
                yield ParallelTask(body, sets, branch)

        most = min(at_once, len(found))
        if shown:
            context.tell(f"{counted(len(found), 'round')}, {most} at the same time")
        return await Branches(vu, rounds(), context.clock, yields=yields).run(most)

    return run


def as_branch(vu: VU, client: Sender, chance: Chance) -> VU:
    """The same user, who goes on elsewhere at the same time, with chance of its own out of `chance`."""
    branch = VU(list(vu.slots), chance.branch(), vu.number, client)
    branch.turn, branch.bound = vu.turn, vu.bound
    return branch


class Branches:
    """What one VU does at the same time, while it lasts. `run` once.

    `yields`: the tasks wait for nothing themselves; `whole`: after any failure no further one begins.
    """

    def __init__(
        self,
        vu: VU,
        tasks: Iterable[ParallelTask],
        clock: Callable[[], float],
        *,
        yields: bool = False,
        whole: bool = False,
    ) -> None:
        self._vu = vu
        self._waiting = enumerate(tasks)
        self._clock = clock
        self._yields = yields
        self._whole = whole
        self._last: dict[int, tuple[int, Any]] = {}  # by slot: the number of the task that set it, and its value
        self._signal: int = Signal.GO_ON  # the strongest
        self._rested = False
        self._late = 0.0  # seconds that the pauses of who ended last were too long
        self.failed = False

    async def run(self, most: int) -> int:
        """Run the tasks, so many at the same time: the strongest of their signals. The time until the last has ended is
        the user's own, but for what its pauses were too long."""
        vu, began = self._vu, self._clock()
        owed = vu.time.debt(began)
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(most):
                    nursery.start_soon(self._work, owed)
        except BaseExceptionGroup as group:
            if group.split(trio.Cancelled)[1] is None:
                await trio.lowlevel.checkpoint_if_cancelled()  # as a plain step is cut off: by one Cancelled
            raise
        now = self._clock()
        vu.time.branched(now - began, self._late, now, rested=self._rested)
        for slot, (_, value) in self._last.items():
            vu.slots[slot] = value
        vu.failed = vu.failed or self.failed
        return self._signal

    async def _work(self, owed: float) -> None:
        late = 0.0
        for number, task in self._waiting:  # each takes the next, so that they begin in their order
            branch = task.branch
            time = branch.time = LooseTime(owed)
            signal = await task.run(branch)
            self._signal = max(self._signal, signal)
            self.failed = self.failed or branch.failed
            self._rested = self._rested or time.rested
            self._late = late = late + time.late
            owed = time.owed
            self._hand_over(number, task)
            if self._signal or (self._whole and self.failed):
                return
            if self._yields:
                await trio.lowlevel.checkpoint()

    def _hand_over(self, number: int, task: ParallelTask) -> None:
        """Keep what a task has set: of those that set the same, the one that is written last counts."""
        for slot in task.sets:
            value = task.branch.slots[slot]
            if value is not self._vu.slots[slot] and (slot not in self._last or number > self._last[slot][0]):
                self._last[slot] = (number, value)
