"""A load in one line of words."""

from vezaflow import units
from vezaflow.explain.explained import FlowExplained
from vezaflow.model import Executor
from vezaflow.plan import PlannedLoad, Segment


def load_words(flow: FlowExplained, segment: Segment) -> str:
    """`1,000 VUs for 5m`, `500/s for 10m, by 50 to 200 VUs`; of a segment its share."""
    load = flow.load
    begins = f", from {units.duration(load.start_time)} on" if load.start_time else ""
    return f"{_words(flow, load, segment)}{begins}"


def _words(flow: FlowExplained, load: PlannedLoad, segment: Segment) -> str:
    lasts = units.duration(load.duration)
    vus = units.counted(flow.vus, "VU")
    peak = load.peak_rate
    match load.executor:
        case Executor.RAMPING_VUS:
            return f"up to {vus} in {_stages(load)} over {lasts}"
        case Executor.PER_VU_ITERATIONS:
            return f"{units.counted(load.iterations or 0, 'iteration')} of each of {vus}, within {lasts}"
        case Executor.SHARED_ITERATIONS:
            return f"{units.counted(flow.iterations, 'iteration')} shared by {vus}, within {lasts}"
        case Executor.CONSTANT_ARRIVAL_RATE if peak is not None:
            return f"{units.rate(peak / segment.count)} for {lasts}, by {_pool(flow)}"
        case Executor.RAMPING_ARRIVAL_RATE if peak is not None:
            return f"up to {units.rate(peak / segment.count)} in {_stages(load)} over {lasts}, by {_pool(flow)}"
        case Executor.EXTERNALLY_CONTROLLED:
            return f"{vus} for {lasts}, scaled manually up to {flow.max_vus:,}"
        case _:
            return f"{vus} for {lasts}"


def _stages(load: PlannedLoad) -> str:
    return units.counted(len(load.stages), "stage")


def _pool(flow: FlowExplained) -> str:
    if flow.vus == flow.max_vus:
        return units.counted(flow.vus, "VU")
    return f"{flow.vus:,} to {units.counted(flow.max_vus, 'VU')}"
