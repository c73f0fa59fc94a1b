"""A plan cut down to some of its steps: all that comes before them runs as it would, what comes after is left out.

Of a `choose` the branches that hold a chosen step run, one after the other, whatever their weights. A loop's body
stays whole: its later passes may need all of it; so do the branches beside a chosen one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from vezaflow.plan.plan import Plan, PlannedFlow
from vezaflow.plan.steps import (
    PlannedChoose,
    PlannedFor,
    PlannedGroup,
    PlannedIf,
    PlannedInclude,
    PlannedParallel,
    PlannedRepeat,
    PlannedStep,
    PlannedWhile,
)
from vezaflow.plan.walk import blocks_of, name_of, requests_of

Steps = tuple[PlannedStep, ...]


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
        if isinstance(step, PlannedGroup | PlannedParallel) and step.name in names:
            yield from (request.name for request in requests_of((step,)))
        for block in blocks_of(step):
            yield from _grouped(block, names)


def _hold(steps: Sequence[PlannedStep], names: Collection[str]) -> bool:
    return any(_holds(step, names) for step in steps)


def _holds(step: PlannedStep, names: Collection[str]) -> bool:
    return name_of(step) in names or any(_hold(block, names) for block in blocks_of(step))


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
    if name_of(step) in names or not _holds(step, names):
        return (step,)
    match step:
        case PlannedChoose(branches=branches):
            chosen = (branch for branch in branches if _hold(branch, names))
            return tuple(part for branch in chosen for part in _up_to(branch, names, cut=cut))
        case PlannedIf(then=then, otherwise=otherwise):
            then, otherwise = _up_to(then, names, cut=cut), _up_to(otherwise, names, cut=cut)
            return (replace(step, then=then, otherwise=otherwise),)
        case PlannedGroup(steps=steps) | PlannedInclude(steps=steps):
            return (replace(step, steps=_up_to(steps, names, cut=cut)),)
        case PlannedParallel(branches=ways):
            return (replace(step, branches=tuple(w._replace(steps=_up_to(w.steps, names, cut=cut)) for w in ways)),)
        case PlannedRepeat(steps=steps) | PlannedFor(steps=steps) | PlannedWhile(steps=steps):
            return (replace(step, steps=_up_to(steps, names, cut=False)),)
        case _:
            return (step,)
