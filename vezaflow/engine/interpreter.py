"""Planned steps → coroutine functions of a VU, nested once before the run.

Nothing is looked up by name or chosen by kind while a VU runs. A step responses with a Signal; anything but GO_ON ends
the iteration. An expression that fails in a step that is no request fails the iteration the same way.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, assert_never

import trio

from vezaflow.diagnostics import Span
from vezaflow.engine.attempts import attempted_step
from vezaflow.engine.channels import receive_step
from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.event_streams import event_stream_step
from vezaflow.engine.hls import hls_step
from vezaflow.engine.pages import paginated_step
from vezaflow.engine.pauses import pause_of, wait_until
from vezaflow.engine.requests import connecting_as, drawing_apart, request_step
from vezaflow.engine.together import parallel_step, spread_step
from vezaflow.engine.uploads import upload_step
from vezaflow.engine.vu import VU, Signal
from vezaflow.engine.websockets import ping_step, send_step, websocket_step
from vezaflow.metrics import PAGE, RequestRecorder
from vezaflow.model import Beside, Block, Ends, Leaf, Loop, OneOf, Pause, Sends, StopScope
from vezaflow.plan import (
    UNSET,
    Evaluate,
    EvaluationError,
    PlannedEventStream,
    PlannedHls,
    PlannedPing,
    PlannedReceive,
    PlannedRequest,
    PlannedSend,
    PlannedUpload,
    PlannedWebSocket,
    deck,
    show,
)
from vezaflow.plan.steps import (
    PlannedChoose,
    PlannedFor,
    PlannedGroup,
    PlannedIf,
    PlannedInclude,
    PlannedLog,
    PlannedParallel,
    PlannedRepeat,
    PlannedSet,
    PlannedSkip,
    PlannedStep,
    PlannedStop,
    PlannedThink,
    PlannedWhile,
)

_FEW_PASSES = 16  # of a loop whose steps mostly wait
MOST_PASSES = 1_000_000  # of one loop; a flow can't run for ever without meaning to
GO_ON = Signal.GO_ON
_STOPS = {
    StopScope.VU: Signal.STOP_VU,
    StopScope.FLOW: Signal.STOP_FLOW,
    StopScope.RUN: Signal.STOP_RUN,
}


class Interpreter:
    """Turns the steps of one flow into one coroutine function."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context
        self._decks = 0

    def flow(self, steps: Sequence[PlannedStep]) -> Run:
        """All steps of the flow's phase."""
        return self._block(steps, self._context)

    def _block(self, steps: Sequence[PlannedStep], around: FlowContext) -> Run:
        """Steps in their order, until one says to stop."""
        here = around.deeper()
        runs = self._runs(steps, here)
        if len(runs) == 1 and not runs[0][1]:
            return runs[0][0]

        async def run(vu: VU) -> int:
            kind = ""
            try:
                for step, kind in runs:  # noqa: B007 (read where it fails)
                    signal = await step(vu)
                    if signal:
                        return signal
            except EvaluationError as e:
                return _uncomputed(here, kind, e, vu)
            return GO_ON

        return run

    def _runs(self, steps: Sequence[PlannedStep], here: FlowContext) -> tuple[tuple[Run, str], ...]:
        """What each step of a block does, and as what it is told that an expression of it failed; empty: it sees to
        that itself. The block guards them all: a coroutine around each would be gone through whenever one waits."""
        return tuple((self._observed(step, self._step(step, here), here), _guarded(step)) for step in steps)

    def _observed(self, step: PlannedStep, run: Run, here: FlowContext) -> Run:
        """The step, with an observer's leave where there is one."""
        if (observer := here.observer) is None:
            return run
        place = here.place

        async def observed(vu: VU) -> int:
            signal = await observer.before(step, vu, place)
            return signal or await run(vu)

        return observed

    def _step(self, step: PlannedStep, here: FlowContext) -> Run:
        match step:
            case PlannedRequest():
                return self._request(step, here)
            case PlannedUpload():
                return self._upload(step, here)
            case PlannedHls():
                return hls_step(step, here)
            case PlannedThink(duration, span):
                return self._think(duration, span)
            case PlannedChoose():
                return self._choose(step, here)
            case PlannedRepeat(times, steps, span):
                return self._loop(lambda vu: iter(range(_passes(times(vu), span))), None, steps, here)
            case PlannedFor():
                return self._for(step, here)
            case PlannedWhile(condition, most, steps, span):
                return self._loop(lambda vu: _while(condition, _passes(most(vu), span), vu), None, steps, here)
            case PlannedIf(condition, then, otherwise, _):
                return self._if(condition, self._block(then, here), self._block(otherwise, here))
            case PlannedGroup():
                return self._group(step, here)
            case PlannedParallel():
                return self._parallel(step, here)
            case PlannedInclude():
                return self._include(step, here)
            case PlannedWebSocket(request=request, steps=steps):
                record = here.step(request.name, "", request.tags).channels()
                return websocket_step(step, self._block(steps, here), record, here)
            case PlannedEventStream(request=request, steps=steps):
                streams = here.step(request.name, "", request.tags).streams()
                return event_stream_step(step, self._block(steps, here), streams, here)
            case PlannedSend():
                return send_step(step, here)
            case PlannedReceive():
                return receive_step(step, here)
            case PlannedPing():
                return ping_step(step, here)
            case PlannedSet():
                return self._set(step)
            case PlannedLog(message, _):
                return self._log(message)
            case PlannedSkip(reason, _):
                return self._skip(reason)
            case PlannedStop(scope, _):
                return _constant(_STOPS[scope])
        assert_never(step)

    def _upload(self, step: PlannedUpload, here: FlowContext) -> Run:
        request = step.request
        record = here.step(request.name, request.method, request.tags).attempts()
        send = self._observed(request, self._request(request, here, whole=False), here)
        return upload_step(step, send, record, here)

    def _request(self, step: PlannedRequest, here: FlowContext, *, whole: bool = True) -> Run:
        run = self._sending(step, here, whole=whole)
        if step.draws:
            run = drawing_apart(run)
        return run if step.client is None else connecting_as(step.client, run)

    def _sending(self, step: PlannedRequest, here: FlowContext, *, whole: bool) -> Run:
        checks = tuple(check.name for check in step.checks)
        recorder = here.step(step.name, step.method, step.tags, checks)
        if step.pages is not None:

            def of_page(number: int) -> RequestRecorder:
                return here.step(step.name, step.method, (*step.tags, (PAGE, str(number))), checks)

            return paginated_step(step, step.pages, recorder, of_page, here)
        if step.retry is not None or step.poll is not None:
            return attempted_step(step, recorder, here, whole=whole)
        return request_step(step, recorder, here)

    def _think(self, duration: Evaluate, span: Span) -> Run:
        pause, clock, sleep_until = pause_of(duration, span), self._context.clock, self._context.sleep_until

        async def run(vu: VU) -> int:
            seconds, began = pause(vu), clock()
            await wait_until(vu.time.pause(seconds, began), clock, sleep_until)
            if seconds:
                vu.time.paused(clock())
            else:
                vu.time.waited(0.0, clock() - began)
            return GO_ON

        return run

    def _choose(self, step: PlannedChoose, here: FlowContext) -> Run:
        branches = tuple(self._block(branch, here) for branch in step.branches)
        cards = deck(step.weights, Random(f"{here.seed}:{self._decks}"), here.segment)
        self._decks += 1

        async def run(vu: VU) -> int:
            return await branches[next(cards)](vu)

        return run

    def _loop(
        self, passes: Callable[[VU], Iterator[Any]], slot: int | None, steps: Sequence[PlannedStep], here: FlowContext
    ) -> Run:
        here = here.deeper()
        runs = self._runs(steps, here)
        most = _passes_at_once(steps)

        async def run(vu: VU) -> int:
            kind, rounds = "", 0
            try:
                for item in passes(vu):
                    if slot is not None:
                        vu.slots[slot] = item
                    for step, kind in runs:  # noqa: B007 (read where it fails)
                        signal = await step(vu)
                        if signal:
                            return signal
                    kind = ""
                    rounds += 1
                    if rounds == most:  # a loop of plain steps must not hold up the other VUs
                        rounds = 0
                        await trio.lowlevel.checkpoint()
            except EvaluationError as e:
                return _uncomputed(here, kind, e, vu)
            return GO_ON

        return run

    def _for(self, step: PlannedFor, here: FlowContext) -> Run:
        items, steps, span = step.items, step.steps, step.span
        if step.at_once == 1:
            return self._loop(lambda vu: iter(_list(items(vu), span)), step.slot, steps, here)
        yields = not any(_waits(inner) for inner in steps)
        return spread_step(step, lambda vu: _list(items(vu), span), self._block(steps, here), here, yields=yields)

    def _parallel(self, step: PlannedParallel, here: FlowContext) -> Run:
        record = here.step(step.name).attempts() if step.name else None
        return parallel_step(step, [self._block(branch.steps, here) for branch in step.branches], record, here)

    def _if(self, condition: Evaluate, then: Run, otherwise: Run) -> Run:
        async def run(vu: VU) -> int:
            return await (then if condition(vu) else otherwise)(vu)

        return run

    def _group(self, step: PlannedGroup, here: FlowContext) -> Run:
        inside = here.within(step.name)
        body, name = self._block(step.steps, inside), inside.group
        clock, record = here.clock, here.flow_recorder.group

        async def run(vu: VU) -> int:
            started = clock()
            signal = await body(vu)
            record(name, clock() - started, signal == Signal.FAIL)
            return signal

        return run

    def _include(self, step: PlannedInclude, here: FlowContext) -> Run:
        body = self._block(step.steps, here.including(step.path_span))
        inputs, own, outputs = step.inputs, step.own, step.outputs

        async def run(vu: VU) -> int:
            slots = vu.slots
            given = [(slot, value(vu)) for slot, value in inputs]
            for slot in own:
                slots[slot] = UNSET
            for slot, value in given:
                slots[slot] = value
            signal = await body(vu)
            for there, here in outputs:
                slots[here] = slots[there]
            return signal

        return run

    def _set(self, step: PlannedSet) -> Run:
        values, observer = step.values, self._context.observer

        async def run(vu: VU) -> int:
            slots = vu.slots
            for slot, value in values:
                slots[slot] = value(vu)
            if observer is not None:
                observer.set({name: slots[slot] for name, (slot, _) in zip(step.names, values, strict=True)})
            return GO_ON

        return run

    def _log(self, message: Callable[[VU], str]) -> Run:
        say = self._context.say

        async def run(vu: VU) -> int:
            say(message(vu))
            return GO_ON

        return run

    def _skip(self, reason: Callable[[VU], Any]) -> Run:
        observer = self._context.observer

        async def run(vu: VU) -> int:
            if observer is not None:
                observer.said(f"skipped: {reason(vu)}")
            return Signal.SKIP

        return run


def _passes(value: Any, span: Span) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value > MOST_PASSES:
        raise EvaluationError(f"the number of rounds must be from 0 to {MOST_PASSES:,}, got {show(value)}", span)
    return int(value)


def _list(value: Any, span: Span) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise EvaluationError(f"`for` expects a list, got {show(value)}", span)
    return value


def _while(condition: Evaluate, most: int, vu: VU) -> Iterator[int]:
    for number in range(most):
        if not condition(vu):
            return
        yield number


def _constant(signal: Signal) -> Run:
    async def run(_vu: VU) -> int:
        return signal

    return run


def _passes_at_once(steps: Sequence[PlannedStep]) -> int:
    """After how many passes of a loop the other VUs have a turn; 0: each waits anyhow."""
    if any(map(_waits, steps)):
        return 0
    return _FEW_PASSES if any(step.shape == Leaf(may_wait=True) for step in steps) else 1


def _waits(step: PlannedStep) -> bool:
    """Whether others may run meanwhile; a loop sees to it itself."""
    match step.shape:
        case Leaf() | Ends():
            return False
        case Pause() | Sends() | Loop() | Beside():
            return True
        case Block(steps=steps):
            return any(map(_waits, steps))
        case OneOf(ways=ways):
            return any(_waits(each) for way in ways for each in way)
        case never:
            assert_never(never)


def _guarded(step: PlannedStep) -> str:
    """The kind of a step that is told of where an expression of it fails; empty: it sees to that itself."""
    if isinstance(
        step,
        PlannedRequest
        | PlannedUpload
        | PlannedChoose
        | PlannedGroup
        | PlannedParallel
        | PlannedWebSocket
        | PlannedEventStream,
    ):
        return ""
    return type(step).__name__.removeprefix("Planned").lower()


def _uncomputed(here: FlowContext, kind: str, error: EvaluationError, vu: VU) -> int:
    """An expression of a step that is no request failed."""
    if not kind:
        raise error
    vu.failed = True
    here.incidents.add("VF605", here.flow, kind, error.message, error.span, here.included)
    here.uncomputed(error)
    return Signal.FAIL
