"""What another terminal may do to a running test, and what that does to its verdict.

Laws: the guard's `max_vus` holds here too; manual changes are in the result; a run that was paused, or had VUs
taken away, did not deliver the requested load, so it is inconclusive (a gate that broke is red all the same). More VUs
than requested are reported, and prove no less. `status` is made from the last tick, at no cost.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from vezaflow import units
from vezaflow.diagnostics import unknown
from vezaflow.errors import VezaflowError
from vezaflow.gates import Concern, ConcernKind, Verdict
from vezaflow.limits import connection_checks, machine, require
from vezaflow.metrics import as_numbers
from vezaflow.model import Executor
from vezaflow.outputs import FlowNow, Tick
from vezaflow.plan import Division, Plan, PlannedFlow, PlannedLoad

_EVENTS = 5  # that a status has, the last ones
_STOPPING = {  # what one Ctrl-C does in each phase
    "preparing": "stopping before the load",
    "load": "stopping: waiting for running iterations (graceful stop)",
    "ending": "load finished, teardown is running; stop once more to abort it",
}


class LoadControls(Protocol):
    """What may be done to a load, whoever carries it."""

    def pause(self, flow: str | None = None) -> None: ...

    def resume(self, flow: str | None = None) -> None: ...

    def scale(self, flow: str, vus: int) -> None: ...


@dataclass(slots=True)
class _ManualChanges:
    """What was changed manually in one flow. Times in seconds of the load."""

    requested: int
    target: int
    external: bool
    least: int
    paused_at: float | None = None
    paused: float = 0.0
    scaled: tuple[tuple[float, int], ...] = ()

    def pause_until(self, now: float) -> float:
        """Seconds paused so far."""
        return self.paused + (now - self.paused_at if self.paused_at is not None else 0.0)


class Steering:
    """The Controls of a run; the session tells it at once when the load begins and ends, and each tick. `stop` is what
    one Ctrl-C does."""

    def __init__(
        self,
        plan: Plan,
        load: LoadControls,
        run_id: str,
        stop: Callable[[], None],
        *,
        division: Division,
        elsewhere: Callable[[Plan], None] | None = None,
        mark: Callable[[str], str] = lambda _: "",
        folder: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`folder`: the suite's, by which another terminal tells whether it is its own. `mark`: what notes that
        something happened, and says in words what is so now. `elsewhere`: who raises VezaflowError where the machines
        can't have a plan's connections, if they are others than this one."""
        self._elsewhere = elsewhere
        self._mark = mark
        self._folder = folder
        self._plan = plan
        self._load = load
        self._run_id = run_id
        self._stop = stop
        self._division = division
        self._clock = clock
        self._phase = "preparing"
        self._began = clock()
        self._seconds = 0.0
        self._tick: Tick | None = None
        self._changes = {flow.name: _unchanged(flow) for flow in plan.flows}

    # What the session tells it

    def begin(self, at: float) -> None:
        """The load begins at this moment of the clock, which may be to come."""
        self._phase = "load"
        self._began = at

    def tick(self, tick: Tick) -> None:
        self._tick = tick

    def end(self) -> None:
        self._seconds = self._now()
        self._phase = "ending"

    # Controls

    def status(self) -> dict[str, Any]:
        tick = self._tick
        return {
            "run": self._run_id,
            "suite": self._plan.suite,
            "folder": self._folder,
            "flow_names": list(self._changes),
            "pid": os.getpid(),
            "phase": self._phase,
            "elapsed": max(0.0, self._now()),
            "remaining": max(0.0, self._plan.seconds - self._now()),
            "flows": [self._flow(now) for now in tick.flows] if tick else [],
            "pooled": {**_figures(tick.pooled), "vus_requested": self._target()} if tick else None,
            "health": _health(tick) if tick else None,
            "manual_changes": list(self.notes()),
            "events": [happened.line for happened in tick.events[-_EVENTS:]] if tick else [],
        }

    def pause(self, flow: str | None = None) -> str:
        names = self._names(flow)
        self._load.pause(flow)
        for name in names:
            changes = self._changes[name]
            changes.paused_at = self._now() if changes.paused_at is None else changes.paused_at
        return f"{_these(flow)} paused: running iterations finish, no new ones start, the clock keeps running"

    def resume(self, flow: str | None = None) -> str:
        names = self._names(flow)
        if all(self._changes[name].paused_at is None for name in names):
            raise VezaflowError(f"{flow} is not paused" if flow else "nothing is paused")
        self._load.resume(flow)
        for name in names:
            changes = self._changes[name]
            changes.paused, changes.paused_at = changes.pause_until(self._now()), None
        return f"{_these(flow)} resumed"

    def scale(self, flow: str, vus: int) -> str:
        self._names(flow)
        changes = self._changes[flow]
        load = next(planned.load for planned in self._plan.flows if planned.name == flow)
        self._refuse_idle(flow, load)
        if changes.external and vus > load.max_vus:
            raise VezaflowError(f"refused: {flow} allows at most {units.number(load.max_vus)} VUs (`max_vus`)")
        total = self._target() - changes.target + vus
        most = self._plan.guard_vus
        if most is not None and total > most:
            raise VezaflowError(
                f"refused: {units.number(total)} VUs in total, and the suite's guard allows {units.number(most)} "
                "(`max_vus`)"
            )
        self._require(self._with(flow, vus))
        self._load.scale(flow, vus)
        before, changes.target = changes.target, vus
        changes.least = min(changes.least, vus)
        changes.scaled = (*changes.scaled, (self._now(), vus))
        return f"{flow}: {units.number(before)} → {units.number(vus)} VUs"

    def _require(self, plan: Plan) -> None:
        """Raise VezaflowError where whoever carries the load can't have the connections of this one."""
        if self._elsewhere is not None:
            self._elsewhere(plan)
        else:
            require(connection_checks(plan, machine(), self._division))

    def _with(self, scaled: str, vus: int) -> Plan:
        """The plan as it would be carried out with this flow scaled."""
        most = {name: changes.target for name, changes in self._changes.items()} | {scaled: vus}
        flows = (replace(flow, load=replace(flow.load, max_vus=most[flow.name])) for flow in self._plan.flows)
        return replace(self._plan, flows=tuple(flows))

    def mark(self, text: str) -> str:
        if self._phase != "load":
            raise VezaflowError(f"the run is {self._phase}: there is no load to mark")
        self._refuse_early()
        return self._mark(text)

    def stop(self) -> str:
        self._stop()
        return _STOPPING[self._phase]

    # What the result says of it

    def notes(self) -> Iterator[str]:
        """What was changed manually, a line each."""
        now = self._now()
        for name, changes in self._changes.items():
            if paused := changes.pause_until(now):
                was = "has been" if changes.paused_at is not None and self._phase == "load" else "was"
                yield f"{name} {was} paused manually for {units.duration(round(paused, 1))}"
            if changes.scaled:
                steps = ", ".join(
                    f"{units.number(vus)} at {units.duration(round(at, 1))}" for at, vus in changes.scaled
                )
                yield f"{name} was scaled manually from {units.number(changes.requested)} VUs to {steps}"

    def concerns(self) -> Iterator[Concern]:
        """Where the requested load was taken away."""
        now = self._now()
        for name, changes in self._changes.items():
            if changes.external:  # is meant to be steered
                continue
            remedy = "don't change the load during the run, or use the executor `externally-controlled`"
            if paused := changes.pause_until(now):
                text = f"{name}: paused manually for {units.duration(round(paused, 1))}"
                yield Concern(ConcernKind.LOAD_NOT_REACHED, text, remedy, name)
            elif changes.least < changes.requested:
                left = f"{units.number(changes.least)} of {units.number(changes.requested)} VUs"
                text = f"{name}: scaled down manually to {left}"
                yield Concern(ConcernKind.LOAD_NOT_REACHED, text, remedy, name)

    def _now(self) -> float:
        return self._clock() - self._began if self._phase == "load" else self._seconds

    def _names(self, flow: str | None) -> tuple[str, ...]:
        """The flows that are meant. Raises VezaflowError for one that is none, and outside the load."""
        known = tuple(self._changes)
        if flow is not None and flow not in known:
            message, hint = unknown("flow", flow, known)
            raise VezaflowError(message, hint=hint)
        if self._phase != "load":
            raise VezaflowError(f"the run is {self._phase}: there is no load to control")
        self._refuse_early()
        return known if flow is None else (flow,)

    def _refuse_early(self) -> None:
        """Raises VezaflowError where the workers have their orders but the load has not begun: nobody would listen."""
        if self._now() < 0:
            raise VezaflowError(f"the load starts in {units.duration(round(-self._now(), 1))}: try again after that")

    def _refuse_idle(self, flow: str, load: PlannedLoad) -> None:
        """Raises VezaflowError where a flow has not begun, or all its VUs have done what they had to do."""
        now = self._now()
        if now < load.start_time:
            raise VezaflowError(
                f"{flow} starts in {units.duration(round(load.start_time - now, 1))}: scale it after that"
            )
        lasts = load.is_open or load.executor.lasts or self._changes[flow].scaled
        seen = next((each for each in self._tick.flows if each.flow == flow), None) if self._tick else None
        if seen is not None and seen.iterations and not seen.vus and not lasts:
            raise VezaflowError(f"{flow} has finished")

    def _target(self) -> int:
        """How many VUs there shall be by now, of all flows."""
        return sum(changes.target for changes in self._changes.values())

    def _flow(self, now: FlowNow) -> dict[str, Any]:
        changes = self._changes[now.flow]
        return {**_figures(now), "vus_requested": changes.target, "paused": changes.paused_at is not None}


def _unchanged(flow: PlannedFlow) -> _ManualChanges:
    load = flow.load
    vus = load.max_vus if load.is_open else load.vus  # an open load's VUs are as many as it needs: its most is scaled
    return _ManualChanges(vus, vus, load.executor is Executor.EXTERNALLY_CONTROLLED, vus)


def _these(flow: str | None) -> str:
    return "all flows are" if flow is None else f"{flow} is"


def _figures(now: FlowNow) -> dict[str, Any]:
    return {
        "flow": now.flow,
        "vus": now.vus,
        "vus_requested": now.vus_requested,
        "iterations": now.iterations,
        "http_reqs_per_second": now.requests_per_second,
        **as_numbers({"p95": now.p95}),
        "http_req_failed": now.failure_rate,
        "gates": [_gate(verdict) for verdict in now.gates],
    }


def _gate(verdict: Verdict) -> dict[str, Any]:
    return {
        "gate": verdict.gate.text,
        "so_far": verdict.outcome.value,
        "value": verdict.shown,
        "reason": verdict.reason,
    }


def _health(tick: Tick) -> dict[str, Any]:
    vitals = tick.health.vitals
    return {
        "cpu_mean": vitals.cpu_mean,
        "lag_p99": vitals.lag_p99,
        "memory": vitals.memory,
        "load_missing": tick.health.load_missing,
    }
