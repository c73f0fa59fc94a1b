"""How many connections a VU has open together, as far as its steps settle it.

Laws: `least` is what is surely open at one moment if nothing fails: the branches of a `parallel` begin at the same
time, so those that begin with a request take a connection each. `most` is never less than what can be on its way
together; how often a list of unknown length goes round is bounded by `at_once` alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from vezaflow.plan import (
    Constant,
    PlannedChoose,
    PlannedFlow,
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
    requests_of,
)
from vezaflow.protocols import Origin


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number of connections."""

    least: int
    most: int

    def __add__(self, other: "Bounds") -> "Bounds":
        return Bounds(self.least + other.least, self.most + other.most)

    def times(self, count: int) -> "Bounds":
        return Bounds(self.least * count, self.most * count)


_NONE = Bounds(0, 0)


def connections_of(flow: PlannedFlow, origin: Origin | None = None) -> Bounds:
    """All that a VU of the flow has open together, or those to one origin. Each VU has one, whatever it does."""
    if flow.client.http2:  # all that a VU sends to an origin shares one
        return Bounds(1, 1)
    whole = _sequence((*flow.login, *flow.steps), origin)
    most = max(1, whole.most, _sequence(flow.final, origin).most)
    return Bounds(max(1, whole.least), most)


def _sequence(steps: Iterable[PlannedStep], origin: Origin | None) -> Bounds:
    least = most = 0
    sure = True
    for step in steps:
        found = _connections(step, origin)
        least, most = max(least, found.least if sure else 0), max(most, found.most)
        sure = sure and not _may_end(step)
    return Bounds(least, most)


def _connections(step: PlannedStep, origin: Origin | None) -> Bounds:
    match step:
        case PlannedRequest():
            return _NONE if origin not in (None, step.foreseen.origin) and step.foreseen.origin else Bounds(1, 1)
        case PlannedUpload():
            return _connections(step.request, origin).times(step.at_once)
        case PlannedParallel():
            return _parallel(step, origin)
        case PlannedFor():
            return _rounds(step, origin)
        case PlannedChoose():
            return _one_of([_sequence(branch, origin) for branch in step.branches])
        case PlannedIf():
            return _one_of([_sequence(step.then, origin), _sequence(step.otherwise, origin)])
        case PlannedRepeat():
            body = _sequence(step.steps, origin)
            return body if isinstance(step.times, Constant) and step.times.value else Bounds(0, body.most)
        case PlannedWhile():
            return Bounds(0, _sequence(step.steps, origin).most)
        case PlannedGroup() | PlannedInclude():
            return _sequence(step.steps, origin)
        case PlannedThink() | PlannedSet() | PlannedLog() | PlannedSkip() | PlannedStop():
            return _NONE
    assert_never(step)


def _one_of(ways: list[Bounds]) -> Bounds:
    return Bounds(min(way.least for way in ways), max(way.most for way in ways))


def _parallel(step: PlannedParallel, origin: Origin | None) -> Bounds:
    """Each host has so many places; a request whose host is not known may go to one that nobody else goes to."""
    branches = [branch.steps for branch in step.branches]
    each = [_sequence(steps, origin) for steps in branches]
    begun = [request.foreseen.origin for steps in branches if (request := _begins_with(steps)) is not None]
    mine = [found for found in begun if found is not None and origin in (None, found)]
    together = sum(min(step.per_host, mine.count(found)) for found in set(mine))
    asked = [request.foreseen.origin for steps in branches for request in requests_of(steps)]
    hosts = 1 if origin is not None else len(set(asked) - {None}) + asked.count(None)
    most = min(sum(found.most for found in each), step.per_host * max(1, hosts))
    return Bounds(min(most, max(together, *(found.least for found in each))), most)


def _rounds(step: PlannedFor, origin: Origin | None) -> Bounds:
    body = _sequence(step.steps, origin)
    known = isinstance(step.items, Constant) and isinstance(step.items.value, list | tuple)
    count = len(step.items.value) if known else None  # type: ignore[attr-defined]
    if count is None:
        return Bounds(0, body.most * step.at_once)
    together = min(count, step.at_once)
    first = _begins_with(step.steps)
    begun = together if first is not None and origin in (None, first.foreseen.origin) else 0
    return Bounds(max(begun, body.least if count else 0), body.most * together)


def _begins_with(steps: Iterable[PlannedStep]) -> PlannedRequest | None:
    """The request that is sent at once; None if something else comes first."""
    match next(iter(steps), None):
        case PlannedRequest() as request:
            return request
        case PlannedUpload(request=request):
            return request
        case PlannedGroup(steps=inner):
            return _begins_with(inner)
        case _:
            return None


def _may_end(step: PlannedStep) -> bool:
    """Whether an iteration can end within a step though nothing fails."""
    match step:
        case PlannedSkip() | PlannedStop():
            return True
        case PlannedChoose(branches=branches):
            return any(_may_end(each) for steps in branches for each in steps)
        case PlannedParallel(branches=ways):
            return any(_may_end(each) for way in ways for each in way.steps)
        case PlannedIf(then=then, otherwise=otherwise):
            return any(map(_may_end, (*then, *otherwise)))
        case PlannedRepeat() | PlannedFor() | PlannedWhile() | PlannedGroup() | PlannedInclude():
            return any(map(_may_end, step.steps))
        case _:
            return False
