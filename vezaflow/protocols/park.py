"""How a VU waits: one trip through trio's scheduler, with nothing allocated.

`trio.lowlevel.wait_task_rescheduled(abort)` makes a coroutine, a message and an outcome a call. The message
depends on `abort` alone, so a connection asks trio for it once (`trap`) and yields it each time (`park`);
READY is the one outcome that wakes it. Measured: 1.1 µs a round, 2.2 without.
"""

import types
from collections.abc import Callable, Generator

import outcome
import trio

READY: outcome.Value[None] = outcome.Value(None)
"""What `wake` sends; never unwrapped, so it can be sent for ever."""

Trap = object
_reschedule = trio.lowlevel.reschedule


def trap(abort: Callable[[trio.lowlevel.RaiseCancelT], trio.lowlevel.Abort]) -> Trap:
    """The message with which a task asks trio to sleep until `wake`, or until `abort` lets it be cancelled."""
    coroutine = trio.lowlevel.wait_task_rescheduled(abort)  # noqa: ASYNC105 (only its message)
    message: Trap = coroutine.send(None)
    coroutine.close()
    return message


@types.coroutine
def park(message: Trap) -> Generator[Trap, outcome.Outcome[None], None]:
    """Sleep until `wake`; raises Cancelled as any checkpoint."""
    result = yield message
    if result is not READY:
        result.unwrap()


def wake(task: trio.lowlevel.Task) -> None:
    _reschedule(task, READY)
