"""How many connections a VU has open together, as far as its steps settle it.

Laws: `least` is what is surely open at one moment if nothing fails: the branches of a `parallel` begin at the same
time, so those that begin with a request take a connection each. `most` is never less than what can be on its way
together, and one connection more stays open for each further way to connect that steps have (`http`, `tls`); how
often a list of unknown length goes round is bounded by `at_once` alone.
"""

from collections.abc import Collection, Iterable
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
from vezaflow.protocols import ClientOptions, Origin


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


Ways = Collection[ClientOptions | None]  # to connect; None: the flow's


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which connections are counted. `origin` is None where all of them are."""

    origin: Origin | None
    ways: Ways


def connections_of(flow: PlannedFlow, origin: Origin | None = None, ways: Ways | None = None) -> Bounds:
    """All that a VU of the flow has open together, or those to one origin, or made in some ways. Each VU has one,
    whatever it does."""
    if ways is None:
        ways = (None, *flow.clients[1:])
    apart = [way for way in ways if not (way or flow.client).http2]
    most = sum(_together(flow, _Asked(origin, (way,))).most for way in apart)
    shared = [way for way in ways if way not in apart]  # HTTP/2: all that a VU sends to an origin shares one
    most += sum(min(1, _together(flow, _Asked(origin, (way,))).most) for way in shared)
    return Bounds(max(1, _together(flow, _Asked(origin, apart)).least), max(1, most))


def _together(flow: PlannedFlow, asked: _Asked) -> Bounds:
    whole = _sequence((*flow.login, *flow.steps), asked)
    return Bounds(whole.least, max(whole.most, _sequence(flow.final, asked).most))


def _sequence(steps: Iterable[PlannedStep], asked: _Asked) -> Bounds:
    least = most = 0
    sure = True
    for step in steps:
        found = _connections(step, asked)
        least, most = max(least, found.least if sure else 0), max(most, found.most)
        sure = sure and not _may_end(step)
    return Bounds(least, most)


def _connections(step: PlannedStep, asked: _Asked) -> Bounds:
    match step:
        case PlannedRequest():
            return Bounds(1, 1) if _counts(step, asked) else _NONE
        case PlannedUpload():
            return _connections(step.request, asked).times(step.at_once)
        case PlannedParallel():
            return _parallel(step, asked)
        case PlannedFor():
            return _rounds(step, asked)
        case PlannedChoose():
            return _one_of([_sequence(branch, asked) for branch in step.branches])
        case PlannedIf():
            return _one_of([_sequence(step.then, asked), _sequence(step.otherwise, asked)])
        case PlannedRepeat():
            body = _sequence(step.steps, asked)
            return body if isinstance(step.times, Constant) and step.times.value else Bounds(0, body.most)
        case PlannedWhile():
            return Bounds(0, _sequence(step.steps, asked).most)
        case PlannedGroup() | PlannedInclude():
            return _sequence(step.steps, asked)
        case PlannedThink() | PlannedSet() | PlannedLog() | PlannedSkip() | PlannedStop():
            return _NONE
    assert_never(step)


def _counts(request: PlannedRequest, asked: _Asked) -> bool:
    """Whether a request may go there, and goes in one of the ways."""
    return request.client in asked.ways and (asked.origin is None or request.foreseen.origin in (None, asked.origin))


def _surely_counts(request: PlannedRequest, asked: _Asked) -> bool:
    """The same where it is known."""
    return request.client in asked.ways and asked.origin in (None, request.foreseen.origin)


def _one_of(ways: list[Bounds]) -> Bounds:
    return Bounds(min(way.least for way in ways), max(way.most for way in ways))


def _parallel(step: PlannedParallel, asked: _Asked) -> Bounds:
    """Each host has so many places; a request whose host is not known may go to one that nobody else goes to."""
    branches = [branch.steps for branch in step.branches]
    each = [_sequence(steps, asked) for steps in branches]
    begun = [request for steps in branches if (request := _begins_with(steps)) is not None]
    mine = [one.foreseen.origin for one in begun if one.foreseen.origin is not None and _surely_counts(one, asked)]
    together = sum(min(step.per_host, mine.count(found)) for found in set(mine))
    origins = [request.foreseen.origin for steps in branches for request in requests_of(steps)]
    hosts = 1 if asked.origin is not None else len(set(origins) - {None}) + origins.count(None)
    most = min(sum(found.most for found in each), step.per_host * max(1, hosts))
    return Bounds(min(most, max(together, *(found.least for found in each))), most)


def _rounds(step: PlannedFor, asked: _Asked) -> Bounds:
    body = _sequence(step.steps, asked)
    known = isinstance(step.items, Constant) and isinstance(step.items.value, list | tuple)
    count = len(step.items.value) if known else None  # type: ignore[attr-defined]
    if count is None:
        return Bounds(0, body.most * step.at_once)
    together = min(count, step.at_once)
    first = _begins_with(step.steps)
    begun = together if first is not None and _surely_counts(first, asked) else 0
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
