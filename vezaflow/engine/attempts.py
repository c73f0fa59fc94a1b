"""A request that may be sent more than once: `retry` (it failed, or the server said later) and `poll` (the response
does not say yet what is waited for).

Every attempt is a request like any other in the figures. The step fails, and its VU with it, only when the last
attempt has failed, or when what was polled for did not come in time. Both are bounded: by a number, by a time. All
attempts are one request, made once (RFC 9110, 9.2.2, leaves no other way to repeat one safely), and how many there are
changes nothing of what the VU draws later.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.judging import RequestOutcome, ResponseJudge
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.pauses import pause_of, wait_until
from vezaflow.engine.requests import GO_ON
from vezaflow.engine.vu import VU
from vezaflow.metrics import RequestRecorder, StepRecorder
from vezaflow.model import Backoff
from vezaflow.plan import EvaluationError, Failure, Outgoing, PlannedPoll, PlannedRequest, PlannedRetry
from vezaflow.protocols import ErrorKind, moment_of
from vezaflow.units import counted, duration

Course = Callable[[VU], Awaitable[RequestOutcome]]
Attempt = Callable[[VU, "_Made"], Awaitable[RequestOutcome]]
_BACKPRESSURE = frozenset({429, 503})  # RFC 6585, 4; RFC 9110, 15.6.4
_SHORTEST = 0.001  # seconds between two polls, whatever `every` says


def attempted_step(
    request: PlannedRequest, recorder: RequestRecorder, context: FlowContext, *, whole: bool = True
) -> Run:
    """The step as a coroutine function of a VU. `whole`: not only a part of a step that records its own end."""
    judge = ResponseJudge(request, recorder, context)
    record = recorder.attempts()
    clock = context.clock
    course = attempts_of(request, judge, record, context)

    async def run(vu: VU) -> int:
        started = clock()
        failure = (await course(vu)).failure
        if whole:
            record.ended(clock() - started, failed=failure is not None)
        return GO_ON if failure is None else judge.fail(vu, failure)

    return run


def attempts_of(request: PlannedRequest, judge: ResponseJudge, record: StepRecorder, context: FlowContext) -> Course:
    """The request once, or as often as its `retry` and its `poll` say."""
    attempt = _single(judge)
    if request.retry is not None:
        attempt = _retried(attempt, request.retry, record, context)
    if request.poll is not None:
        attempt = _polled(attempt, request.poll, context)

    async def course(vu: VU) -> RequestOutcome:
        try:
            made = _Made(request, vu)
        except EvaluationError as e:
            return RequestOutcome(judge.unsent(e))
        try:
            return await attempt(vu, made)
        finally:
            made.over()

    return course


class _Made:
    """A request as it was made for its first attempt, which is sent in all of them. One that reads `attempt` is made
    again for each, with the same draws; either way the VU's chance goes on from where the first one left it."""

    __slots__ = ("_begun", "_ended", "_first", "_number", "_request", "_vu")

    def __init__(self, request: PlannedRequest, vu: VU) -> None:
        """Raises EvaluationError."""
        self._request = request
        self._vu = vu
        self._number = 0
        self._begun = vu.random.mark() if request.varies else None
        self._first = request.prepare(vu)
        self._ended = vu.random.mark() if request.varies else None

    def send(self) -> Outgoing:
        """What goes out now. Raises EvaluationError."""
        vu = self._vu
        self._number += 1
        vu.attempt = self._number
        if self._number == 1 or self._begun is None or self._ended is None:
            return self._first
        vu.random.back(self._begun)
        try:
            return self._request.prepare(vu)
        finally:
            vu.random.back(self._ended)

    def over(self) -> None:
        self._vu.attempt = 1


def _single(judge: ResponseJudge) -> Attempt:
    async def attempt(vu: VU, made: _Made) -> RequestOutcome:
        try:
            outgoing = made.send()
        except EvaluationError as e:
            return RequestOutcome(judge.unsent(e))
        exchange = await vu.client.send(outgoing.target.origin, outgoing.head, outgoing.body, judge.options)
        vu.time.own += exchange.took + HANDLING
        return await judge.outcome(vu, outgoing, exchange)

    return attempt


def _retried(attempt: Attempt, retry: PlannedRetry, record: StepRecorder, context: FlowContext) -> Attempt:
    wait = _waits(retry)

    async def retried(vu: VU, made: _Made) -> RequestOutcome:
        outcome = await attempt(vu, made)
        for number in range(retry.most):
            if not _again(outcome, retry):
                return outcome
            asked = _asked(outcome)
            try:
                seconds = wait(vu, number, asked)
            except EvaluationError as e:
                return RequestOutcome(context.uncomputed(e))
            if asked is not None:
                record.asked_to_wait(obeyed=seconds >= asked)
            record.retried()
            context.tell(f"attempt {number + 2} follows in {duration(seconds)}")
            moment = context.clock() + seconds
            await wait_until(moment, context.clock, context.sleep_until)
            vu.time.waited(seconds, context.clock() - moment)
            outcome = await attempt(vu, made)
        if outcome.failure is None:
            return outcome
        return outcome._replace(failure=_after(outcome.failure, retry.most + 1))

    return retried


def _polled(attempt: Attempt, poll: PlannedPoll, context: FlowContext) -> Attempt:
    every, within = pause_of(poll.every, poll.span, aside=True), pause_of(poll.within, poll.span)
    clock = context.clock

    async def polled(vu: VU, made: _Made) -> RequestOutcome:
        begun = due = clock()
        own = vu.time.own  # polls keep a beat of their own, on the user's time as by the clock
        asked = 0
        try:
            last = begun + within(vu)
            while True:
                outcome = await attempt(vu, made)
                asked += 1
                if outcome.failure is not None or not outcome.unmet:
                    return outcome
                step = max(_SHORTEST, every(vu))
                due, own = max(clock(), due + step), max(vu.time.own, own + step)
                if due > last:
                    return RequestOutcome(_too_late(poll, outcome.unmet, asked, last - begun, context))
                context.tell(f"not yet: {outcome.unmet}")
                await wait_until(due, clock, context.sleep_until)
                vu.time.own = own
                vu.time.waited(0.0, clock() - due)
        except EvaluationError as e:
            return RequestOutcome(context.uncomputed(e))

    return polled


def _too_late(poll: PlannedPoll, unmet: str, asked: int, seconds: float, context: FlowContext) -> Failure:
    message = f"not met within {duration(seconds)} ({counted(asked, 'request')}); last response: {unmet}"
    failure = Failure(ErrorKind.EXPECTATION, "VF606", message, poll.until_span)
    if context.observer is not None:
        context.observer.failed(failure, context.included)
    return failure


def _after(failure: Failure, attempts: int) -> Failure:
    return replace(failure, message=f"{failure.message} (tried {_times(attempts)})")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _again(outcome: RequestOutcome, retry: PlannedRetry) -> bool:
    if outcome.exchange is not None and outcome.exchange.error is None and retry.statuses[outcome.exchange.status]:
        return True
    return outcome.failure is not None and outcome.failure.kind in retry.kinds


def _asked(outcome: RequestOutcome) -> float | None:
    """How long the server asked to wait (RFC 9110, 10.2.3), in seconds."""
    exchange = outcome.exchange
    if exchange is None or exchange.error is not None or exchange.status not in _BACKPRESSURE:
        return None
    text = next((value.strip() for name, value in exchange.headers if name == "retry-after"), "")
    if text.isascii() and text.isdigit():
        return float(text)
    moment = moment_of(text)
    return None if moment is None else max(0.0, moment - time.time())


def _waits(retry: PlannedRetry) -> Callable[[VU, int, float | None], float]:
    """How long to wait before the attempt that follows the `number`th one, counted from 0."""
    base, most = pause_of(retry.wait, retry.span, aside=True), retry.longest
    match retry.backoff:
        case Backoff.FIXED:
            return lambda vu, _number, _asked: base(vu)
        case Backoff.EXPONENTIAL:
            return lambda vu, number, _asked: (
                min(most, base(vu) * 2.0 ** min(number, 64)) * (0.5 + vu.random.aside.random() / 2)
            )
        case Backoff.RETRY_AFTER:
            return lambda vu, _number, asked: min(most, base(vu) if asked is None else asked)
