"""How a run stands among others: which green night in a row it is, and what changed from the baseline.

Law: what is not known is not said, and no trouble with it costs the run its result.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vezaflow.cli.baselines import baseline_file, read_baseline
from vezaflow.cli.night_runs import night_runs
from vezaflow.cli.printing import tell
from vezaflow.compare import compare_with_baseline, summed_up
from vezaflow.errors import VezaflowError
from vezaflow.model import Suite, identity_of
from vezaflow.nights import Acceptance, Decision, NightRun, acceptance, calendar, night_run, streak_line
from vezaflow.results import RunResult, Standing


def standing_of(
    suite: Suite, history: str | None, baseline: Path | None, *, kept: bool
) -> Callable[[RunResult], Standing]:
    """What says it of a result of the suite. `kept`: the run is in the history, so nights are counted; `baseline`: the
    file of another one than the suite's."""

    def standing(result: RunResult) -> Standing:
        night, accepted = "", ""
        if kept and suite.whole:
            try:
                night, accepted = _night(suite, night_runs(None, history, reasons=False), night_run(result))
            except VezaflowError as e:
                tell(f"{e.message}; the nights are not counted")
        return Standing(night, _baseline(result, baseline), accepted)

    return standing


def _night(suite: Suite, before: list[NightRun], run: NightRun) -> tuple[str, str]:
    """Where the count is with a run, and why the suite is accepted if that is new."""
    others = [each for each in before if each.run_id != run.run_id]
    found = _acceptance(suite, [*others, run])
    new = found.decision is Decision.ACCEPTED and _acceptance(suite, others).decision is not Decision.ACCEPTED
    return streak_line(found), found.sentence if new else ""


def _acceptance(suite: Suite, runs: list[NightRun]) -> Acceptance:
    return acceptance(calendar(runs, suite.accept, datetime.now(UTC), identity_of(suite), suite.name))


def _baseline(result: RunResult, file: Path | None) -> str:
    where = file or baseline_file(result.suite)
    if not where.exists():
        return ""
    try:
        found = compare_with_baseline(read_baseline(where), replace(result, manual_changes=()))
    except VezaflowError as e:
        tell(f"{e.message}; the run is not compared with it")
        return ""
    return summed_up(found)
