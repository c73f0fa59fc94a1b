"""A walk through pages: the same request again and again, each time where the response before it led.

Every page is a request like any other in the figures, with its number, from 1, as the label `page`. The step fails, and
its VU with it, when a page does.
"""

from collections.abc import Callable
from dataclasses import replace

from vezaflow.engine.attempts import attempts_of
from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.judging import ResponseJudge
from vezaflow.engine.requests import GO_ON
from vezaflow.engine.vu import VU
from vezaflow.metrics import RequestRecorder
from vezaflow.plan import Failure, PlannedPages, PlannedRequest, show
from vezaflow.protocols import ErrorKind


def paginated_step(
    request: PlannedRequest,
    pages: PlannedPages,
    whole: RequestRecorder,
    recorder_of: Callable[[int], RequestRecorder],
    context: FlowContext,
) -> Run:
    """The step as a coroutine function of a VU. `whole` records the walk, `recorder_of` a page by its number."""
    record, clock = whole.attempts(), context.clock
    fail = ResponseJudge(request, whole, context).fail
    slot, gathered = pages.slot, pages.gathered
    judges = (ResponseJudge(request, recorder_of(number), context) for number in range(1, pages.most + 1))
    attempts = tuple(attempts_of(request, judge, record, context) for judge in judges)

    async def walk(vu: VU) -> Failure | None:
        slots = vu.slots
        slots[slot] = slots[pages.found] = None
        lists: list[list[object]] = [[] for _ in gathered]
        for number, attempt in enumerate(attempts, 1):
            failure = (await attempt(vu)).failure
            if failure is not None:
                return replace(failure, message=f"{failure.message} (page {number})")
            for (name, place), held in zip(gathered, lists, strict=True):
                if not isinstance(slots[place], list | tuple):
                    return _no_list(name, slots[place], number, pages)
                held += slots[place]
                slots[place] = held
            slots[slot] = slots[pages.found]
            if slots[slot] is None:
                context.tell(f"{number} pages, no next page")
                return None
        context.tell(f"{pages.most} pages, the maximum; there are more")
        return None

    async def run(vu: VU) -> int:
        started = clock()
        failure = await walk(vu)
        record.ended(clock() - started, failed=failure is not None)
        return GO_ON if failure is None else fail(vu, failure)

    return run


def _no_list(name: str, value: object, number: int, pages: PlannedPages) -> Failure:
    """A page where nothing was found gave its default."""
    message = f"'{name}' is a list of values of all pages, and its default is {show(value)} (page {number})"
    return Failure(ErrorKind.EXTRACTION, "VF603", message, pages.span)
