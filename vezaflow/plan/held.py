"""A level of a capacity search: a flow's load held at its highest, and the gates that can be judged of it.

A level is short, and its load is another one than the suite's. So what says how much load there was (a least number of
iterations, a least rate) is not judged, and neither is what compares with the nights of a baseline; how the load was
borne is: times, failures, and whatever has an upper limit.
"""

from dataclasses import replace

from vezaflow.metrics import MetricKind
from vezaflow.model import Executor
from vezaflow.plan.gate import PlannedGate
from vezaflow.plan.inputs import HeldLevel
from vezaflow.plan.load import PlannedLoad, PlannedStage
from vezaflow.syntax import OfBaseline, Reference
from vezaflow.units import Quantity


def held_load(load: PlannedLoad, level: HeldLevel) -> PlannedLoad:
    """The load at its highest from the start to the end of a level. One of iterations goes on with all of its VUs."""
    duration = level.settle + level.measure
    rate = load.peak_rate
    whole = replace(load, duration=duration, start_time=0.0, iterations=None)
    if rate is not None:
        stages = (PlannedStage(duration, rate),)
        return replace(whole, executor=Executor.CONSTANT_ARRIVAL_RATE, start=rate, stages=stages)
    if not load.vus:  # a person gives it its VUs, and there is none yet
        return whole
    return replace(whole, executor=Executor.CONSTANT_VUS, start=0.0, stages=(), max_vus=load.vus)


def judged_of_level(gate: PlannedGate) -> bool:
    """Whether a level can say if it holds."""
    bound, operator = gate.condition.bound, gate.condition.operator
    if isinstance(bound, OfBaseline):
        return False
    if gate.known.kind not in (MetricKind.COUNTER, MetricKind.GAUGE) and gate.condition.aggregate != "count":
        return True
    if isinstance(bound, Reference):
        return True
    amount = bound.amount if isinstance(bound, Quantity) else bound
    return operator in ("<", "<=") or (operator == "==" and not amount)
