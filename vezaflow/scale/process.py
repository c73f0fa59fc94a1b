"""One worker process as its coordinator sees it: spoken to, listened to, missed when it is gone.

Laws: no input of the run is in its arguments or its environment. A process that ends is lost at once, one that gives no
sign of life within two seconds; whoever is lost or dismissed is dead and reaped when `reap` returns.
"""

from collections.abc import Callable

import trio

from vezaflow.metrics import MOMENT, SUMMARY
from vezaflow.scale.link import WorkerLink, how_it_ended
from vezaflow.scale.report import SHAPE as REPORT
from vezaflow.scale.report import Json
from vezaflow.untrusted import Shape, misfit

LISTEN = 0.2  # seconds that are waited at a time: when the machine was paused, no more of them than this counts
SILENCE = 1.8  # seconds without a sign of life: a worker gives four a second
_FIRST_WORD = 60.0  # seconds that a worker has to read its bundle
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
        link: WorkerLink,
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
        self._link = link
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
            nursery.start_soon(self._link.overhear)
            await self._listen()
            nursery.cancel_scope.cancel()
        self._orders.close()
        self.ready.set()

    async def _post(self, first: Json) -> None:
        try:
            await self._link.send(first)
            async for order in self._outbox:
                await self._link.send(order)
        except trio.BrokenResourceError:
            pass  # who listens finds out

    async def _listen(self) -> None:
        patience, silent = _FIRST_WORD, 0.0
        while self.alive:
            message = None
            with trio.move_on_after(LISTEN) as waiting:
                try:
                    message = await self._link.receive()
                except ValueError:
                    await self._lose(_UNREADABLE)
                    return
            if waiting.cancelled_caught:
                silent += LISTEN
                if self._link.trouble and not self.ready.is_set():
                    await self._lose(f"can't be spoken to: {self._link.trouble}")
                elif silent >= patience and not self._link.waiting:
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
        code, said = (None, "") if silence else await self._link.farewell()
        self._link.kill()
        if code is not None and code > 0:
            self.last_words = said
        how = silence or ("closed the connection" if code is None else how_it_ended(code))
        self.lost = f"{self._link.who} {how}"

    def reap(self) -> None:
        """Make sure that it is gone."""
        self._link.reap()
