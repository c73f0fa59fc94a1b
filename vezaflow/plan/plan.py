"""The plan: everything that a run will do, decided. Data only; the engine is the behaviour."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from vezaflow.diagnostics import Span
from vezaflow.model import AuditedPage, AuditMoment, FormFactor
from vezaflow.plan.compiled import Evaluate
from vezaflow.plan.data_sources import PlannedDataSource
from vezaflow.plan.events import PlannedEvent
from vezaflow.plan.forecast import Forecast
from vezaflow.plan.gate import PlannedGate
from vezaflow.plan.inputs import Inputs
from vezaflow.plan.load import PlannedLoad
from vezaflow.plan.notify import Announcements
from vezaflow.plan.observed import PlannedPrometheus
from vezaflow.plan.outgoing import PlannedRequest
from vezaflow.plan.outputs import PlannedOutput
from vezaflow.plan.steps import PlannedStep
from vezaflow.plan.targets import Targets
from vezaflow.plan.traces import PlannedTrace
from vezaflow.plan.walk import own_clients, requests_of
from vezaflow.protocols import ClientOptions
from vezaflow.redact import Secrets


@dataclass(frozen=True, slots=True)
class Variables:
    """The slots of one scope: what they begin with, and what is computed in the order of its moments."""

    names: tuple[str, ...]  # by slot
    initial: tuple[Any, ...]  # by slot; UNSET where nothing is there yet
    once: tuple[tuple[int, Evaluate], ...]  # before there is a VU
    computed: tuple[tuple[int, Evaluate], ...]  # by each VU when it begins
    reset: bool  # whether iterations set variables, so that each has to begin afresh
    constants: tuple[tuple[str, Any], ...] = ()  # what is no slot, because it never changes


@dataclass(frozen=True, slots=True)
class PlannedFlow:
    name: str
    description: str
    targets: Targets
    load: PlannedLoad
    variables: Variables
    shared: tuple[tuple[int, int], ...]  # (slot of the suite, slot here): what the suite hands to every VU
    data_sources: tuple[tuple[int, PlannedDataSource], ...]  # with the slot that a VU's row stands in
    login: tuple[PlannedStep, ...]
    steps: tuple[PlannedStep, ...]
    final: tuple[PlannedStep, ...]
    think: Evaluate | None
    pace: Evaluate | None
    failure_backoff: float  # seconds, at most; 0: none
    judged_from: float  # seconds after the flow's start
    judge_drain: bool
    client: ClientOptions
    renews: bool  # each iteration has connections of its own
    span: Span  # of the flow's name: where a pause that can't be computed is shown
    trace: PlannedTrace | None = None  # None: no request has a trace context

    @property
    def clients(self) -> tuple[ClientOptions, ...]:
        """All ways in which its VUs connect: the flow's, then those of single steps."""
        return (self.client, *own_clients((*self.login, *self.steps, *self.final)))


@dataclass(frozen=True, slots=True)
class Preflight:
    """What is asked before anything else, and how long a failure is tried again (seconds)."""

    requests: tuple[PlannedRequest, ...]
    total: float
    every: float


@dataclass(frozen=True, slots=True)
class PlannedAudit:
    """Pages that Lighthouse audits. `plan` has one flow: its login, and among its steps a request by the name of each
    page; where it `stores`, the last one's body is the local storage. `hidden`: names of the environment that no
    browser gets. `timeout` in seconds."""

    name: str
    path: str
    moment: AuditMoment | None  # None: without a load
    plan: "Plan"
    pages: tuple[AuditedPage, ...]
    stores: bool
    runs: int
    form_factor: FormFactor
    timeout: float
    gates: tuple[PlannedGate, ...]
    hidden: tuple[str, ...]

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        """What is requested: the login, then a request for each page, which a browser sends."""
        (flow,) = self.plan.flows
        return (*flow.login, *(flow.steps[:-1] if self.stores else flow.steps))

    @property
    def visits(self) -> tuple[tuple[AuditedPage, Forecast], ...]:
        """Its pages, with what is known of the request for each."""
        named = {request.name: request.forecast for request in requests_of(self.steps)}
        return tuple((page, named[page.name]) for page in self.pages)

    def narrowed(self, names: Collection[str], runs: int | None) -> "PlannedAudit":
        """The audit of these pages (of all without names), `runs` times each (None: as often as the file says)."""
        chosen = tuple(page for page in self.pages if not names or page.name in names)
        skipped = {page.name for page in self.pages} - {page.name for page in chosen}
        gates = tuple(gate for gate in self.gates if dict(gate.labels).get("page") not in skipped)
        return replace(self, pages=chosen, gates=gates, runs=self.runs if runs is None else runs)


@dataclass(frozen=True, slots=True)
class Plan:
    suite: str
    description: str
    targets: Targets
    variables: Variables  # of preflight, setup and teardown
    client: ClientOptions
    preflight: Preflight
    setup: tuple[PlannedStep, ...]
    teardown: tuple[PlannedStep, ...]
    flows: tuple[PlannedFlow, ...]
    gates: tuple[PlannedGate, ...]
    inputs: Inputs
    shown_inputs: tuple[tuple[str, str], ...]  # the values that the suite reads, secrets masked
    secrets: Secrets
    guard_vus: int | None = None  # no more VUs than this over all flows, whoever asks
    announcements: Announcements = Announcements()  # noqa: RUF009 (frozen)
    observe: PlannedPrometheus | None = None  # None: nobody is asked for the server's own figures
    events: tuple[PlannedEvent, ...] = ()
    audits: tuple[PlannedAudit, ...] = ()
    outputs: tuple[PlannedOutput, ...] = ()  # where its figures are sent while it is in progress

    @property
    def clients(self) -> tuple[ClientOptions, ...]:
        """All ways in which it connects."""
        happening = tuple(step for event in self.events for step in event.steps)
        around = own_clients((*self.preflight.requests, *self.setup, *happening, *self.teardown))
        return (self.client, *around, *(options for flow in self.flows for options in flow.clients))

    @property
    def base_urls(self) -> tuple[str, ...]:
        """The bases that the flows load, each once."""
        bases = (flow.targets.base for flow in self.flows)
        return tuple(dict.fromkeys(base.url for base in bases if base is not None))

    @property
    def seconds(self) -> float:
        """From the first flow's start to the last one's planned end, graceful stops left out."""
        return max((f.load.start_time + f.load.duration for f in self.flows), default=0.0)

    @property
    def cut_off(self) -> float:
        """When the last iteration that still runs is cut off, graceful stops included."""
        ends = (f.load.start_time + f.load.duration + f.load.graceful_stop for f in self.flows)
        return max(ends, default=0.0)

    @property
    def vus(self) -> int:
        """The most that there can ever be."""
        return sum(flow.load.max_vus for flow in self.flows)
