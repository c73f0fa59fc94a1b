"""Planned steps, gone through."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from vezaflow.plan.steps import (
    PlannedChoose,
    PlannedFor,
    PlannedGroup,
    PlannedIf,
    PlannedInclude,
    PlannedLog,
    PlannedParallel,
    PlannedRepeat,
    PlannedRequest,
    PlannedSet,
    PlannedSkip,
    PlannedStep,
    PlannedStop,
    PlannedThink,
    PlannedUpload,
    PlannedWhile,
)
from vezaflow.protocols import ClientOptions


def requests_of(steps: Iterable[PlannedStep]) -> Iterator[PlannedRequest]:
    """All requests among steps, however deep."""
    for step in steps:
        if isinstance(step, PlannedRequest):
            yield step
        for inner in blocks_of(step):
            yield from requests_of(inner)


def pauses_in(steps: Iterable[PlannedStep]) -> bool:
    """Whether a user may pause there, however deep."""
    return any(isinstance(step, PlannedThink) or any(map(pauses_in, blocks_of(step))) for step in steps)


def own_clients(steps: Iterable[PlannedStep]) -> tuple[ClientOptions, ...]:
    """The ways to connect that requests among steps have for themselves, each once."""
    found = (request.client for request in requests_of(steps))
    return tuple(dict.fromkeys(options for options in found if options is not None))


def name_of(step: PlannedStep) -> str:
    """What an author calls the step; empty for steps that have no name."""
    if isinstance(step, PlannedUpload):
        return step.request.name
    return step.name if isinstance(step, PlannedRequest | PlannedGroup | PlannedParallel) else ""


def blocks_of(step: PlannedStep) -> tuple[tuple[PlannedStep, ...], ...]:
    """The lists of steps within a step."""
    match step:
        case PlannedChoose():
            return step.branches
        case PlannedUpload():
            return ((step.request,),)
        case PlannedParallel():
            return tuple(branch.steps for branch in step.branches)
        case PlannedIf():
            return (step.then, step.otherwise)
        case PlannedRepeat() | PlannedFor() | PlannedWhile() | PlannedGroup() | PlannedInclude():
            return (step.steps,)
        case PlannedRequest() | PlannedThink() | PlannedSet() | PlannedLog() | PlannedSkip() | PlannedStop():
            return ()
    assert_never(step)
