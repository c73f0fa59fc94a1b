"""Planned steps, gone through."""

from collections.abc import Iterable, Iterator

from vezaflow.model import Pause, lists_within
from vezaflow.plan.outgoing import PlannedRequest
from vezaflow.plan.steps import PlannedStep, Steps
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
    return any(isinstance(step.shape, Pause) or any(map(pauses_in, blocks_of(step))) for step in steps)


def own_clients(steps: Iterable[PlannedStep]) -> tuple[ClientOptions, ...]:
    """The ways to connect that requests among steps have for themselves, each once."""
    found = (request.client for request in requests_of(steps))
    return tuple(dict.fromkeys(options for options in found if options is not None))


def blocks_of(step: PlannedStep) -> tuple[Steps, ...]:
    """The lists of steps within a step."""
    return lists_within(step, step.shape)
