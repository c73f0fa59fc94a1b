"""One flow once, as one user, everything shown: `vezaflow try`."""

from math import inf

import trio

from vezaflow.engine import Observer, RunEngine
from vezaflow.errors import VezaflowError
from vezaflow.limits import require_addresses
from vezaflow.metrics import Recorder
from vezaflow.plan import Plan, PlannedFlow
from vezaflow.protocols import Transport
from vezaflow.session.clock import RehearsalClock
from vezaflow.session.signals import stop_signals
from vezaflow.tape import Recording, Replay


def rehearse(
    plan: Plan,
    flow: PlannedFlow,
    observer: Observer,
    way: Recording | Replay,
    clock: RehearsalClock,
    limit: float = inf,
) -> bool:
    """Run one flow once as one user, shown to `observer`; its iteration ends after `limit` seconds. False when
    something failed.

    `way`: to the network, or to what was recorded of it. KeyboardInterrupt when Ctrl-C was pressed.
    """
    if isinstance(way, Recording):
        require_addresses(plan)
    return trio.run(_listening, plan, flow, observer, way, clock, limit, clock=clock)


async def _listening(
    plan: Plan, flow: PlannedFlow, observer: Observer, way: Recording | Replay, clock: RehearsalClock, limit: float
) -> bool:
    rehearsal = _Rehearsal(plan, observer, way, clock)
    async with trio.open_nursery() as nursery:
        await nursery.start(rehearsal.listen)
        await rehearsal.run(flow, limit)
        nursery.cancel_scope.cancel()
    if rehearsal.interrupted:
        raise KeyboardInterrupt
    if rehearsal.refused is not None:
        raise rehearsal.refused
    return rehearsal.good


class _Rehearsal:
    def __init__(self, plan: Plan, observer: Observer, way: Recording | Replay, clock: RehearsalClock) -> None:
        self._way = way
        self._transport = Transport(tapped=True)
        self._engine = RunEngine(
            plan,
            recorder=Recorder(clock.current_time()),
            client=way.of(self._transport.client) if isinstance(way, Recording) else way.client,
            clock=clock.current_time,
            observer=observer,
            say=observer.said,
        )
        self._scope = trio.CancelScope()
        self.good = self.interrupted = False
        self.refused: VezaflowError | None = None

    async def listen(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """At the first signal everything ends; a second one interrupts whatever does not."""
        with stop_signals() as signals:
            task_status.started()
            async for _ in signals:
                self.interrupted = True
                self._engine.cut_off()
                self._scope.cancel()
                break

    async def run(self, flow: PlannedFlow, limit: float) -> None:
        engine = self._engine
        with self._scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(self._transport.run if isinstance(self._way, Recording) else self._way.run)
                await nursery.start(engine.wheel.run)
                try:
                    await engine.preflight()
                    await engine.setup()
                    good = await engine.rehearse(flow, limit)
                    self.good = not await engine.teardown() and good
                except VezaflowError as e:
                    self.refused = e
                nursery.cancel_scope.cancel()
