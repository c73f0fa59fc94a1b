"""The coordinator's side of every core: leads worker processes, has them begin together, merges what they report.

Laws: each worker has an exact segment of every flow, and all begin at one moment of `time.perf_counter`, which is one
clock for all processes of a machine (links to others translate it). When one is lost the others stop in order, and what
it had reported stays. No worker outlives `load`, however that ends.
"""

import base64
import os
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from math import ceil, inf
from typing import Any, Protocol

import trio

from vezaflow.engine import NO_VITALS, RunEngine
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.metrics import Aged, Merger, Moment, Recorder, Records, Summary, Timeline, merge_all
from vezaflow.plan import Bundle, Division, Plan
from vezaflow.samples import SampleFile
from vezaflow.scale.link import LocalLink, WorkerLink
from vezaflow.scale.local import OnBegin
from vezaflow.scale.losses import losses
from vezaflow.scale.machines import MachinePart
from vezaflow.scale.process import WorkerProcess
from vezaflow.scale.relay import Relay
from vezaflow.scale.report import Json, Report, WorkerState, merged

_LAST_WORDS = 2.0  # seconds for the last reports when the load is cut off
_REPORTS = 100  # of workers that are read a second: each took 2.5 to 5 ms of a core, measured
_NAMED = 3  # of those that were lost before the load
_GRACE = 5.0  # seconds that the others get when one is lost


class Crew(Protocol):
    """Who has the worker processes of a run."""

    delay: float
    """Seconds that a second's figures take to arrive here."""

    head_start: float
    """Seconds between the start signal and the start."""

    @property
    def here(self) -> int:
        """How many of the workers are on this machine."""
        ...

    async def links(self) -> Sequence[WorkerLink]:
        """Start the processes: the ways to workers 1, 2, …"""
        ...

    def machines(self, reports: Mapping[int, Report]) -> Sequence[MachinePart]:
        """What each machine measured, of the reports of its workers; nothing where there is only this one."""
        ...

    def require(self, plan: Plan) -> None:
        """Raise VezaflowError where machines other than this one can't have the connections of a plan."""
        ...


class LocalCrew:
    """Processes of this machine."""

    delay = 0.25
    head_start = 0.1

    def __init__(self, workers: int, bundle: Bundle) -> None:
        self.here = workers
        self._bundle = bundle

    async def links(self) -> Sequence[WorkerLink]:
        environment = _environment(self._bundle)
        await trio.lowlevel.checkpoint()
        return [LocalLink(number, environment) for number in range(1, self.here + 1)]

    def machines(self, reports: Mapping[int, Report]) -> Sequence[MachinePart]:
        return ()

    def require(self, plan: Plan) -> None:
        """There are no others."""


class WorkerProcesses:
    """The worker processes of a division, each with its part of the segment: those of `crew`. `engine` and `recorder`
    are this process's own, for what happens once: preflight, setup, teardown. `say` gets what `log` steps and crashing
    workers say."""

    def __init__(
        self,
        crew: Crew,
        division: Division,
        bundle: Bundle,
        engine: RunEngine,
        recorder: Recorder,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.perf_counter,
        samples: Sequence[SampleFile] = (),
    ) -> None:
        self._samples = [list(astuple(file)) for file in samples]
        self.processes: tuple[WorkerProcess, ...] = ()
        # Who reads more reports than a core can gets each one seldomer, some each second.
        self._every = max(1, ceil(division.workers / _REPORTS))
        self.delay = crew.delay + self._every - 1
        self._crew = crew
        self._division = division
        self._bundle = bundle
        self._sources = bundle.sources  # made once: of 200 workers each second it was a fifth of a core
        self._engine = engine
        self._recorder = recorder
        self._say = say
        self._clock = clock
        self._keep = division.part is not None
        self._merger = Merger(range(1, division.workers + 1))
        self._relay = Relay(range(1, division.workers + 1))
        self._moments = Aged(Records)
        self._reports: dict[int, Report] = {}
        self._running = False
        self._stopping = False
        self._stopped_flows: set[str] = set()
        self._shelter = trio.CancelScope(shield=True)

    async def load(self, on_begin: OnBegin) -> None:
        links = await self._crew.links()
        self.processes = tuple(
            [WorkerProcess(n, link, self._heard, self._announced) for n, link in enumerate(links, 1)]
        )
        if self._stopping:
            self.stop()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._dismiss_when_cancelled)
                with self._shelter:
                    await self._everybody(on_begin)
                nursery.cancel_scope.cancel()
        finally:
            for process in self.processes:
                process.reap()
        if not self._running:
            self._refuse()

    async def _everybody(self, on_begin: OnBegin) -> None:
        async with trio.open_nursery() as nursery:
            for process in self.processes:
                nursery.start_soon(self._attend, process, self._order(process.number))
            for process in self.processes:
                await process.ready.wait()
            if not all(process.alive for process in self.processes):
                nursery.cancel_scope.cancel()
                return
            begin = self._clock() + self._crew.head_start
            self._recorder.begin(begin)
            self._running = True
            self._tell("start", at=begin)
            on_begin(begin)

    def _order(self, number: int) -> Json:
        return {
            "number": number,
            "others": self._division.workers > 1,
            "every": self._every,
            "samples": self._samples,
            "segment": astuple(self._division.parts[number - 1]),
            "bundle": self._bundle.to_json(),
            # values of any plain type, a range or a large number too, from this process to its own child
            "handed": base64.b64encode(pickle.dumps(self._engine.handed())).decode(),
        }

    async def _attend(self, process: WorkerProcess, order: Json) -> None:
        await process.attend(order)
        self._merger.gone(process.number)
        self._relay.gone(process.number)
        self._pass_on()
        self._settle()
        if process.lost and self._running:
            self._say(f"{process.lost}; the other workers are stopped")
            self.stop(_GRACE)
        for line in process.last_words.splitlines():
            self._say(f"worker {process.number}: {line}")

    async def _dismiss_when_cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self._tell("cancel")
            patience = _LAST_WORDS if self._running else 0.0
            self._shelter.deadline = trio.current_time() + patience

    def _refuse(self) -> None:
        """Say why nothing was on_begin."""
        for process in self.processes:
            if (told := process.refusal) is not None:
                raise VezaflowError(told["message"], hint=told["hint"], code=ExitCode(told["code"]))
        workers = [worker for process in self.processes for worker in self._share(process).workers]
        found = list(losses(self._engine.plan.flows, workers, self._division, self.machines()))
        if found:
            parts = [each.text + (f" (it had {each.missing})" if each.missing else "") for each in found[:_NAMED]]
            more = f"; and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
            raise VezaflowError(f"{'; '.join(parts)}{more}, before any load was sent", code=ExitCode.REFUSED)

    def _heard(self, process: WorkerProcess, message: Json) -> None:
        report = Report.from_json(message["report"], Summary.from_json(message["summary"]), self._sources)
        self._reports[process.number] = report
        self._merger.take(process.number, message["second"], [Moment.from_json(m) for m in message["moments"]])
        self._settle()
        for line in message["said"]:
            self._say(line)
        if message["unsaid"]:
            self._say(f"… and {message['unsaid']:,} more messages of `log` steps of worker {process.number}")
        self._follow(message)

    def _announced(self, process: WorkerProcess, message: Json) -> None:
        """A worker has sent messages to rooms, which VUs of others are to get."""
        self._relay.take(process.number, message["announced"], message["until"])
        self._pass_on()

    def _pass_on(self) -> None:
        for number, announced, until in self._relay.due():
            order = {"do": "deliver", "announced": announced, "until": until if until != inf else None}
            self.processes[number - 1].tell(order)

    def _follow(self, message: Json) -> None:
        """A `stop` step that one worker met stops the run, or the flow, for all."""
        if self._stopping:
            return
        if message["stopped"]:
            self.stop()
        for flow in set(message["stopped_flows"]) - self._stopped_flows:
            self._stopped_flows.add(flow)
            self._tell("stop_flow", flow=flow)

    def report(self) -> Report:
        """Everybody's figures, this process's own (preflight, setup, teardown) with them."""
        self._recorder.fold(self._clock())
        shares = [self._share(process) for process in self.processes]
        summary = self._recorder.snapshot()
        latest = self._merger.latest()
        own = Report(0.0, summary, latest, {}, (), self._engine.incidents.items)
        return merged([own, *shares], latest)

    def figures(self) -> tuple[float, Summary]:
        shares = [self._share(process) for process in self.processes]
        # Who reports once in several seconds may be behind: what it has to come would fall into no window.
        alive = [share.seconds for share, process in zip(shares, self.processes, strict=True) if process.alive]
        covered = min(alive) if alive else max((share.seconds for share in shares), default=0.0)
        return covered, merge_all([self._recorder.snapshot(), *(share.summary for share in shares)])

    def timeline(self) -> Timeline:
        return self._merger.timeline()

    def machines(self) -> Sequence[MachinePart]:
        return self._crew.machines({process.number: self._share(process) for process in self.processes})

    def _share(self, process: WorkerProcess) -> Report:
        report = self._reports.get(process.number) or _nothing(process.number)
        return replace(report, workers=tuple([replace(worker, lost=process.lost) for worker in report.workers]))

    def moments(self) -> Sequence[Json]:
        return tuple(moment for _, moment in self._moments.items())

    def _settle(self) -> None:
        settled = self._merger.settled()
        if self._keep:
            for moment in settled:
                self._moments.take(moment)

    def stop(self, graceful_stop: float | None = None) -> None:
        self._stopping = True
        self._tell("stop", grace=graceful_stop)

    def cut_off(self) -> None:
        self._tell("cut_off")

    def pause(self, flow: str | None = None) -> None:
        self._tell("pause", flow=flow)

    def resume(self, flow: str | None = None) -> None:
        self._tell("resume", flow=flow)

    def scale(self, flow: str, vus: int) -> None:
        self._tell("scale", flow=flow, vus=vus)

    def _tell(self, do: str, **details: Any) -> None:
        for process in self.processes:
            process.tell({"do": do, **details})


def _nothing(number: int) -> Report:
    """Of a worker that has not reported yet."""
    return Report(0.0, Summary(), Timeline(), {}, (WorkerState(str(number), NO_VITALS),))


def _environment(bundle: Bundle) -> dict[str, str]:
    """What workers get of this process's environment: all but the run's inputs."""
    return {name: value for name, value in os.environ.items() if name not in bundle.inputs.environment}
