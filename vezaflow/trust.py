"""Whether a run's figures can be trusted: was the asked load delivered, and did the generator keep up?

One rule each, with the remedy that the user is told. docs/figures.md explains them.
"""

from collections.abc import Iterable, Iterator, Sequence

from vezaflow import units
from vezaflow.engine import Delivered
from vezaflow.gates import Concern, ConcernKind
from vezaflow.metrics import Dropped
from vezaflow.model import Executor
from vezaflow.plan import PlannedFlow, PlannedGate
from vezaflow.scale import Report, WorkerState

BUSY_SHARE = 0.9  # of one core, over the whole load: beyond it answers wait for the generator
AWAY = 0.1  # of the time: a loop that is late for so much of it sends the load in lumps, and less of it
SHORTEST = 1.0  # seconds: of less, starting is most of the work, and there is no time to give anything back
LATE_READ = 0.02  # seconds that it may be late, but for one look in a hundred, where answers are timed by the read
MISSED = 0.01  # of the load: when more than this is missing it was another
RELIEF = "use fewer VUs, longer think times, or a bigger machine"


def concerns_of_run(
    flows: Sequence[PlannedFlow], gates: Sequence[PlannedGate], report: Report, *, interrupted: bool
) -> tuple[Concern, ...]:
    """What stands against trusting the figures."""
    return (
        *_lost(report.workers),
        *_saturation(report),
        *_held_up(report),
        *_used_up(flows, report),
        *_load(flows, gates, report, stopped=interrupted),
    )


def held_up(report: Report) -> float:
    """What the generator took of its users' time, of those who pause: as much of their load is missing."""
    lived = sum(delivered.lived for delivered in report.delivered.values())
    return max(0.0, sum(delivered.held_up for delivered in report.delivered.values())) / lived if lived else 0.0


def _lost(workers: Iterable[WorkerState]) -> Iterator[Concern]:
    """A worker that was gone before the end took its share of the load with it."""
    remedy = "run again; if it was killed, give the machine more memory"
    for worker in workers:
        if worker.lost:
            yield Concern(ConcernKind.WORKER_LOST, worker.lost, remedy)


def _saturation(report: Report) -> Iterator[Concern]:
    """One core that can't keep up spoils the figures of all; the worst is told."""
    workers = report.workers
    if not workers or report.seconds < SHORTEST:
        return
    busy = max(worker.vitals.cpu_mean for worker in workers)
    away = max(worker.vitals.away for worker in workers)
    late = max((worker.vitals.lag_p99 for worker in workers if worker.vitals.receive_clock == "read"), default=0.0)
    remedy = _relief(workers)
    if busy >= BUSY_SHARE:
        text = f"the generator was saturated: it used {units.ratio(busy)} of its core, and {_too_much(BUSY_SHARE)}"
        yield Concern(ConcernKind.SATURATED, text, remedy)
    elif away >= AWAY:
        share = f"{units.ratio(away)} of the time, and {_too_much(AWAY)}"
        text = f"the generator was overloaded: its event loop lagged for {share}"
        yield Concern(ConcernKind.SATURATED, text, f"{remedy}; or give it a dedicated CPU core")
    elif late >= LATE_READ:
        text = f"the generator measured responses late: event-loop lag p99 {late * 1000:.0f} ms"
        yield Concern(ConcernKind.SATURATED, text, f"{remedy}; or give it a dedicated CPU core")


def _too_much(bound: float) -> str:
    return f"{units.ratio(bound)} is too much"


def _relief(workers: Sequence[WorkerState]) -> str:
    """What helps a generator that can't keep up: another core, or where several were there another machine."""
    more = "`--workers 2`" if len(workers) == 1 else "more workers if there are cores for them, or `--segment`"
    return f"{more}, {RELIEF}"


def _held_up(report: Report) -> Iterator[Concern]:
    """Users of whose time the generator takes a part ask less of the target than the load says."""
    if report.seconds < SHORTEST:
        return
    for flow, delivered in report.delivered.items():
        share = delivered.held_up / delivered.lived if delivered.lived else 0.0
        if share > MISSED:
            took = f"the generator took {units.ratio(share)} of the VUs' time"
            text = f"{flow}: {took}: this share of the requested load is missing"
            remedy = f"{_relief(report.workers)}; or give it a dedicated CPU core"
            yield Concern(ConcernKind.LOAD_NOT_REACHED, text, remedy, flow)


def _used_up(flows: Iterable[PlannedFlow], report: Report) -> Iterator[Concern]:
    """A flow that ran out of rows did less than it was asked for."""
    for flow in flows:
        delivered = report.delivered.get(flow.name)
        for _, feed in flow.feeds:
            if delivered is not None and feed.name in delivered.used_up:
                rows = units.counted(len(feed.rows), "row")
                text = f"{flow.name}: the data source '{feed.name}' was exhausted: {rows} in {feed.where}"
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
    limited = {gate.flow for gate in gates if gate.metric == "dropped_iterations"}
    for flow in flows:
        delivered = report.delivered.get(flow.name)
        own = bool(limited & {flow.name, None})
        reason = _shortfall(flow, delivered, own_limit=own) if delivered else "there is no data on it"
        if reason:
            yield Concern(ConcernKind.LOAD_NOT_REACHED, f"{flow.name}: {reason}", _remedy(flow, delivered), flow.name)


def _shortfall(flow: PlannedFlow, delivered: Delivered, *, own_limit: bool) -> str:
    """Why a flow did less than it was asked for; '' when it did not. `own_limit`: a gate says how many starts may be
    dropped for want of a free VU. For those that the generator came too late for no gate can speak: it would blame
    the target."""
    if delivered.login_failed:
        return f"{delivered.login_failed:,} of {delivered.asked:,} VUs failed in `login`"
    dropped = sum(delivered.dropped.values())
    excused = delivered.dropped.get(Dropped.NO_FREE_VU, 0) if own_limit else 0
    if dropped - excused > MISSED * delivered.due:  # whatever stopped the flow: until then this was missing
        why = ", ".join(f"{count:,} {_WHY[Dropped(reason)]}" for reason, count in sorted(delivered.dropped.items()))
        return f"{dropped:,} of {delivered.due:,} scheduled iterations were not started: {why}"
    if delivered.stopped_by_author:
        return ""
    came = delivered.most if flow.load.executor is Executor.RAMPING_VUS else delivered.started
    if came < delivered.asked:
        return f"only {came:,} of {delivered.asked:,} VUs were started"
    if flow.load.is_open and not delivered.due:
        return f"no iteration was scheduled within its {units.duration(flow.load.duration)}"
    if delivered.unfinished and flow.load.executor is not Executor.CONSTANT_VUS:
        return f"{delivered.unfinished:,} iterations were not completed within {flow.load.duration:g} s"
    return ""


_WHY = {
    Dropped.NO_FREE_VU: "had no free VU (all of `max_vus` were waiting for the target)",
    Dropped.GENERATOR_LATE: "the generator was too late for",
}


_VUS = "raise `max_vus`, or lower the rate; to blame the target (red), add a gate: `dropped_iterations: count < 10`"


def _remedy(flow: PlannedFlow, delivered: Delivered | None) -> str:
    if delivered is not None and delivered.login_failed:
        return f"see the errors of its login steps: `vezaflow try` {flow.name}"
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
