"""The request step: prepare, send, judge, record.

The hot path: a request that goes well and whose response nobody looks into costs one call of `prepare`, one `send` and
one `answered`. Everything else is off that path. No exception leaves a step but cancellation.
"""

from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.judging import ResponseJudge, Unmet
from vezaflow.engine.own_time import HANDLING
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import RequestRecorder
from vezaflow.plan import EvaluationError, PlannedRequest
from vezaflow.protocols import ClientOptions

GO_ON = Signal.GO_ON


def request_step(request: PlannedRequest, recorder: RequestRecorder, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU."""
    prepare, accepts = request.prepare, request.accepts
    answered, connected = recorder.answered, recorder.connected
    follows = request.follow > 0
    judge = ResponseJudge(request, recorder, context)
    options = judge.options
    traces = context.traces
    traced = recorder.traced
    simple = context.observer is None and not request.checks and not request.extracts

    async def run(vu: VU) -> int:
        try:
            outgoing = prepare(vu)
        except EvaluationError as e:
            return judge.fail(vu, judge.unsent(e))
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
                    "",
                    ended,
                )
                if traces and exchange.trace:
                    traced(status, "", ended - started, ended, exchange.trace)
                return GO_ON
            failure = judge.judge(vu, outgoing, exchange)
            assert not isinstance(failure, Unmet), "a poll is another step"
        else:
            failure = (await judge.outcome(vu, outgoing, exchange)).failure
        return GO_ON if failure is None else judge.fail(vu, failure)

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


def drawing_apart(step: Run) -> Run:
    """The step with chance of its own, of which it may draw as much as the target makes it: what the VU draws later
    stays the same."""

    async def run(vu: VU) -> int:
        usual = vu.random
        vu.random = usual.branch()
        try:
            return await step(vu)
        finally:
            vu.random = usual

    return run
