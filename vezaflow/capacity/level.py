"""One level of a capacity search: what was put on, how it was borne, and whether its gates hold.

Law: what the generator could not do is never blamed on the target. A level at which the generator was overloaded, lost
a worker or owes a part of the load is unclear, whatever broke.
"""

from dataclasses import dataclass

from vezaflow.capacity.search import LevelOutcome
from vezaflow.errors import VezaflowError
from vezaflow.gates import ConcernKind, Outcome, Verdict, aggregate_text
from vezaflow.metrics import Dropped
from vezaflow.results import RunResult
from vezaflow.trust import MISSED

_OVERLOADED = (ConcernKind.SATURATED, ConcernKind.WORKER_LOST)


@dataclass(frozen=True, slots=True)
class LevelRun:
    """A level that was run. `vus`: of the closed flows; `rate`: iterations per second of the open ones. `why`: what
    broke, or why it is unclear; `remedy`: what to do. `broken`: the gates, the one that broke most first."""

    factor: float
    outcome: LevelOutcome
    vus: int = 0
    rate: float = 0.0
    requests_per_second: float | None = None
    p95: float | None = None  # seconds
    failed: float | None = None
    why: str = ""
    remedy: str = ""
    generator: bool = False  # unclear, and the generator is why
    broken: tuple[str, ...] = ()
    aborted: bool = False  # before its end: the gates were broken beyond doubt
    interrupted: bool = False
    seconds: float = 0.0  # that the load lasted
    run_id: str = ""


def level_run(factor: float, result: RunResult) -> LevelRun:
    """What a level's run says."""
    summary = result.summary
    outcome, why, remedy, generator = _judged(result)
    return LevelRun(
        factor,
        outcome,
        vus=sum(asked.vus for asked in result.flows if asked.rate is None),
        rate=sum(asked.rate for asked in result.flows if asked.rate is not None),
        requests_per_second=summary.select("http_reqs").aggregate("rate"),
        p95=summary.select("http_req_duration").aggregate("p", 95.0),
        failed=summary.select("http_req_failed").aggregate("rate"),
        why=why,
        remedy=remedy,
        generator=generator,
        broken=tuple(_named(verdict) for verdict in _worst_first(result)) if outcome is LevelOutcome.BROKE else (),
        aborted=bool(result.aborted),
        interrupted=result.interrupted,
        seconds=result.duration,
        run_id=result.run_id,
    )


def refused_level(factor: float, error: VezaflowError) -> LevelRun:
    """A level that could not begin: the machine can't carry it, or the target is not ready for it."""
    return LevelRun(factor, LevelOutcome.UNCLEAR, why=error.message, remedy=error.hint)


def _judged(result: RunResult) -> tuple[LevelOutcome, str, str, bool]:
    if (fault := _fault_of_generator(result)) is not None:
        return LevelOutcome.UNCLEAR, *fault, True
    match result.outcome:
        case Outcome.GREEN:
            return LevelOutcome.HELD, "", "", False
        case Outcome.RED:
            worst = _worst_first(result)[0]
            return (
                LevelOutcome.BROKE,
                f"{worst.gate.flow or 'all flows'}: {worst.gate.metric} {worst.reason}",
                "",
                False,
            )
        case Outcome.INCONCLUSIVE:
            return LevelOutcome.UNCLEAR, *_doubt(result), False


def _fault_of_generator(result: RunResult) -> tuple[str, str] | None:
    """How the generator failed, and the remedy."""
    for concern in result.concerns:
        if concern.kind in _OVERLOADED:
            return concern.text, concern.remedy
    if result.health.load_missing <= MISSED and _late(result) <= MISSED:
        return None
    for concern in result.concerns:
        if concern.kind is ConcernKind.LOAD_NOT_REACHED:
            return concern.text, concern.remedy
    return None


def _late(result: RunResult) -> float:
    """The share of the iterations that were due and that the generator dropped."""
    summary = result.summary
    late = summary.select("dropped_iterations", None, (("reason", Dropped.GENERATOR_LATE.value),), judged=None)
    dropped = summary.select("dropped_iterations", judged=None).aggregate("count") or 0.0
    started = summary.select("iteration_delay", judged=None).samples
    return (late.aggregate("count") or 0.0) / max(1.0, started + dropped)


def _doubt(result: RunResult) -> tuple[str, str]:
    if result.concerns:
        return result.concerns[0].text, result.concerns[0].remedy
    verdict = result.unsettled[0]
    scope = f"{verdict.gate.flow}: " if verdict.gate.flow else ""
    return f"{scope}{verdict.gate.metric}: {verdict.reason}", "use a longer --measure"


def _worst_first(result: RunResult) -> list[Verdict]:
    """The gates that broke, that furthest beyond its bound first; of what has no such distance the order stays."""
    return sorted(result.broken, key=lambda verdict: verdict.margin if verdict.margin is not None else -1.0)


def _named(verdict: Verdict) -> str:
    """What people call a gate: `browse p(95) of http_req_duration{step:search}`."""
    gate = verdict.gate
    labels = ",".join(f"{name}:{value}" for name, value in gate.labels)
    metric = f"{gate.metric}{{{labels}}}" if labels else gate.metric
    return f"{gate.flow or 'all flows'} {aggregate_text(gate)} of {metric}"
