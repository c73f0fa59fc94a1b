"""Requests with everything about them decided: how one is made, what is kept of its response, when it is sent again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from vezaflow.diagnostics import Span
from vezaflow.model import Backoff, OnFailure, Sends, Whole
from vezaflow.plan.checks import Failure, PlannedCheck
from vezaflow.plan.compiled import Evaluate
from vezaflow.plan.extractors import PlannedExtract
from vezaflow.plan.forecast import Forecast
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
    """A request is sent again until its response is as asked. `unmet` says why it is not, or nothing."""

    unmet: Callable[[Scope], str]
    every: Evaluate  # seconds, or (low, high)
    within: Evaluate  # seconds
    until_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedPages:
    """A request is sent for one page after the other, as long as its extractions leave something in `found`."""

    slot: int  # what the request goes by; None: it is that of the first page
    found: int  # the slot of what the response leads to; None where nothing comes next
    most: int
    gathered: tuple[tuple[str, int], ...]  # lists that grow from page to page: names and slots
    by_url: bool  # a response says where the next page is, not how to ask for it
    span: Span


@dataclass(frozen=True, slots=True)
class PlannedRequest(Whole):
    """One HTTP request and what is to be made of its response."""

    name: str
    method: str
    prepare: Callable[[Scope], Outgoing]
    move: Move
    varies: bool  # an attempt further on is not the same request: it reads `attempt`
    draws: bool  # how much it draws depends on the target
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
    forecast: Forecast
    span: Span
    upgrades: bool = False  # it opens a WebSocket, and has no figures of a request
    streams: bool = False  # it opens an event stream

    @property
    def shape(self) -> "Sends[PlannedRequest]":
        most = None if self.poll is not None else 1 if self.pages is None else self.pages.most
        waits, by_page = self.poll is not None, self.pages is not None
        return Sends(self, most=most, sent=self.forecast.sends, waits=waits, by_page=by_page)


@dataclass(frozen=True, slots=True)
class PlannedUpload(Whole):
    """The request of each part, which finds its part in a slot."""

    request: PlannedRequest
    slot: int
    parts: tuple[dict[str, Any], ...]
    extracted: tuple[int, ...]  # slots that become lists
    at_once: int
    sends: int  # bytes of all requests, at least
    span: Span

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def shape(self) -> Sends[PlannedRequest]:
        count = len(self.parts)
        return Sends(self.request, count, count, self.at_once, self.sends)
