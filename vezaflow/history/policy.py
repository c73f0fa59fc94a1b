"""What `prune` takes away: figures of old runs, and never a verdict.

Law: a policy says what goes, given the rows and the time; it touches nothing. Running runs and the newest of each suite
are left as they are.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vezaflow import units
from vezaflow.history.kept import KeptRun, State


@dataclass(frozen=True, slots=True)
class Policy:
    """`figures`: how long seconds and figures are kept, in seconds. `runs`: of each suite the newest so many keep all.
    `verdicts`: how long a run is kept at all; None: for ever."""

    figures: float
    runs: int
    verdicts: float | None = None

    def __str__(self) -> str:
        ever = "for ever" if self.verdicts is None else f"for {units.duration(self.verdicts)}"
        newest = f"the newest {units.counted(self.runs, 'run')} of each suite always"
        return f"figures for {units.duration(self.figures)}, verdicts {ever}, {newest}"


@dataclass(frozen=True, slots=True)
class Pruning:
    """The ids of runs: those that lose their figures, and those that go."""

    figures: tuple[str, ...]
    runs: tuple[str, ...]


def pruning(policy: Policy, runs: Sequence[KeptRun], now: datetime) -> Pruning:
    """What goes of these, the newest of which comes first."""
    seen: Counter[str] = Counter()
    figures, whole = [], []
    for run in runs:
        seen[run.suite] += 1
        if seen[run.suite] <= policy.runs or run.state is State.RUNNING:
            continue
        age = (now - run.started) / timedelta(seconds=1)
        if policy.verdicts is not None and age > policy.verdicts:
            whole.append(run.id)
        elif age > policy.figures and run.has_figures:
            figures.append(run.id)
    return Pruning(tuple(figures), tuple(whole))
