"""Who comes, and when: the `load` of a flow, as written."""

from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.syntax import Expression

MOST_VUS = 10_000_000  # of a flow: a slip of the keys is not planned for minutes
MOST_RATE = 1_000_000.0  # starts per second of a flow: 15 to 50 cores' worth


class Executor(Enum):
    """k6's executors by k6's names."""

    CONSTANT_VUS = "constant-vus"
    RAMPING_VUS = "ramping-vus"
    PER_VU_ITERATIONS = "per-vu-iterations"
    SHARED_ITERATIONS = "shared-iterations"
    CONSTANT_ARRIVAL_RATE = "constant-arrival-rate"
    RAMPING_ARRIVAL_RATE = "ramping-arrival-rate"
    EXTERNALLY_CONTROLLED = "externally-controlled"

    @property
    def lasts(self) -> bool:
        """Whether a closed flow goes on for its whole duration, also while nobody is there."""
        return self in (Executor.RAMPING_VUS, Executor.EXTERNALLY_CONTROLLED)

    @property
    def is_open(self) -> bool:
        """Whether iterations start when they are due, whatever the target does: an open model."""
        return self in (Executor.CONSTANT_ARRIVAL_RATE, Executor.RAMPING_ARRIVAL_RATE)

    @property
    def is_ramp(self) -> bool:
        """Whether stages say how much there is, and when."""
        return self in (Executor.RAMPING_VUS, Executor.RAMPING_ARRIVAL_RATE)


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a ramp: from where it stands to `target` (VUs, or a RATE) within `duration` (TIME)."""

    duration: Expression
    target: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Load:
    """An executor and its options; an option that is not written, or that the executor doesn't take, is None."""

    executor: Executor
    span: Span
    vus: Expression | None = None  # an integer >= 1; 0 or more for externally-controlled
    duration: Expression | None = None  # TIME; a limit for the iteration executors (`max_duration`, as in k6)
    iterations: Expression | None = None  # integer >= 1
    start_vus: Expression | None = None  # integer >= 0
    rate: Expression | None = None  # RATE
    start_rate: Expression | None = None  # RATE
    stages: tuple[Stage, ...] = ()
    pre_allocated_vus: Expression | None = None  # integer >= 1
    max_vus: Expression | None = None  # integer >= 1
    start_time: Expression | None = None  # TIME after the run's start
    graceful_ramp_down: Expression | None = None  # TIME; 30 s if left out, as in k6
    graceful_stop: Expression | None = None  # TIME; 30 s if left out, as in k6
