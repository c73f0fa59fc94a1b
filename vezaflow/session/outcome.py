"""A load's report → the run's one record. The same for a run and for the segments of one that are merged.

Here secrets end: what servers, steps and workers said is masked before it enters the record, so no report knows any.
"""

import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from vezaflow import __version__
from vezaflow.compare import Baseline, GateBaseline
from vezaflow.gates import (
    Concern,
    ConcernKind,
    FigureSource,
    JudgedFigure,
    Outcome,
    Verdict,
    concerns_of,
    judge,
    judged_events,
    overall,
)
from vezaflow.metrics import EventWindows, Reading, Seconds
from vezaflow.model import PROFILE
from vezaflow.observe import Observed, ProfileFigures, unobserved
from vezaflow.plan import Division, Plan, PlannedFlow, PlannedGate, Secrets
from vezaflow.profiles import ProfileRecord
from vezaflow.results import (
    EventWindow,
    Happened,
    Link,
    Provenance,
    RequestedLoad,
    RunResult,
    Versions,
    exit_code_of,
    health_of,
)
from vezaflow.scale import MachinePart, Report, machine_differences, machine_figures
from vezaflow.syntax import Labels
from vezaflow.trust import concerns_of_run

_NOBODY = unobserved("`observe` has no URL here, or another segment reads them")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a report doesn't know of its run. `aborted`: the gate that stopped it, as written; `broken`: the
    verdict that did, where it is known."""

    run_id: str
    began: datetime
    interrupted: bool = False
    aborted: str = ""
    broken: Verdict | None = None
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = None
    baseline: Baseline | None = None
    seconds: Seconds = field(default_factory=Seconds)
    readings: tuple[Reading, ...] = ()
    manual_changes: tuple[str, ...] = ()
    observed: Observed | None = None  # None: nobody was asked
    events: tuple[Happened, ...] = ()  # masked
    windows: EventWindows | None = None
    profiles: tuple[ProfileRecord, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()  # of the bundle, masked
    machines: tuple[MachinePart, ...] = ()
    division: Division | None = None


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """The figures that are not the load's, each from where it is known."""

    observed: Observed
    profiles: ProfileFigures

    def figure(self, gate: PlannedGate, labels: Labels, aggregate: str, argument: float | None) -> JudgedFigure:
        source: FigureSource = self.profiles if gate.metric.startswith(PROFILE) else self.observed
        return source.figure(gate, labels, aggregate, argument)


def result_of(plan: Plan, report: Report, run: Circumstances, concerns: Iterable[Concern] = ()) -> RunResult:
    """The record of a run, judged. `concerns`: what else stands against trusting it."""
    mask = plan.secrets.mask
    report = without(plan.secrets, report)
    found = (
        *concerns,
        *concerns_of_run(
            plan.flows,
            plan.gates,
            report,
            interrupted=run.interrupted,
            division=run.division,
            machines=run.machines,
        ),
        *concerns_of(plan.gates, report.summary),
    )
    concerns = tuple(replace(concern, text=mask(concern.text), remedy=mask(concern.remedy)) for concern in found)
    baseline = GateBaseline(run.baseline, run.run_id, run.seconds) if run.baseline is not None else None
    observed = None if run.observed is None else run.observed.masked(mask)
    profiles = tuple(record.masked(mask) for record in run.profiles)
    judged = judge(
        plan.gates,
        report.summary,
        seconds=report.seconds,
        concerns=concerns,
        baseline=baseline,
        elsewhere=_Elsewhere(observed or _NOBODY, ProfileFigures(profiles)),
        windows=run.windows,
    )
    verdicts = tuple(replace(verdict, reason=mask(verdict.reason)) for verdict in judged)
    verdicts = tuple(_aborting(verdict, run.broken, mask) for verdict in verdicts)
    outcome = overall(verdicts, concerns)
    if run.aborted and outcome is Outcome.GREEN:  # of a segment the verdict that stopped it is not known
        stopped = f"the run was stopped early by its gate {mask(run.aborted)}"
        concerns = (*concerns, Concern(ConcernKind.LOAD_NOT_REACHED, stopped))
        outcome = overall(verdicts, concerns)
    return RunResult(
        suite=plan.suite,
        run_id=run.run_id,
        started=run.began,
        duration=report.seconds,
        outcome=outcome,
        exit_code=exit_code_of(outcome, interrupted=run.interrupted),
        interrupted=run.interrupted,
        verdicts=verdicts,
        concerns=concerns,
        summary=report.summary,
        timeline=report.timeline,
        flows=tuple(_requested(flow) for flow in plan.flows),
        health=health_of(report),
        inputs=plan.shown_inputs,
        seed=plan.inputs.seed,
        versions=Versions(__version__, platform.python_version(), f"{sys.platform} {platform.machine()}"),
        base_url=mask(", ".join(plan.base_urls)),
        description=mask(plan.description),
        aborted=mask(run.aborted),
        notes=tuple(mask(note) for note in (*run.notes, *report.notes, *machine_differences(run.machines))),
        machines=machine_figures(run.machines),
        seconds=run.seconds,
        readings=run.readings,
        provenance=run.provenance,
        manual_changes=tuple(mask(note) for note in run.manual_changes),
        texts=run.texts,
        trace_links=tuple(
            (flow.name, mask(flow.trace.link)) for flow in plan.flows if flow.trace is not None and flow.trace.link
        ),
        links=tuple(_links(plan, run.began, report.seconds)),
        observed=observed,
        events=run.events,
        profiles=profiles,
        event_windows=tuple(_windows(plan, run.windows)),
        incidents=tuple(incident.diagnostic().masked(plan.secrets) for incident in report.incidents),
    )


def _windows(plan: Plan, windows: EventWindows | None) -> Iterator[EventWindow]:
    """The times that gates judged, where any asked for them."""
    if windows is not None:
        for name in judged_events(plan):
            yield from (EventWindow(name, *span) for span in windows.spans(name))


def _aborting(verdict: Verdict, broken: Verdict | None, mask: Callable[[str], str]) -> Verdict:
    """The verdict on a gate; of the gate that stopped the run the verdict that did, whatever the whole adds up to."""
    if broken is None or verdict.gate != broken.gate or verdict.outcome is Outcome.RED:
        return verdict
    return replace(broken, reason=f"{mask(broken.reason)}, which stopped the run")


def _links(plan: Plan, began: datetime, seconds: float) -> Iterator[Link]:
    grafana = plan.announcements.grafana
    if grafana is not None:
        yield Link("Grafana dashboard", plan.secrets.mask(grafana.link(began, seconds)))


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


def _requested(flow: PlannedFlow) -> RequestedLoad:
    load = flow.load
    return RequestedLoad(
        flow.name,
        load.executor.value,
        load.vus,
        load.duration,
        load.iterations,
        load.start_time,
        load.peak_rate,
    )
