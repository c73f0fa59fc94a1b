"""A worker process: one segment of every flow, on an event loop and a core of its own.

Laws: it obeys its coordinator and nobody else (Ctrl-C is the coordinator's to pass on); it ends when the coordinator
does, however that ends, and when who relays for it stands still; all that it measured is in its last report. Its
environment holds no input of the run: those come with the bundle, over the socket that is its standard input.
"""

import base64
import ctypes
import math
import os
import pickle
import signal
import socket
import sys
import time
from itertools import count

import trio
import trio.socket

from vezaflow.diagnostics import render_text
from vezaflow.engine import EVERY, PATIENCE, Announced, Deliveries, RunEngine
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.metrics import Recorder, Summary, Timeline
from vezaflow.plan import Bundle, BundleError, Plan, Segment
from vezaflow.protocols import Transport
from vezaflow.samples import SampleFile, SampleWriter
from vezaflow.scale.frames import Channel
from vezaflow.scale.local import closed, swift_memory
from vezaflow.scale.report import Json, Report, WorkerState

TICK = 1.0  # seconds between two reports
BEAT = 0.25  # seconds between two signs of life
SPOKEN = 20  # `log` messages that a report carries
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve the coordinator at the other end of standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    trio.run(_serve, socket.socket(fileno=os.dup(0)))


def _die_with_parent() -> None:
    """Have the kernel end this process with the coordinator; elsewhere than on Linux the closed socket does that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _serve(end: socket.socket) -> None:
    channel = Channel(trio.socket.from_stdlib_socket(end))
    order = await channel.receive()
    if order is None:
        return
    try:
        worker = Worker(channel, order, Bundle.from_json(order["bundle"]).plan())
    except BundleError as e:
        await channel.send(_refusal(render_text(e.diagnostics, colour=False), "", ExitCode.USAGE))
    except VezaflowError as e:
        await channel.send(_refusal(e.message, e.hint, e.code))
    else:
        await worker.run()


def _refusal(message: str, hint: str, code: ExitCode) -> Json:
    return {"is": "refused", "message": message, "hint": hint, "code": int(code)}


class Worker:
    """One segment of a plan, from the start signal to the last report."""

    def __init__(self, channel: Channel, order: Json, plan: Plan) -> None:
        self._channel = channel
        self._number: int = order["number"]
        self._every = order["every"]  # so many ticks
        self._clock = time.perf_counter
        files = [SampleFile(*given).of_worker(self._number) for given in order["samples"]]
        self._samples = SampleWriter(files, plan.secrets.mask) if files else None
        take = self._samples.take if self._samples is not None else None
        self._recorder = Recorder(self._clock(), keep=True, samples=take)
        self._transport = Transport()
        self._elsewhere = Deliveries(plan, self._number)
        self._engine = RunEngine(
            plan,
            recorder=self._recorder,
            client=self._transport.client,
            receiving=self._transport.receiving,
            say=self._say,
            segment=Segment(*order["segment"]),
            handed=pickle.loads(base64.b64decode(order["handed"])),
            elsewhere=self._elsewhere if order["others"] and self._elsewhere else None,
        )
        self._zero: float | None = None
        self._ended: float | None = None
        self._said: list[str] = []
        self._unsaid = 0
        self._start = trio.Event()
        self._load = trio.CancelScope()
        self._told = trio.Event()  # others have announced something
        self._delivers: bool = order["others"] and bool(self._elsewhere)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(self._transport.run)
            await nursery.start(self._engine.wheel.run)
            nursery.start_soon(self._obey, nursery.cancel_scope)
            await self._tell({"is": "ready"})
            nursery.start_soon(self._beat)
            await self._start.wait()
            if self._delivers:
                nursery.start_soon(self._announce)
            with swift_memory():
                await self._whole_load(nursery)
            await self._tell(await self._report(over=True))
            nursery.cancel_scope.cancel()

    async def _whole_load(self, nursery: trio.Nursery) -> None:
        assert self._zero is not None
        with self._load:
            await trio.sleep(max(0.0, self._zero - self._clock()))  # a busy machine may hear of it late
            self._recorder.begin(self._zero)
            if self._samples is not None:
                self._samples.begin(self._zero, time.time() - (self._clock() - self._zero))
            await nursery.start(self._engine.health.run)
            async with trio.open_nursery() as watchers:
                watchers.start_soon(self._watch, self._zero)
                await self._engine.load(self._zero)
                if self._delivers:
                    await self._all_announced()
                watchers.cancel_scope.cancel()
        self._ended = self._clock()
        self._recorder.fold(self._ended)
        if self._samples is not None:
            await closed(self._samples)

    async def _obey(self, everything: trio.CancelScope) -> None:
        """Do as the coordinator says; without it there is nothing to do."""
        patience = math.inf
        while True:
            order = None
            with trio.move_on_after(patience):
                order = await self._channel.receive()
            if order is None:
                break
            match order["do"]:
                case "beat":  # of a relay, which has to give the next in so many seconds
                    patience = order["patience"]
                case "start":
                    self._zero = order["at"]
                    self._start.set()
                case "stop":
                    self._engine.stop(order["grace"])
                case "stop_flow":
                    self._engine.stop_flow(order["flow"])
                case "pause":
                    self._engine.pause(order["flow"])
                case "resume":
                    self._engine.resume(order["flow"])
                case "scale":
                    self._engine.scale(order["flow"], order["vus"])
                case "cut_off":
                    self._engine.cut_off()
                case "cancel":
                    self._load.cancel()
                case "deliver":
                    said: list[Announced] = [pickle.loads(base64.b64decode(text)) for text in order["announced"]]
                    until = order["until"]
                    self._elsewhere.take(said, math.inf if until is None else until, self._clock())
                    self._told.set()
                    self._told = trio.Event()
        everything.cancel()

    async def _announce(self) -> None:
        """Tell the others what was sent to rooms, again and again: they learn from it, too, that there was no more."""
        while True:
            await trio.sleep(EVERY)
            now = self._clock()
            announced = self._elsewhere.announce()
            text = "" if announced is None else base64.b64encode(pickle.dumps(announced)).decode()
            await self._tell({"is": "announced", "until": now, "announced": text})
            self._elsewhere.look(self._clock())

    async def _all_announced(self) -> None:
        """Wait until it is known what others sent to the VUs of this process during its load."""
        over = self._clock()
        with trio.move_on_after(PATIENCE):
            while True:
                self._elsewhere.look(self._clock())
                if self._elsewhere.known >= over:
                    return
                await self._told.wait()

    async def _beat(self) -> None:
        while True:
            await trio.sleep(BEAT)
            await self._tell({"is": "beat"})

    async def _watch(self, zero: float) -> None:
        due = zero
        for tick in count(1):
            due += TICK
            await trio.sleep(max(0.0, due - self._clock()))
            self._recorder.fold(self._clock())
            if (tick + self._number) % self._every:
                continue
            with trio.CancelScope(shield=True):
                await self._tell(await self._report(over=False))

    async def _tell(self, message: Json) -> None:
        """Send a message whole: half of one would spoil all that follow."""
        with trio.CancelScope(shield=True):
            try:
                await self._channel.send(message)
            except trio.BrokenResourceError:
                pass  # the coordinator is gone; `_obey` sees it and ends everything

    async def _report(self, *, over: bool) -> Json:
        """The figures up to the last fold, written down in slices: the VUs don't wait for it."""
        second, moments = self._recorder.moments()
        flows = self._engine.flows
        now = self._clock() if self._ended is None else self._ended
        report = Report(
            now - (self._zero or 0.0),
            self._recorder.snapshot(),
            Timeline(),
            {run.flow.name: run.delivered for run in flows},
            (WorkerState(str(self._number), self._engine.health.vitals()),),
            self._engine.incidents.items,
            () if self._samples is None else self._samples.notes(),
        )
        said, self._said = self._said, []
        unsaid, self._unsaid = self._unsaid, 0
        return {
            "is": "report",
            "over": over,
            "stopped": self._engine.stopped,
            "stopped_flows": [run.flow.name for run in flows if run.stopped],
            "second": second,
            "report": report.to_json(),
            "moments": [moment.to_json() for moment in moments],
            "said": said,
            "unsaid": unsaid,
            "summary": await to_json_slowly(report.summary),
        }

    def _say(self, message: str) -> None:
        if len(self._said) < SPOKEN:
            self._said.append(message)
        else:
            self._unsaid += 1


async def to_json_slowly(summary: Summary) -> Json:
    """Summary.to_json, row by row, with a turn for everybody else between two: at once it would be a stall of 10 ms."""
    record = Summary().to_json()
    for part in record:
        for row in getattr(summary, part).items():
            record[part] += Summary(**{part: dict([row])}).to_json()[part]
            await trio.lowlevel.checkpoint()
    return record
