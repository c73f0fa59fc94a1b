"""One flow under load: its term, who is judged when, and the driver that gives its VUs work.

Laws: every VU is a task of this flow's nursery. At the end of its time no iteration begins; those that run get
`graceful_stop`, then they are cut off and counted as interrupted. A flow never ends because of what the target does.
"""

from collections.abc import Callable, Mapping

import trio

from vezaflow.engine.closed import ClosedDriver
from vezaflow.engine.context import FlowContext
from vezaflow.engine.delivered import Delivered
from vezaflow.engine.open import OpenDriver
from vezaflow.engine.rows import DataSources
from vezaflow.engine.term import Term
from vezaflow.engine.users import Users, closing
from vezaflow.engine.vu import VU, Signal
from vezaflow.engine.wheel import Wheel
from vezaflow.metrics import Phase
from vezaflow.plan import PlannedFlow, Segment, starts, vu_changes, vus_in_time
from vezaflow.protocols import Sender
from vezaflow.units import duration


class FlowRun:
    """The behaviour of one PlannedFlow."""

    def __init__(
        self,
        flow: PlannedFlow,
        *,
        context: Callable[[Phase], FlowContext],
        wheel: Wheel,
        client: Callable[[], Sender],
        shared: Mapping[int, object],
        data_sources: DataSources,
        seed: int,
        stop_run: Callable[[], None],
    ) -> None:
        here = context(Phase.ITERATION)
        self.flow = flow
        self.delivered = Delivered(requested=vus_in_time(flow.load, here.segment))
        self._recorder = here.recorder
        self._clock = here.clock
        self._stop_run = stop_run
        self._term = Term(here.clock, wheel)
        self._users = Users(
            flow,
            context=context,
            client=client,
            shared=shared,
            data_sources=data_sources,
            seed=seed,
            delivered=self.delivered,
            obey=self._obey,
        )
        self._driver = _driver(self._users, self._term, here.segment)
        self.begun = False
        self.ended = False
        self.stopped = False

    @property
    def active(self) -> int:
        return self.delivered.active

    async def run(self, zero: float) -> None:
        """Live from `zero` (on the clock) + start_time to the end of the last VU."""
        load, term = self.flow.load, self._term
        begin = zero + load.start_time
        await term.until(begin)
        if term.end <= begin:
            self.ended = True
            return
        self.begun = True
        with term.scope:
            async with trio.open_nursery() as nursery:

                def load_begins(moment: float) -> None:
                    term.end_at(min(term.end, moment + load.duration), load.graceful_stop)
                    nursery.start_soon(self._judge, moment)

                await self._driver.run(begin, load_begins)
                nursery.cancel_scope.cancel()
        self._settle()

    async def rehearse(self, limit: float) -> bool:
        """One VU, one iteration, which ends after `limit` seconds, nothing else: False when something failed."""
        users = self._users
        vu = users.make(1)
        with closing(vu.client):
            if not await users.begin(vu):
                return self.delivered.stopped_by_author and not (vu.failed or vu.absent)  # a `stop` is no failure
            if not users.deal(vu):
                return False
            signal: int = Signal.GO_ON
            with trio.move_on_after(limit) as vu.bound:
                signal = await users.body(vu)
            if vu.bound.cancelled_caught and users.observer is not None:
                users.observer.said(f"the iteration has lasted {duration(limit)}: it ends here")
            vu.bound = None
            failed = vu.failed or signal == Signal.FAIL
            vu.failed = False
            await users.finish(vu)
            return not (failed or vu.failed)

    async def log_in(self) -> VU | None:
        """One VU that has logged in, and goes on elsewhere; None: it could not. The caller closes its client."""
        vu = self._users.make(1)
        if await self._users.begin(vu):
            return vu
        vu.client.close()
        return None

    def stop(self, graceful_stop: float | None = None) -> None:
        """Begin no further iteration; cut off what still runs after the graceful stop (seconds)."""
        self.stopped = True
        self.delivered.stopped_by_author = self.delivered.stopped_by_author or not self.ended
        if not self._term.over:
            grace = self.flow.load.graceful_stop if graceful_stop is None else graceful_stop
            self._term.end_at(self._clock(), grace)
            self._wake()
        elif graceful_stop is not None:
            self._term.cut_off_within(graceful_stop)

    def cut_off(self) -> None:
        """Cut off every `finally` that runs, and begin none."""
        self._users.cut_off()

    def pause(self) -> None:
        """Begin no iteration until `resume`; the time goes on."""
        self._term.paused = True

    def resume(self) -> None:
        self._term.paused = False
        self._wake()

    def scale(self, vus: int) -> None:
        """From now on so many VUs, of all segments together; of an open model so many at most."""
        if not self.ended:  # what is over stays so
            self._driver.scale(vus)

    def _wake(self) -> None:
        self._term.wheel.wake_all()
        self._driver.wake()

    def _settle(self) -> None:
        self.ended = True
        if not self.delivered.stopped_by_author:
            self.delivered.unfinished += self._driver.remaining or 0

    async def _judge(self, begin: float) -> None:
        """Switch judging on and off as `measure` says."""
        flow, term = self.flow, self._term
        if flow.judged_from > 0:
            self._recorder.judge(flow.name, False, self._clock())
            await term.until(begin + flow.judged_from)
            self._recorder.judge(flow.name, True, self._clock())
        if not flow.judge_drain:
            while not term.over:
                await term.until(term.end)
            self._recorder.judge(flow.name, False, self._clock())

    def _obey(self, signal: int) -> None:
        if signal == Signal.STOP_RUN:
            self._stop_run()
        elif signal == Signal.STOP_FLOW:
            self.stop()
        self.delivered.stopped_by_author = True


def _driver(users: Users, term: Term, segment: Segment) -> ClosedDriver | OpenDriver:
    load = users.flow.load
    if load.is_open:
        return OpenDriver(users, term, segment, starts(load))
    return ClosedDriver(users, term, segment, segment.slice(vu_changes(load)))
