"""Who puts the load on: this process alone, or worker processes. The session talks to either by the same few methods,
so that gates, outputs and reports exist once. Local is a cluster of one, without a message in between.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import trio

from vezaflow.engine import RunEngine
from vezaflow.metrics import Aged, Recorder, Records, Summary, Timeline
from vezaflow.samples import SampleWriter
from vezaflow.scale.machines import MachinePart
from vezaflow.scale.report import Json, Report, WorkerState

OnBegin = Callable[[float], None]


class Workers(Protocol):
    """Puts one load on. What steers it may be called at any time, also before the load."""

    delay: float
    """Seconds that a second's figures take to arrive here."""

    async def load(self, on_begin: OnBegin) -> None:
        """Put the load on, to its end; `on_begin` is called with the moment on the clock at which it begins.
        Raises VezaflowError before that where it can't begin. Cancelled, it ends at once and keeps what it has."""
        ...

    def report(self) -> Report:
        """How it stands, or stood when it ended, with the last seconds of its timeline. Called once a second, and when
        what comes after the load is over."""
        ...

    def figures(self) -> tuple[float, Summary]:
        """How many seconds of the load the newest figures cover of all workers, and these: up to this moment, or as
        workers last reported."""
        ...

    def timeline(self) -> Timeline:
        """How the load went that has ended."""
        ...

    def machines(self) -> Sequence[MachinePart]:
        """What each machine measured; nothing where there is only this one."""
        ...

    def moments(self) -> Sequence[Json]:
        """The timeline with its times, for the file of a segment (metrics.Moment as JSON)."""
        ...

    def stop(self, graceful_stop: float | None = None) -> None:
        """Begin nothing new; what runs may end within so many seconds (None: each flow's own)."""
        ...

    def cut_off(self) -> None:
        """Have no VU run its `finally` any more; called before `load` is cancelled by hand."""
        ...

    def pause(self, flow: str | None = None) -> None: ...

    def resume(self, flow: str | None = None) -> None: ...

    def scale(self, flow: str, vus: int) -> None: ...


class LocalWorker:
    """This process is the only worker."""

    delay = 0.0

    def __init__(
        self,
        engine: RunEngine,
        recorder: Recorder,
        *,
        clock: Callable[[], float] = time.perf_counter,
        samples: SampleWriter | None = None,
    ) -> None:
        """`samples`: what the recorder hands its samples to."""
        self._samples = samples
        self._engine = engine
        self._recorder = recorder
        self._clock = clock
        self._begun = self._ended = clock()
        self._running = False
        self._moments = Aged(Records)
        self._latest = recorder.latest()
        self._timeline = Timeline()
        self._vitals = engine.health.vitals()
        self.stop = engine.stop
        self.cut_off = engine.cut_off
        self.pause = engine.pause
        self.resume = engine.resume
        self.scale = engine.scale

    async def load(self, on_begin: OnBegin) -> None:
        with swift_memory():
            self._begun = self._clock()
            self._recorder.begin(self._begun)
            if self._samples is not None:
                self._samples.begin(self._begun, time.time())
            self._running = True
            on_begin(self._begun)
            try:
                async with trio.open_nursery() as nursery:
                    await nursery.start(self._engine.health.run)
                    await self._engine.load(self._begun)
                    nursery.cancel_scope.cancel()
            finally:
                self.report()
                self._timeline = self._recorder.timeline()
                self._running = False
                if self._samples is not None:
                    await closed(self._samples)

    def report(self) -> Report:
        self._recorder.fold(self._clock())
        if self._running:
            self._ended = self._clock()
            self._latest = self._recorder.latest()
            for moment in self._recorder.moments()[1]:
                self._moments.take(moment)
            self._vitals = self._engine.health.vitals()
        return Report(
            self._ended - self._begun,
            self._recorder.snapshot(),
            self._latest,
            {run.flow.name: run.delivered for run in self._engine.flows},
            (WorkerState("1", self._vitals),),
            self._engine.incidents.items,
            () if self._samples is None else self._samples.notes(),
        )

    def figures(self) -> tuple[float, Summary]:
        now = self._clock()
        return (now if self._running else self._ended) - self._begun, self._recorder.cut(now)

    def timeline(self) -> Timeline:
        return self._timeline

    def machines(self) -> Sequence[MachinePart]:
        return ()

    def moments(self) -> Sequence[Json]:
        return tuple(moment for _, moment in self._moments.items())


async def closed(samples: SampleWriter) -> None:
    """Have the samples written that are left, whatever else ends; it takes a bounded time."""
    with trio.CancelScope(shield=True):
        await trio.to_thread.run_sync(samples.close)


@contextmanager
def swift_memory() -> Iterator[None]:
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
