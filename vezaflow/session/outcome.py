"""A load's report → the run's one record. The same for a run and for the shares of one that are merged.

Here secrets end: what the load has said is masked before it enters the record, so no report knows any.
"""

import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from vezaflow import __version__
from vezaflow.gates import Concern, concerns_of, judge, overall
from vezaflow.plan import Plan, PlannedFlow, Secrets
from vezaflow.results import FlowAsked, Health, RunResult, Versions, WorkerHealth, exit_code_of
from vezaflow.scale import Report, WorkerState
from vezaflow.trust import concerns_of_run, held_up


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a report doesn't know of its run. `aborted`: the gate that stopped it, as written."""

    run_id: str
    began: datetime
    interrupted: bool = False
    aborted: str = ""
    notes: tuple[str, ...] = ()


def result_of(plan: Plan, report: Report, run: Circumstances, doubts: Iterable[Concern] = ()) -> RunResult:
    """The record of a run, judged. `doubts`: what else stands against trusting it."""
    mask = plan.secrets.mask
    report = without(plan.secrets, report)
    found = (
        *doubts,
        *concerns_of_run(plan.flows, plan.gates, report, interrupted=run.interrupted),
        *concerns_of(plan.gates, report.summary),
    )
    concerns = tuple(replace(concern, text=mask(concern.text), remedy=mask(concern.remedy)) for concern in found)
    judged = judge(plan.gates, report.summary, seconds=report.seconds, concerns=concerns)
    verdicts = tuple(replace(verdict, reason=mask(verdict.reason)) for verdict in judged)
    outcome = overall(verdicts, concerns)
    return RunResult(
        suite=plan.suite,
        run_id=run.run_id,
        started=run.began,
        seconds=report.seconds,
        outcome=outcome,
        exit_code=exit_code_of(outcome, interrupted=run.interrupted),
        interrupted=run.interrupted,
        verdicts=verdicts,
        concerns=concerns,
        summary=report.summary,
        timeline=report.timeline,
        flows=tuple(_asked(flow) for flow in plan.flows),
        health=health_of(report),
        inputs=plan.shown_inputs,
        seed=plan.inputs.seed,
        versions=Versions(__version__, platform.python_version(), f"{sys.platform} {platform.machine()}"),
        base_url=mask(", ".join(plan.base_urls)),
        description=mask(plan.description),
        aborted=mask(run.aborted),
        notes=tuple(mask(note) for note in run.notes),
        incidents=tuple(incident.diagnostic().masked(plan.secrets) for incident in report.incidents),
    )


def without(secrets: Secrets, report: Report) -> Report:
    """The report with no secret in what servers, steps and workers have said."""
    mask = secrets.mask
    requests = {
        key: replace(row, detail=mask(row.detail)) if row.detail else row
        for key, row in report.summary.requests.items()
    }
    return replace(
        report,
        summary=replace(report.summary, requests=requests),
        incidents=tuple(replace(i, message=mask(i.message), help=mask(i.help)) for i in report.incidents),
        workers=tuple(replace(worker, lost=mask(worker.lost)) for worker in report.workers),
    )


def health_of(report: Report) -> Health:
    """How the generator fares: of several workers the worst reading of each, and their memory together."""
    workers = tuple([_worker(state) for state in report.workers])
    return Health(
        cpu_mean=max((worker.cpu_mean for worker in workers), default=0.0),
        cpu_max=max((worker.cpu_max for worker in workers), default=0.0),
        lag_p99_ms=max((worker.lag_p99_ms for worker in workers), default=0.0),
        lag_max_ms=max((worker.lag_max_ms for worker in workers), default=0.0),
        memory=sum(worker.memory for worker in workers),
        receive_clock="kernel" if workers and all(worker.receive_clock == "kernel" for worker in workers) else "read",
        late_reads=sum(worker.late_reads for worker in workers),
        latest_read_ms=max((worker.latest_read_ms for worker in workers), default=0.0),
        vus_started=sum(delivered.started for delivered in report.delivered.values()),
        away=max((worker.away for worker in workers), default=0.0),
        held_up=held_up(report),
        workers=workers,
    )


def _worker(state: WorkerState) -> WorkerHealth:
    vitals = state.vitals
    return WorkerHealth(
        state.name,
        vitals.cpu_share,
        vitals.cpu_mean,
        vitals.cpu_most,
        vitals.lag_p99 * 1000,
        vitals.lag_most * 1000,
        vitals.memory,
        state.lost,
        vitals.receive_clock,
        vitals.late_reads,
        vitals.latest_read * 1000,
        vitals.away,
    )


def _asked(flow: PlannedFlow) -> FlowAsked:
    load = flow.load
    return FlowAsked(
        flow.name,
        load.executor.value,
        load.vus,
        load.duration,
        load.iterations,
        load.start_time,
        load.peak_rate,
    )
