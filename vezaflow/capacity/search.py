"""The search for the highest load whose gates hold: what was observed so far → where to look next, or that it is over.

Pure: no clock, no load, no memory but the observations. Levels lie on a grid of factors, so that the search ends and
two searches try the same levels. First it goes up in rungs, from the lowest level, until one does not hold; then it
halves the gap below that one; at the edge both neighbours are repeated until one outcome has enough votes. A level that
is unclear is repeated at once: it may be the generator's bad moment, and says nothing of the target.

Laws: a level holds only if all below it that were tried hold, too (a target that breaks at 2 and holds at 3 bears less
than 2). One that is unclear is not held. Nobody looks above a level that did not hold.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from math import ceil, log

VOTES = 2  # that an outcome needs at the edge, where one run more or less of luck decides


class LevelOutcome(Enum):
    HELD = "held"
    BROKE = "broke"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class TriedLevel:
    """What became of one level: of the factor at this position of the grid."""

    at: int
    outcome: LevelOutcome


@dataclass(frozen=True, slots=True)
class Bracket:
    """Where the edge is, as positions of the grid. `holds`: the highest level that holds, None: not even the lowest.
    `ends`: the lowest that does not, None: none so far. `next`: the level to try; None: the search is over."""

    holds: int | None
    ends: int | None
    next: int | None


def bracket(size: int, rungs: Sequence[int], seen: Iterable[TriedLevel], votes: int = VOTES) -> Bracket:
    """What `seen` says of a grid of so many levels. `rungs`: the positions that are tried on the way up, in order, from
    0 to the last."""
    tallies: dict[int, Counter[LevelOutcome]] = {}
    for each in seen:
        tallies.setdefault(each.at, Counter())[each.outcome] += 1
    outcomes = {at: _leading(tally) for at, tally in tallies.items()}
    ends = min((at for at, outcome in outcomes.items() if outcome is not LevelOutcome.HELD), default=None)
    holds = max((at for at in outcomes if ends is None or at < ends), default=None)
    return Bracket(holds, ends, _next(size, rungs, tallies, holds, ends, votes))


def _next(
    size: int,
    rungs: Sequence[int],
    tallies: dict[int, Counter[LevelOutcome]],
    holds: int | None,
    ends: int | None,
    votes: int,
) -> int | None:
    if ends is None:
        return next((rung for rung in rungs if holds is None or rung > holds), None) if holds != size - 1 else None
    below = -1 if holds is None else holds
    if _leading(tallies[ends]) is LevelOutcome.UNCLEAR and max(tallies[ends].values()) < votes:
        return ends
    if ends - below > 1:
        return (below + ends) // 2
    return next((at for at in (holds, ends) if at is not None and max(tallies[at].values()) < votes), None)


_WORST_FIRST = (LevelOutcome.BROKE, LevelOutcome.UNCLEAR, LevelOutcome.HELD)


def _leading(tally: Counter[LevelOutcome]) -> LevelOutcome:
    """The outcome with most votes, of equals the worst."""
    return max(_WORST_FIRST, key=lambda outcome: tally[outcome])


def grid(low: float, high: float, precision: float, marks: Iterable[float] = ()) -> tuple[float, ...]:
    """Factors from `low` to `high`, each at most by the share `precision` above the one before, in three digits.
    `marks`: factors that are among them if they lie within."""
    gaps = max(1, ceil(log(high / low) / log(1 + precision) - 1e-9))
    between = (float(f"{low * (high / low) ** (n / gaps):.3g}") for n in range(1, gaps))
    return tuple(sorted({low, high, *(f for f in (*between, *marks) if low < f < high)}))


def distinct(factors: Sequence[float], load: Callable[[float], object], marks: Sequence[float]) -> tuple[float, ...]:
    """The factors without those that are the same load as their neighbour: there are only whole VUs. Of equals the
    first of `marks` stays, else the lowest."""
    found = []
    for _, equals in groupby(factors, key=load):
        same = tuple(equals)
        found.append(next((mark for mark in marks if mark in same), same[0]))
    return tuple(found)


def rungs_of(size: int, steps: int) -> tuple[int, ...]:
    """The positions of a grid at the ends of so many equal steps."""
    steps = max(1, min(steps, size - 1))
    return tuple(sorted({round(n * (size - 1) / steps) for n in range(steps + 1)}))
