"""One run, from preflight to result: what runs, in which order, and who may stop it.

A run ends in one of three ways: a RunResult with its verdict, a VezaflowError (refused, or stopped before load), or a
bug. Preflight, setup and teardown happen once, here; who carries the load between them is the crew's matter. A signal
is heard in every phase; what was asked of one phase never ends another, and only a load that was stopped counts as
stopped by hand.
"""

import os
import secrets as random_source
import signal
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import trio

from vezaflow.control import Steering, serve
from vezaflow.diagnostics import printable
from vezaflow.engine import RunEngine
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.gates import AbortWatch, Verdict, judge
from vezaflow.limits import Division, checks, machine, raise_open_files, require, require_addresses
from vezaflow.metrics import Recorder
from vezaflow.outputs import Output, Tick, tick_of
from vezaflow.plan import Bundle, Plan, Segment
from vezaflow.protocols import Transport
from vezaflow.results import RunResult
from vezaflow.scale import Crew, LocalCrew, Report, Share, WorkerCrew
from vezaflow.session.feeding import LAST, Feeding
from vezaflow.session.outcome import Circumstances, health_of, result_of
from vezaflow.session.shares import doubt_of, share_of_run
from vezaflow.session.talk import Talk

TICK = 1.0  # seconds between two looks at the gates and ticks of the outputs
_LAST_GRACE = 5.0  # seconds that flows get when a gate aborts the run


@dataclass(frozen=True, slots=True)
class Staff:
    """Who carries the load: so many processes, and which share of it (None: all)."""

    bundle: Bundle
    workers: int = 1
    share: Segment | None = None

    @property
    def segment(self) -> Segment:
        return self.share or Segment()

    @property
    def division(self) -> Division:
        return Division(self.workers, self.segment)


def run(plan: Plan, outputs: Sequence[Output], say: Callable[[str], None], staff: Staff) -> RunResult:
    """Put the load on, judge it. Raises VezaflowError when it is refused or stopped before load."""
    found = checks(plan, machine(), staff.division)
    require(found)
    require_addresses(plan)
    for check in found:
        if check.warning:
            say(check.warning)
    raise_open_files()
    result: RunResult | None = None
    try:
        result = trio.run(_Session(plan, outputs, say, staff).main)
    except* KeyboardInterrupt:  # before the session listens; from within a nursery it comes in a group
        pass
    if result is None:
        raise KeyboardInterrupt
    return result


class _Phase(Enum):
    """What is going on, for whoever wants it to end."""

    PREPARING = "preparing"  # preflight, setup, workers that start
    LOAD = "load"  # with the logins before it, and `finally`
    TEARDOWN = "teardown"
    RESULT = "result"


@dataclass(slots=True)
class _Stops:
    """Who asked the run to end."""

    by_hand: int = 0  # times, in whatever phase
    load: bool = False  # whether the load was going on then
    aborted: Verdict | None = None


class _Session:
    def __init__(self, plan: Plan, outputs: Sequence[Output], say: Callable[[str], None], staff: Staff) -> None:
        self._plan = plan
        self._staff = staff
        self._clock = time.perf_counter
        self._run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{random_source.token_hex(3)}"
        self._recorder = Recorder(self._clock(), keep=staff.share is not None)
        self._transport = Transport()
        self._stops = _Stops()
        self._abort = AbortWatch(plan.gates)
        self._say: Callable[[str], None] = lambda message: say(printable(plan.secrets.mask(message)))
        self._talk = Talk(self._say)
        self._engine = RunEngine(
            plan,
            recorder=self._recorder,
            client=self._transport.client,
            receiving=self._transport.receiving,
            say=self._talk.say,
            segment=staff.segment,
        )
        self._crew = self._make_crew()
        self._steering = Steering(
            plan,
            self._crew,
            self._run_id,
            self._stop_by_hand,
            division=staff.division,
            folder=str(Path(staff.bundle.flows[0]).resolve().parent) if staff.bundle.flows else "",
            clock=self._clock,
        )
        self._outputs = Feeding(outputs, self._say)
        self._phase = _Phase.PREPARING
        self._scope = trio.CancelScope()  # of this phase
        self._began: datetime | None = None

    def _make_crew(self) -> Crew:
        staff = self._staff
        if staff.workers == 1:
            return LocalCrew(self._engine, self._recorder, clock=self._clock)
        return WorkerCrew(
            staff.workers,
            staff.bundle,
            self._engine,
            self._recorder,
            segment=staff.segment,
            say=self._say,
            keep=staff.share is not None,
            clock=self._clock,
        )

    async def main(self) -> RunResult:
        result: RunResult | None = None
        refused: VezaflowError | None = None
        async with trio.open_nursery() as listening:
            await listening.start(self._listen)
            try:
                result = self._result(await self._run())
            except VezaflowError as e:
                refused = e
            listening.cancel_scope.cancel()
        if refused is not None:
            mask = self._plan.secrets.mask
            raise VezaflowError(mask(refused.message), hint=mask(refused.hint), code=refused.code) from None
        assert result is not None
        return result

    async def _run(self) -> str:
        """All phases, with what they stand on. Returns what went wrong in teardown, or ''."""
        refused: VezaflowError | None = None
        problem = ""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._transport.run)
            await nursery.start(self._engine.wheel.run)
            if trouble := await nursery.start(serve, self._steering, self._run_id):
                self._talk.say(trouble)
            try:
                problem = await self._phases()
            except VezaflowError as e:
                refused = e
            nursery.cancel_scope.cancel()
        if refused is not None:
            raise refused
        return problem

    async def _phases(self) -> str:
        """Preflight, setup, load, teardown. Returns what went wrong in teardown, or ''."""
        with self._scope:
            await self._engine.preflight()
            await self._engine.setup()
        if not self._stops.by_hand:
            await self._load()
        if self._began is None:
            raise VezaflowError("stopped before any load was sent", code=ExitCode.INTERRUPTED)
        return await self._teardown()

    async def _teardown(self) -> str:
        """What went wrong, or ''."""
        problem = "aborted manually"
        self._phase, self._scope = _Phase.TEARDOWN, trio.CancelScope()
        with self._scope:
            problem = await self._engine.teardown()
        self._phase = _Phase.RESULT
        return problem

    async def _load(self) -> None:
        self._scope = trio.CancelScope()
        refused: VezaflowError | None = None
        async with trio.open_nursery() as outputs:
            try:
                async with trio.open_nursery() as watchers:
                    with self._scope:
                        try:
                            await self._crew.load(lambda begin: self._begin(begin, watchers, outputs))
                        except VezaflowError as e:
                            refused = e
                    watchers.cancel_scope.cancel()
            finally:
                if self._began is not None:
                    self._steering.end()
                self._talk.rest()
            if self._began is not None:
                await self._end_outputs()
            outputs.cancel_scope.cancel()
        if refused is not None:
            raise refused

    def _begin(self, begin: float, watchers: trio.Nursery, outputs: trio.Nursery) -> None:
        self._began = datetime.now(UTC)
        self._phase = _Phase.LOAD
        self._steering.begin()
        self._outputs.begin(outputs)
        watchers.start_soon(self._watch, begin)

    async def _end_outputs(self) -> None:
        """The load is over: outputs get the last tick, and a moment to send it."""
        self._phase, self._scope = _Phase.TEARDOWN, trio.move_on_after(LAST)
        with self._scope:
            await self._outputs.end(self._tick(self._crew.report(), last=True))
        self._outputs.close()

    async def _watch(self, begin: float) -> None:
        """Once a second: look at the abort gates, feed the outputs."""
        due = begin + self._crew.delay
        while True:
            due += TICK
            await trio.sleep(max(0.0, due - self._clock()))
            self._look()

    def _look(self) -> None:
        report = self._crew.report()
        verdict = None if self._stops.aborted else self._abort.broken(report.seconds, report.summary)
        if verdict is not None:
            self._stops.aborted = verdict
            self._crew.stop(_LAST_GRACE)
        self._talk.rest()
        tick = self._tick(report)
        self._steering.tick(tick)
        self._outputs.tick(tick)

    def _tick(self, report: Report, *, last: bool = False) -> Tick:
        doubts = (doubt_of(self._staff.share),) if self._staff.share is not None else ()
        return tick_of(
            self._plan,
            report.summary,
            report.timeline,
            judge(self._plan.gates, report.summary, seconds=report.seconds, concerns=doubts),
            elapsed=report.seconds,
            health=health_of(report),
            segment=self._staff.segment,
            by_hand=self._steering.notes(),
            last=last,
        )

    async def _listen(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Ctrl-C: running iterations may end. Again: everything ends now. Other signals do as Ctrl-C does."""
        with trio.open_signal_receiver(*_signals()) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGHUP:
                    _leave_terminal()
                self._stop_by_hand()

    def _stop_by_hand(self) -> None:
        self._stops.by_hand += 1
        first = self._stops.by_hand == 1
        match self._phase:
            case _Phase.LOAD if first:
                self._stops.load = True
                self._say("stopping: waiting for running iterations; press Ctrl-C again to stop now")
                self._crew.stop()
            case _Phase.LOAD:
                self._stops.load = True
                self._crew.cut_off()
                self._scope.cancel()
            case _Phase.TEARDOWN if first:
                self._say("load finished, teardown is running; press Ctrl-C again to abort it")
            case _Phase.PREPARING | _Phase.TEARDOWN:
                self._scope.cancel()
            case _Phase.RESULT:
                pass  # it takes a moment, and is what the load was for

    def _result(self, problem: str) -> RunResult:
        assert self._began is not None
        aborted = self._stops.aborted
        run = Circumstances(
            run_id=self._run_id,
            began=self._began,
            interrupted=self._stops.load,
            aborted=aborted.gate.text if aborted else "",
            notes=(
                *self._steering.notes(),
                *self._outputs.notes(),
                *((f"teardown: {problem}",) if problem else ()),
            ),
        )
        report = replace(self._crew.report(), timeline=self._crew.timeline())
        doubts = tuple(self._steering.concerns())
        if self._staff.share is None:
            return result_of(self._plan, report, run, doubts)
        share = Share(self._staff.share, self._staff.bundle, report, self._crew.moments())
        return share_of_run(self._plan, share, run, doubts)


def _signals() -> tuple[signal.Signals, ...]:
    """What ends a run. `nohup` has the end of the terminal ignored, and it stays so."""
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGINT, signal.SIGTERM, *hangup)


def _leave_terminal() -> None:
    """Let standard output and error go nowhere where their terminal is gone: each write would fail."""
    for stream in (1, 2):
        try:
            gone = stat.S_ISCHR(os.fstat(stream).st_mode) and not os.isatty(stream)
        except OSError:  # closed
            continue
        if gone:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream)
            os.close(nowhere)
