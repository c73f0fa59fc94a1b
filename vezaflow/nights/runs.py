"""A run as acceptance sees it: a light value, the same from a RunResult, a file or the history.

It says what was run, where, how much of it and how it ended; it knows no rule.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vezaflow.gates import Outcome
from vezaflow.model import Identity
from vezaflow.results import RunResult


@dataclass(frozen=True, slots=True)
class NightRun:
    """A run. `started` has a UTC offset, `duration` and `p95` are seconds, `failed` is a share; None: no data."""

    run_id: str
    suite: str
    started: datetime
    duration: float
    outcome: Outcome
    interrupted: bool
    partial: bool  # one segment of a load
    identity: Identity | None  # None: a record from before it was kept
    changes: tuple[str, ...]  # how the load was turned down; empty: the full profile
    targets: tuple[str, ...]  # base URLs, as a result has them: secrets masked
    p95: float | None
    failed: float | None
    reasons: tuple[str, ...]  # of a red run the gates that broke, of an inconclusive one what was lacking
    manual_changes: tuple[str, ...] = ()


def night_run(result: RunResult, *, partial: bool = False) -> NightRun:
    """The run of a result. `partial`: it is known from elsewhere that it was one segment of a load."""
    provenance = result.provenance
    return NightRun(
        run_id=result.run_id,
        suite=result.suite,
        started=result.started,
        duration=result.duration,
        outcome=result.outcome,
        interrupted=result.interrupted,
        partial=partial or result.segment is not None,
        identity=provenance.identity if provenance is not None else None,
        changes=provenance.profile.changes if provenance is not None else (),
        targets=tuple(filter(None, result.base_url.split(", "))),
        p95=result.summary.select("http_req_duration").aggregate("p", 95.0),
        failed=result.summary.select("http_req_failed").aggregate("rate"),
        reasons=tuple(_reasons(result)),
        manual_changes=result.manual_changes,
    )


def _reasons(result: RunResult) -> Iterable[str]:
    match result.outcome:
        case Outcome.GREEN:
            return ()
        case Outcome.RED:
            found = result.broken
        case Outcome.INCONCLUSIVE:
            if result.concerns:
                return (concern.text for concern in result.concerns)
            found = result.unsettled
    scopes = (f"{verdict.gate.flow}: " if verdict.gate.flow else "" for verdict in found)
    return (f"{scope}{v.gate.metric} {v.reason}" for scope, v in zip(scopes, found, strict=True))
