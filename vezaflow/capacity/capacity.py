"""What a capacity search found, in one value: how much more load is borne, what breaks first, and the verdict.

Laws: what holds was seen to hold, at every level below as well. Without an upper end that broke it is "at least". An
expectation is met by what holds, and is broken by a level that broke at it or below it; anything else is inconclusive.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vezaflow import units
from vezaflow.capacity.level import LevelRun
from vezaflow.capacity.search import Bracket, LevelOutcome
from vezaflow.errors import ExitCode
from vezaflow.gates import Outcome

TIMES = "times the load"


@dataclass(frozen=True, slots=True)
class Capacity:
    """`holds`: the highest factor whose gates hold; `ends`: the lowest above it whose gates do not, or that is unclear.
    `first`: the gates that broke there. `expected`: what has to hold at least. `unjudged`: gates that no level can
    judge, as written."""

    suite: str
    levels: tuple[LevelRun, ...]  # in the order in which they were run
    holds: float | None
    ends: float | None
    end: LevelOutcome | None  # of the level at `ends`
    expected: float | None = None
    interrupted: bool = False
    unjudged: tuple[str, ...] = ()
    top: float = 0.0  # the highest factor that was allowed

    @property
    def at_end(self) -> tuple[LevelRun, ...]:
        """The runs that say why it ends where it does."""
        return tuple(run for run in self.levels if run.factor == self.ends and run.outcome is self.end)

    @property
    def first(self) -> tuple[str, ...]:
        """The gates that broke at the lowest level that broke, the one that broke most first."""
        return tuple(dict.fromkeys(name for run in self.at_end for name in run.broken))

    @property
    def outcome(self) -> Outcome:
        if self.expected is not None:
            if self.holds is not None and self.holds >= self.expected:
                return Outcome.GREEN
            broken = self.end is LevelOutcome.BROKE and self.ends is not None and self.ends <= self.expected
            return Outcome.RED if broken else Outcome.INCONCLUSIVE
        if self.end is LevelOutcome.UNCLEAR or not self.levels or self.interrupted:
            return Outcome.INCONCLUSIVE
        return Outcome.RED if self.holds is None else Outcome.GREEN

    @property
    def exit_code(self) -> ExitCode:
        if self.interrupted:
            return ExitCode.INTERRUPTED
        match self.outcome:
            case Outcome.GREEN:
                return ExitCode.GREEN
            case Outcome.RED:
                return ExitCode.RED
            case Outcome.INCONCLUSIVE:
                return ExitCode.INCONCLUSIVE

    @property
    def sentence(self) -> str:
        """All of it in a line."""
        known = "stopped manually: " if self.interrupted else ""
        return known + "; ".join(part for part in (self._holding(), self._ending(), self._expectation()) if part)

    @property
    def remedy(self) -> str:
        """What to do where the edge was not found; empty where it was."""
        if self.interrupted:
            return ""
        if self.end is LevelOutcome.UNCLEAR:
            return next((run.remedy for run in self.at_end if run.remedy), "")
        if self.end is LevelOutcome.BROKE:
            return "find what holds with a lower --from" if self.holds is None else ""
        return f"find the edge with a --to above {units.number(self.top)}"

    def _holding(self) -> str:
        if self.holds is None:
            if self.end is None or self.ends is None:
                return "no level was judged"
            word = "does not hold" if self.end is LevelOutcome.BROKE else "no verdict at"
            return f"{word} {units.number(self.ends)} {TIMES}"
        low = units.number(self.holds)
        if self.end is LevelOutcome.BROKE and self.ends is not None:
            return f"holds {low} to {units.number(self.ends)} {TIMES}"
        return f"holds at least {low} {TIMES}"

    def _ending(self) -> str:
        match self.end:
            case LevelOutcome.BROKE:
                return f"{_listed(self.first)} first" if self.first else ""
            case LevelOutcome.UNCLEAR:
                run = self.at_end[0]
                here = "this generator ends there" if run.generator else f"{units.number(run.factor)} is unclear"
                return f"{here}: {run.why}"
            case _:
                return "" if self.interrupted or self.holds is None else "no gate broke up to there"

    def _expectation(self) -> str:
        if self.expected is None or self.outcome is Outcome.GREEN:
            return ""
        return f"expected >= {units.number(self.expected)}"


def found(
    suite: str,
    factors: Sequence[float],
    edge: Bracket,
    levels: Sequence[LevelRun],
    *,
    expected: float | None = None,
    interrupted: bool = False,
    unjudged: Sequence[str] = (),
) -> Capacity:
    """What the runs of a search on these factors say, when the edge is there."""
    ends = None if edge.ends is None else factors[edge.ends]
    at_end = [run.outcome for run in levels if run.factor == ends and not run.interrupted]
    worst = (LevelOutcome.BROKE, LevelOutcome.UNCLEAR)
    end = max(worst, key=at_end.count) if at_end else None
    holds = None if edge.holds is None else factors[edge.holds]
    return Capacity(
        suite, tuple(levels), holds, ends, end, expected, interrupted, tuple(unjudged), factors[-1] if factors else 0.0
    )


def _listed(names: Sequence[str]) -> str:
    """`browse p(95) of http_req_duration breaks`, with how many more where there are."""
    more = len(names) - 1
    return f"{names[0]} and {units.counted(more, 'more gate')} break" if more else f"{names[0]} breaks"
