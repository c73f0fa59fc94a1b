"""What one iteration does, as far as its steps settle it: a bound from below for requests and bytes, and for pauses.

Laws: `requests`, `sent` and `pause` are never more than what an iteration does in which nothing fails; `most` is never
less than the requests that are written, those for redirects and retries aside. What only a response or chance decides
counts as nothing from below and as no bound from above. A `choose` deals its branches exactly: its pause is their mean.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import NamedTuple, assert_never

from vezaflow.model import Beside, Block, Ends, Leaf, Loop, OneOf, Pause, Sends
from vezaflow.plan import Constant, Evaluate, PlannedFlow, PlannedStep

Steps = tuple[PlannedStep, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """Requests at least and at most, bytes sent at least, seconds paused at least (on average)."""

    requests: int = 0
    most: float = 0
    sent: int = 0
    pause: float = 0.0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            self.requests + other.requests, self.most + other.most, self.sent + other.sent, self.pause + other.pause
        )

    def times(self, least: int, most: float) -> "Amount":
        """So many of it, at least and at most."""
        highest = self.most * most if self.most and most else 0
        return Amount(self.requests * least, highest, self.sent * least, self.pause * least)


class _Way(NamedTuple):
    """What is done where steps are gone through to their end, and where they end the iteration; None: never."""

    through: Amount | None
    ended: Amount | None


_NOTHING = Amount()


def iteration_of(flow: PlannedFlow) -> Amount:
    """One iteration, with the pause after it."""
    done = amount_of(flow.steps)
    pause = done.pause + _mean(flow.think)
    return Amount(done.requests, done.most, done.sent, max(pause, _mean(flow.pace)))


def amount_of(steps: Iterable[PlannedStep]) -> Amount:
    """What steps do, whichever way they go."""
    return _either(_sequence(steps)) or _NOTHING


def _sequence(steps: Iterable[PlannedStep]) -> _Way:
    through, ended = _NOTHING, None
    for step in steps:
        way = _way(step)
        if way.ended is not None:
            ended = _either((ended, through + way.ended))
        if way.through is None:
            return _Way(None, ended)
        through += way.through
    return _Way(through, ended)


def _way(step: PlannedStep) -> _Way:
    match step.shape:
        case Sends(least=least, most=most, sent=sent):
            return _Way(Amount(least or 0, inf if most is None else most, sent), None)
        case Pause(low=low, high=high):
            return _Way(Amount(pause=((low or 0.0) + (high or 0.0)) / 2), None)
        case OneOf(ways=ways, weights=weights, taken=taken):
            return _choice(weights, [_sequence(way) for way in ways]) if weights else _condition(ways, taken)
        case Loop() as loop:
            return _rounds(loop)
        case Block(steps=steps):
            return _sequence(steps)
        case Beside(ways=ways):
            return _together([_sequence(way) for way in ways])
        case Ends():
            return _Way(None, _NOTHING)
        case Leaf():
            return _Way(_NOTHING, None)
        case never:
            assert_never(never)


def _choice(weights: Sequence[int | None], ways: Sequence[_Way]) -> _Way:
    ended = _either(way.ended for way in ways)
    known = [(weight, way.through) for weight, way in zip(weights, ways, strict=True) if way.through is not None]
    least = _either(through for _, through in known)
    if least is None or ended is not None:
        return _Way(least, ended)
    mean = sum((weight or 0) * through.pause for weight, through in known) / sum(weight or 0 for weight in weights)
    return _Way(Amount(least.requests, least.most, least.sent, mean), None)


def _loop(steps: Iterable[PlannedStep], least: int | None, most: int | None) -> _Way:
    """So many rounds; None: nobody knows."""
    through, ended = _sequence(steps)
    rounds = inf if most is None else most
    if not rounds:
        return _Way(_NOTHING, None)
    if ended is not None:
        before = (through or _NOTHING).times(0, rounds - 1)
        ended += before
    if through is not None:
        return _Way(through.times(least or 0, rounds), ended)
    return _Way(None if least else _NOTHING, ended)


def _rounds(loop: Loop[PlannedStep]) -> _Way:
    """Rounds at the same time share their pauses; where one ends the iteration, others may have begun as well."""
    if loop.plays:
        return _Way(Amount(1, inf, amount_of(loop.steps[:1]).sent), None)  # the first, which leads to the others
    through, ended = _loop(loop.steps, loop.least, loop.most)
    if loop.at_once == 1:
        return _Way(through, ended)
    if ended is not None:
        each = amount_of(loop.steps)
        ended = replace(ended, most=each.times(0, inf if loop.most is None else loop.most).most)
    if through is not None and loop.least and loop.at_once:
        through = replace(through, pause=through.pause / loop.least * ceil(loop.least / loop.at_once))
    return _Way(through, ended)


def _together(ways: Sequence[_Way]) -> _Way:
    """Branches at the same time: all of them, however one ends; the longest pause is that of all."""
    through = [way.through for way in ways if way.through is not None]
    may_end = any(way.ended is not None for way in ways)
    return _Way(
        _side_by_side(through) if len(through) == len(ways) else None,
        _side_by_side(_either(way) or _NOTHING for way in ways) if may_end else None,
    )


def _side_by_side(amounts: Iterable[Amount]) -> Amount:
    known = list(amounts)
    return replace(sum(known, _NOTHING), pause=max((amount.pause for amount in known), default=0.0))


def _condition(ways: Sequence[Steps], taken: int | None) -> _Way:
    if taken is not None:
        return _sequence(ways[taken])
    found = [_sequence(way) for way in ways]
    return _Way(_either(way.through for way in found), _either(way.ended for way in found))


def _either(amounts: Iterable[Amount | None]) -> Amount | None:
    """What is done at least, and at most, by whichever of these is taken."""
    known = [amount for amount in amounts if amount is not None]
    if not known:
        return None
    return Amount(
        min(amount.requests for amount in known),
        max(amount.most for amount in known),
        min(amount.sent for amount in known),
        min(amount.pause for amount in known),
    )


def _mean(seconds: Evaluate | None) -> float:
    """Of a constant or a range of constants; 0 where it is not known."""
    if not isinstance(seconds, Constant):
        return 0.0
    value = seconds.value
    return sum(value) / 2 if isinstance(value, tuple) else float(value)
