"""One run, from preflight to result: what runs, in which order, and who may stop it.

A run ends in one of three ways: a RunResult with its verdict, a VezaflowError (refused, or stopped before load), or a
bug. Preflight, setup and teardown happen once, here; the workers carry the load between them. A signal is
heard in every phase; a request to end one phase never ends another, and only a load that was stopped counts as
interrupted.
"""

import os
import secrets as random_source
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

import trio

from vezaflow.audit import Tools, require_tools
from vezaflow.compare import GateBaseline
from vezaflow.control import Steering, serve
from vezaflow.diagnostics import printable
from vezaflow.engine import RunEngine
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.gates import Aborts, AbortWatch, BaselineFigures, Outcome, Verdict, judge, windows_of
from vezaflow.limits import checks, machine, raise_open_files, require, require_addresses
from vezaflow.metrics import Interval, ReadingsKeeper, Recorder, SecondsKeeper, SecondsRecorder, Slicer
from vezaflow.model import AuditMoment
from vezaflow.observe import Observed, unobserved
from vezaflow.outputs import Output, Tick, tick_of
from vezaflow.plan import Bundle, Division, Plan
from vezaflow.protocols import Transport
from vezaflow.results import RunResult, RunStart, health_of, is_level
from vezaflow.samples import SampleFile, SampleWriter
from vezaflow.scale import LocalCrew, LocalWorker, Report, SegmentResult, WorkerProcesses, Workers
from vezaflow.session.announce import Announcer
from vezaflow.session.auditing import Auditing
from vezaflow.session.events import EventRunner
from vezaflow.session.feeding import LAST, Feeding
from vezaflow.session.late_verdict import is_late, send_verdict
from vezaflow.session.log_limiter import LogLimiter
from vezaflow.session.observing import ServerWatch
from vezaflow.session.outcome import Circumstances, result_of
from vezaflow.session.profiling import Profiler
from vezaflow.session.reading import Reader
from vezaflow.session.run_options import NO_OPTIONS, RunOptions
from vezaflow.session.segments import concern_of, segment_result
from vezaflow.session.signals import stop_signals

TICK = 1.0  # seconds between two looks at the gates and ticks of the outputs
_OUTLIVED = "the load ended before this page was audited"
_LAST_GRACE = 5.0  # seconds that flows get when a gate aborts the run


def run(
    plan: Plan,
    bundle: Bundle,
    division: Division,
    outputs: Sequence[Output],
    say: Callable[[str], None],
    options: RunOptions = NO_OPTIONS,
) -> RunResult:
    """Put the load on, judge it. Raises VezaflowError when it is refused or stopped before load."""
    if options.crew is None:
        found = checks(plan, machine(), division)
        require(found)
        require_addresses(plan)
        for check in found:
            if check.warning:
                say(check.warning)
    tools = require_tools(os.environ) if plan.audits else None
    raise_open_files()
    result: RunResult | None = None
    try:
        result = trio.run(_Session(plan, bundle, division, outputs, say, options, tools).main)
    except* KeyboardInterrupt:  # before the session listens; from within a nursery it comes in a group
        pass
    if result is None:
        raise KeyboardInterrupt
    return result


class _Phase(Enum):
    """What is going on, for whoever wants it to end."""

    PREPARING = "preparing"  # preflight, setup, workers that start
    LOAD = "load"  # with the logins before it, and `finally`
    AUDITING = "auditing"  # after the load
    TEARDOWN = "teardown"
    OBSERVING = "observing"  # the server's Prometheus is asked how it was
    RESULT = "result"
    ANNOUNCING = "announcing"  # the verdict, to those who want to hear of it


@dataclass(slots=True)
class _Stops:
    """Who asked the run to end."""

    requests: int = 0  # in whatever phase
    load: bool = False  # whether the load was going on then
    aborted: Verdict | None = None


class _Session:
    def __init__(
        self,
        plan: Plan,
        bundle: Bundle,
        division: Division,
        outputs: Sequence[Output],
        say: Callable[[str], None],
        options: RunOptions,
        tools: Tools | None,
    ) -> None:
        self._plan = plan
        self._options = options
        self._cutter = SecondsRecorder()
        self._seconds = SecondsKeeper()
        self._reader, self._readings = Reader(), ReadingsKeeper()
        self._kept_until = 0.0  # seconds of the load
        self._bundle = bundle
        self._division = division
        self._clock = time.perf_counter
        self._run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{random_source.token_hex(3)}"
        self._sample_files = [
            SampleFile(each.name, each.aim, each.most, each.files) for each in plan.outputs if each.samples
        ]
        alone = division.workers == 1 and self._sample_files
        self._samples = SampleWriter(self._sample_files, plan.secrets.mask) if alone else None
        take = self._samples.take if self._samples is not None else None
        self._recorder = Recorder(self._clock(), keep=division.part is not None, samples=take)
        self._transport = Transport()
        self._stops = _Stops()
        self._abort: Aborts = options.aborts or AbortWatch(plan.gates)
        self._windows = windows_of(plan)
        # Only the segment that carries the events out knows when they happen: each keeps what any time needs.
        self._slicer = Slicer(self._windows.questions if division.part is not None else ())
        self._say: Callable[[str], None] = lambda message: say(printable(plan.secrets.mask(message)))
        self._log = LogLimiter(self._say)
        self._engine = RunEngine(
            plan,
            recorder=self._recorder,
            client=self._transport.client,
            receiving=self._transport.receiving,
            say=self._log.say,
            segment=division.segment,
        )
        self._workers = self._make_workers()
        self._announcer = Announcer(plan.announcements, self._say)
        self._profiler = Profiler(self._run_id, options.profiles, self._say)
        self._events = EventRunner(
            plan.events if division.happens else (),
            self._engine,
            self._windows,
            self._workers.figures,
            until=plan.seconds,
            clock=self._clock,
            say=self._say,
            mask=plan.secrets.mask,
            over=self._announcer.event,
            profiler=self._profiler,
            is_red=self._is_red,
        )
        self._steering = Steering(
            plan,
            self._workers,
            self._run_id,
            self._stop_requested,
            mark=self._events.mark,
            division=division,
            elsewhere=options.crew.require if options.crew is not None else None,
            folder=str(Path(bundle.flows[0]).resolve().parent) if bundle.flows else "",
            clock=self._clock,
        )
        self._outputs = Feeding(outputs, self._say)
        self._unjudged: Tick | None = None  # the last tick, where the verdict comes after it
        self._observer = ServerWatch(plan, division.part)
        here = division.workers if options.crew is None else options.crew.here
        self._auditing = Auditing(plan.audits, tools, self._say, keep=options.audit_reports, workers=max(1, here))
        self._phase = _Phase.PREPARING
        self._scope = trio.CancelScope()  # of this phase
        self._began: datetime | None = None

    def _make_workers(self) -> Workers:
        if self._options.crew is None and self._division.workers == 1:
            return LocalWorker(self._engine, self._recorder, clock=self._clock, samples=self._samples)
        return WorkerProcesses(
            self._options.crew or LocalCrew(self._division.workers, self._bundle),
            self._division,
            self._bundle,
            self._engine,
            self._recorder,
            say=self._say,
            clock=self._clock,
            samples=self._sample_files,
        )

    async def main(self) -> RunResult:
        result: RunResult | None = None
        refused: VezaflowError | None = None
        async with trio.open_nursery() as listening:
            await listening.start(self._listen)
            await listening.start(self._announcer.run)
            await listening.start(self._observer.run)
            try:
                problem = await self._run()
                judged = self._auditing.joined(self._result(problem, await self._observed()))
                result = await self._announced(replace(judged, standing=self._options.standing(judged)))
            except VezaflowError as e:
                refused = e
            listening.cancel_scope.cancel()
        if refused is not None:
            mask = self._plan.secrets.mask
            raise VezaflowError(mask(refused.message), hint=mask(refused.hint), code=refused.code) from None
        assert result is not None
        return result

    async def _observed(self) -> Observed | None:
        """What the server's Prometheus says of the load; None where there is none."""
        if self._plan.observe is None:
            return None
        assert self._began is not None
        self._phase, self._scope = _Phase.OBSERVING, trio.CancelScope()
        observed = unobserved("aborted manually")
        with self._scope:
            if self._stops.requests:
                self._say("load finished, reading the server's figures; press Ctrl-C again to skip them")
            report = self._workers.report()
            found = await self._observer.read(self._began, report.summary, report.seconds)
            observed = observed if found is None else found
        self._phase = _Phase.RESULT
        return observed

    async def _announced(self, result: RunResult) -> RunResult:
        """The result, once all have heard of it who are to hear of it, with a note of who could not be told."""
        self._phase, self._scope = _Phase.ANNOUNCING, trio.CancelScope()
        lost: tuple[str, ...] = ()
        with self._scope:
            if self._unjudged is not None:
                lost = await send_verdict(self._plan, self._unjudged, result, self._say)
            await self._announcer.tell(result)
        notes = [*result.notes, *map(self._plan.secrets.mask, (*lost, *self._announcer.notes))]
        if self._scope.cancelled_caught:
            notes.append("notifications: aborted manually")
        return replace(result, notes=tuple(notes))

    async def _run(self) -> str:
        """All phases, with what they stand on. Returns what went wrong in teardown, or ''."""
        refused: VezaflowError | None = None
        problem = ""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._transport.run)
            await nursery.start(self._engine.wheel.run)
            if trouble := await nursery.start(serve, self._steering, self._run_id):
                self._log.say(trouble)
            try:
                problem = await self._phases()
            except VezaflowError as e:
                refused = e
            nursery.cancel_scope.cancel()
        if refused is not None:
            raise refused
        return problem

    async def _phases(self) -> str:
        """Preflight, setup, load, teardown. Returns what went wrong in teardown, or ''. What setup made is taken away
        also where no load comes of it."""
        prepared = False
        with self._scope:
            await self._engine.preflight()
            await self._engine.setup()
            prepared = True
            await self._auditing.audit(AuditMoment.BEFORE)
        try:
            if not self._stops.requests:
                await self._load()
            if self._began is None:
                raise VezaflowError("stopped before any load was sent", code=ExitCode.INTERRUPTED)
        except VezaflowError:
            if prepared:
                await self._teardown()
            raise
        await self._audit_after()
        return await self._teardown()

    async def _audit_after(self) -> None:
        """The audits that come after the load; a signal ends them."""
        self._phase, self._scope = _Phase.AUDITING, trio.CancelScope()
        self._auditing.left_out(AuditMoment.DURING, _OUTLIVED)
        with self._scope:
            if not self._stops.load:
                await self._auditing.audit(AuditMoment.AFTER)
        self._auditing.left_out(AuditMoment.AFTER, "aborted manually")

    async def _audit_during(self) -> None:
        await self._auditing.audit(AuditMoment.DURING, _OUTLIVED)

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
                            await self._workers.load(lambda begin: self._begin(begin, watchers, outputs))
                        except VezaflowError as e:
                            refused = e
                    watchers.cancel_scope.cancel()
            finally:
                if self._began is not None:
                    self._phase, self._scope = _Phase.TEARDOWN, trio.CancelScope()
                    self._steering.end()
                    with self._scope:
                        await self._events.end()
                self._log.flush()
            if self._began is not None:
                await self._end_outputs()
            outputs.cancel_scope.cancel()
        if refused is not None:
            raise refused

    def _begin(self, begin: float, watchers: trio.Nursery, outputs: trio.Nursery) -> None:
        self._began = datetime.now(UTC) + timedelta(seconds=begin - self._clock())
        plan = self._plan
        self._options.keeper.begin(
            RunStart(
                run_id=self._run_id,
                suite=plan.suite,
                description=plan.secrets.mask(plan.description),
                started=self._began,
                base_url=plan.secrets.mask(", ".join(plan.base_urls)),
                provenance=self._options.provenance,
                bundle=self._bundle.masked(),
                segment=self._division.part,
            )
        )
        self._phase = _Phase.LOAD
        self._steering.begin(begin)
        self._outputs.begin(outputs)
        self._announcer.begin(self._began, self._plan.suite, self._run_id)
        self._observer.begin()
        self._events.begin(begin, watchers)
        watchers.start_soon(self._watch, begin)
        watchers.start_soon(self._audit_during)

    async def _end_outputs(self) -> None:
        """The load is over: outputs get the last tick, and a moment to send it."""
        judged = self._result("", None)
        tick = self._tick(self._workers.report(), judged.verdicts, last=True)
        if is_late(self._plan):
            self._unjudged = tick
        else:
            tick = replace(tick, outcome=judged.outcome)
        self._phase, self._scope = _Phase.TEARDOWN, trio.move_on_after(LAST)
        with self._scope:
            await self._outputs.end(tick)
        self._outputs.close()

    async def _watch(self, begin: float) -> None:
        """Once a second: look at the abort gates, feed the outputs."""
        due = begin + self._workers.delay
        while True:
            due += TICK
            await trio.sleep(max(0.0, due - self._clock()))
            report = self._workers.report()
            if self._windows.judging:
                figures = self._workers.figures()
                self._windows.look(*figures)
                for _ in self._slicer.cut(*figures):
                    await trio.lowlevel.checkpoint()
            self._look(report)
            self._read(report)
            await self._cut(report)

    def _look(self, report: Report) -> None:
        verdict = None
        if not self._stops.aborted:
            verdict = self._abort.broken(report.seconds, report.summary, events=self._windows)
        if verdict is not None:
            self._stops.aborted = verdict
            self._workers.stop(_LAST_GRACE)
        self._log.flush()
        tick = self._tick(report, self._so_far(report))
        self._steering.tick(tick)
        self._outputs.tick(tick)

    def _read(self, report: Report) -> None:
        reading = self._reader.take(report)
        if reading is not None:
            self._readings.put(reading)

    async def _cut(self, report: Report) -> None:
        """Keep what came since the last look, and give way to the load after each step."""
        cutting = self._cutter.cut(report.summary, report.seconds)
        while True:
            try:
                next(cutting)
            except StopIteration as done:
                self._keep(done.value, report)
                return
            await trio.lowlevel.checkpoint()

    def _keep(self, interval: Interval | None, report: Report) -> None:
        if interval is not None:
            points = [point for point in report.timeline.points if point.second > self._kept_until]
            self._kept_until = max((point.second for point in points), default=self._kept_until)
            self._seconds.put(interval)
            self._options.keeper.second(interval, points)

    def _so_far(self, report: Report, baseline: BaselineFigures | None = None) -> tuple[Verdict, ...]:
        """The verdicts if the run ended now."""
        concerns = (concern_of(self._division.part),) if self._division.part is not None else ()
        return judge(
            self._plan.gates,
            report.summary,
            seconds=report.seconds,
            concerns=concerns,
            baseline=baseline,
            windows=self._windows,
        )

    def _is_red(self) -> bool:
        """Whether a gate is broken by now."""
        if self._stops.aborted is not None:
            return True
        report, baseline = self._workers.report(), None
        if self._options.baseline is not None:
            baseline = GateBaseline(self._options.baseline, self._run_id, self._seconds.seconds())
        return any(verdict.outcome is Outcome.RED for verdict in self._so_far(report, baseline))

    def _tick(self, report: Report, verdicts: Sequence[Verdict], *, last: bool = False) -> Tick:
        assert self._began is not None
        commit = self._options.provenance.commit if self._options.provenance is not None else None
        tick = tick_of(
            self._plan,
            report.summary,
            report.timeline,
            verdicts,
            elapsed=report.seconds,
            health=health_of(report),
            segment=self._division.segment,
            manual_changes=self._steering.notes(),
            server=self._observer.now,
            events=self._events.happened(),
            last=last,
        )
        sha = commit.sha if commit is not None else ""
        return replace(tick, began=self._began, suite=self._plan.suite, run_id=self._run_id, commit=sha)

    async def _listen(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Ctrl-C: running iterations may end. Again: everything ends now. Other signals do as Ctrl-C does."""
        with stop_signals() as signals:
            task_status.started()
            async for _ in signals:
                self._stop_requested()

    def _stop_requested(self) -> None:
        self._stops.requests += 1
        first = self._stops.requests == 1
        match self._phase:
            case _Phase.LOAD if first:
                self._stops.load = True
                self._say("stopping: waiting for running iterations; press Ctrl-C again to stop now")
                self._workers.stop()
            case _Phase.LOAD:
                self._stops.load = True
                self._workers.cut_off()
                self._scope.cancel()
            case _Phase.TEARDOWN if first:
                self._say("load finished, teardown is running; press Ctrl-C again to abort it")
            case _Phase.PREPARING | _Phase.AUDITING | _Phase.TEARDOWN | _Phase.OBSERVING | _Phase.ANNOUNCING:
                self._scope.cancel()
            case _Phase.RESULT:
                pass  # it takes a moment, and is what the load was for

    def _changes(self) -> tuple[str, ...]:
        return self._options.provenance.profile.changes if self._options.provenance is not None else ()

    def _result(self, problem: str, observed: Observed | None) -> RunResult:
        assert self._began is not None
        aborted = self._stops.aborted
        report = replace(self._workers.report(), timeline=self._workers.timeline())
        self._keep(self._cutter.take(report.summary, report.seconds), report)
        self._read(report)
        profiles = self._profiler.records(self._plan.gates)
        run = Circumstances(
            run_id=self._run_id,
            began=self._began,
            interrupted=self._stops.load,
            aborted=aborted.gate.text if aborted else "",
            broken=aborted,
            notes=(
                *(change for change in self._changes() if is_level((change,))),
                *self._steering.notes(),
                *self._events.notes(),
                *self._profiler.problems(),
                *self._outputs.notes(),
                *((f"teardown: {problem}",) if problem else ()),
                *(observed.problems if observed is not None else ()),
            ),
            provenance=self._options.provenance,
            baseline=self._options.baseline,
            seconds=self._seconds.seconds(),
            readings=self._readings.readings(),
            manual_changes=tuple(self._steering.notes()),
            observed=observed,
            events=self._events.happened(),
            windows=self._windows,
            profiles=profiles,
            texts=self._bundle.masked().files,
            machines=tuple(self._workers.machines()),
            division=self._division,
        )
        concerns = tuple(self._steering.concerns())
        if self._division.part is None:
            return result_of(self._plan, report, run, concerns)
        for _ in self._slicer.cut(report.seconds, report.summary, last=True):
            pass
        moments, slices = self._workers.moments(), self._slicer.slices()
        part = SegmentResult(self._division.part, self._bundle, report, moments, slices)
        return segment_result(self._plan, part, run, concerns)
