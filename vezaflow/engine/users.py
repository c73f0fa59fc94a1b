"""A flow's VUs: how one is made, begins, and goes home. Who decides when is a driver: closed.py, open.py.

Laws: `finally` runs once for every VU, shielded and bounded, until `cut_off`. What the target does ends no flow.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

import trio

from vezaflow.engine.context import FlowContext, Observer, Run
from vezaflow.engine.delivered import Delivered
from vezaflow.engine.interpreter import Interpreter
from vezaflow.engine.own_time import LooseTime
from vezaflow.engine.rows import DataSources, NextRow
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import Dropped, FlowRecorder, Phase
from vezaflow.model import AtEnd, Each
from vezaflow.plan import UNSET, Chance, EvaluationError, PlannedDataSource, PlannedFlow, PlannedStep
from vezaflow.protocols import Sender

Sources = Sequence[tuple[int, PlannedDataSource, NextRow]]  # with the slot that a row stands in

FINALLY_LIMIT = 10.0  # seconds that `finally` has for one VU


class Users:
    """The VUs of one PlannedFlow. `body` is one iteration; `obey` is told of a `stop` step's signal."""

    def __init__(
        self,
        flow: PlannedFlow,
        *,
        context: Callable[[Phase], FlowContext],
        client: Callable[[], Sender],
        shared: Mapping[int, object],
        data_sources: DataSources,
        seed: int | str,
        delivered: Delivered,
        obey: Callable[[int], None],
    ) -> None:
        main = context(Phase.ITERATION)
        self.flow = flow
        self.delivered = delivered
        self.record: FlowRecorder = main.flow_recorder
        self.body = _renewing(_block(main, flow.steps)) if flow.renews else _block(main, flow.steps)
        self.obey = obey
        self._clock = main.clock
        self._client = client
        self._seed = seed
        self.jitter = Random(f"{seed}:{flow.name}:failure_backoff")  # of its own: VUs' draws stay what they are
        self._leaving: set[trio.CancelScope] | None = set()  # of each `finally` that runs; None: none may
        self._visits: dict[int, int] = {}  # by number
        self._initial = [shared.get(slot, value) for slot, value in enumerate(flow.variables.initial)]
        self._context = main
        sources = [(slot, data_source, data_sources.of(data_source)) for slot, data_source in flow.data_sources]
        self._of_vu = [source for source in sources if source[1].each is Each.VU]
        self._of_iteration = [source for source in sources if source[1].each is Each.ITERATION]
        self._login = _block(context(Phase.LOGIN), flow.login) if flow.login else None
        self._final = _block(context(Phase.FINALLY), flow.final) if flow.final else None

    @property
    def observer(self) -> Observer | None:
        return self._context.observer

    @property
    def has_login(self) -> bool:
        return self._login is not None

    @property
    def deals_rows(self) -> bool:
        """Whether each iteration is dealt rows."""
        return bool(self._of_iteration)

    def make(self, number: int) -> VU:
        """A user of this number. Who comes again draws anew, so that what was unique stays so."""
        visits = self._visits[number] = self._visits.get(number, 0) + 1
        again = f":{visits}" if visits > 1 else ""
        return VU(list(self._initial), Chance(f"{self._seed}:{self.flow.name}:{number}{again}"), number, self._client())

    def fresh(self, vu: VU) -> list[Any] | None:
        """What the VU's variables are at the begin of each iteration; None where iterations set none."""
        return list(vu.slots) if self.flow.variables.reset else None

    def deal(self, vu: VU) -> bool:
        """Give the VU the rows of its next iteration. False: there is none left, and it goes home."""
        return self._take_rows(vu, self._of_iteration)

    def _take_rows(self, vu: VU, sources: Sources) -> bool:
        for slot, data_source, take in sources:
            number = take(vu)
            if number is None:
                self._exhausted(data_source)
                return False
            row = vu.slots[slot] = data_source.rows.values[number]
            if (observer := self._context.observer) is not None:
                observer.dealt(data_source.name, number, data_source.rows.written(row))
        return True

    def _exhausted(self, data_source: PlannedDataSource) -> None:
        """All rows of a source are dealt, and one was wanted."""
        if data_source.at_end is AtEnd.INCONCLUSIVE:
            self.delivered.exhausted[data_source.name] = self.delivered.exhausted.get(data_source.name, 0) + 1
        self.obey(Signal.STOP_VU if data_source.at_end is AtEnd.STOP_VU else Signal.STOP_FLOW)

    @contextmanager
    def present(self) -> Iterator[None]:
        """While a VU is there."""
        delivered = self.delivered
        delivered.started += 1
        delivered.active += 1
        delivered.most = max(delivered.most, delivered.active)
        self.record.vus = delivered.active
        try:
            yield
        finally:
            delivered.active -= 1
            self.record.vus = delivered.active
            if not delivered.active:
                self.record.left = self._clock()

    async def begin(self, vu: VU) -> bool:
        """Take the VU's own rows, compute its variables and log in. False: it can't begin."""
        if not self._take_rows(vu, self._of_vu):
            vu.absent = True
            return False
        try:
            for slot, value in self.flow.variables.computed:
                if vu.slots[slot] is UNSET:
                    vu.slots[slot] = value(vu)
        except EvaluationError as e:
            self._context.incidents.add("VF605", self.flow.name, "vars", e.message, e.span)
            self._context.uncomputed(e)
            self.delivered.login_failed += 1
            return False
        if self._login is not None:
            signal = await self._login(vu)
            if signal in (Signal.FAIL, Signal.STOP_VU):
                self.delivered.login_failed += 1
                return False
            if signal > Signal.STOP_VU:
                self.obey(signal)
                return False
        vu.turn = 1
        return True

    async def finish(self, vu: VU) -> None:
        vu.time = LooseTime()
        if self._final is None or vu.absent or self._leaving is None:
            return
        with trio.move_on_after(FINALLY_LIMIT, shield=True) as scope:
            self._leaving.add(scope)
            try:
                vu.turn += 1
                vu.random = vu.random.last()
                await self._final(vu)
            finally:
                if self._leaving is not None:
                    self._leaving.discard(scope)
        if scope.cancelled_caught and self._context.observer is not None:
            vu.failed = True
            self._context.observer.said(f"finally: aborted after {FINALLY_LIMIT:g} s")

    def cut_off(self) -> None:
        """Cut off every `finally` that runs, and begin none."""
        leaving, self._leaving = self._leaving or set(), None
        for scope in leaving:
            scope.cancel()

    def drop(self, reason: Dropped, count: int = 1) -> None:
        """So many iterations that were due could not be started."""
        self.delivered.drop(reason, count)
        self.record.dropped(reason.value, count)


@contextmanager
def closing(client: Sender) -> Iterator[None]:
    try:
        yield
    finally:
        client.close()


def _renewing(body: Run) -> Run:
    """An iteration that begins without connections, whatever login left, and leaves none."""

    async def run(vu: VU) -> int:
        vu.client.close()
        signal = await body(vu)
        vu.client.close()
        return signal

    return run


def _block(context: FlowContext, steps: tuple[PlannedStep, ...]) -> Run:
    return Interpreter(context).flow(steps)
