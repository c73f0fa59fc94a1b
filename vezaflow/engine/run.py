"""One run in one process: preflight, setup, the flows side by side, teardown.

The engine knows plans, samples and time. It knows no gates, no outputs and no files: `session` listens to it and may
call `stop`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import inf
from typing import Any

import trio

from vezaflow.engine.context import FlowContext, Observer
from vezaflow.engine.deliveries import Deliveries
from vezaflow.engine.flow import FlowRun
from vezaflow.engine.health import HealthMonitor
from vezaflow.engine.incidents import Incidents
from vezaflow.engine.interpreter import Interpreter
from vezaflow.engine.rooms import SocketRooms
from vezaflow.engine.rows import DataSources
from vezaflow.engine.tracing import Tracer, TracingClient
from vezaflow.engine.vu import VU, Signal
from vezaflow.engine.wheel import Wheel
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.metrics import Phase, Recorder
from vezaflow.plan import UNSET, Chance, EvaluationError, Plan, PlannedFlow, PlannedStep, Scope, Segment, Targets
from vezaflow.protocols import ClientOptions, Receiving, Sender

Handed = Mapping[str, Mapping[int, Any]]  # flow → slot → value
SUITE = ""  # the flow's name in the metrics of preflight, setup and teardown


class RunEngine:
    """Interprets one plan. Use its phases in their order inside `async with trio.open_nursery()`."""

    def __init__(
        self,
        plan: Plan,
        *,
        recorder: Recorder,
        client: Callable[[ClientOptions], Sender],
        clock: Callable[[], float] = time.perf_counter,
        observer: Observer | None = None,
        say: Callable[[str], None] = lambda _message: None,
        segment: Segment | None = None,
        handed: Handed | None = None,
        receiving: Callable[[], Receiving] = Receiving,
        elsewhere: Deliveries | None = None,
    ) -> None:
        """`handed`: what another process's setup gives to the flows; without it this engine's own.
        `receiving`: by which clock the clients' responses are stamped. `elsewhere`: what VUs of other processes send to
        rooms."""
        self.plan = plan
        self.incidents = Incidents()
        self.wheel = Wheel(clock)
        self.health = HealthMonitor(clock, receiving=receiving)
        self.flows: tuple[FlowRun, ...] = ()
        self._rooms: SocketRooms[Any] = SocketRooms(elsewhere)
        self._recorder = recorder
        self._client = client
        self._clock = clock
        self._observer = observer
        self._say = say
        self._segment = segment or Segment()
        self._data_sources = DataSources(plan.inputs.seed, self._segment)
        self._given = handed
        self._suite_vu: VU | None = None
        self._bystanders = 0
        self.stopped = False

    async def preflight(self) -> None:
        """Ask what is to be asked first. Raises VezaflowError (REFUSED) when it does not succeed in time."""
        preflight = self.plan.preflight
        if not preflight.requests:
            return
        deadline = self._clock() + preflight.total
        while True:
            if await self._suite_steps(preflight.requests, Phase.PREFLIGHT) is None:
                return
            if self._clock() + preflight.every > deadline:
                raise self._refused("preflight failed: no load was sent")
            await trio.sleep(preflight.every)

    async def setup(self) -> None:
        """Run the suite's setup steps, and compute what holds for the run. Raises VezaflowError (REFUSED) when that
        fails."""
        if self.plan.setup and await self._suite_steps(self.plan.setup, Phase.SETUP) is not None:
            raise self._refused("setup failed: no load was sent")
        self.handed()

    async def teardown(self) -> str:
        """Run the suite's teardown steps; returns what went wrong, or ''."""
        if not self.plan.teardown:
            return ""
        return await self._suite_steps(self.plan.teardown, Phase.TEARDOWN) or ""

    def bystander(self) -> VU:
        """A VU for what happens during the load, with the values that setup left; close its client in the end.
        Raises EvaluationError."""
        suite = self._suite_vu = self._suite_vu or self._make_suite_vu()
        self._bystanders += 1
        chance = Chance(f"{self.plan.inputs.seed}::event:{self._bystanders}")
        return VU(list(suite.slots), chance, 0, self._client(self.plan.client))

    async def happen(self, vu: VU, steps: tuple[PlannedStep, ...]) -> str:
        """Run an event's steps once; returns what went wrong, or ''. What fails is an incident as any other."""
        incidents = Incidents()
        context = replace(self._context(SUITE, self.plan.targets, Phase.EVENT), incidents=incidents)
        vu.failed = False
        try:
            signal = await Interpreter(context).flow(steps)(vu)
        finally:
            self.incidents.take(incidents)
        if vu.failed or signal == Signal.FAIL:
            return next((f"{i.step}: {i.message}" for i in incidents.items), "a step failed")
        return ""

    def handed(self) -> Handed:
        """What setup gives to each flow's VUs, and what is computed once for all of them."""
        if self._given is None:
            try:
                self._given = {flow.name: self._handed(flow) for flow in self.plan.flows}
            except EvaluationError as e:
                message = f"`vars` can't be computed: {e.message} ({e.span}); no load was sent"
                raise VezaflowError(message, code=ExitCode.REFUSED) from None
        return self._given

    def _handed(self, flow: PlannedFlow) -> dict[int, Any]:
        given: dict[int, Any] = {}
        if flow.shared:
            vu = self._suite_vu = self._suite_vu or self._make_suite_vu()
            vu.client.close()
            given = {there: vu.slots[here] for here, there in flow.shared if vu.slots[here] is not UNSET}
        slots = [given.get(slot, value) for slot, value in enumerate(flow.variables.initial)]
        scope = Scope(slots, Chance(f"{self.plan.inputs.seed}:{flow.name}"), 0)
        for slot, value in flow.variables.once:
            given[slot] = slots[slot] = value(scope)
        return given

    async def load(self, zero: float) -> None:
        """Run all flows to their end, from `zero` (on the clock) on."""
        self.health.begin()
        self.flows = tuple(self._flow(flow) for flow in self.plan.flows)
        if self.stopped:
            return
        async with trio.open_nursery() as nursery:
            for flow in self.flows:
                nursery.start_soon(flow.run, zero)

    async def rehearse(self, flow: PlannedFlow, limit: float = inf) -> bool:
        """One VU, one iteration of one flow, login and finally with it: `vezaflow try`. The iteration ends after
        `limit` seconds. False: something failed."""
        run = self._flow(flow)
        self.flows = (run,)
        return await run.rehearse(limit)

    async def log_in(self, flow: PlannedFlow) -> VU | None:
        """One VU of a flow, logged in and no more: for what it does elsewhere. None: it could not."""
        return await self._flow(flow).log_in()

    def stop(self, graceful_stop: float | None = None) -> None:
        """Begin nothing new; what runs may end within its graceful stop (seconds; None: each flow's own)."""
        self.stopped = True
        for flow in self.flows:
            flow.stop(graceful_stop)

    def cut_off(self) -> None:
        """Cut off every `finally` that runs, and begin none. Whoever cancels `load` by hand wants that, too."""
        for flow in self.flows:
            flow.cut_off()

    def stop_flow(self, name: str) -> None:
        """Let one flow begin nothing new, as its own `stop` step would."""
        for flow in self._named(name):
            flow.stop()

    def pause(self, flow: str | None = None) -> None:
        """Begin no iteration of a flow (None: of all) until `resume`; the time goes on."""
        for run in self._named(flow):
            run.pause()

    def resume(self, flow: str | None = None) -> None:
        for run in self._named(flow):
            run.resume()

    def scale(self, flow: str, vus: int) -> None:
        """Give a flow so many VUs from now on, of all segments together."""
        for run in self._named(flow):
            run.scale(vus)

    def _named(self, name: str | None) -> Iterator[FlowRun]:
        return (run for run in self.flows if name in (None, run.flow.name))

    def _flow(self, flow: PlannedFlow) -> FlowRun:
        return FlowRun(
            flow,
            context=lambda phase: replace(self._context(flow.name, flow.targets, phase), traces=flow.trace is not None),
            wheel=self.wheel,
            client=self._clients(flow),
            shared=self.handed().get(flow.name, {}),
            data_sources=self._data_sources,
            seed=self.plan.inputs.seed,
            stop_run=self.stop,
        )

    def _clients(self, flow: PlannedFlow) -> Callable[[], Sender]:
        """Makes the clients of a flow's VUs. Under somebody's eyes every request has its trace."""
        make, options = self._client, flow.client
        if flow.trace is None:
            return lambda: make(options)
        tracer = Tracer(flow.trace.every if self._observer is None else 1)
        return lambda: TracingClient(make(options), tracer)

    def _context(self, flow: str, targets: Targets, phase: Phase) -> FlowContext:
        return FlowContext(
            flow=flow,
            phase=phase,
            targets=targets,
            recorder=self._recorder,
            incidents=self.incidents,
            clock=self._clock,
            sleep_until=self.wheel.sleep_until,
            observer=self._observer,
            say=self._say,
            seed=f"{self.plan.inputs.seed}:{flow}:{phase.value}",
            segment=self._segment,
            rooms=self._rooms,
        )

    async def _suite_steps(self, steps: tuple[PlannedStep, ...], phase: Phase) -> str | None:
        """Run steps once, in the suite's own scope. None when all went well, else what failed."""
        try:
            vu = self._suite_vu = self._suite_vu or self._make_suite_vu()
        except EvaluationError as e:
            return e.message
        vu.failed = False
        signal = await Interpreter(self._context(SUITE, self.plan.targets, phase)).flow(steps)(vu)
        vu.client.close()
        if vu.failed or signal == Signal.FAIL:
            return next((i.message for i in reversed(self.incidents.items)), "a step failed")
        return None

    def _make_suite_vu(self) -> VU:
        variables = self.plan.variables
        vu = VU(list(variables.initial), Chance(f"{self.plan.inputs.seed}:"), 0, self._client(self.plan.client))
        for slot, value in variables.computed:
            vu.slots[slot] = value(vu)
        return vu

    def _refused(self, message: str) -> VezaflowError:
        reasons = "; ".join(f"{i.step}: {i.message}" for i in self.incidents.items[:3])
        base = self.plan.targets.base
        hint = f"is {base.origin.authority} up?" if base else "is the target up?"
        return VezaflowError(f"{message} ({reasons})" if reasons else message, hint=hint, code=ExitCode.REFUSED)
