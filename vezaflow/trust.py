"""Whether a run's figures can be trusted: was the asked load delivered, and did the generator keep up?

One rule each, with the remedy that the user is told. docs/figures.md explains them.
"""

from collections.abc import Iterable, Iterator, Sequence

from vezaflow.engine import FlowRun, Vitals
from vezaflow.gates import Concern, ConcernKind
from vezaflow.model import Executor
from vezaflow.plan import PlannedFlow

BUSY_SHARE = 0.9  # of one core, over the whole load: beyond it answers wait for the generator
LATE = 0.05  # seconds that the event loop may come late, but for one look in a hundred


def concerns_of_run(flows: Sequence[FlowRun], vitals: Vitals, *, interrupted: bool) -> tuple[Concern, ...]:
    """What stands against trusting the figures."""
    return (*_saturation(vitals), *_load(flows, stopped=interrupted))


def _saturation(vitals: Vitals) -> Iterator[Concern]:
    remedy = "fewer VUs, longer think times, or a bigger machine"
    if vitals.cpu_mean >= BUSY_SHARE:
        text = f"the generator was saturated: it used {vitals.cpu_mean:.0%} of its core"
        yield Concern(ConcernKind.SATURATED, text, remedy)
    elif vitals.lag_p99 >= LATE:
        text = f"the generator was out of breath: its loop was up to {vitals.lag_p99 * 1000:.0f} ms late (p99)"
        yield Concern(ConcernKind.SATURATED, text, f"{remedy}; or give it a core of its own")


def _load(flows: Iterable[FlowRun], *, stopped: bool) -> Iterator[Concern]:
    if stopped:
        yield Concern(
            ConcernKind.INTERRUPTED, "the run was stopped by hand before its end", "let it run for its whole duration"
        )
        return
    for run in flows:
        reason = _shortfall(run.flow, run)
        if reason:
            yield Concern(ConcernKind.LOAD_NOT_REACHED, f"{run.flow.name}: {reason}", _remedy(run), run.flow.name)


def _shortfall(flow: PlannedFlow, run: FlowRun) -> str:
    """Why a flow did less than it was asked for; '' when it did not."""
    delivered = run.delivered
    if delivered.login_failed:
        return f"{delivered.login_failed:,} of {delivered.asked:,} VUs never got past `login`"
    if delivered.stopped_by_author:
        return ""
    if delivered.started < delivered.asked:
        return f"only {delivered.started:,} of {delivered.asked:,} VUs were started"
    if delivered.unfinished and flow.load.executor is not Executor.CONSTANT_VUS:
        return f"{delivered.unfinished:,} iterations were not done within {flow.load.duration:g} s"
    return ""


def _remedy(run: FlowRun) -> str:
    if run.delivered.login_failed:
        return f"see the errors of its login steps: `vezaflow try` {run.flow.name}"
    if run.flow.load.executor is Executor.CONSTANT_VUS:
        return "a longer duration"
    return "a longer `max_duration`, more VUs, or fewer iterations"
