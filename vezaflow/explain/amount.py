"""What one iteration does, as far as its steps settle it: a bound from below for requests and bytes, and for pauses.

Laws: `requests`, `sent` and `pause` are never more than what an iteration does in which nothing fails; `most` is never
less than the requests that are written, those for redirects and retries aside. What only an answer or chance decides
counts as nothing from below and as no bound from above. A `choose` deals its branches exactly: its pause is their mean.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import NamedTuple, assert_never

from vezaflow.plan import (
    Constant,
    Evaluate,
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
)


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
    match step:
        case PlannedRequest():
            return _Way(Amount(1, _most(step), step.foreseen.sends), None)
        case PlannedUpload():
            count = len(step.parts)
            return _Way(Amount(count, count, step.sends), None)
        case PlannedThink():
            return _Way(Amount(pause=_mean(step.duration)), None)
        case PlannedChoose():
            return _choice(step.weights, [_sequence(branch) for branch in step.branches])
        case PlannedRepeat():
            return _loop(step.steps, _count(step.times), _count(step.times))
        case PlannedFor():
            return _rounds(step)
        case PlannedWhile():
            return _loop(step.steps, None, _count(step.most))
        case PlannedIf():
            return _condition(step)
        case PlannedGroup() | PlannedInclude():
            return _sequence(step.steps)
        case PlannedParallel():
            return _together([_sequence(branch.steps) for branch in step.branches])
        case PlannedSkip() | PlannedStop():
            return _Way(None, _NOTHING)
        case PlannedSet() | PlannedLog():
            return _Way(_NOTHING, None)
    assert_never(step)


def _most(request: PlannedRequest) -> float:
    """How often a step sends its request at most, retries aside."""
    if request.poll is not None:
        return inf
    return request.pages.most if request.pages is not None else 1


def _choice(weights: Sequence[int], ways: Sequence[_Way]) -> _Way:
    ended = _either(way.ended for way in ways)
    known = [(weight, way.through) for weight, way in zip(weights, ways, strict=True) if way.through is not None]
    least = _either(through for _, through in known)
    if least is None or ended is not None:
        return _Way(least, ended)
    mean = sum(weight * through.pause for weight, through in known) / sum(weights)
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


def _rounds(step: PlannedFor) -> _Way:
    """Rounds at the same time share their pauses; where one ends the iteration, others may have begun as well."""
    count = _length(step.items)
    through, ended = _loop(step.steps, count, count)
    if step.at_once == 1:
        return _Way(through, ended)
    if ended is not None:
        each = amount_of(step.steps)
        ended = replace(ended, most=each.times(0, inf if count is None else count).most)
    if through is not None and count:
        through = replace(through, pause=through.pause / count * ceil(count / step.at_once))
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


def _condition(step: PlannedIf) -> _Way:
    if isinstance(step.condition, Constant):
        return _sequence(step.then if step.condition.value else step.otherwise)
    one, other = _sequence(step.then), _sequence(step.otherwise)
    return _Way(_either((one.through, other.through)), _either((one.ended, other.ended)))


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


def _count(number: Evaluate) -> int | None:
    """A constant number of rounds."""
    known = isinstance(number, Constant) and isinstance(number.value, int | float)
    return max(0, int(number.value)) if known else None  # type: ignore[attr-defined]


def _length(items: Evaluate) -> int | None:
    known = isinstance(items, Constant) and isinstance(items.value, list | tuple | dict)
    return len(items.value) if known else None  # type: ignore[attr-defined]
