"""Which events' windows the gates of a plan are about: those that their label `during` names."""

from vezaflow.metrics import DURING, OUTSIDE, EventWindows, Extent
from vezaflow.plan import Plan, PlannedGate
from vezaflow.syntax import Labels, Reference


def windows_of(plan: Plan) -> EventWindows:
    """What keeps the figures that the plan's gates ask for, of the times of its events."""
    asked = (
        (gate.metric, gate.flow)
        for gate in plan.gates
        if gate.known.of.grows and any(DURING in dict(labels) for labels in _labels_of(gate))
    )
    lives = {flow.name: Extent(flow.load.start_time, flow.load.start_time + flow.load.duration) for flow in plan.flows}
    return EventWindows([event.name for event in plan.events], asked, lives)


def judged_events(plan: Plan) -> tuple[str, ...]:
    """The events whose windows the plan's gates judge; those outside of all windows judge by all."""
    named = {dict(labels).get(DURING) for gate in plan.gates for labels in _labels_of(gate)}
    return tuple(event.name for event in plan.events if event.name in named or OUTSIDE in named)


def _labels_of(gate: PlannedGate) -> tuple[Labels, ...]:
    bound = gate.condition.bound
    return (gate.labels, bound.labels_beside(gate.labels)) if isinstance(bound, Reference) else (gate.labels,)
