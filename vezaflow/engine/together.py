"""What one VU does at the same time: the branches of a `parallel`, the rounds of a `for` with `at_once`.

Laws: each begins with what the VU knows and sees nothing of the others; when all have ended the VU knows what they set,
in the order in which they are written, whichever ended first. One that fails cuts no other off, though no further
round begins. Random numbers are drawn from the VU's in that same order, so that a seed says what is sent. Every task is
of the step's own nursery.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import trio

from vezaflow.engine.requests import Desk, Run, say
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import AttemptRecorder
from vezaflow.plan import Chance, PlannedFor, PlannedParallel
from vezaflow.protocols import Ask, Body, ClientOptions, Exchange, Origin, Sender
from vezaflow.units import counted, duration

Part = tuple[Run, Sequence[int], VU]  # what runs, the slots that it sets, and as whom


class PerHost:
    """A client of which only so many requests to one host are on their way together."""

    __slots__ = ("_client", "_most", "_places", "cookies")

    def __init__(self, client: Sender, most: int, places: dict[Origin, trio.Semaphore] | None = None) -> None:
        self._client = client
        self._most = most
        self._places = {} if places is None else places
        self.cookies = client.cookies

    async def send(self, origin: Origin, head: bytes, body: Body, ask: Ask) -> Exchange:
        """As the client does, when there is a place; waiting for one is no part of the request's time."""
        place = self._places.get(origin)
        if place is None:
            place = self._places[origin] = trio.Semaphore(self._most)
        try:
            place.acquire_nowait()
        except trio.WouldBlock:
            await place.acquire()
        try:
            return await self._client.send(origin, head, body, ask)
        finally:
            place.release()

    def beside(self) -> "PerHost":
        return self

    def by(self, options: ClientOptions) -> "PerHost":
        """A host has its places however it is connected to."""
        return PerHost(self._client.by(options), self._most, self._places)

    def certificate_ends(self) -> float | None:
        return self._client.certificate_ends()

    def close(self) -> None:
        self._client.close()


def parallel_step(step: PlannedParallel, runs: Sequence[Run], record: AttemptRecorder | None, desk: Desk) -> Run:
    """The step as a coroutine function of a VU; `runs` are its branches."""
    branches = tuple((run, branch.sets) for run, branch in zip(runs, step.branches, strict=True))
    per_host, count, clock, shown = step.per_host, len(branches), desk.clock, desk.observer is not None

    async def run(vu: VU) -> int:
        started = clock()
        client = PerHost(vu.client.beside(), per_host)
        parts = [(each, sets, as_branch(vu, client, vu.random)) for each, sets in branches]
        if shown:
            say(desk, f"{count} branches at the same time")
        signal, failed = await together(vu, parts, count, clock)
        seconds = clock() - started
        if shown:
            say(desk, f"all of it took {duration(seconds)}")
        if record is not None:
            record.ended(seconds, failed=failed)
        return signal

    return run


def spread_step(step: PlannedFor, items: Callable[[VU], Sequence[Any]], body: Run, desk: Desk, *, yields: bool) -> Run:
    """A `for` with `at_once`, whose rounds are `body`; `yields`: they wait for nothing themselves."""
    slot, sets, at_once, shown = step.slot, step.sets, step.at_once, desk.observer is not None

    async def run(vu: VU) -> int:
        found, client, chance = items(vu), vu.client.beside(), vu.random.branch()

        def rounds() -> Iterator[Part]:
            for item in found:
                branch = as_branch(vu, client, chance)
                branch.slots[slot] = item
                yield body, sets, branch

        most = min(at_once, len(found))
        if shown:
            say(desk, f"{counted(len(found), 'round')}, {most} at the same time")
        signal, _ = await together(vu, rounds(), most, desk.clock, yields=yields)
        return signal

    return run


def as_branch(vu: VU, client: Sender, chance: Chance) -> VU:
    """The same user, who goes on elsewhere at the same time, with chance of its own out of `chance`."""
    branch = VU(list(vu.slots), chance.branch(), vu.number, client)
    branch.iteration = vu.iteration
    return branch


async def together(
    vu: VU,
    parts: Iterable[Part],
    most: int,
    clock: Callable[[], float],
    *,
    yields: bool = False,
    whole: bool = False,
) -> tuple[int, bool]:
    """Run the parts, so many at the same time; the strongest of their signals, and whether anything failed. The time
    until the last has ended is the user's own, but for what its pauses were too long.

    `yields`: they wait for nothing themselves; `whole`: after any failure no further one begins."""
    waiting = enumerate(parts)
    last: dict[int, tuple[int, Any]] = {}  # by slot: the number of the part that set it, and its value
    worst: int = Signal.GO_ON
    failed = rested = False
    late = 0.0  # seconds, of who ended last

    async def work() -> None:
        nonlocal worst, failed, rested, late
        mine, left = 0.0, owed
        for number, (run, sets, branch) in waiting:  # each takes the next, so that they begin in their order
            branch.owed = left
            signal = await run(branch)
            worst = max(worst, signal)
            failed = failed or branch.failed
            rested = rested or branch.rested
            late = mine = mine + branch.late
            left = branch.owed
            for slot in sets:
                value = branch.slots[slot]
                if value is not vu.slots[slot] and (slot not in last or number > last[slot][0]):
                    last[slot] = (number, value)
            if worst or (whole and failed):
                return
            if yields:
                await trio.lowlevel.checkpoint()

    began = clock()
    owed = vu.debt(began)
    try:
        async with trio.open_nursery() as nursery:
            for _ in range(most):
                nursery.start_soon(work)
    except BaseExceptionGroup as group:
        if group.split(trio.Cancelled)[1] is None:
            await trio.lowlevel.checkpoint_if_cancelled()  # as a plain step is cut off: by one Cancelled
        raise
    now = clock()
    vu.branched(now - began, late, now, rested=rested)
    for slot, (_, value) in last.items():
        vu.slots[slot] = value
    vu.failed = vu.failed or failed
    return worst, failed
