"""RunResult: the one record of a run. Everything that people see afterwards is a view of it.

Frozen and complete: a report needs nothing else. Secrets are never in it (their inputs read `•••`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from vezaflow import units
from vezaflow.audit import AuditRecord
from vezaflow.diagnostics import Diagnostic
from vezaflow.engine import Delivered, Vitals, worst
from vezaflow.errors import ExitCode
from vezaflow.gates import Concern, Outcome, Verdict
from vezaflow.metrics import Reading, Seconds, Summary, Timeline
from vezaflow.model import ActionKind, Identity
from vezaflow.observe import Observed
from vezaflow.plan import Bundle, Segment
from vezaflow.profiles import ProfileRecord
from vezaflow.scale import MachineFigures, Report, SegmentResult, WorkerState

SCHEMA = 2
MASK = "•••"
LEVEL = "a level of a capacity search"  # the change of a profile that marks one
_BRIEF = 0.05  # seconds: what is shorter is shown as a moment
CLOCK = (
    "http_req_duration is the time from the request's first byte handed to the kernel to the response's last byte, of "
    "responses that came; requests that timed out rank behind them, with at least the time that they had waited. "
    "time.perf_counter, and where the event loop was late, the kernel's time stamp of the response "
    "(health.receive_clock: kernel). Percentiles are nearest-rank from log-linear histograms, at most 0.1 % off."
)


@dataclass(frozen=True, slots=True)
class RequestedLoad:
    """The load that a flow requests."""

    flow: str
    executor: str
    vus: int
    duration: float  # seconds; of the iteration executors their limit
    iterations: int | None = None
    start_time: float = 0.0
    rate: float | None = None  # of an open model: the most starts per second


@dataclass(frozen=True, slots=True)
class Health:
    """The generator's own state over the load: its processes, and what they cost the load."""

    workers: tuple[WorkerState, ...] = ()
    vus_started: int = 0
    load_missing: float = 0.0  # the share of the VUs' time that the generator took: as much of the load is missing

    @property
    def vitals(self) -> Vitals:
        """Of all processes together."""
        return worst([worker.vitals for worker in self.workers])


def health_of(report: Report) -> Health:
    """How the generator fared."""
    delivered = report.delivered.values()
    return Health(report.workers, sum(each.started for each in delivered), load_missing(delivered))


def load_missing(delivered: Collection[Delivered]) -> float:
    """The share of their time that the generator took of VUs with pauses: as much of their load is missing."""
    lived = sum(each.lived for each in delivered)
    return max(0.0, sum(each.time_lost for each in delivered)) / lived if lived else 0.0


@dataclass(frozen=True, slots=True)
class Versions:
    vezaflow: str
    python: str
    platform: str


@dataclass(frozen=True, slots=True)
class Profile:
    """How much of the suite's load a run asked for. `changes`: how it was turned down, a line each; full without."""

    changes: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        return not self.changes


def is_level(changes: Collection[str]) -> bool:
    """Whether a run with these changes of its profile is one level of a capacity search: no night, and no run of the
    suite's own load."""
    return any(change.startswith(LEVEL) for change in changes)


@dataclass(frozen=True, slots=True)
class Commit:
    """The state of the suite's git repository."""

    sha: str
    dirty: bool  # the tree had changes that were not committed


@dataclass(frozen=True, slots=True)
class Host:
    """The machine that ran it."""

    name: str
    cores: int  # that this process may use
    kernel: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What was run: the test's identity, how much of its load, from which commit, on what."""

    identity: Identity
    profile: Profile
    host: Host
    commit: Commit | None = None  # None: the suite is in no git repository


@dataclass(frozen=True, slots=True)
class Link:
    """A page about the run elsewhere."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened during the load. Times in seconds of the load."""

    name: str  # of a manual mark its text
    kind: ActionKind
    begin: float
    end: float | None  # None: it goes on
    text: str = ""  # what was done, and what was responded
    error: str = ""  # what went wrong; empty: nothing
    undone: float | None = None  # when its `finally` was done; None: it was not, or there is none
    manual: bool = False  # somebody let it happen from another terminal

    @property
    def when(self) -> str:
        """Its time of the load, such as `at 10 s, for 5 s`."""
        began = units.duration(round(self.begin, 2))
        if self.end is None:
            return f"since {began}"
        lasted = self.end - self.begin
        return f"at {began}, for {units.duration(round(lasted, 2))}" if lasted >= _BRIEF else f"at {began}"

    @property
    def what(self) -> str:
        """What was done, and what went wrong, in one line; empty for a mark."""
        return "; ".join(filter(None, (self.text, f"failed: {self.error}" if self.error else "")))

    @property
    def line(self) -> str:
        """All of it in one line."""
        manual = " (manual)" if self.manual else ""
        return f"{self.name} {self.when}{manual}" + (f": {self.what}" if self.what else "")


@dataclass(frozen=True, slots=True)
class EventWindow:
    """A time of the load that gates with `during` judged: from the figures at its begin to those at its end."""

    event: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is known of a run when its load begins. Nothing in it is secret."""

    run_id: str
    suite: str
    description: str
    started: datetime  # UTC
    base_url: str
    provenance: Provenance | None
    bundle: Bundle  # masked
    segment: Segment | None = None  # the run is one segment of a load


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands among others, in a line each; empty: nothing is known of them."""

    night: str = ""  # `night 2 of 3`
    baseline: str = ""  # `no change from the baseline of 5 runs`
    accepted: str = ""  # why the suite is accepted, if it is so with this run and was not before


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run, complete. Times in seconds."""

    suite: str
    run_id: str
    started: datetime  # UTC
    duration: float  # of the load
    outcome: Outcome
    exit_code: ExitCode
    interrupted: bool
    verdicts: tuple[Verdict, ...]
    concerns: tuple[Concern, ...]
    summary: Summary
    timeline: Timeline
    flows: tuple[RequestedLoad, ...]
    health: Health
    inputs: tuple[tuple[str, str], ...]  # secrets as MASK
    seed: int | str
    versions: Versions
    base_url: str = ""
    description: str = ""
    aborted: str = ""  # the gate that stopped the run early, as written
    files: tuple[str, ...] = ()  # written beside this record
    notes: tuple[str, ...] = ()  # what else people should know, a line each
    segment: SegmentResult | None = None  # what merging needs, where the run was one segment of a load
    incidents: tuple[Diagnostic, ...] = ()  # what failed, at its place in the YAML; the most frequent first
    seconds: Seconds = field(default_factory=Seconds)  # each step by the second, for comparing
    readings: tuple[Reading, ...] = ()  # the generator's health and the failures by kind, about by the second
    provenance: Provenance | None = None  # None: of a file from before it was kept
    standing: Standing = Standing()
    manual_changes: tuple[str, ...] = ()  # what was paused or scaled by hand, a line each
    links: tuple[Link, ...] = ()
    observed: Observed | None = None  # the server's own figures; None: nobody was asked for them
    events: tuple[Happened, ...] = ()  # in the order of their begin
    event_windows: tuple[EventWindow, ...] = ()  # where gates asked for them
    audits: tuple[AuditRecord, ...] = ()  # pages that were audited before, during or after the load
    profiles: tuple[ProfileRecord, ...] = ()  # of the server, in the order in which they were taken
    texts: tuple[tuple[str, str], ...] = ()  # paths and texts of the suite's files as they ran, masked
    machines: tuple[MachineFigures, ...] = ()  # of a cluster
    trace_links: tuple[tuple[str, str], ...] = ()  # by flow, the URL of a trace with TRACE_ID in it
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
    """The exit code. A run that was interrupted says so, unless a gate had broken by then."""
    if outcome is Outcome.RED:
        return ExitCode.RED
    if interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.GREEN if outcome is Outcome.GREEN else ExitCode.INCONCLUSIVE


class Words(Enum):
    """What outcomes are called: in the terminal, and in the reports of CI systems."""

    TERMINAL = ("GREEN: may go live, ", "held", "RED: ", "broke")
    REPORT = ("PASSED: ", "passed", "FAILED: ", "failed")


def headline(
    outcome: Outcome, verdicts: Sequence[Verdict], concerns: Sequence[Concern], words: Words = Words.TERMINAL
) -> str:
    """The verdict in one line."""
    green, held, red, broke = words.value
    broken = sum(verdict.outcome is Outcome.RED for verdict in verdicts)
    unsettled = sum(verdict.outcome is Outcome.INCONCLUSIVE for verdict in verdicts)
    match outcome:
        case Outcome.GREEN:
            many = "the gate" if len(verdicts) == 1 else f"all {len(verdicts)} gates"
            return f"{green}{many} {held}"
        case Outcome.RED:
            return f"{red}{units.counted(broken, 'gate')} {broke}"
        case Outcome.INCONCLUSIVE:
            if concerns:
                return f"INCONCLUSIVE: {concerns[0].text}"
            return f"INCONCLUSIVE: {units.counted(unsettled, 'gate')} could not be judged"
