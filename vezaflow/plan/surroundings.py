"""What of a suite happens beside its load, as a command asks for it: `run` all of it, `try` nothing."""

from dataclasses import dataclass

from vezaflow.plan.inputs import Inputs
from vezaflow.plan.outputs import NO_OUTS, Outs


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`announces`: others hear of the run, as `grafana` and `notify` say. `observes`: the server's figures are read, as
    `observe` says. `audits`: the inputs of the pages that the run audits; without them it audits none. `outs`: where
    its figures are sent."""

    announces: bool = False
    observes: bool = False
    audits: Inputs | None = None
    outs: Outs = NO_OUTS


NO_SURROUNDINGS = Surroundings()
