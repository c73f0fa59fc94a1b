"""One worker process as its coordinator sees it: started, spoken to, listened to, missed when it is gone.

Laws: no input of the run is in its arguments or its environment. A process that ends is lost at once, one that gives no
sign of life within two seconds; whoever is lost or dismissed is dead and reaped when `reap` returns.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping

import trio
import trio.socket

from vezaflow.metrics import MOMENT, SUMMARY
from vezaflow.scale.frames import Channel
from vezaflow.scale.report import SHAPE as REPORT
from vezaflow.scale.report import Json
from vezaflow.untrusted import Shape, misfit

LISTEN = 0.2  # seconds that are waited at a time: when the machine was paused, no more of them than this counts
SILENCE = 1.8  # seconds without a sign of life: a worker gives four a second
_FIRST_WORD = 60.0  # seconds that a worker has to read its bundle
_LAST_BREATHS = 50  # looks at a process that closed its channel, 10 ms apart
_TAIL = 8192  # bytes of its standard error that are kept
_UNREADABLE = "sent an invalid message"
_MESSAGES: dict[str, Shape] = {
    "ready": {},
    "beat": {},
    "announced": {"until": float, "announced": str},
    "refused": {"message": str, "hint": str, "code": int},
    "report": {
        **dict.fromkeys(("over", "stopped"), bool),
        **dict.fromkeys(("second", "unsaid"), int),
        "stopped_flows": [str],
        "said": [str],
        "report": REPORT,
        "summary": SUMMARY,
        "moments": [MOMENT],
    },
}


class WorkerProcess:
    """A worker, from 1. `heard` is called with each of its reports, `announced` with what it has to tell the others."""

    def __init__(
        self,
        number: int,
        environment: Mapping[str, str],
        heard: Callable[["WorkerProcess", Json], None],
        announced: Callable[["WorkerProcess", Json], None],
    ) -> None:
        self.number = number
        self.ready = trio.Event()  # or gone
        self.over = False  # its last report is here
        self.lost = ""  # why it is gone before that
        self.last_words = ""  # what it said on standard error when it crashed
        self.refusal: Json | None = None
        self._heard = heard
        self._announced = announced
        self._tail = b""
        mine, its = socket.socketpair()
        with its:
            # In the main thread, and in a group of its own: Linux ends it with the thread that started it, and
            # a Ctrl-C on the terminal is for the coordinator alone.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vezaflow.scale"],
                stdin=its.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=dict(environment),
                process_group=0,
            )
        self._channel = Channel(trio.socket.from_stdlib_socket(mine))
        self._orders, self._outbox = trio.open_memory_channel[Json](1000)

    @property
    def alive(self) -> bool:
        """Whether more is to be expected of it."""
        return not (self.over or self.lost or self.refusal)

    def tell(self, order: Json) -> None:
        """Send an order; lost on who is gone."""
        try:
            self._orders.send_nowait(order)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.WouldBlock):
            pass  # it is gone, or deaf: silence shows it

    async def attend(self, order: Json) -> None:
        """Give it its work and listen until its last report, or until it is lost."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._post, order)
            nursery.start_soon(self._overhear)
            await self._listen()
            nursery.cancel_scope.cancel()
        self._orders.close()
        self.ready.set()

    async def _post(self, first: Json) -> None:
        try:
            await self._channel.send(first)
            async for order in self._outbox:
                await self._channel.send(order)
        except trio.BrokenResourceError:
            pass  # who listens finds out

    async def _overhear(self) -> None:
        """Keep the end of what it says on standard error."""
        assert self.process.stderr is not None
        async with trio.lowlevel.FdStream(os.dup(self.process.stderr.fileno())) as stream:
            async for piece in stream:
                self._tail = (self._tail + piece)[-_TAIL:]

    async def _listen(self) -> None:
        patience, silent = _FIRST_WORD, 0.0
        while self.alive:
            message = None
            with trio.move_on_after(LISTEN) as waiting:
                try:
                    message = await self._channel.receive()
                except ValueError:
                    await self._lose(_UNREADABLE)
                    return
            if waiting.cancelled_caught:
                silent += LISTEN
                if silent >= patience and not self._channel.waiting:
                    await self._lose(f"sent nothing for {patience:g} s")
            elif message is None:
                await self._lose("")
            else:
                patience, silent = SILENCE, 0.0
                if not self._took(message):
                    await self._lose(_UNREADABLE)

    def _took(self, message: Json) -> bool:
        """Whether a message means anything here."""
        said = message.get("is")
        if not isinstance(said, str) or said not in _MESSAGES or misfit(message, _MESSAGES[said]):
            return False
        match said:
            case "ready":
                self.ready.set()
            case "refused":
                self.refusal = message
            case "announced":
                self._announced(self, message)
            case "report":
                try:
                    self._heard(self, message)
                except ValueError:  # of figures that don't add up
                    return False
                self.over = message["over"]
        return True

    async def _lose(self, silence: str) -> None:
        if not silence:
            for _ in range(_LAST_BREATHS):
                if self.process.poll() is not None:
                    break
                await trio.sleep(0.01)
        code = None if silence else self.process.poll()
        self.process.kill()
        if code is not None and code > 0:
            self.last_words = self._tail.decode("utf-8", "replace").strip()
        how = silence or ("closed the connection" if code is None else _how(code))
        self.lost = f"worker {self.number} (process {self.process.pid}) {how}"

    def reap(self) -> None:
        """Make sure that it is gone."""
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self._channel.close()


def _how(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended early with exit code {code}"
