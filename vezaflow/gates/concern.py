"""What stands against trusting a run, whatever its gates say: a Concern, with its remedy."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from vezaflow.metrics import Summary
from vezaflow.plan import PlannedGate


class ConcernKind(Enum):
    """Why a run's figures don't settle the matter."""

    NO_GATES = "no_gates"
    NO_DATA = "no_data"
    SATURATED = "saturated"  # the generator was too busy to keep time
    LOAD_NOT_REACHED = "load_not_reached"
    INTERRUPTED = "interrupted"  # stopped by hand before the end
    SEGMENT = "segment"  # the figures are those of one segment of a load
    WORKER_LOST = "worker_lost"
    DATA_EXHAUSTED = "data_exhausted"


@dataclass(frozen=True, slots=True)
class Concern:
    """What stands against trusting the figures, and what to do. `flow` is empty when it is about all."""

    kind: ConcernKind
    text: str
    remedy: str = ""
    flow: str = ""


def concerns_of(gates: Sequence[PlannedGate], summary: Summary) -> tuple[Concern, ...]:
    """What the figures themselves say against a verdict: no gates, no data."""
    found: list[Concern] = []
    if not _sent(summary, None):
        text, remedy = "no request was sent", "check the load and the steps of the flows: `vezaflow try FLOW`"
        found.append(Concern(ConcernKind.NO_DATA, text, remedy))
    elif not _sent(summary, True):
        text = "no request was evaluated: `measure` excludes all of them"
        found.append(Concern(ConcernKind.NO_DATA, text, "lower `measure: skip`, or use a longer `duration`"))
    if not gates:
        text, remedy = "there are no gates, so nothing was checked", "add `gates` to suite.yml or to a flow"
        found.append(Concern(ConcernKind.NO_GATES, text, remedy))
    return tuple(found)


_LOAD = ("http_reqs", "ws_connection_failures", "sse_connection_failures")


def _sent(summary: Summary, judged: bool | None) -> bool:
    """Whether there was any load: requests, or channels."""
    return any(summary.select(metric, judged=judged).samples for metric in _LOAD)
