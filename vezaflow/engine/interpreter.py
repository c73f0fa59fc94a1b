"""Planned steps → coroutine functions of a VU, nested once before the run.

Nothing is looked up by name or chosen by kind while a VU runs. A step answers with a Signal; anything but GO_ON ends
the iteration. An expression that fails in a step that is no request fails the iteration the same way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, assert_never

import trio

from vezaflow.diagnostics import Span
from vezaflow.engine.attempts import attempted_step
from vezaflow.engine.pages import paginated_step
from vezaflow.engine.pauses import Sleep, pause_of, wait_until
from vezaflow.engine.requests import Desk, Place, Run, connecting_as, drawing_apart, request_step
from vezaflow.engine.together import parallel_step, spread_step
from vezaflow.engine.uploads import upload_step
from vezaflow.engine.vu import VU, Signal
from vezaflow.metrics import PAGE, FlowRecorder, Phase, Recorder, StepRecorder
from vezaflow.plan import (
    UNSET,
    Evaluate,
    EvaluationError,
    PlannedChoose,
    PlannedFor,
    PlannedGroup,
    PlannedIf,
    PlannedInclude,
    PlannedLog,
    PlannedParallel,
    PlannedRepeat,
    PlannedRequest,
    PlannedSet,
    PlannedSkip,
    PlannedStep,
    PlannedStop,
    PlannedThink,
    PlannedUpload,
    PlannedWhile,
    Segment,
    deck,
    show,
)

MOST_PASSES = 1_000_000  # of one loop; a flow can't run for ever without meaning to
GO_ON = Signal.GO_ON
_STOPS = {"vu": Signal.STOP_VU, "flow": Signal.STOP_FLOW, "run": Signal.STOP_RUN}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the steps of one flow and phase are interpreted with."""

    recorder: Recorder
    flow_recorder: FlowRecorder
    phase: Phase
    desk: Desk
    sleep_until: Sleep
    say: Say
    seed: str  # of decks
    segment: Segment


class Interpreter:
    """Turns the steps of one flow into one coroutine function."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._groups: tuple[str, ...] = ()
        self._decks = 0
        self._depth = -1

    def block(self, steps: Sequence[PlannedStep]) -> Run:
        """Steps in their order, until one says to stop."""
        self._depth += 1
        runs = tuple(self._watched(step) for step in steps)
        self._depth -= 1
        if len(runs) == 1:
            return runs[0]

        async def run(vu: VU) -> int:
            for step in runs:
                signal = await step(vu)
                if signal:
                    return signal
            return GO_ON

        return run

    def _watched(self, step: PlannedStep) -> Run:
        """The step, with an observer's leave where there is one."""
        return self._shown(step, self._guarded(step))

    def _shown(self, step: PlannedStep, run: Run) -> Run:
        desk = self._stage.desk
        if (observer := desk.observer) is None:
            return run
        place = Place(self._stage.phase, self._depth, desk.included)

        async def watched(vu: VU) -> int:
            signal = await observer.before(step, vu, place)
            return signal or await run(vu)

        return watched

    def _guarded(self, step: PlannedStep) -> Run:
        run = self._step(step)
        if isinstance(step, PlannedRequest | PlannedUpload | PlannedChoose | PlannedGroup | PlannedParallel):
            return run
        desk, kind = self._stage.desk, _verb(step)

        async def guarded(vu: VU) -> int:
            try:
                return await run(vu)
            except EvaluationError as e:
                vu.failed = True
                desk.incidents.add("VF605", desk.flow, kind, e.message, e.span, desk.included)
                desk.uncomputed(e)
                return Signal.FAIL

        return guarded

    def _step(self, step: PlannedStep) -> Run:
        match step:
            case PlannedRequest():
                return self._request(step)
            case PlannedUpload():
                return self._upload(step)
            case PlannedThink(duration, span):
                return self._think(duration, span)
            case PlannedChoose():
                return self._choose(step)
            case PlannedRepeat(times, steps, span):
                return self._loop(lambda vu: iter(range(_passes(times(vu), span))), None, steps)
            case PlannedFor():
                return self._for(step)
            case PlannedWhile(condition, most, steps, span):
                return self._loop(lambda vu: _while(condition, _passes(most(vu), span), vu), None, steps)
            case PlannedIf(condition, then, otherwise, _):
                return self._if(condition, self.block(then), self.block(otherwise))
            case PlannedGroup():
                return self._group(step)
            case PlannedParallel():
                return self._parallel(step)
            case PlannedInclude():
                return self._include(step)
            case PlannedSet():
                return self._set(step)
            case PlannedLog(message, _):
                return self._log(message)
            case PlannedSkip(reason, _):
                return self._skip(reason)
            case PlannedStop(scope, _):
                return _constant(_STOPS[scope])
        assert_never(step)

    def _upload(self, step: PlannedUpload) -> Run:
        request = step.request
        record = self._recorder(request.name, request.method, request.tags).attempts()
        return upload_step(step, self._shown(request, self._request(request, whole=False)), record, self._stage.desk)

    def _request(self, step: PlannedRequest, *, whole: bool = True) -> Run:
        run = self._sending(step, whole=whole)
        if step.draws:
            run = drawing_apart(run)
        return run if step.client is None else connecting_as(step.client, run)

    def _sending(self, step: PlannedRequest, *, whole: bool) -> Run:
        stage = self._stage
        checks = tuple(check.name for check in step.checks)
        recorder = self._recorder(step.name, step.method, step.tags, checks)
        if step.pages is not None:
            group = "::".join(self._groups)

            def of_page(number: int) -> StepRecorder:
                tags = (*step.tags, (PAGE, str(number)))
                return stage.recorder.step(
                    stage.desk.flow, step.name, step.method, phase=stage.phase, group=group, tags=tags, checks=checks
                )

            return paginated_step(step, step.pages, recorder, of_page, stage.desk, stage.sleep_until)
        if step.retry is not None or step.poll is not None:
            return attempted_step(step, recorder, stage.desk, stage.sleep_until, whole=whole)
        return request_step(step, recorder, stage.desk)

    def _recorder(
        self, name: str, method: str = "", tags: tuple[tuple[str, str], ...] = (), checks: tuple[str, ...] = ()
    ) -> StepRecorder:
        stage, group = self._stage, "::".join(self._groups)
        return stage.recorder.step(
            stage.desk.flow, name, method, phase=stage.phase, group=group, tags=tags, checks=checks
        )

    def _think(self, duration: Evaluate, span: Span) -> Run:
        pause, clock, sleep_until = pause_of(duration, span), self._stage.desk.clock, self._stage.sleep_until

        async def run(vu: VU) -> int:
            seconds, began = pause(vu), clock()
            await wait_until(vu.time.pause(seconds, began), clock, sleep_until)
            if seconds:
                vu.time.paused(clock())
            else:
                vu.time.waited(0.0, clock() - began)
            return GO_ON

        return run

    def _choose(self, step: PlannedChoose) -> Run:
        branches = tuple(self.block(branch) for branch in step.branches)
        cards = deck(step.weights, Random(f"{self._stage.seed}:{self._decks}"), self._stage.segment)
        self._decks += 1

        async def run(vu: VU) -> int:
            return await branches[next(cards)](vu)

        return run

    def _loop(self, passes: Callable[[VU], Iterator[Any]], slot: int | None, steps: Sequence[PlannedStep]) -> Run:
        body = self.block(steps)
        yields = not any(_waits(step) for step in steps)

        async def run(vu: VU) -> int:
            for item in passes(vu):
                if slot is not None:
                    vu.slots[slot] = item
                signal = await body(vu)
                if signal:
                    return signal
                if yields:  # a loop of plain steps must not hold up the other VUs
                    await trio.lowlevel.checkpoint()
            return GO_ON

        return run

    def _for(self, step: PlannedFor) -> Run:
        items, steps, span = step.items, step.steps, step.span
        if step.at_once == 1:
            return self._loop(lambda vu: iter(_list(items(vu), span)), step.slot, steps)
        yields = not any(_waits(inner) for inner in steps)
        return spread_step(step, lambda vu: _list(items(vu), span), self.block(steps), self._stage.desk, yields=yields)

    def _parallel(self, step: PlannedParallel) -> Run:
        record = self._recorder(step.name).attempts() if step.name else None
        return parallel_step(step, [self.block(branch.steps) for branch in step.branches], record, self._stage.desk)

    def _if(self, condition: Evaluate, then: Run, otherwise: Run) -> Run:
        async def run(vu: VU) -> int:
            return await (then if condition(vu) else otherwise)(vu)

        return run

    def _group(self, step: PlannedGroup) -> Run:
        outer = self._groups
        self._groups = (*outer, step.name)
        name = "::".join(self._groups)
        body = self.block(step.steps)
        self._groups = outer
        clock, record = self._stage.desk.clock, self._stage.flow_recorder.group

        async def run(vu: VU) -> int:
            started = clock()
            signal = await body(vu)
            record(name, clock() - started, signal == Signal.FAIL)
            return signal

        return run

    def _include(self, step: PlannedInclude) -> Run:
        outer = self._stage
        self._stage = replace(outer, desk=replace(outer.desk, included=(step.path_span, *outer.desk.included)))
        body = self.block(step.steps)
        self._stage = outer
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
        values, observer = step.values, self._stage.desk.observer

        async def run(vu: VU) -> int:
            slots = vu.slots
            for slot, value in values:
                slots[slot] = value(vu)
            if observer is not None:
                observer.set({name: slots[slot] for name, (slot, _) in zip(step.names, values, strict=True)})
            return GO_ON

        return run

    def _log(self, message: Callable[[VU], str]) -> Run:
        say = self._stage.say

        async def run(vu: VU) -> int:
            say(message(vu))
            return GO_ON

        return run

    def _skip(self, reason: Callable[[VU], Any]) -> Run:
        observer = self._stage.desk.observer

        async def run(vu: VU) -> int:
            if observer is not None:
                observer.said(f"skipped: {reason(vu)}")
            return Signal.SKIP

        return run


def _passes(value: Any, span: Span) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value > MOST_PASSES:
        raise EvaluationError(f"a loop runs 0 to {MOST_PASSES:,} times, not {show(value)}", span)
    return int(value)


def _list(value: Any, span: Span) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise EvaluationError(f"`for` goes over a list, and this is {show(value)}", span)
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


def _waits(step: PlannedStep) -> bool:
    return not isinstance(step, PlannedSet | PlannedLog | PlannedSkip | PlannedStop)


def _verb(step: PlannedStep) -> str:
    return type(step).__name__.removeprefix("Planned").lower()
