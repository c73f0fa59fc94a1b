"""How many connections a VU has open together, as far as its steps settle it.

Laws: `least` is what is surely open at one moment if nothing fails: the branches of a `parallel` begin at the same
time, so those that begin with a request take a connection each. `most` is never less than what can be on its way
together, and one connection more stays open for each further way to connect that steps have (`http`, `tls`); how
often a list of unknown length goes round is bounded by `at_once` alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from vezaflow.model import Beside, Block, Ends, Leaf, Loop, OneOf, Pause, Sends
from vezaflow.plan import PlannedFlow, PlannedRequest, PlannedStep, blocks_of, requests_of
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


Steps = tuple[PlannedStep, ...]
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
    match step.shape:
        case Sends(request=request, at_once=at_once):
            return Bounds(1, 1).times(_known(at_once)) if _counts(request, asked) else _NONE
        case Beside(ways=ways, per_host=per_host):
            return _parallel(ways, _known(per_host), asked)
        case Loop() as loop:
            return _rounds(loop, asked)
        case OneOf(ways=ways):
            return _one_of([_sequence(way, asked) for way in ways])
        case Block(steps=(opening, *steps), holds=True):
            return _connections(opening, asked) + _sequence(steps, asked)
        case Block(steps=steps):
            return _sequence(steps, asked)
        case Leaf() | Pause() | Ends():
            return _NONE
        case never:
            assert_never(never)


def _known(number: int | None) -> int:
    assert number is not None, "a plan knows how many there are at the same time"
    return number


def _counts(request: PlannedRequest, asked: _Asked) -> bool:
    """Whether a request may go there, and goes in one of the ways."""
    return request.client in asked.ways and (asked.origin is None or request.forecast.origin in (None, asked.origin))


def _surely_counts(request: PlannedRequest, asked: _Asked) -> bool:
    """The same where it is known."""
    return request.client in asked.ways and asked.origin in (None, request.forecast.origin)


def _one_of(ways: list[Bounds]) -> Bounds:
    return Bounds(min(way.least for way in ways), max(way.most for way in ways))


def _parallel(ways: Sequence[Steps], per_host: int, asked: _Asked) -> Bounds:
    """Each host has so many places; a request whose host is not known may go to one that nobody else goes to."""
    each = [_sequence(steps, asked) for steps in ways]
    begun = [request for steps in ways if (request := _begins_with(steps)) is not None]
    mine = [one.forecast.origin for one in begun if one.forecast.origin is not None and _surely_counts(one, asked)]
    together = sum(min(per_host, mine.count(found)) for found in set(mine))
    origins = [request.forecast.origin for steps in ways for request in requests_of(steps)]
    hosts = 1 if asked.origin is not None else len(set(origins) - {None}) + origins.count(None)
    most = min(sum(found.most for found in each), per_host * max(1, hosts))
    return Bounds(min(most, max(together, *(found.least for found in each))), most)


def _rounds(loop: Loop[PlannedStep], asked: _Asked) -> Bounds:
    body, at_once = _sequence(loop.steps, asked), _known(loop.at_once)
    most = body.most * (at_once if loop.most is None else min(loop.most, at_once))
    if not loop.least:
        return Bounds(0, most)
    first = _begins_with(loop.steps)
    begun = min(loop.least, at_once) if first is not None and _surely_counts(first, asked) else 0
    return Bounds(max(begun, body.least), most)


def _begins_with(steps: Steps) -> PlannedRequest | None:
    """The request that is sent at once; None if something else comes first."""
    if not steps:
        return None
    match steps[0].shape:
        case Sends(request=request):
            return request
        case Block(steps=inside):
            return _begins_with(inside)
        case Leaf() | Pause() | OneOf() | Loop() | Beside() | Ends():
            return None
        case never:
            assert_never(never)


def _may_end(step: PlannedStep) -> bool:
    """Whether an iteration can end within a step though nothing fails."""
    return isinstance(step.shape, Ends) or any(_may_end(each) for steps in blocks_of(step) for each in steps)
