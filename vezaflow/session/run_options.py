"""With what a run is put on, beside its plan and those who get its figures. Nothing of it changes the load."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vezaflow.compare import Baseline
from vezaflow.gates import Aborts
from vezaflow.results import Provenance, RunResult, Standing
from vezaflow.scale import Crew
from vezaflow.session.keeper import NOWHERE, Keeper


def stands_alone(_: RunResult) -> Standing:
    """A run that is no night, and is held against none."""
    return Standing()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`crew`: who has the workers, on machines that were checked; None: this machine. `baseline`: what gates on it are
    judged by. `keeper` is given what happens, as it happens; the result it gets from the caller, who may still add to
    it. `standing` says of the result how it stands among others. `aborts`: who says when to abort it; without it only
    gates with `abort: true` do. `audit_reports`: the folder that Lighthouse's HTML reports go to; `profiles`: the one
    that profiles of the server are kept in."""

    provenance: Provenance | None = None
    keeper: Keeper = NOWHERE
    baseline: Baseline | None = None
    crew: Crew | None = None
    standing: Callable[[RunResult], Standing] = stands_alone
    aborts: Aborts | None = None
    audit_reports: Path | None = None
    profiles: Path | None = None


NO_OPTIONS = RunOptions()
