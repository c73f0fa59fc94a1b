"""Gates that end a run before its time: who says so, and those with `abort: true`, looked at once a second."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from vezaflow.gates.concern import Concern
from vezaflow.gates.figures import LoadFigures
from vezaflow.gates.judge import verdict_of
from vezaflow.gates.verdict import Outcome, Verdict
from vezaflow.metrics import EventWindows, Of, Summary, Window
from vezaflow.plan import PlannedGate


class Aborts(Protocol):
    """Who says that a run is to be aborted."""

    def broken(self, elapsed: float, summary: Summary, *, events: EventWindows | None = None) -> Verdict | None:
        """The gate that broke; None while all is well. `elapsed`: seconds of the load. `events`: for gates on what
        happened during them."""
        ...


class AbortWatch:
    """Says when a gate with `abort: true` breaks while the run goes on. Call `broken` once a second."""

    def __init__(self, gates: Iterable[PlannedGate]) -> None:
        self._gates = tuple(gate for gate in gates if gate.abort and not gate.is_elsewhere)
        self._windows = {
            (gate.window, gate.metric, gate.flow): Window(gate.window, gate.metric, gate.flow)
            for gate in self._gates
            if gate.window is not None
        }

    def broken(
        self,
        elapsed: float,
        summary: Summary,
        *,
        concerns: Sequence[Concern] = (),
        events: EventWindows | None = None,
    ) -> Verdict | None:
        """The first abort gate that is red after its delay, over its window; None while all is well."""
        for window in self._windows.values():
            window.push(elapsed, summary)
        views: dict[object, Summary] = {}
        for gate in self._gates:
            if elapsed < gate.delay:
                continue
            view = summary
            if gate.window is not None:
                scope = (gate.window, gate.metric, gate.flow)
                if scope not in views:
                    views[scope] = self._windows[scope].view()
                view = views[scope]
            seconds = elapsed if gate.known.of is Of.EVENTS else None
            verdict = verdict_of(gate, LoadFigures(view, seconds, events), concerns)
            if verdict.outcome is Outcome.RED:
                return verdict
        return None
