"""The request step: prepare, send, judge, extract, record.

The hot path: a request that goes well and whose answer nobody looks into costs one call of `prepare`, one `send` and
one `answered`. Everything else is off that path. No exception leaves a step but cancellation.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from vezaflow import units
from vezaflow.diagnostics import Span
from vezaflow.engine.incidents import Incidents
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import Phase, StepRecorder
from vezaflow.model import OnFailure
from vezaflow.plan import (
    Answer,
    EvaluationError,
    Failure,
    GuardError,
    Outgoing,
    PlannedRequest,
    PlannedStep,
    RequestError,
    Targets,
    UrlError,
)
from vezaflow.protocols import IDEMPOTENT, ClientOptions, ErrorKind, Exchange, Want

Run = Callable[[VU], Awaitable[int]]

GO_ON = Signal.GO_ON
_SIGNALS = {
    OnFailure.END_ITERATION: Signal.FAIL,
    OnFailure.CONTINUE: Signal.GO_ON,
    OnFailure.STOP_VU: Signal.STOP_VU,
}
_TIMEOUTS = frozenset(
    {
        ErrorKind.TIMEOUT_CONNECT,
        ErrorKind.TIMEOUT_TLS,
        ErrorKind.TIMEOUT_SEND,
        ErrorKind.TIMEOUT_WAIT,
        ErrorKind.TIMEOUT_RECEIVE,
    }
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands: in which phase, how deep in blocks, and where its file is included, the nearest first."""

    phase: Phase
    depth: int
    included: tuple[Span, ...]


class Observer(Protocol):
    """Sees every step before it runs and every exchange as it was: how `vezaflow try` shows them. A run under load
    has none."""

    async def before(self, step: PlannedStep, vu: VU, place: Place) -> int:
        """A step is due, and no time that is measured has begun. Any signal but GO_ON is the step's, which is left
        out then."""

    def answered(
        self,
        request: PlannedRequest,
        outgoing: Outgoing,
        exchange: Exchange,
        failure: Failure | None,
        extracted: dict[str, Any],
        included: tuple[Span, ...],
    ) -> None: ...

    def unsent(self, request: PlannedRequest, failure: Failure, included: tuple[Span, ...]) -> None:
        """A request could not be made."""

    def failed(self, failure: Failure, included: tuple[Span, ...]) -> None:
        """What is no request failed, or a request whose last answer was right."""

    def said(self, message: str) -> None:
        """A step has something to say."""

    def set(self, values: dict[str, Any]) -> None:
        """Variables have these values now."""

    def dealt(self, source: str, number: int, row: Any) -> None:
        """The VU has this row (its number from 0) of a data source now."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What request steps of one flow share."""

    flow: str
    targets: Targets
    incidents: Incidents
    clock: Callable[[], float]
    observer: Observer | None
    included: tuple[Span, ...] = ()  # where the file of these steps is included, the nearest place first

    def uncomputed(self, error: EvaluationError) -> Failure:
        """What could not be computed outside of a request, shown to an observer."""
        failure = Failure(ErrorKind.EXPRESSION, "VF605", error.message, error.span)
        if self.observer is not None:
            self.observer.failed(failure, self.included)
        return failure


def say(desk: Desk, message: str) -> None:
    """Tell whoever looks on."""
    if desk.observer is not None:
        desk.observer.said(message)


def request_step(request: PlannedRequest, recorder: StepRecorder, desk: Desk) -> Run:
    """The step as a coroutine function of a VU."""
    prepare, accepts = request.prepare, request.accepts
    answered, connected = recorder.answered, recorder.connected
    follows = request.follow > 0
    looks = Looks(request, recorder, desk)
    options = looks.options
    unwatched = desk.observer is None
    simple = unwatched and not request.checks and not request.extracts

    async def run(vu: VU) -> int:
        try:
            outgoing = prepare(vu)
        except EvaluationError as e:
            return looks.fail(vu, looks.unsent(e))
        exchange = await vu.client.send(outgoing.target.origin, outgoing.head, outgoing.body, options)
        vu.time.own += (exchange.ended - exchange.started if exchange.reused else exchange.took) + HANDLING
        if exchange.error is None and (exchange.status < 300 or exchange.status >= 400 or not follows):
            status = exchange.status
            if simple and accepts[status]:
                if not exchange.reused:
                    connected(exchange.blocked, exchange.connecting, exchange.tls)
                started = exchange.started
                ended = exchange.ended
                answered(
                    status,
                    ended - started,
                    exchange.sent - started,
                    ended - exchange.first,
                    exchange.bytes_sent,
                    exchange.bytes_received,
                )
                return GO_ON
            failure = looks.settle(vu, outgoing, exchange) if unwatched else looks.judge(vu, outgoing, exchange).failure
        else:
            failure = (await looks.outcome(vu, outgoing, exchange)).failure
        return GO_ON if failure is None else looks.fail(vu, failure)

    return run


def connecting_as(options: ClientOptions, step: Run) -> Run:
    """The step with a way to connect that is not its flow's."""

    async def run(vu: VU) -> int:
        usual = vu.client
        vu.client = usual.by(options)
        try:
            return await step(vu)
        finally:
            vu.client = usual

    return run


class Outcome(NamedTuple):
    """What came of a request, redirects followed. `unmet` says why a poll has to go on."""

    failure: Failure | None
    exchange: Exchange | None = None  # None: it could not be sent; else the client's own, until it sends again
    unmet: str = ""


class Looks:
    """All that is not the plain good case: redirects, checks, extractions, failures."""

    def __init__(self, request: PlannedRequest, recorder: StepRecorder, desk: Desk) -> None:
        self._request = request
        self._recorder = recorder
        self._desk = desk
        self._after_failure = _SIGNALS[request.on_failure]
        options = request.options
        self.options = options if desk.observer is None else replace(options, want=_shown(options.want))
        self._within = f" within {units.duration(options.timeout)} (timeout)"

    async def outcome(self, vu: VU, outgoing: Outgoing, exchange: Exchange) -> Outcome:
        """What an exchange comes to, recorded. The VU itself has not failed yet."""
        request = self._request
        hops: list[dict[str, Any]] = []
        options = self.options
        while is_followed(request, exchange):
            if len(hops) == request.follow:
                return Outcome(self._too_many(outgoing, exchange), exchange)
            hops.append({"status": exchange.status, "url": outgoing.target.url, "location": _location(exchange)})
            self._show(outgoing, exchange, None, {})
            self._record(exchange, "")
            try:
                outgoing = self._next(outgoing, exchange)
            except RequestError as e:
                return Outcome(self.unsent(e))
            options = replace(options, replayable=outgoing.method in IDEMPOTENT)
            exchange = await vu.client.send(outgoing.target.origin, outgoing.head, outgoing.body, options)
            vu.time.own += exchange.took + HANDLING
        return self.judge(vu, outgoing, exchange, hops)

    def _next(self, outgoing: Outgoing, exchange: Exchange) -> Outgoing:
        """The request that a redirect asks for (RFC 9110, 15.4), made of the last one: 303, and POST on 301 and 302,
        become GET."""
        try:
            target = self._desk.targets.follow(outgoing.target, _location(exchange))
        except UrlError as e:
            raise RequestError(f"redirect: {e}", self._request.span, ErrorKind.URL) from None
        except GuardError as e:
            raise RequestError(f"redirect: {e}", self._request.span, ErrorKind.GUARD) from None
        method = outgoing.method
        to_get = (exchange.status == 303 and method != "HEAD") or (exchange.status in (301, 302) and method == "POST")
        return self._request.move(outgoing, target, to_get=to_get)

    def settle(self, vu: VU, outgoing: Outgoing, exchange: Exchange) -> Failure | None:
        """As `judge`, of a whole answer to a request that is not polled, while nobody looks on: what nearly all are."""
        request = self._request
        failure = None if request.accepts[exchange.status] else request.status_failure(exchange.status)
        if request.checks or request.extracts:
            vu.answer = Answer(exchange, outgoing.target.url, vu.client)
            failure = self._check(vu, failure) or self._extract(vu)
            vu.answer = None
        if failure is None:
            self._record(exchange, "")
        else:
            self._record(exchange, failure.kind.value, failure.message)
        return failure

    def judge(self, vu: VU, outgoing: Outgoing, exchange: Exchange, hops: Sequence[dict[str, Any]] = ()) -> Outcome:
        """What an exchange that leads nowhere else comes to, recorded."""
        if exchange.error is not None:
            broken = self._broken(exchange)
            self._show(outgoing, exchange, broken, {})
            return Outcome(broken, exchange)
        request = self._request
        vu.answer = None
        accepted = request.accepts[exchange.status]
        failure: Failure | None = None if accepted else request.status_failure(exchange.status)
        unmet = ""
        extracted: dict[str, Any] = {}
        if request.checks or request.extracts or request.poll is not None:
            vu.answer = Answer(exchange, outgoing.target.url, vu.client, hops)
            failure = self._check(vu, failure)
            if failure is None and request.poll is not None:
                unmet = request.poll.unmet(vu)
            if failure is None and not unmet:
                failure = self._extract(vu)
            if self._desk.observer is not None and not unmet:
                extracted = {e.name: vu.slots[e.slot] for e in request.extracts}
            vu.answer = None
        self._record(exchange, failure.kind.value if failure else "", failure.message if failure else "")
        self._show(outgoing, exchange, failure, extracted)
        return Outcome(failure, exchange, unmet)

    def _check(self, vu: VU, failure: Failure | None) -> Failure | None:
        """Every check is made and counted; the first that fails is the request's failure."""
        for check in self._request.checks:
            wrong = check.run(vu)
            if wrong is not None:
                self._recorder.check_failed(check.name)
                failure = failure or wrong
        return failure

    def _extract(self, vu: VU) -> Failure | None:
        for extract in self._request.extracts:
            wrong = extract.run(vu)
            if wrong is not None:
                return wrong
        return None

    def _record(self, exchange: Exchange, failure: str, detail: str = "") -> None:
        if not exchange.reused:
            self._recorder.connected(exchange.blocked, exchange.connecting, exchange.tls)
        self._recorder.answered(
            exchange.status,
            exchange.ended - exchange.started,
            exchange.sent - exchange.started,
            exchange.ended - exchange.first,
            exchange.bytes_sent,
            exchange.bytes_received,
            failure,
            exchange.ended,
            detail,
        )

    def _broken(self, exchange: Exchange) -> Failure:
        """A request that no whole response came to. One that timed out has waited as long, and at most until then."""
        kind = exchange.error
        assert kind is not None
        waited = waiting = None
        if kind in _TIMEOUTS or (kind is ErrorKind.DNS and exchange.took >= self.options.timeout):
            waited = min(exchange.took, self.options.timeout)
            waiting = min(exchange.ended - exchange.sent, waited) if kind is not ErrorKind.TIMEOUT_RECEIVE else None
            exchange.detail = exchange.detail.replace(" in time", self._within)
        self._recorder.unanswered(
            kind.value,
            self._desk.clock(),
            exchange.detail,
            exchange.bytes_sent,
            exchange.bytes_received,
            waited,
            waiting,
        )
        return Failure(kind, "VF604", exchange.detail or kind.value, self._request.span)

    def _too_many(self, outgoing: Outgoing, exchange: Exchange) -> Failure:
        failure = Failure(
            ErrorKind.REDIRECTS, "VF604", f"more than {self._request.follow} redirects", self._request.span
        )
        self._record(exchange, failure.kind.value, failure.message)
        self._show(outgoing, exchange, failure, {})
        return failure

    def unsent(self, error: EvaluationError) -> Failure:
        """A request that could not even be made: it counts as failed."""
        kind = error.kind if isinstance(error, RequestError) else ErrorKind.EXPRESSION
        self._recorder.unanswered(kind.value, self._desk.clock(), error.message, 0, 0)
        failure = Failure(kind, "VF605", error.message, error.span)
        if self._desk.observer is not None:
            self._desk.observer.unsent(self._request, failure, self._desk.included)
        return failure

    def fail(self, vu: VU, failure: Failure) -> int:
        """The step has failed with this: what the iteration does now."""
        vu.failed = True
        desk = self._desk
        desk.incidents.add(
            failure.code,
            desk.flow,
            self._request.name,
            failure.message,
            failure.span,
            desk.included,
            failure.offers,
        )
        return self._after_failure

    def _show(self, outgoing: Outgoing, exchange: Exchange, failure: Failure | None, extracted: dict[str, Any]) -> None:
        if self._desk.observer is not None:
            self._desk.observer.answered(self._request, outgoing, exchange, failure, extracted, self._desk.included)


def _shown(want: Want) -> Want:
    """What an observer sees, too: the body for it alone is not the step's, and fails nothing."""
    return want | Want.HEADERS | (Want.BODY if want & Want.BODY else Want.BODY | Want.SHOWN)


def is_followed(request: PlannedRequest, exchange: Exchange) -> bool:
    """Whether the answer is a redirect that the request follows."""
    return (
        exchange.error is None
        and exchange.status in _REDIRECTS
        and request.follow > 0
        and exchange.status not in request.explicit
        and any(name == "location" for name, _ in exchange.headers)
    )


def _location(exchange: Exchange) -> str:
    return next(value for name, value in exchange.headers if name == "location")
