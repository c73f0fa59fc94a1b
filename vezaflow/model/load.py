"""Who comes, and when: the `load` of a flow, as written."""

from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.syntax import Expression


class Executor(Enum):
    """k6's executors by k6's names."""

    CONSTANT_VUS = "constant-vus"
    PER_VU_ITERATIONS = "per-vu-iterations"
    SHARED_ITERATIONS = "shared-iterations"


@dataclass(frozen=True, slots=True)
class Load:
    """An executor and its options; an option that the executor doesn't take is None (the reader says so)."""

    executor: Executor
    vus: Expression  # an integer >= 1
    duration: Expression | None  # TIME; for the iteration executors a limit (k6's maxDuration, key `max_duration`)
    iterations: Expression | None  # integer >= 1
    start_time: Expression | None  # TIME after the run's start
    graceful_stop: Expression | None  # TIME; 30 s if left out, as in k6
    span: Span
