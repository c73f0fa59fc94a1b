"""What is to be delivered in rooms, as a whole plan has it: what names a `deliver` where its process is another one."""

from collections.abc import Iterable, Iterator

from vezaflow.plan.plan import Plan
from vezaflow.plan.steps import PlannedStep, delivery_of
from vezaflow.plan.walk import blocks_of
from vezaflow.plan.websockets import PlannedAck


def deliveries_of(plan: Plan) -> Iterator[PlannedAck]:
    """Every `deliver` of all flows, in an order that is the same wherever the same suite is planned."""
    for flow in plan.flows:
        yield from _deliveries_in((*flow.login, *flow.steps, *flow.final))


def _deliveries_in(steps: Iterable[PlannedStep]) -> Iterator[PlannedAck]:
    for step in steps:
        if (delivery := delivery_of(step)) is not None:
            yield delivery
        for inner in blocks_of(step):
            yield from _deliveries_in(inner)
