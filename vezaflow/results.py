"""RunResult: the one record of a run. Everything that people see afterwards is a view of it.

Frozen and complete: a report needs nothing else. Secrets are never in it (their inputs read `•••`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vezaflow import units
from vezaflow.diagnostics import Diagnostic
from vezaflow.errors import ExitCode
from vezaflow.gates import Concern, Outcome, Verdict
from vezaflow.metrics import Summary, Timeline
from vezaflow.scale import Share

SCHEMA = 1
MASK = "•••"
CLOCK = (
    "http_req_duration is the time from the request's first byte handed to the kernel to the response's last byte, of "
    "responses that came; requests that timed out rank behind them, with at least the time that they had waited. "
    "time.perf_counter, and where the event loop was late, the kernel's time stamp of the response "
    "(health.receive_clock: kernel). Percentiles are nearest-rank from log-linear histograms, at most 0.1 % off."
)


@dataclass(frozen=True, slots=True)
class FlowAsked:
    """The load that a flow asked for."""

    flow: str
    executor: str
    vus: int
    duration: float  # seconds; of the iteration executors their limit
    iterations: int | None = None
    start_time: float = 0.0
    rate: float | None = None  # of an open model: the most starts per second


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """One process that put on load. `lost` says why it was gone before the end; empty: it was not."""

    name: str
    cpu: float  # share of one core, over the last second
    cpu_mean: float
    cpu_max: float
    lag_p99_ms: float
    lag_max_ms: float
    memory: int
    lost: str = ""
    receive_clock: str = "read"
    late_reads: int = 0
    latest_read_ms: float = 0.0
    away: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """The generator's own state over the load. Lags: how late the event loop came to what was due. Of several workers
    the worst reading of each, and their memory together."""

    cpu_mean: float = 0.0  # share of one core
    cpu_max: float = 0.0
    lag_p99_ms: float = 0.0
    lag_max_ms: float = 0.0
    memory: int = 0  # peak, bytes
    vus_started: int = 0
    receive_clock: str = "read"  # kernel: answers are stamped when they come, read: when the loop reads them
    late_reads: int = 0  # made over 1 ms after the bytes had come; the kernel's stamps have put them right
    latest_read_ms: float = 0.0
    away: float = 0.0  # share of the time that the loop was late for what was due
    held_up: float = 0.0  # the share of users' time that the generator took: as much of the load is missing
    workers: tuple[WorkerHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class Versions:
    vezaflow: str
    python: str
    platform: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run, from its question to its answer. Times in seconds."""

    suite: str
    run_id: str
    started: datetime  # UTC
    seconds: float  # that the load lasted
    outcome: Outcome
    exit_code: ExitCode
    interrupted: bool
    verdicts: tuple[Verdict, ...]
    concerns: tuple[Concern, ...]
    summary: Summary
    timeline: Timeline
    flows: tuple[FlowAsked, ...]
    health: Health
    inputs: tuple[tuple[str, str], ...]  # secrets as MASK
    seed: int | str
    versions: Versions
    base_url: str = ""
    description: str = ""
    aborted: str = ""  # the gate that stopped the run early, as written
    files: tuple[str, ...] = ()  # written beside this record
    notes: tuple[str, ...] = ()  # what else people should know, a line each
    share: Share | None = None  # what merging needs, where the run was one share of a load
    incidents: tuple[Diagnostic, ...] = ()  # what failed, at its place in the YAML; the most frequent first
    clock: str = CLOCK
    schema: int = SCHEMA

    @property
    def broken(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.RED)

    @property
    def unsettled(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.INCONCLUSIVE)

    @property
    def flow_names(self) -> tuple[str, ...]:
        return tuple(asked.flow for asked in self.flows)


def exit_code_of(outcome: Outcome, *, interrupted: bool = False) -> ExitCode:
    """What the shell is told. A run that was stopped by hand says so, unless a gate had broken by then."""
    if outcome is Outcome.RED:
        return ExitCode.RED
    if interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.GREEN if outcome is Outcome.GREEN else ExitCode.INCONCLUSIVE


def headline(outcome: Outcome, verdicts: Sequence[Verdict], concerns: Sequence[Concern]) -> str:
    """The verdict in one line of words."""
    broken = sum(verdict.outcome is Outcome.RED for verdict in verdicts)
    unsettled = sum(verdict.outcome is Outcome.INCONCLUSIVE for verdict in verdicts)
    match outcome:
        case Outcome.GREEN:
            many = "the gate held" if len(verdicts) == 1 else f"all {len(verdicts)} gates held"
            return f"GREEN: may go live, {many}"
        case Outcome.RED:
            return f"RED: {units.counted(broken, 'gate')} broke"
        case Outcome.INCONCLUSIVE:
            if concerns:
                return f"INCONCLUSIVE: {concerns[0].text}"
            return f"INCONCLUSIVE: {units.counted(unsettled, 'gate')} could not be judged"
