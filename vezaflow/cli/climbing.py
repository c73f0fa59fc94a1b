"""The levels of a capacity search, one run each: of the same files at a multiple of their load.

Laws: a level's run is kept as one, so that no night is made of it. Ctrl-C ends the level and the search, and what is
known until then stays. A level that can't be run once others were is unclear, and ends no search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from vezaflow.capacity import (
    Bracket,
    LevelRun,
    LevelWatch,
    TriedLevel,
    bracket,
    level_run,
    progress_line,
    refused_level,
    rungs_of,
)
from vezaflow.cli.crews import Carrier
from vezaflow.cli.inputs import planned
from vezaflow.cli.keeping import keeping
from vezaflow.cli.printing import tell
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import Suite
from vezaflow.plan import Bundle, Division, HeldLevel, Inputs
from vezaflow.results import RunResult
from vezaflow.scale import sensible_workers
from vezaflow.session import NOWHERE, RunOptions, provenance_of, run


@dataclass(frozen=True, slots=True)
class Levels:
    """What each level is a run of. `workers`: 0 for as many as are sensible; `keep`: whether the runs are kept, in this
    history; `carry`: who has the workers, for each level anew."""

    suite: Suite
    inputs: Inputs
    level: HeldLevel
    workers: int
    history: str | None
    keep: bool
    carry: Carrier

    def run(self, factor: float) -> RunResult:
        """One level. Raises VezaflowError as `run` does."""
        inputs = replace(self.inputs, scale=factor, held=self.level)
        plan = planned(self.suite, inputs)
        here = Division(self.workers or sensible_workers(plan.vus))
        kept = keeping(self.history, off=not self.keep, quiet=True)
        with kept as writer, self.carry(plan, here) as (division, crew):
            result = run(
                plan,
                Bundle.of(self.suite, inputs),
                division,
                (),
                tell,
                RunOptions(
                    provenance=provenance_of(self.suite, inputs, plan),
                    keeper=writer or NOWHERE,
                    crew=crew,
                    aborts=LevelWatch(plan.gates, self.level),
                ),
            )
            if writer is not None:
                writer.end(result)
        return result


@dataclass(slots=True)
class Climb:
    """A search that goes on. `say` gets a line for each level that ended."""

    factors: Sequence[float]
    steps: int
    say: Callable[[str], None]
    levels: list[LevelRun] = field(default_factory=list)
    seen: list[TriedLevel] = field(default_factory=list)
    interrupted: bool = False

    @property
    def edge(self) -> Bracket:
        return bracket(len(self.factors), rungs_of(len(self.factors), self.steps), self.seen)

    def go(self, level: Callable[[float], RunResult]) -> None:
        """Run levels until the edge is known, or somebody stops it. Raises VezaflowError where the first is refused."""
        while not self.interrupted and (at := self.edge.next) is not None:
            try:
                self._end(at, level_run(self.factors[at], level(self.factors[at])))
            except KeyboardInterrupt:
                self.interrupted = True
            except VezaflowError as e:
                if e.code is ExitCode.INTERRUPTED:
                    self.interrupted = True
                elif self.levels:
                    self._end(at, refused_level(self.factors[at], e))
                else:
                    raise

    def _end(self, at: int, ended: LevelRun) -> None:
        self.levels.append(ended)
        self.interrupted = ended.interrupted
        if not ended.interrupted:
            self.seen.append(TriedLevel(at, ended.outcome))
        self.say(progress_line(len(self.levels), ended))
