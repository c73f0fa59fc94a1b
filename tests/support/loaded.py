"""A plan's load over a transport that runs: the engine alone, without a session."""

import trio

from vezaflow.engine import Observer, RunEngine
from vezaflow.metrics import Recorder, Summary
from vezaflow.plan import Plan
from vezaflow.protocols import Transport


async def loaded(plan: Plan, transport: Transport, observer: Observer | None = None) -> tuple[RunEngine, Summary]:
    """The engine when the load is over, and its figures."""
    clock = transport.reactor.clock
    recorder = Recorder(clock())
    engine = RunEngine(plan, recorder=recorder, client=transport.client, clock=clock, observer=observer)
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.wheel.run)
        await engine.load(clock())
        nursery.cancel_scope.cancel()
    recorder.fold(clock())
    return engine, recorder.snapshot()
