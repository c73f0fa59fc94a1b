"""Nights made up: runs of a suite that vary in when they were, how they ended and what they were of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sample_run import GREEN, RED, run

from vezaflow.gates import Concern, ConcernKind, Outcome
from vezaflow.model import Identity
from vezaflow.nights import NightRun, night_run
from vezaflow.reports import summary_json
from vezaflow.results import Host, Profile, Provenance, RunResult

PLAN = Identity("aaaa", {"browse: load": "1", "browse: gate http_req_duration": "2"})
OTHER_PLAN = Identity("bbbb", {"browse: load": "1", "browse: gate http_req_duration": "3"})
STAGING = "https://staging.veza.fr"
SUITE = "veza-capacity"
HOST = Host("runner", 4, "6.1.0")
FIRST = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
BUSY = Concern(ConcernKind.SATURATED, "the generator used 97 % of its core", "fewer VUs")


@cache
def _ended(outcome: Outcome) -> RunResult:
    match outcome:
        case Outcome.GREEN:
            return run(GREEN)
        case Outcome.RED:
            return run(RED)
        case Outcome.INCONCLUSIVE:
            return run(GREEN, [BUSY])


def result(
    started: datetime,
    outcome: Outcome = Outcome.GREEN,
    *,
    plan: Identity | None = PLAN,
    changes: Sequence[str] = (),
    target: str = STAGING,
    interrupted: bool = False,
    manual: Sequence[str] = (),
    suite: str = SUITE,
    run_id: str = "",
) -> RunResult:
    """A run of the suite, by default a full and green one."""
    return replace(
        _ended(outcome),
        run_id=run_id or f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-0a1b2c",
        started=started,
        base_url=target,
        interrupted=interrupted,
        manual_changes=tuple(manual),
        suite=suite,
        provenance=None if plan is None else Provenance(plan, Profile(tuple(changes)), HOST),
    )


def one(started: datetime, outcome: Outcome = Outcome.GREEN, **rest: object) -> NightRun:
    """The same as acceptance sees it."""
    return night_run(result(started, outcome, **rest))  # type: ignore[arg-type]


def nightly(*outcomes: Outcome | None, first: datetime = FIRST) -> list[NightRun]:
    """A run each night at the same time, in UTC; None: none that night."""
    return [one(first + timedelta(days=n), outcome) for n, outcome in enumerate(outcomes) if outcome is not None]


def written(results: Sequence[RunResult], folder: Path) -> Path:
    """The results as a CI system keeps them: a folder each."""
    for number, each in enumerate(results):
        place = folder / f"night-{number}"
        place.mkdir(parents=True)
        (place / "summary.json").write_bytes(summary_json(each))
    return folder
