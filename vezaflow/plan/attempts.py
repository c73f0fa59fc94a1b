"""`retry` and `poll`, decided: when a request is sent again, after how long, and when that ends."""

from vezaflow.keys import RETRIED
from vezaflow.model import Poll, Retry, That
from vezaflow.plan.checks import plan_check
from vezaflow.plan.compiled import Constant
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.outgoing import PlannedPoll, PlannedRetry
from vezaflow.plan.scope import Scope
from vezaflow.plan.settings import Settings
from vezaflow.plan.statuses import table_of
from vezaflow.protocols import ErrorKind

_RETRIES = 3
_WAIT = Constant(1.0)  # seconds, where the server says nothing; and between two polls
_LONGEST = 60.0
_BACKPRESSURE = (429, 503)


def plan_retry(retry: Retry, settings: Settings) -> PlannedRetry:
    """The `retry` of a request. Without a word on when, it obeys backpressure."""
    on = retry.statuses
    kinds = {kind for word in retry.kinds for kind in RETRIED[word]}
    return PlannedRetry(
        statuses=table_of(_BACKPRESSURE, ()) if on is None else table_of(on.exact, on.classes),
        kinds=frozenset(ErrorKind(kind) for kind in kinds),
        most=settings.count(retry.max) if retry.max is not None else _RETRIES,
        backoff=retry.backoff,
        wait=settings.pause(retry.wait) if retry.wait is not None else _WAIT,
        longest=settings.seconds(retry.longest) if retry.longest is not None else _LONGEST,
        span=retry.span,
    )


def plan_poll(poll: Poll, compiler: Compiler, settings: Settings) -> PlannedPoll:
    """What a `poll` waits for, and how."""
    until = poll.until
    check = plan_check(That(until, "until", until.span), compiler, None)

    def unmet(scope: Scope) -> str:
        failure = check.run(scope)
        return failure.message if failure is not None else ""

    return PlannedPoll(
        unmet=unmet,
        every=settings.pause(poll.every) if poll.every is not None else _WAIT,
        within=settings.pause(poll.within),
        until_span=until.span,
        span=poll.span,
    )
