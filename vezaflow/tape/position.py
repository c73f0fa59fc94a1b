"""Which step runs now: how a response finds its request again, whatever else in the flow has changed.

Steps that run side by side are tasks of their own, and each knows its own step.
"""

from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass

from vezaflow.engine import GO_ON, VU, StepPlace
from vezaflow.plan import PlannedStep
from vezaflow.tape.take import Key


@dataclass(slots=True)
class _Run:
    """One run of a step, and the requests that it has sent."""

    step: str
    number: int
    sent: int = 0


class Position:
    """`before` is a hook of the Trace; `next_key` names the request that is sent now."""

    def __init__(self) -> None:
        self._runs: Counter[str] = Counter()
        self._now: ContextVar[_Run] = ContextVar("step")

    async def before(self, step: PlannedStep, _vu: VU, _place: StepPlace) -> int:
        if name := step.name:
            self._runs[name] += 1
            self._now.set(_Run(name, self._runs[name]))
        return GO_ON

    def next_key(self) -> Key:
        run = self._now.get(None) or _Run("", 1)
        run.sent += 1
        return Key(run.step, run.number, run.sent)
