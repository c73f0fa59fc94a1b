"""Whether a run's figures can be trusted: was the requested load delivered, and did the generator keep up?

One rule each, with its remedy. docs/figures.md explains them.
"""

from collections.abc import Iterable, Iterator, Sequence

from vezaflow import units
from vezaflow.engine import Delivered, worst
from vezaflow.gates import Concern, ConcernKind
from vezaflow.metrics import Dropped
from vezaflow.model import Executor
from vezaflow.plan import Division, PlannedFlow, PlannedGate
from vezaflow.results import load_missing
from vezaflow.scale import MachinePart, Report, WorkerState, losses

BUSY_SHARE = 0.9  # of one core, over the whole load: above it responses wait for the generator
LAG_SHARE = 0.1  # of the time: a loop that is late for so much of it sends the load in bursts, and less of it
SHORTEST = 1.0  # seconds: of less, starting is most of the work, and there is no time to give anything back
LATE_READ = 0.02  # seconds that it may be late (p99), where responses are timed by the read
MISSED = 0.01  # of the load: when more than this is missing it was another
_LESS = "use fewer VUs, longer think times, or a bigger machine"
RELIEF = f"use {_LESS}"
OWN_CORE = "give it a dedicated CPU core"


def concerns_of_run(
    flows: Sequence[PlannedFlow],
    gates: Sequence[PlannedGate],
    report: Report,
    *,
    interrupted: bool,
    division: Division | None = None,
    machines: Sequence[MachinePart] = (),
) -> tuple[Concern, ...]:
    """What stands against trusting the figures. `division`: among whom the load was divided; None: that is not known.
    `machines`: those of a cluster."""
    return (
        *_lost(flows, report.workers, division, machines),
        *_overload(report, _relief(report.workers, machines)),
        *_missing_load(report, _relief(report.workers, machines)),
        *_exhausted(flows, report),
        *_load(flows, gates, report, stopped=interrupted),
    )


def _lost(
    flows: Sequence[PlannedFlow],
    workers: Sequence[WorkerState],
    division: Division | None,
    machines: Sequence[MachinePart],
) -> Iterator[Concern]:
    """A worker that ended early took its part of the load with it, a machine that of all its workers."""
    remedy = "run again; if it was killed, give the machine more memory"
    for loss in losses(flows, workers, division, machines):
        missing = f"; from then on {loss.missing} are missing" if loss.missing else ""
        yield Concern(ConcernKind.WORKER_LOST, loss.text + missing, remedy)


def _overload(report: Report, remedy: str) -> Iterator[Concern]:
    """One core that can't keep up spoils the figures of all; the worst reading is reported."""
    if not report.workers or report.seconds < SHORTEST:
        return
    found = worst([worker.vitals for worker in report.workers])
    late = max((w.vitals.lag_p99 for w in report.workers if w.vitals.receive_clock == "read"), default=0.0)
    if found.cpu_mean >= BUSY_SHARE:
        used = f"it used {units.ratio(found.cpu_mean)} of its core ({_limit(BUSY_SHARE)})"
        yield Concern(ConcernKind.SATURATED, f"the generator was overloaded: {used}", remedy)
    elif found.lag_share >= LAG_SHARE:
        lag = f"its event loop was late for {units.ratio(found.lag_share)} of the time ({_limit(LAG_SHARE)})"
        yield Concern(ConcernKind.SATURATED, f"the generator was overloaded: {lag}", f"{remedy}; or {OWN_CORE}")
    elif late >= LATE_READ:
        text = f"the generator measured responses late: event-loop lag p99 {units.duration(late)}"
        yield Concern(ConcernKind.SATURATED, f"{text} (limit {units.duration(LATE_READ)})", f"{remedy}; or {OWN_CORE}")


def _limit(bound: float) -> str:
    return f"limit {units.ratio(bound)}"


def _relief(workers: Sequence[WorkerState], machines: Sequence[MachinePart]) -> str:
    """What helps a generator that can't keep up: another core, or where several were there another machine."""
    more = "`--workers 2`" if len(workers) == 1 else "more workers if there are cores for them, or `--segment`"
    if machines:
        more = "more machines"
    return f"use {more}, {_LESS}"


def _missing_load(report: Report, remedy: str) -> Iterator[Concern]:
    """VUs that lose a part of their time to the generator send less than the load says."""
    if report.seconds < SHORTEST:
        return
    for flow, delivered in report.delivered.items():
        share = load_missing([delivered])
        if share > MISSED:
            text = f"{flow}: {units.ratio(share)} of the requested load is missing: the generator was too slow for it"
            yield Concern(ConcernKind.LOAD_NOT_REACHED, text, f"{remedy}; or {OWN_CORE}", flow)


def _exhausted(flows: Iterable[PlannedFlow], report: Report) -> Iterator[Concern]:
    """A flow that ran out of rows did less than was requested."""
    for flow in flows:
        delivered = report.delivered.get(flow.name)
        for _, data_source in flow.data_sources:
            if delivered is not None and data_source.name in delivered.exhausted:
                rows = units.counted(len(data_source.rows), "row")
                text = f"{flow.name}: the data source '{data_source.name}' was exhausted: {rows} in {data_source.where}"
                remedy = "add rows, shorten the load, or set `at_end`"
                yield Concern(ConcernKind.DATA_EXHAUSTED, text, remedy, flow.name)


def _load(
    flows: Iterable[PlannedFlow], gates: Iterable[PlannedGate], report: Report, *, stopped: bool
) -> Iterator[Concern]:
    if stopped:
        yield Concern(
            ConcernKind.INTERRUPTED, "the run was stopped manually before its end", "let it run for its whole duration"
        )
        return
    for flow in flows:
        delivered = report.delivered.get(flow.name)
        own = any(_limits_dropped(gate, flow.name) for gate in gates)
        reason = _shortfall(flow, delivered, own_limit=own) if delivered else "there is no data on it"
        if reason:
            yield Concern(ConcernKind.LOAD_NOT_REACHED, f"{flow.name}: {reason}", _remedy(flow, delivered), flow.name)


def _limits_dropped(gate: PlannedGate, flow: str) -> bool:
    """Whether a gate says how many iterations of the flow may be dropped for want of a free VU: of all the load."""
    if gate.metric != "dropped_iterations" or gate.flow not in (flow, None):
        return False
    covered = {("reason", Dropped.NO_FREE_VU.value), ("flow", flow), ("phase", "iteration")}
    return covered.issuperset(gate.labels) and gate.condition.operator in ("<", "<=", "==")


def _shortfall(flow: PlannedFlow, delivered: Delivered, *, own_limit: bool) -> str:
    """Why a flow did less than was requested; '' when it did not. `own_limit`: a gate limits how many iterations may
    be dropped for want of a free VU. No gate can excuse those that the generator dropped: it would blame the target."""
    if delivered.login_failed:
        return f"{delivered.login_failed:,} of {delivered.requested:,} VUs failed in `login`"
    dropped = sum(delivered.dropped.values())
    excused = delivered.dropped.get(Dropped.NO_FREE_VU, 0) if own_limit else 0
    if dropped - excused > MISSED * delivered.due:  # whatever stopped the flow, these were missing before
        why = ", ".join(f"{count:,} {_WHY[Dropped(reason)]}" for reason, count in sorted(delivered.dropped.items()))
        return f"{dropped:,} of {delivered.due:,} scheduled iterations were not started: {why}"
    if delivered.stopped_by_author:
        return ""
    came = delivered.most if flow.load.executor is Executor.RAMPING_VUS else delivered.started
    if came < delivered.requested:
        return f"only {came:,} of {delivered.requested:,} VUs were started"
    if flow.load.is_open and not delivered.due:
        return f"no iteration was scheduled within its {units.duration(flow.load.duration)}"
    if delivered.unfinished and flow.load.executor is not Executor.CONSTANT_VUS:
        return f"{delivered.unfinished:,} iterations were not completed within {flow.load.duration:g} s"
    return ""


_WHY = {
    Dropped.NO_FREE_VU: "had no free VU (all `max_vus` were waiting for the target)",
    Dropped.GENERATOR_LATE: "came too late (the generator was overloaded)",
}


_VUS = "raise `max_vus`, or lower the rate; to blame the target (red), add a gate: `dropped_iterations: count < 10`"


def _remedy(flow: PlannedFlow, delivered: Delivered | None) -> str:
    if delivered is not None and delivered.login_failed:
        return f"see the errors of its login steps: run `vezaflow try` with `--flow {flow.name}`"
    if flow.load.is_open and delivered is not None:
        if not delivered.due:
            return "use a longer duration, or a higher rate"
        late = delivered.dropped.get(Dropped.GENERATOR_LATE, 0)
        return RELIEF if 2 * late > sum(delivered.dropped.values()) else _VUS
    if flow.load.executor is Executor.CONSTANT_VUS:
        return "use a longer duration"
    if flow.load.executor is Executor.RAMPING_VUS:
        return f"use longer stages; or, if the generator was too slow to start them, {RELIEF}"
    return "use a longer `max_duration`, more VUs, or fewer iterations"
