"""What a response comes to: its step's redirects, checks and extractions, and what a failure does.

Law: no exception leaves; what is wrong is a Failure, counted once, under the kind that gates and reports know.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from vezaflow import units
from vezaflow.engine.context import FlowContext
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.redirects import is_followed, location_of, next_hop
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import RequestRecorder
from vezaflow.model import OnFailure
from vezaflow.plan import EvaluationError, Failure, Outgoing, PlannedRequest, RequestError, ResponseView
from vezaflow.protocols import IDEMPOTENT, ErrorKind, Exchange, Want

SIGNALS = {
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


class Unmet(NamedTuple):
    """A response that is right, and not yet what a poll waits for."""

    reason: str


class RequestOutcome(NamedTuple):
    """What came of a request, redirects followed. `unmet` says why a poll has to go on."""

    failure: Failure | None
    exchange: Exchange | None = None  # None: it could not be sent; else the client's own, until it sends again
    unmet: str = ""


class ResponseJudge:
    """One step's: redirects, checks, extractions, failures. All that is not the plain good case."""

    def __init__(self, request: PlannedRequest, recorder: RequestRecorder, context: FlowContext) -> None:
        self._request = request
        self._recorder = recorder
        self._context = context
        self._reads = bool(request.checks or request.extracts or request.poll is not None)
        self._after_failure = SIGNALS[request.on_failure]
        options = request.options
        self.options = options if context.observer is None else replace(options, want=_shown(options.want))
        self._within = f" within {units.duration(options.timeout)} (timeout)"

    async def outcome(self, vu: VU, outgoing: Outgoing, exchange: Exchange) -> RequestOutcome:
        """What an exchange comes to, redirects followed, recorded. The VU itself has not failed yet."""
        request = self._request
        hops: list[dict[str, Any]] = []
        options = self.options
        while is_followed(request, exchange):
            if len(hops) == request.follow:
                return RequestOutcome(self._too_many(outgoing, exchange), exchange)
            hops.append({"status": exchange.status, "url": outgoing.target.url, "location": location_of(exchange)})
            self._show(outgoing, exchange, None, {})
            self._record(exchange, None)
            try:
                outgoing = next_hop(request, self._context.targets, outgoing, exchange)
            except RequestError as e:
                return RequestOutcome(self.unsent(e))
            options = replace(options, replayable=outgoing.method in IDEMPOTENT)
            exchange = await vu.client.send(outgoing.target.origin, outgoing.head, outgoing.body, options)
            vu.time.own += exchange.took + HANDLING
        if exchange.error is not None:
            broken = self._broken(exchange)
            self._show(outgoing, exchange, broken, {})
            return RequestOutcome(broken, exchange)
        found = self.judge(vu, outgoing, exchange, hops)
        if isinstance(found, Unmet):
            return RequestOutcome(None, exchange, found.reason)
        return RequestOutcome(found, exchange)

    def judge(
        self, vu: VU, outgoing: Outgoing, exchange: Exchange, hops: Sequence[dict[str, Any]] = ()
    ) -> Failure | Unmet | None:
        """What a whole response that leads nowhere else comes to, recorded."""
        request = self._request
        failure = None if request.accepts[exchange.status] else request.status_failure(exchange.status)
        unmet = ""
        if self._reads:
            vu.response = ResponseView(exchange, outgoing.target.url, vu.client, hops)
            failure = self._check(vu, failure)
            if failure is None:
                if request.poll is not None:
                    unmet = request.poll.unmet(vu)
                if request.extracts and not unmet:
                    failure = self._extract(vu)
            vu.response = None
        self._record(exchange, failure)
        if self._context.observer is not None:
            extracted = {} if unmet else {e.name: vu.slots[e.slot] for e in request.extracts}
            self._show(outgoing, exchange, failure, extracted)
        return Unmet(unmet) if unmet else failure

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

    def _record(self, exchange: Exchange, failure: Failure | None) -> None:
        if not exchange.reused:
            self._recorder.connected(exchange.blocked, exchange.connecting, exchange.tls)
        started, ended = exchange.started, exchange.ended
        figures = (
            exchange.status,
            ended - started,
            exchange.sent - started,
            ended - exchange.first,
            exchange.bytes_sent,
            exchange.bytes_received,
        )
        if failure is None:
            self._recorder.answered(*figures, "", ended)
        else:
            self._recorder.answered(*figures, failure.kind.value, ended, failure.message)
        if exchange.trace:
            kind = "" if failure is None else failure.kind.value
            self._recorder.traced(exchange.status, kind, ended - started, ended, exchange.trace)

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
            self._context.clock(),
            exchange.detail,
            exchange.bytes_sent,
            exchange.bytes_received,
            waited,
            waiting,
        )
        if exchange.trace:
            self._recorder.traced(0, kind.value, exchange.took, self._context.clock(), exchange.trace)
        return Failure(kind, "VF604", exchange.detail or kind.value, self._request.span)

    def _too_many(self, outgoing: Outgoing, exchange: Exchange) -> Failure:
        failure = Failure(
            ErrorKind.REDIRECTS, "VF604", f"more than {self._request.follow} redirects", self._request.span
        )
        self._record(exchange, failure)
        self._show(outgoing, exchange, failure, {})
        return failure

    def unsent(self, error: EvaluationError) -> Failure:
        """A request that could not even be made: it counts as failed."""
        kind = error.kind if isinstance(error, RequestError) else ErrorKind.EXPRESSION
        self._recorder.unanswered(kind.value, self._context.clock(), error.message, 0, 0)
        failure = Failure(kind, "VF605", error.message, error.span)
        if self._context.observer is not None:
            self._context.observer.unsent(self._request, failure, self._context.included)
        return failure

    def fail(self, vu: VU, failure: Failure) -> int:
        """The step has failed with this: what the iteration does now."""
        vu.failed = True
        context = self._context
        context.incidents.add(
            failure.code,
            context.flow,
            self._request.name,
            failure.message,
            failure.span,
            context.included,
            failure.suggestions,
        )
        return self._after_failure

    def _show(self, outgoing: Outgoing, exchange: Exchange, failure: Failure | None, extracted: dict[str, Any]) -> None:
        context = self._context
        if context.observer is not None:
            context.observer.answered(self._request, outgoing, exchange, failure, extracted, context.included)


def _shown(want: Want) -> Want:
    """What an observer sees, too: the body for it alone is not the step's, and fails nothing."""
    return want | Want.HEADERS | (Want.BODY if want & Want.BODY else Want.BODY | Want.SHOWN)
