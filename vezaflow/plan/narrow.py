"""A plan cut down to some of its steps: all that comes before them runs as it would, what comes after is left out.

Of a `choose` the branches that hold a chosen step run, one after the other, whatever their weights. A loop's body
stays whole: its later passes may need all of it; so do the branches beside a chosen one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from vezaflow.model import Beside, Block, Ends, Leaf, Loop, OneOf, Pause, Sends
from vezaflow.plan.plan import Plan, PlannedFlow
from vezaflow.plan.steps import PlannedStep, Steps
from vezaflow.plan.walk import blocks_of, requests_of


def narrowed(plan: Plan, flow: PlannedFlow, names: Collection[str]) -> tuple[Plan, PlannedFlow]:
    """Nothing after the last step of these names, but for what ends a user and a run: `finally` and `teardown`."""
    if _hold(flow.final, names) or _hold(plan.teardown, names):
        return plan, flow
    if _hold(flow.steps, names):
        return plan, replace(flow, steps=_up_to(flow.steps, names))
    if _hold(flow.login, names):
        return plan, replace(flow, login=_up_to(flow.login, names), steps=())
    bare = replace(flow, login=(), steps=(), final=())
    if _hold(plan.setup, names):
        return replace(plan, setup=_up_to(plan.setup, names)), bare
    requests = [number for number, request in enumerate(plan.preflight.requests) if request.name in names]
    first = replace(plan.preflight, requests=plan.preflight.requests[: max(requests, default=-1) + 1])
    return replace(plan, preflight=first, setup=(), teardown=()), bare


def names_within(plan: Plan, flow: PlannedFlow, names: Collection[str]) -> frozenset[str]:
    """The chosen names, and those of all requests in chosen groups and parallels."""
    steps = (*plan.preflight.requests, *plan.setup, *flow.login, *flow.steps, *flow.final, *plan.teardown)
    return frozenset((*names, *_grouped(steps, names)))


def _grouped(steps: Sequence[PlannedStep], names: Collection[str]) -> Iterator[str]:
    for step in steps:
        if step.name in names:
            yield from (request.name for request in requests_of((step,)))
        for block in blocks_of(step):
            yield from _grouped(block, names)


def _hold(steps: Sequence[PlannedStep], names: Collection[str]) -> bool:
    return any(_holds(step, names) for step in steps)


def _holds(step: PlannedStep, names: Collection[str]) -> bool:
    return step.name in names or any(_hold(block, names) for block in blocks_of(step))


def _up_to(steps: Steps, names: Collection[str], *, cut: bool = True) -> Steps:
    """The steps, those after the last one that is chosen or holds a chosen one left out where they may be cut."""
    last = max((number for number, step in enumerate(steps) if _holds(step, names)), default=None)
    if last is None:
        return steps
    kept = steps[: last + 1] if cut else steps
    return tuple(
        part for number, step in enumerate(kept) for part in _narrowed(step, names, cut=cut and number == last)
    )


def _narrowed(step: PlannedStep, names: Collection[str], *, cut: bool) -> Steps:
    if step.name in names or not _holds(step, names):
        return (step,)

    def changed(steps: Steps) -> Steps:
        return _up_to(steps, names, cut=cut)

    match step.shape:
        case OneOf(ways=ways, weights=weights) if weights:
            return tuple(part for way in ways if _hold(way, names) for part in changed(way))
        case OneOf() | Block() | Beside():
            return (step.rebuilt(changed),)
        case Loop():
            return (step.rebuilt(lambda steps: _up_to(steps, names, cut=False)),)
        case Leaf() | Pause() | Sends() | Ends():
            return (step,)
        case never:
            assert_never(never)
