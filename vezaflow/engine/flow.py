"""One flow under load, by a closed model: VUs are admitted as the pacer says and live until their time is up.

Laws: every VU is a task of this flow's nursery. At the end of `duration` no iteration begins; those that run get
`graceful_stop`, then they are cut off and counted as interrupted. `finally` runs once for every VU, shielded and
bounded. A flow never ends because of what the target does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import trio

from vezaflow.engine.interpreter import Interpreter, Stage
from vezaflow.engine.pauses import pause_of
from vezaflow.engine.requests import Run
from vezaflow.engine.vu import VU, Signal
from vezaflow.engine.wheel import Wheel
from vezaflow.metrics import FlowRecorder, Phase, Recorder
from vezaflow.model import Executor
from vezaflow.plan import UNSET, EvaluationError, PlannedFlow, PlannedStep, Segment, VuChange, constant_vus
from vezaflow.protocols import Sender

FINALLY_LIMIT = 10.0  # seconds that `finally` has for one VU


@dataclass(slots=True)
class Delivered:
    """How much of the asked load there was, and why less."""

    asked: int  # VUs
    started: int = 0
    most: int = 0  # at once
    active: int = 0
    iterations: int = 0
    stopped_by_author: bool = False  # a `stop` step ended it, or an abort gate, or Ctrl-C
    login_failed: int = 0  # VUs that never got past `login`
    unfinished: int = 0  # iterations that the executor promised and time did not allow


class FlowRun:
    """The behaviour of one PlannedFlow."""

    def __init__(
        self,
        flow: PlannedFlow,
        *,
        stage: Callable[[Phase], Stage],
        recorder: Recorder,
        wheel: Wheel,
        clock: Callable[[], float],
        client: Callable[[], Sender],
        shared: Mapping[int, object],
        seed: int,
        stop_run: Callable[[], None],
        segment: Segment,
    ) -> None:
        self.flow = flow
        self.delivered = Delivered(asked=segment.share(flow.load.vus))
        self._segment = segment
        self._recorder = recorder
        self._wheel = wheel
        self._clock = clock
        self._client = client
        self._seed = seed
        self._stop_run = stop_run
        self._initial = [shared.get(slot, value) for slot, value in enumerate(flow.variables.initial)]
        main = stage(Phase.ITERATION)
        self._incidents = main.desk.incidents
        self._body = _block(main, flow.steps)
        self._login = _block(stage(Phase.LOGIN), flow.login) if flow.login else None
        self._final = _block(stage(Phase.FINALLY), flow.final) if flow.final else None
        self._record: FlowRecorder = recorder.flow(flow.name)
        self._think = pause_of(flow.think, flow.span) if flow.think is not None else None
        self._pace = pause_of(flow.pace, flow.span) if flow.pace is not None else None
        self._stop_at = float("inf")
        self._scope = trio.CancelScope()
        self._remaining = _shared_iterations(flow, segment)
        self._target = flow.load.vus  # VUs of the whole flow: who has a higher number leaves
        self._alive: set[int] = set()  # numbers of this segment's VUs
        self._crowd: trio.Nursery | None = None
        self._paused = False
        self.begun = False
        self.ended = False
        self.stopped = False

    @property
    def active(self) -> int:
        return self.delivered.active

    async def run(self, zero: float) -> None:
        """Live from `zero` (on the clock) + start_time to the end of the last VU."""
        load = self.flow.load
        begin = zero + load.start_time
        await self._until(begin)
        if self._stop_at <= begin:
            self.ended = True
            return
        self.begun = True
        self._end_at(min(self._stop_at, begin + load.duration))
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._judge, begin, nursery.cancel_scope)
                changes = self._segment.slice(constant_vus(load.vus, load.duration))
                async with trio.open_nursery() as crowd:
                    self._crowd = crowd
                    await self._admit(begin, changes)
                nursery.cancel_scope.cancel()
        self._settle()

    async def rehearse(self) -> bool:
        """One VU, one iteration, nothing else: False when something failed."""
        vu = self._make_vu(1)
        with _closing(vu.client):
            if not await self._begin(vu):
                return False
            signal = await self._body(vu)
            failed = vu.failed or signal == Signal.FAIL
            vu.failed = False
            await self._finish(vu)
            return not (failed or vu.failed)

    def stop(self, graceful_stop: float | None = None) -> None:
        """Begin no further iteration; cut off what still runs after the graceful stop (seconds)."""
        self.stopped = True
        now = self._clock()
        self.delivered.stopped_by_author = self.delivered.stopped_by_author or not self.ended
        if now < self._stop_at:
            self._end_at(now, graceful_stop)
            self._wheel.wake_all()
        elif graceful_stop is not None:
            self._scope.deadline = min(self._scope.deadline, trio.current_time() + graceful_stop)

    def _end_at(self, moment: float, graceful_stop: float | None = None) -> None:
        grace = self.flow.load.graceful_stop if graceful_stop is None else graceful_stop
        self._stop_at = moment
        self._scope.deadline = trio.current_time() + max(0.0, moment - self._clock()) + grace

    def _settle(self) -> None:
        self.ended = True
        if self._remaining is not None and not self.delivered.stopped_by_author:
            self.delivered.unfinished += self._remaining

    async def _until(self, moment: float) -> None:
        """Sleep until a moment, or until the flow is stopped."""
        while (now := self._clock()) < moment and now < self._stop_at:
            await self._wheel.sleep_until(min(moment, self._stop_at))

    async def _rest(self, moment: float) -> None:
        """A user's pause until a moment, or until the flow is stopped."""
        while (now := self._clock()) < moment and now < self._stop_at:
            await self._wheel.rest_until(min(moment, self._stop_at))

    async def _judge(self, begin: float, _scope: trio.CancelScope) -> None:
        """Switch judging on and off as `measure` says."""
        flow = self.flow
        if flow.judged_from > 0:
            self._recorder.judge(flow.name, False, self._clock())
            await self._until(begin + flow.judged_from)
            self._recorder.judge(flow.name, True, self._clock())
        if not flow.judge_drain:
            while self._clock() < self._stop_at:
                await self._until(self._stop_at)
            self._recorder.judge(flow.name, False, self._clock())

    def pause(self) -> None:
        """Begin no iteration until `resume`; the time goes on."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._wheel.wake_all()

    def scale(self, vus: int) -> None:
        """From now on so many VUs, of all segments together; who is too many ends after its iteration."""
        crowd = self._crowd
        if crowd is None or self.ended or self._clock() >= self._stop_at:
            return
        self._target = vus
        crowd.start_soon(self._until, self._stop_at)  # a flow without VUs is not over: more may come
        for index in range(self._segment.share(vus)):
            self._admit_one(index)
        self._wheel.wake_all()

    def _admit_one(self, index: int) -> None:
        assert self._crowd is not None
        number = self._segment.number(index)
        if number <= self._target and number not in self._alive:
            self._alive.add(number)
            self._crowd.start_soon(self._live, number)

    async def _admit(self, begin: float, changes: Iterable[VuChange]) -> None:
        index = 0
        for change in changes:
            moment = begin + change.at
            if self._clock() < moment:
                await self._until(moment)
            if self._clock() >= self._stop_at:
                return
            while index < change.vus:
                self._admit_one(index)
                index += 1

    async def _live(self, number: int) -> None:
        """One VU from login to finally."""
        vu = self._make_vu(number)
        with self._present(), _closing(vu.client):
            try:
                if await self._begin(vu):
                    await self._iterate(vu)
            finally:
                self._alive.discard(number)
                await self._finish(vu)

    def _make_vu(self, number: int) -> VU:
        return VU(list(self._initial), Random(f"{self._seed}:{self.flow.name}:{number}"), number, self._client())

    @contextmanager
    def _present(self) -> Iterator[None]:
        delivered = self.delivered
        delivered.started += 1
        delivered.active += 1
        delivered.most = max(delivered.most, delivered.active)
        self._record.vus = delivered.active
        try:
            yield
        finally:
            delivered.active -= 1
            self._record.vus = delivered.active
            if not delivered.active:
                self._record.left = self._clock()

    async def _begin(self, vu: VU) -> bool:
        """Compute the VU's own variables and log in. False: it can't begin."""
        try:
            for slot, value in self.flow.variables.computed:
                if vu.slots[slot] is UNSET:
                    vu.slots[slot] = value(vu)
        except EvaluationError as e:
            self._incidents.add("VF605", self.flow.name, "vars", e.message, e.span)
            self.delivered.login_failed += 1
            return False
        if self._login is not None:
            signal = await self._login(vu)
            if signal in (Signal.FAIL, Signal.STOP_VU):
                self.delivered.login_failed += 1
                return False
        return True

    async def _finish(self, vu: VU) -> None:
        if self._final is None:
            return
        with trio.move_on_after(FINALLY_LIMIT, shield=True):
            vu.iteration += 1
            await self._final(vu)

    async def _iterate(self, vu: VU) -> None:
        clock, body, record = self._clock, self._body, self._record
        fresh = list(vu.slots) if self.flow.variables.reset else None
        mine = self._own_iterations()
        if self._paused:
            await self._resumed()
        while clock() < self._stop_at and vu.number <= self._target and self._another(vu, mine):
            if fresh is not None:
                vu.slots[:] = fresh
            vu.failed = False
            started = clock()
            try:
                signal = await body(vu)
            except trio.Cancelled:
                record.interrupted()
                self._give_back(mine, vu)
                raise
            ended = clock()
            failed = vu.failed or signal == Signal.FAIL
            record.iteration(ended - started, failed)
            self.delivered.iterations += 1
            vu.iteration += 1
            if signal >= Signal.STOP_VU and self._obey(signal):
                return
            if failed:  # a target that refuses at once must not spin the loop out of everyone's reach
                await trio.lowlevel.checkpoint()
            if self._think is not None:
                await self._rest(clock() + self._think(vu))
            elif self._pace is not None:
                await self._rest(started + self._pace(vu))
            if self._paused:
                await self._resumed()

    async def _resumed(self) -> None:
        """Sleep until the flow goes on, or ends."""
        while self._paused and self._clock() < self._stop_at:
            await self._wheel.sleep_until(self._stop_at)

    def _own_iterations(self) -> int | None:
        load = self.flow.load
        return load.iterations if load.executor is Executor.PER_VU_ITERATIONS else None

    def _another(self, vu: VU, mine: int | None) -> bool:
        """Whether the executor has one more iteration for this VU; a shared one is taken here."""
        if mine is not None and vu.iteration >= mine:
            return False
        if self._remaining is None:
            return True
        if self._remaining == 0:
            return False
        self._remaining -= 1
        return True

    def _give_back(self, mine: int | None, vu: VU) -> None:
        """An interrupted iteration is one that the executor still owes."""
        if mine is not None:
            self.delivered.unfinished += mine - vu.iteration
        elif self._remaining is not None:
            self._remaining += 1

    def _obey(self, signal: int) -> bool:
        if signal == Signal.STOP_RUN:
            self._stop_run()
        elif signal == Signal.STOP_FLOW:
            self.stop()
        self.delivered.stopped_by_author = True
        return True


def _block(stage: Stage, steps: tuple[PlannedStep, ...]) -> Run:
    return Interpreter(stage).block(steps)


def _shared_iterations(flow: PlannedFlow, segment: Segment) -> int | None:
    load = flow.load
    if load.executor is not Executor.SHARED_ITERATIONS or load.iterations is None:
        return None
    return segment.iterations(load.iterations, load.vus)


@contextmanager
def _closing(client: Sender) -> Iterator[None]:
    try:
        yield
    finally:
        client.close()
