"""Steps with everything about them decided: data and callables, ready for the engine to interpret.

One dataclass a kind, mirroring model/steps.py; slots instead of names, callables instead of expressions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from vezaflow.diagnostics import Span
from vezaflow.model import Backoff, OnFailure
from vezaflow.plan.checks import Failure, PlannedCheck
from vezaflow.plan.evaluate import Evaluate
from vezaflow.plan.extractors import PlannedExtract
from vezaflow.plan.foreseen import Foreseen
from vezaflow.plan.scope import Scope
from vezaflow.plan.targets import Target
from vezaflow.protocols import Body, ClientOptions, ErrorKind, RequestOptions


class Outgoing(NamedTuple):
    """A request as it goes out: all the bytes of its head with its blank line, and its body."""

    target: Target
    head: bytes
    body: Body

    @property
    def method(self) -> str:
        return self.head.partition(b" ")[0].decode()


class Move(Protocol):
    """Sends what was sent on to another target, as a GET without a body or as it is. Raises RequestError."""

    def __call__(self, sent: Outgoing, target: Target, *, to_get: bool) -> Outgoing: ...


@dataclass(frozen=True, slots=True)
class PlannedRetry:
    """When a request is sent again, how often, and after how long."""

    statuses: bytes  # statuses[status] is 1 where the request is sent again
    kinds: frozenset[ErrorKind]
    most: int  # attempts beyond the first
    backoff: Backoff
    wait: Evaluate  # seconds, or (low, high): by the backoff's meaning
    longest: float
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedPoll:
    """A request is sent again until its answer is as asked. `unmet` says why it is not, or nothing."""

    unmet: Callable[[Scope], str]
    every: Evaluate  # seconds, or (low, high)
    within: Evaluate  # seconds
    until_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedPages:
    """A request is sent for one page after the other, as long as its extractions leave something in `found`."""

    slot: int  # what the request goes by; None: it is that of the first page
    found: int  # the slot of what the answer leads to; None where nothing comes next
    most: int
    gathered: tuple[tuple[str, int], ...]  # lists that grow from page to page: names and slots
    by_url: bool  # an answer says where the next page is, not how to ask for it
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One HTTP request and what is to be made of its answer."""

    name: str
    method: str
    prepare: Callable[[Scope], Outgoing]
    move: Move
    varies: bool  # an attempt further on is not the same request: it reads `attempt`
    options: RequestOptions
    accepts: bytes  # accepts[status] is 1 where the status is as expected
    explicit: frozenset[int]  # statuses that `expect` names one by one: a redirect among them is not followed
    status_failure: Callable[[int], Failure]
    checks: tuple[PlannedCheck, ...]
    extracts: tuple[PlannedExtract, ...]
    follow: int
    on_failure: OnFailure
    tags: tuple[tuple[str, str], ...]
    retry: PlannedRetry | None
    poll: PlannedPoll | None
    pages: PlannedPages | None
    client: ClientOptions | None  # how it connects; None: as its flow does
    foreseen: Foreseen
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedUpload:
    """The request of each part, which finds its part in a slot."""

    request: PlannedRequest
    slot: int
    parts: tuple[dict[str, Any], ...]
    extracted: tuple[int, ...]  # slots that become lists
    at_once: int
    sends: int  # bytes of all requests, at least
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedThink:
    duration: Evaluate  # seconds, or (low, high)
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedChoose:
    weights: tuple[int, ...]
    branches: tuple[tuple["PlannedStep", ...], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedRepeat:
    times: Evaluate
    steps: tuple["PlannedStep", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedFor:
    slot: int
    items: Evaluate
    at_once: int  # rounds at the same time
    sets: tuple[int, ...]  # the slots that a round sets
    steps: tuple["PlannedStep", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedWhile:
    condition: Evaluate
    most: Evaluate
    steps: tuple["PlannedStep", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedIf:
    condition: Evaluate
    then: tuple["PlannedStep", ...]
    otherwise: tuple["PlannedStep", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    name: str
    steps: tuple["PlannedStep", ...]
    span: Span


class PlannedBranch(NamedTuple):
    """One of the ways of a `parallel`, and the slots that it sets."""

    steps: tuple["PlannedStep", ...]
    sets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlannedParallel:
    branches: tuple[PlannedBranch, ...]
    name: str  # of its own figures; empty: there are none
    per_host: int  # requests on their way together, at most
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedSet:
    values: tuple[tuple[int, Evaluate], ...]
    names: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedLog:
    message: Callable[[Scope], str]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedSkip:
    reason: Callable[[Scope], Any]
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedStop:
    scope: str  # vu | flow | run
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedInclude:
    """A fragment's steps. Before them its inputs are set and what it set the last time is forgotten."""

    path: str
    inputs: tuple[tuple[int, Evaluate], ...]
    own: tuple[int, ...]
    steps: tuple["PlannedStep", ...]
    outputs: tuple[tuple[int, int], ...]  # slot in the fragment, slot outside
    path_span: Span
    span: Span


PlannedStep = (
    PlannedRequest
    | PlannedInclude
    | PlannedUpload
    | PlannedThink
    | PlannedChoose
    | PlannedRepeat
    | PlannedFor
    | PlannedWhile
    | PlannedIf
    | PlannedGroup
    | PlannedParallel
    | PlannedSet
    | PlannedLog
    | PlannedSkip
    | PlannedStop
)
