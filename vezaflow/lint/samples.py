"""Gates that ask for more samples than the load can bring.

Only loads whose end the file settles are judged: numbers that an input may change are not.
"""

from collections.abc import Callable
from itertools import pairwise
from math import ceil, floor, prod
from typing import assert_never

from vezaflow.diagnostics import Diagnostics
from vezaflow.model import (
    Beside,
    Block,
    Ends,
    Executor,
    Flow,
    Gate,
    Leaf,
    Loop,
    Most,
    OneOf,
    Pause,
    Sends,
    Step,
    Suite,
    constant,
    total,
)


def check_samples(suite: Suite, diagnostics: Diagnostics) -> None:
    """Gates that no run can meet, or that stay inconclusive in every run."""
    for flow in suite.flows:
        for gate in (*flow.gates, *suite.each_flow):
            _check(gate, (flow,), f"the flow '{flow.name}'", diagnostics)
    if suite.whole:
        for gate in suite.gates:
            _check(gate, suite.flows, "all flows together", diagnostics)


def _check(gate: Gate, flows: tuple[Flow, ...], who: str, diagnostics: Diagnostics) -> None:
    labels = dict(gate.labels)
    if set(labels) - {"step"} or (gate.metric != "iterations" and not gate.metric.startswith("http_req")):
        return
    counts = [_samples(flow, gate.metric, labels.get("step")) for flow in flows]
    if any(count is None for count in counts):
        return
    most = sum(count for count in counts if count is not None)
    needed = gate.samples or 0
    if gate.condition.aggregate == "count" and gate.condition.operator in (">", ">=", "=="):
        bound = gate.condition.bound
        if isinstance(bound, int | float):
            needed = max(needed, ceil(bound + (gate.condition.operator == ">")))
    if needed > most:
        what = "iterations" if gate.metric == "iterations" else "requests"
        diagnostics.warning(
            "VF508",
            gate.condition.span,
            f"this gate needs {needed:,} {what}, and {who} can make at most {int(most):,}",
            help="use a longer load, more VUs, or a lower number of samples",
            related=tuple((f.load.span, "the load") for f in flows if _has_load(f) and f.source is gate.span.source),
        )


def _has_load(flow: Flow) -> bool:
    """Whether the flow writes a load; without one it runs once."""
    return flow.load.vus is None or flow.load.vus.span != flow.load.span


def _samples(flow: Flow, metric: str, step: str | None) -> Most:
    iterations = most_iterations(flow)
    if metric == "iterations" or iterations is None:
        return iterations
    each = _requests(flow.steps, step)
    return None if each is None else iterations * each


def most_iterations(flow: Flow) -> Most:
    """How many iterations can end at most."""
    return _OF_EXECUTOR[flow.load.executor](flow)


def _constant_vus(flow: Flow) -> Most:
    """Only a pause bounds VUs: without one it is the target's speed that decides."""
    pause, duration = constant(flow.think or flow.pace), constant(flow.load.duration)
    return _times(constant(flow.load.vus), ceil(duration / pause)) if pause and duration else None


def _ramping_vus(flow: Flow) -> Most:
    """As if each stage had its most all the time; who comes (again) begins at once."""
    pause = constant(flow.think or flow.pace)
    load = flow.load
    levels = [constant(load.start_vus) if load.start_vus else 1, *(constant(stage.target) for stage in load.stages)]
    lengths = [constant(stage.duration) for stage in load.stages]
    if not pause or None in levels or None in lengths:
        return None
    known = [level for level in levels if level is not None]
    spent = sum(max(pair) * (length or 0) for pair, length in zip(pairwise(known), lengths, strict=True))
    return floor(spent / pause) + known[0] + sum(max(0, after - before) for before, after in pairwise(known))


def _arrivals(flow: Flow) -> Most:
    """As many as can start."""
    starts = _times(constant(flow.load.rate), constant(flow.load.duration))
    return None if starts is None else ceil(starts)


def _ramping_arrivals(flow: Flow) -> Most:
    """As many as lie below the ramp's lines."""
    load = flow.load
    rates = [constant(load.start_rate) if load.start_rate else 0, *(constant(stage.target) for stage in load.stages)]
    means = (None if low is None or high is None else (low + high) / 2 for low, high in pairwise(rates))
    areas = (_times(mean, constant(stage.duration)) for mean, stage in zip(means, load.stages, strict=True))
    starts = total(areas)
    return None if starts is None else ceil(starts)


_OF_EXECUTOR: dict[Executor, Callable[[Flow], Most]] = {
    Executor.SHARED_ITERATIONS: lambda flow: constant(flow.load.iterations),
    Executor.PER_VU_ITERATIONS: lambda flow: _times(constant(flow.load.vus), constant(flow.load.iterations)),
    Executor.CONSTANT_VUS: _constant_vus,
    Executor.RAMPING_VUS: _ramping_vus,
    Executor.EXTERNALLY_CONTROLLED: lambda _: None,  # a person decides
    Executor.CONSTANT_ARRIVAL_RATE: _arrivals,
    Executor.RAMPING_ARRIVAL_RATE: _ramping_arrivals,
}


def _requests(steps: tuple[Step, ...], name: str | None) -> Most:
    """How many requests of one iteration (with this name) there can be at most."""
    return total(_of_step(step, name) for step in steps)


def _of_step(step: Step, name: str | None) -> Most:
    match step.shape:
        case Sends(request=request) if name is not None and request.name != name:
            return 0
        case Sends(request=request, most=most):
            return most if request.retry is None else None
        case OneOf(ways=ways):
            return _larger([_requests(way, name) for way in ways])
        case Loop(steps=steps, most=most):
            return _times(most, _requests(steps, name))
        case Block(steps=steps):
            return _requests(steps, name)
        case Beside(ways=ways):
            return total(_requests(way, name) for way in ways)
        case Leaf() | Pause() | Ends():
            return 0
        case never:
            assert_never(never)


def _larger(counts: list[Most]) -> Most:
    return None if any(count is None for count in counts) else max((c for c in counts if c is not None), default=0)


def _times(*factors: Most) -> Most:
    if any(factor == 0 for factor in factors):
        return 0
    return None if any(factor is None for factor in factors) else prod(f for f in factors if f is not None)
