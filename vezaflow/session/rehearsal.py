"""One flow once, as one user, everything shown: `vezaflow try`."""

import trio

from vezaflow.engine import Observer, RunEngine
from vezaflow.errors import VezaflowError
from vezaflow.limits import require_addresses
from vezaflow.metrics import Recorder
from vezaflow.plan import Plan, PlannedFlow
from vezaflow.protocols import Transport
from vezaflow.session.clock import RehearsalClock
from vezaflow.tape import Recording, Replay


def rehearse(plan: Plan, flow: PlannedFlow, observer: Observer, way: Recording | Replay, clock: RehearsalClock) -> bool:
    """Run one flow once as one user, shown to `observer`. False when something failed.

    `way`: to the network, or to what was recorded of it. KeyboardInterrupt when Ctrl-C was pressed.
    """
    if isinstance(way, Recording):
        require_addresses(plan)
    good = interrupted = False
    try:
        good = trio.run(_rehearse, plan, flow, observer, way, clock, clock=clock)
    except* KeyboardInterrupt:  # from within a nursery it comes in a group
        interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return good


async def _rehearse(
    plan: Plan, flow: PlannedFlow, observer: Observer, way: Recording | Replay, clock: RehearsalClock
) -> bool:
    transport = Transport(tapped=True)
    engine = RunEngine(
        plan,
        recorder=Recorder(clock.current_time()),
        client=way.of(transport.client) if isinstance(way, Recording) else way.client,
        clock=clock.current_time,
        observer=observer,
        say=observer.said,
    )
    good = False
    refused: VezaflowError | None = None
    async with trio.open_nursery() as nursery:
        if isinstance(way, Recording):
            await nursery.start(transport.run)
        await nursery.start(engine.wheel.run)
        try:
            await engine.preflight()
            await engine.setup()
            good = await engine.rehearse(flow)
            good = not await engine.teardown() and good
        except VezaflowError as e:
            refused = e
        nursery.cancel_scope.cancel()
    if refused is not None:
        raise refused
    return good
