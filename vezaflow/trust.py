"""Whether a run's figures can be trusted: was the asked load delivered, and did the generator keep up?

One rule each, with the remedy that the user is told. docs/figures.md explains them.
"""

from collections.abc import Iterable, Iterator, Sequence

from vezaflow.engine import Delivered
from vezaflow.gates import Concern, ConcernKind
from vezaflow.model import Executor
from vezaflow.plan import PlannedFlow
from vezaflow.scale import Report, WorkerState

BUSY_SHARE = 0.9  # of one core, over the whole load: beyond it answers wait for the generator
LATE = 0.05  # seconds that the event loop may come late, but for one look in a hundred


def concerns_of_run(flows: Sequence[PlannedFlow], report: Report, *, interrupted: bool) -> tuple[Concern, ...]:
    """What stands against trusting the figures."""
    return (
        *_lost(report.workers),
        *_saturation(report.workers),
        *_load(flows, report, stopped=interrupted),
    )


def _lost(workers: Iterable[WorkerState]) -> Iterator[Concern]:
    """A worker that was gone before the end took its share of the load with it."""
    remedy = "run again; if it was killed, give the machine more memory"
    for worker in workers:
        if worker.lost:
            yield Concern(ConcernKind.WORKER_LOST, worker.lost, remedy)


def _saturation(workers: Sequence[WorkerState]) -> Iterator[Concern]:
    """One core that can't keep up spoils the figures of all; the worst is told."""
    remedy = "fewer VUs, longer think times, or a bigger machine"
    if not workers:
        return
    busy = max(workers, key=lambda worker: worker.vitals.cpu_mean)
    late = max(workers, key=lambda worker: worker.vitals.lag_p99)
    if busy.vitals.cpu_mean >= BUSY_SHARE:
        text = f"the generator was saturated: it used {busy.vitals.cpu_mean:.0%} of its core"
        yield Concern(ConcernKind.SATURATED, text, remedy)
    elif late.vitals.lag_p99 >= LATE:
        text = f"the generator was out of breath: its loop was up to {late.vitals.lag_p99 * 1000:.0f} ms late (p99)"
        yield Concern(ConcernKind.SATURATED, text, f"{remedy}; or give it a core of its own")


def _load(flows: Iterable[PlannedFlow], report: Report, *, stopped: bool) -> Iterator[Concern]:
    if stopped:
        yield Concern(
            ConcernKind.INTERRUPTED, "the run was stopped by hand before its end", "let it run for its whole duration"
        )
        return
    for flow in flows:
        delivered = report.delivered.get(flow.name)
        reason = _shortfall(flow, delivered) if delivered else "nothing is known of it"
        if reason:
            yield Concern(ConcernKind.LOAD_NOT_REACHED, f"{flow.name}: {reason}", _remedy(flow, delivered), flow.name)


def _shortfall(flow: PlannedFlow, delivered: Delivered) -> str:
    """Why a flow did less than it was asked for; '' when it did not."""
    if delivered.login_failed:
        return f"{delivered.login_failed:,} of {delivered.asked:,} VUs never got past `login`"
    if delivered.stopped_by_author:
        return ""
    if delivered.started < delivered.asked:
        return f"only {delivered.started:,} of {delivered.asked:,} VUs were started"
    if delivered.unfinished and flow.load.executor is not Executor.CONSTANT_VUS:
        return f"{delivered.unfinished:,} iterations were not done within {flow.load.duration:g} s"
    return ""


def _remedy(flow: PlannedFlow, delivered: Delivered | None) -> str:
    if delivered is not None and delivered.login_failed:
        return f"see the errors of its login steps: `vezaflow try` {flow.name}"
    if flow.load.executor is Executor.CONSTANT_VUS:
        return "a longer duration"
    return "a longer `max_duration`, more VUs, or fewer iterations"
