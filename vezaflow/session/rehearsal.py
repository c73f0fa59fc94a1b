"""One flow once, as one user, everything shown: `vezaflow try`."""

import time

import trio

from vezaflow.engine import RunEngine
from vezaflow.errors import VezaflowError
from vezaflow.limits import require_addresses
from vezaflow.metrics import Recorder
from vezaflow.outputs import Trace
from vezaflow.plan import Plan, PlannedFlow
from vezaflow.protocols import Transport


def rehearse(plan: Plan, flow: PlannedFlow, trace: Trace) -> bool:
    """Run one flow once as one user, shown by `trace`. False when something failed."""
    require_addresses(plan)
    return trio.run(_rehearse, plan, flow, trace)


async def _rehearse(plan: Plan, flow: PlannedFlow, trace: Trace) -> bool:
    transport = Transport()
    recorder = Recorder(time.perf_counter())
    engine = RunEngine(plan, recorder=recorder, client=transport.client, observer=trace, say=trace.said)
    good = False
    refused: VezaflowError | None = None
    async with trio.open_nursery() as nursery:
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
