"""The suite as written: names and spans resolved, nothing evaluated.

Any value that may hold a `${…}` is an Expression; a constant is a Literal. A tree of values (a `json:` body,
`vars`) is a Tree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path

from vezaflow.diagnostics import Source, Span
from vezaflow.model.audits import AuditedPage, AuditOrder, FormFactor
from vezaflow.model.data import DataSource, Each
from vezaflow.model.events import SuiteEvent
from vezaflow.model.gates import Gate
from vezaflow.model.load import Load
from vezaflow.model.notify import Grafana, Notification
from vezaflow.model.observe import Prometheus
from vezaflow.model.outputs import SuiteOutput
from vezaflow.model.requests import RequestDefaults, Tree
from vezaflow.model.steps import Fragment, Request, Step
from vezaflow.model.traces import Tracing
from vezaflow.syntax import Expression


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    value: Tree
    span: Span  # of the key
    each: Each | None = None  # None: not said, and each VU computes what is not constant


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may be loaded: loopback always, any other host only if a pattern of `allow` matches it."""

    allow: tuple[str, ...] = ()
    max_vus: Expression | None = None


@dataclass(frozen=True, slots=True)
class PreflightRetry:
    """How long a failing preflight is tried again. Expressions of TIME."""

    total: Expression  # the key `for`
    every: Expression


@dataclass(frozen=True, slots=True)
class Measure:
    """Which part of a flow's load its gates judge."""

    skip: Expression | None = None  # TIME from the flow's start that is recorded but not judged
    drain: bool = True  # whether what ends after `duration`, in the graceful stop, is judged


@dataclass(frozen=True, slots=True)
class Accept:
    """When a suite is accepted: that many nights in a row are green. `night`: the clock times of `timezone` from which
    and to which a night is; the same twice for a whole day."""

    nights: int = 3
    timezone: str = "UTC"
    night: tuple[time, time] = (time(12), time(12))
    target: tuple[str, ...] = ()  # patterns of hosts; any host without
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class Ignore:
    """A warning that is let pass, and why. `code` is empty if the comment could not be read."""

    code: str
    reason: str
    span: Span
    line: int | None  # of `span`'s file; None: in all files of the suite


@dataclass(frozen=True, slots=True)
class Flow:
    name: str
    description: str
    load: Load
    vars: tuple[Variable, ...]
    defaults: RequestDefaults
    steps: tuple[Step, ...]
    login: tuple[Step, ...]
    final: tuple[Step, ...]  # the key `finally`
    think: Expression | None  # TIME or Range of TIME, a pause between iterations
    pace: Expression | None  # TIME or Range of TIME, start to start
    gates: tuple[Gate, ...]
    measure: Measure | None  # None: the suite's
    source: Source
    span: Span  # of the name
    base_url: Expression | None = None  # None: the suite's
    data: tuple[DataSource, ...] = ()
    failure_backoff: Expression | None = None  # TIME; 5 s if left out
    trace: Tracing | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """A file of pages that Lighthouse audits. Login and pages are a flow: the login is its `login`, its first steps are
    a GET for each of `pages`, in their order. Behind them, where there is a local storage, is a request that is never
    sent: its body is what belongs into it."""

    path: str  # from the suite's folder
    pages: tuple[AuditedPage, ...]
    flow: Flow
    runs: int
    form_factor: FormFactor
    timeout: Expression | None  # TIME that one run has
    gates: tuple[Gate, ...]

    @property
    def name(self) -> str:
        return self.flow.name


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    description: str
    root: Path  # the folder that `file:` paths are relative to and can't leave
    base_url: Expression | None
    vars: tuple[Variable, ...]
    defaults: RequestDefaults
    secrets: tuple[str, ...]  # names of environment values
    guard: Guard
    preflight: tuple[Request, ...]
    preflight_retry: PreflightRetry | None
    setup: tuple[Step, ...]
    teardown: tuple[Step, ...]
    gates: tuple[Gate, ...]  # pooled over all flows
    each_flow: tuple[Gate, ...]  # inherited by every flow
    measure: Measure
    flows: tuple[Flow, ...]
    sources: Mapping[str, Source] = field(default_factory=dict)  # by path: the texts that this was read from
    secret_spans: tuple[Span, ...] = ()  # where each of `secrets` stands
    ignores: tuple[Ignore, ...] = ()
    fragments: tuple[Fragment, ...] = ()  # all that its steps include, each once
    whole: bool = True  # whether all flows of the folder are in it
    data: tuple[DataSource, ...] = ()  # shared by the flows
    grafana: Grafana | None = None
    notify: tuple[Notification, ...] = ()
    observe: Prometheus | None = None
    outputs: tuple[SuiteOutput, ...] = ()
    accept: Accept = field(default_factory=Accept)
    events: tuple[SuiteEvent, ...] = ()
    trace: Tracing | None = None
    audits: tuple[AuditOrder, ...] = ()  # what a run audits
    audit_files: tuple[Audit, ...] = ()  # all that were read
    unread: bool = False  # whether it has audits that were not read, since no run makes them
