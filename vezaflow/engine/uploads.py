"""An upload: its parts in their order, so many on their way at the same time.

Laws: each part is a request of its own, and sent again by itself (`retry`), so that those that went well are not sent
twice; when one has failed for good, those on their way come to their end and no further one begins. What parts extract
becomes lists, one item a part; an upload that failed sets none.
"""

from collections.abc import Iterator
from typing import Any

from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.together import Branches, ParallelTask, as_branch
from vezaflow.engine.vu import VU
from vezaflow.metrics import StepRecorder
from vezaflow.plan import PlannedUpload
from vezaflow.units import counted, duration


def upload_step(step: PlannedUpload, send: Run, record: StepRecorder, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU; `send` is the request of the part that its slot holds."""
    parts, slot, slots, at_once = step.parts, step.slot, step.extracted, step.at_once
    clock, shown = context.clock, context.observer is not None

    async def run(vu: VU) -> int:
        started = clock()
        found: list[list[Any]] = [[None] * len(parts) for _ in slots]
        client = vu.client.beside() if at_once > 1 else vu.client
        chance = vu.random.branch()  # however many parts are sent

        async def one(branch: VU) -> int:
            signal = await send(branch)
            for values, extracted in zip(found, slots, strict=True):
                values[branch.slots[slot]["index"]] = branch.slots[extracted]
            return signal

        def branches() -> Iterator[ParallelTask]:
            for part in parts:
                branch = as_branch(vu, client, chance)
                branch.slots[slot] = part
                yield ParallelTask(one, (), branch)

        if shown:
            context.tell(f"{counted(len(parts), 'part')}, {at_once} at the same time")
        together = Branches(vu, branches(), clock, whole=True)
        signal, failed = await together.run(at_once), together.failed
        seconds = clock() - started
        record.ended(seconds, failed=failed)
        if not failed:
            for values, extracted in zip(found, slots, strict=True):
                vu.slots[extracted] = values
            if shown:
                context.tell(f"total {duration(seconds)}")
        return signal

    return run
