"""What a connection is at each moment: its socket, its phase, the exchange under way, which task waits for that and
until when. And every way in which that ends. What happens when is the table of phases.py; sending.py and receiving.py
work on this, and connection.py is the whole.

Laws: every way of failing ends in `fail`, which closes the connection and wakes the task that waits; every exchange is
left by `_leave_exchange`.
"""

import math
import socket
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import trio

from vezaflow.protocols.exchange import ErrorKind, Exchange
from vezaflow.protocols.faults import Fault, fault_of
from vezaflow.protocols.park import READY, park, trap
from vezaflow.protocols.phases import CLOSED, CONNECTING, IDLE, TIMEOUTS, TOO_LATE, WAITING
from vezaflow.protocols.plain_response import PlainResponse
from vezaflow.protocols.reactor import HANGUP, Reactor
from vezaflow.protocols.scratch import Scratch
from vezaflow.protocols.stamps import Ancillary, Clock
from vezaflow.protocols.streamed_response import StreamedResponse

if TYPE_CHECKING:
    from vezaflow.protocols.wiretap import Http2Tap, Tap

_UNUSED: Fault = (ErrorKind.CLOSED_EARLY, "the server closed the new connection before it was used")
_reschedule = trio.lowlevel.reschedule


class ConnectionState(ABC):
    """See the module. Of how bytes are read it says only what is needed of that."""

    __slots__ = (
        "began", "bodyless", "clock", "closes", "deadline", "exchange", "fault", "fd", "fitted", "pending", "phase",
        "reactor", "response", "scratch", "settled", "skipping", "socket", "tap", "task", "trap", "want",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, reactor: Reactor, scratch: Scratch) -> None:
        self.socket = sock
        self.fd = sock.fileno()
        self.reactor = reactor
        self.clock: Clock = reactor.clock
        self.scratch = scratch
        self.phase = CONNECTING
        self.deadline = math.inf
        self.began = 0.0  # when connecting
        self.settled = 0.0  # when that, then the handshake, ended
        self.task: trio.lowlevel.Task | None = None
        self.exchange: Exchange | None = None
        self.response: PlainResponse | StreamedResponse | None = None  # on its way, or not yet collected
        self.pending: list[memoryview] | None = None
        self.want = 0
        self.bodyless = False
        self.closes = False  # the request said so
        self.skipping = False
        self.fitted = False  # the send buffer, to how near the peer is
        self.fault: Fault = _UNUSED  # why it was closed, if nobody was there to be told
        self.trap = trap(self._abort)
        self.tap: Tap | Http2Tap | None = None  # who looks on

    # -- what reads ------------------------------------------------------------------------------------------

    @abstractmethod
    def ready(self, mask: int, now: float) -> None:
        """The reactor says what the socket is ready for."""

    @abstractmethod
    def read(self, mask: int, now: float, broken: OSError | None = None) -> None:
        """Read what is there. `broken` is what sending met with, should reading find nothing better."""

    @abstractmethod
    def stamped(self, ancillary: Ancillary) -> float:
        """When the kernel says that what was just read had come."""

    @abstractmethod
    def feed(self, view: memoryview, count: int, now: float) -> None:
        """Parse `count` bytes that came at `now`."""

    # -- while it waits --------------------------------------------------------------------------------------

    async def wait(self, deadline: float) -> None:
        """Park the calling task until the present phase has ended."""
        self.deadline = deadline
        if self.reactor.quiet:
            self.reactor.rouse()
        self.task = trio.lowlevel.current_task()
        await park(self.trap)

    def expire(self) -> None:
        """The deadline is over: which phase it is says what was too slow."""
        begun = self.phase == WAITING and self.response is not None
        self.fail(*(TOO_LATE if begun else TIMEOUTS[self.phase]))

    def abandon(self) -> None:
        """The transport goes down."""
        self.fail(ErrorKind.INTERRUPTED, "the transport was closed")

    # -- ends ------------------------------------------------------------------------------------------------

    def settle(self, phase: int, now: float) -> None:
        """The phase that a task waits for ended well, and `phase` is next."""
        self.phase = phase
        self.settled = now
        self._leave_exchange()

    def finish(self, exchange: Exchange, response: PlainResponse | StreamedResponse, now: float) -> None:
        """The response is complete."""
        exchange.status = response.status
        exchange.ended = now
        if self.pending is not None:  # before all was sent
            exchange.sent = min(exchange.first, now)
            response.keep = False
        kept = response.keep and not response.extra and not self.closes
        if kept:
            self.phase = IDLE
            self.skipping = False
        else:
            self.close()
        if type(response) is PlainResponse:  # nothing to collect
            self.response = None
            if kept:
                response.done = False
                self.scratch.plain.append(response)
            else:
                response.release()
        self._leave_exchange()

    def ended(self, now: float, broken: OSError | None = None) -> None:
        """The peer closed its side."""
        exchange, response = self.exchange, self.response
        if exchange is None:
            self.close()
        elif response is not None and response.streamed and response.open_ended:
            self.finish(exchange, response, now)
        elif broken is not None:
            self.fail(*fault_of(broken))
        elif response is None:
            self.fail(ErrorKind.CLOSED_EARLY, "the server closed the connection without a response")
        else:
            self.fail(ErrorKind.CLOSED_EARLY, "the server closed the connection during its response")

    def broken(self, error: OSError) -> None:
        """The peer takes no more. A response that it sent before (413, say) counts, and may still be in the buffer."""
        self.read(HANGUP, self.clock(), error)

    def fail(self, kind: ErrorKind, detail: str) -> None:
        """End the exchange without a response, and the connection with it."""
        self.close()
        exchange = self.exchange
        if exchange is None:
            self.fault = kind, detail
            return
        exchange.lose(kind, detail, self.clock(), sending=self.pending is not None)
        self.response = None
        self._leave_exchange()

    def close(self) -> None:
        if self.phase != CLOSED:
            self.phase = CLOSED
            self.reactor.forget(self)
            self.socket.close()

    def _abort(self, _raise_cancel: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
        """The task that waits is cancelled, and woken by trio."""
        self.task = self.response = None
        self._leave_exchange()
        self.close()
        return trio.lowlevel.Abort.SUCCEEDED

    def _leave_exchange(self) -> None:
        """The exchange is over, whichever way: wake the task that waits for it."""
        self.exchange = None
        self.pending = None
        self.deadline = math.inf
        task = self.task
        if task is not None:
            self.task = None
            _reschedule(task, READY)  # as `wake` does, which is a call more
