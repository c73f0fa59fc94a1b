"""The application: files → plan → engine → gates → result. What runs, in which order, and who may stop it.

Only session and cli see the whole house. A run ends in one of three ways: a RunResult with its verdict, a
VezaflowError (refused, or stopped before load), or a bug.
"""

import gc
import platform
import secrets as random_source
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import trio

from vezaflow import __version__
from vezaflow.diagnostics import Diagnostic, Diagnostics
from vezaflow.engine import RunEngine
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.gates import AbortWatch, Verdict, concerns_of, judge, overall
from vezaflow.limits import require_open_files
from vezaflow.metrics import Recorder
from vezaflow.model import Suite, lint
from vezaflow.outputs import Output, Trace, tick_of
from vezaflow.plan import Inputs, Plan, PlannedFlow, Secrets, build
from vezaflow.protocols import Transport
from vezaflow.results import FlowAsked, Health, RunResult, Versions, exit_code_of
from vezaflow.trust import concerns_of_run

TICK = 1.0  # seconds between two folds, looks at the gates and ticks of the outputs
_LAST_GRACE = 5.0  # seconds that flows get when a gate aborts the run
_SPOKEN = 20  # `log` messages a second; the rest are counted


class WrongFilesError(VezaflowError):
    """The files can't be run; the diagnostics say why."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("the files can't be run as they are", code=ExitCode.USAGE)
        self.diagnostics = tuple(diagnostics)


def read(paths: Sequence[Path], *, base_url: bool = False) -> Suite:
    """The suite at `paths`. Raises WrongFilesError with everything that lint says of it.

    `base_url`: one is given elsewhere, so the files need none.
    """
    suite, diagnostics = lint(paths, base_url=base_url)
    if suite is None or diagnostics.failed:
        raise WrongFilesError(diagnostics.items)
    return suite


def prepare(suite: Suite, inputs: Inputs) -> Plan:
    """The plan of a suite with its inputs. Raises WrongFilesError, or VezaflowError where the guard says no."""
    diagnostics = Diagnostics()
    mask = Secrets.among(suite.secrets, inputs.environment).mask
    try:
        plan = build(suite, inputs, diagnostics)
    except VezaflowError as e:
        raise VezaflowError(mask(e.message), hint=e.hint, code=e.code) from None
    if plan is None:
        raise WrongFilesError([replace(d, message=mask(d.message)) for d in diagnostics])
    if not plan.flows:
        raise VezaflowError("there is no flow to run", hint="a flow is a YAML file with `steps` beside suite.yml")
    return plan


def run(plan: Plan, outputs: Sequence[Output], say: Callable[[str], None]) -> RunResult:
    """Put the load on, judge it. Raises VezaflowError when it is refused or stopped before load."""
    require_open_files(plan.vus)
    return trio.run(_Session(plan, outputs, say).main)


def rehearse(plan: Plan, flow: PlannedFlow, trace: Trace) -> bool:
    """Run one flow once as one user, shown by `trace`. False when something failed."""
    return trio.run(_rehearse, plan, flow, trace)


async def _rehearse(plan: Plan, flow: PlannedFlow, trace: Trace) -> bool:
    transport = Transport()
    recorder = Recorder(time.perf_counter())
    engine = RunEngine(plan, recorder=recorder, client=transport.client, observer=trace, say=trace.said)
    good = False
    refused: VezaflowError | None = None
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        await nursery.start(engine.wheel.run)
        try:
            await engine.preflight()
            await engine.setup()
            good = await engine.rehearse(flow)
            good = not await engine.teardown() and good
        except VezaflowError as e:
            refused = e
        nursery.cancel_scope.cancel()
    if refused is not None:
        raise refused
    return good


@dataclass(slots=True)
class _Stops:
    """Who asked the run to end."""

    by_hand: int = 0
    aborted: Verdict | None = None


class _Session:
    """One run, from preflight to result."""

    def __init__(self, plan: Plan, outputs: Sequence[Output], say: Callable[[str], None]) -> None:
        self._plan = plan
        self._outputs = outputs
        self._clock = time.perf_counter
        self._zero = self._clock()
        self._recorder = Recorder(self._zero)
        self._transport = Transport()
        self._stops = _Stops()
        self._abort = AbortWatch(plan.gates)
        self._talk = _Talk(lambda message: say(plan.secrets.mask(message)))
        self._engine = RunEngine(plan, recorder=self._recorder, client=self._transport.client, say=self._talk.say)
        self._scope = trio.CancelScope()  # of the load: a second Ctrl-C ends it
        self._seconds = 0.0
        self._began = datetime.now(UTC)

    async def main(self) -> RunResult:
        refused: VezaflowError | None = None
        async with trio.open_nursery() as nursery:
            await nursery.start(self._transport.run)
            await nursery.start(self._engine.wheel.run)
            await nursery.start(self._engine.health.run)
            await nursery.start(self._listen)
            try:
                problem = await self._phases()
            except VezaflowError as e:
                refused = e
            nursery.cancel_scope.cancel()
        if refused is not None:
            raise VezaflowError(
                self._plan.secrets.mask(refused.message), hint=refused.hint, code=refused.code
            ) from None
        return self._result(problem)

    async def _phases(self) -> str:
        """Preflight, setup, load, teardown. Returns what went wrong in teardown, or ''."""
        with self._scope:
            await self._engine.preflight()
            await self._engine.setup()
        if self._stops.by_hand:
            raise VezaflowError("stopped before any load was sent", code=ExitCode.INTERRUPTED)
        with _swift_memory():
            await self._load()
        return await self._engine.teardown()

    async def _load(self) -> None:
        self._scope = trio.CancelScope()
        self._began = datetime.now(UTC)
        begin = self._clock()
        self._recorder.begin(begin)
        for output in self._outputs:
            output.begin(self._plan)
        try:
            async with trio.open_nursery() as watchers:
                watchers.start_soon(self._watch, begin)
                with self._scope:
                    await self._engine.load()
                watchers.cancel_scope.cancel()
        finally:
            self._seconds = self._clock() - begin
            self._recorder.fold(self._clock())
            for output in self._outputs:
                output.end()
            self._talk.rest()

    async def _watch(self, begin: float) -> None:
        """Once a second: fold the samples, look at the abort gates, tell the outputs."""
        due = begin
        while True:
            due += TICK
            await self._engine.wheel.sleep_until(due)
            now = self._clock()
            if now < due - TICK / 2:  # woken early: the flows were told to stop
                due -= TICK
                continue
            self._recorder.fold(now)
            summary = self._recorder.snapshot()
            elapsed = now - begin
            verdict = None if self._stops.aborted else self._abort.broken(elapsed, summary)
            if verdict is not None:
                self._stops.aborted = verdict
                self._engine.stop(_LAST_GRACE)
            self._talk.rest()
            tick = tick_of(
                self._plan, summary, self._recorder.timeline(), judge(self._plan.gates, summary, seconds=elapsed),
                elapsed=elapsed, health=self._health(),
            )  # fmt: skip
            for output in self._outputs:
                output.tick(tick)

    async def _listen(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Ctrl-C: running iterations may end. Again: everything ends now."""
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for _ in signals:
                self._stops.by_hand += 1
                if self._stops.by_hand == 1 and self._engine.flows:
                    self._engine.stop()
                else:
                    self._scope.cancel()

    def _health(self) -> Health:
        vitals = self._engine.health.vitals()
        return Health(
            cpu_mean=vitals.cpu_mean,
            cpu_max=vitals.cpu_most,
            lag_p99_ms=vitals.lag_p99 * 1000,
            lag_max_ms=vitals.lag_most * 1000,
            memory=vitals.memory,
            vus_started=sum(run.delivered.started for run in self._engine.flows),
        )

    def _result(self, problem: str) -> RunResult:
        plan = self._plan
        interrupted = self._stops.by_hand > 0
        summary = self._recorder.snapshot()
        concerns = (
            *concerns_of_run(self._engine.flows, self._engine.health.vitals(), interrupted=interrupted),
            *concerns_of(plan.gates, summary),
        )
        verdicts = judge(plan.gates, summary, seconds=self._seconds, concerns=concerns)
        outcome = overall(verdicts, concerns)
        mask = plan.secrets.mask
        return RunResult(
            suite=plan.suite,
            run_id=f"{self._began:%Y%m%dT%H%M%SZ}-{random_source.token_hex(3)}",
            started=self._began,
            seconds=self._seconds,
            outcome=outcome,
            exit_code=exit_code_of(outcome, interrupted=interrupted),
            interrupted=interrupted,
            verdicts=verdicts,
            concerns=concerns,
            summary=summary,
            timeline=self._recorder.timeline(),
            flows=tuple(_asked(flow) for flow in plan.flows),
            health=self._health(),
            inputs=plan.shown_inputs,
            seed=plan.inputs.seed,
            versions=Versions(__version__, platform.python_version(), f"{sys.platform} {platform.machine()}"),
            base_url=mask(", ".join(plan.base_urls)),
            description=plan.description,
            aborted=self._stops.aborted.gate.text if self._stops.aborted else "",
            notes=(f"teardown: {mask(problem)}",) if problem else (),
            incidents=tuple(
                replace(d, message=mask(d.message)) for i in self._engine.incidents.items for d in (i.diagnostic(),)
            ),
        )


class _Talk:
    """Passes on what `log` steps say, so much a second; what was left out is counted."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._left = _SPOKEN
        self._dropped = 0

    def say(self, message: str) -> None:
        if self._left > 0:
            self._left -= 1
            self._say(message)
        else:
            self._dropped += 1

    def rest(self) -> None:
        """A second is over."""
        if self._dropped:
            self._say(f"… and {self._dropped:,} more messages of `log` steps in this second")
        self._left, self._dropped = _SPOKEN, 0


@contextmanager
def _swift_memory() -> Iterator[None]:
    """Keep the cycle collector out of the way: what lives now lives for the run, and the hot path makes no cycles."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _asked(flow: PlannedFlow) -> FlowAsked:
    load = flow.load
    return FlowAsked(flow.name, load.executor.value, load.vus, load.duration, load.iterations, load.start_time)
