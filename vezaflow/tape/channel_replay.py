"""A channel that a tape speaks for: what was received comes again, in its order between what is sent, and then its end.

Laws: a message that came after one of the flow's comes after the flow has sent its counterpart, which is an equal
message, or else the next recorded one that differs in numbers and ids alone, or else the next one. Between two messages
the time passes that passed then, of a clock that skips what nobody does anything in. A message's time is the one it is
due at, however late it is looked at.
"""

import math
import re
from collections.abc import Callable

import trio

from vezaflow.protocols import ChannelMessage, Ending, ErrorKind, EventMessage, OnMessage, SentMessage
from vezaflow.tape.channel_take import ChannelKind, ChannelTake, End, Passed

_ABNORMAL = 1006  # no close frame (RFC 6455, 7.4.1)
_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")
_SHOWN = 80  # characters of a message in a note
Plain = Callable[[str | bytes], str | bytes]
Note = Callable[[str], None]


class ReplayedChannel:
    """Has the shapes of protocols.WebSocket and protocols.EventStream.

    `plain`: a message as it would stand on the tape; `differs` is told of a message that is another than the recorded
    one, `note` of all else that there is to say.
    """

    def __init__(
        self,
        take: ChannelTake,
        begun: float,
        on_message: OnMessage | None,
        plain: Plain,
        differs: Note,
        note: Note,
        last_id: str = "",
    ) -> None:
        self.received = self.dropped = self.bytes_sent = self.bytes_received = 0
        self.ending: Ending | None = None
        self.opened = begun
        self.subprotocol = take.subprotocol
        self.last_id = last_id
        self.retry = take.retry
        self._take = take
        self._on_message = on_message
        self._plain = plain
        self._differs = differs
        self._note = note
        self._unread: list[ChannelMessage] = []
        self._news = trio.Event()
        self._next = 0  # of the messages
        self._then, self._recorded = begun, 0.0  # when the one before was, and when it was then
        self._spoken: dict[int, float] = {}  # the flow's own that it has sent, and when
        self._open = [number for number, message in enumerate(take.messages) if message.sent]
        self._silent = False  # it was said that no more is recorded
        self._pings = 0

    async def play(self) -> None:
        """Let come what is due, until it ends or all has come."""
        while self.ending is None:
            news = self._news
            with trio.move_on_at(self._due()):
                await news.wait()
            self._pump()

    # -- what comes ------------------------------------------------------------------------------------------

    def _due(self) -> float:
        """When the next message or the end comes; never, while it waits for the flow."""
        messages, end = self._take.messages, self._take.end
        if self._next < len(messages):
            message = messages[self._next]
            if message.sent:
                return self._spoken.get(self._next, math.inf)
            return self._moment(message.at)
        return self._moment(end.at) if end is not None and end.asked is None else math.inf

    def _moment(self, recorded: float) -> float:
        return self._then + max(0.0, recorded - self._recorded)

    def _pump(self) -> None:
        messages = self._take.messages
        now = trio.current_time()
        while self.ending is None and (due := self._due()) <= now:
            if self._next == len(messages):
                end = self._take.end
                assert end is not None, "it is due"
                self._end(_ending(end, due))
                return
            message = messages[self._next]
            self._next += 1
            self._then, self._recorded = max(self._then, due), message.at
            if not message.sent:
                self._arrived(message, due)

    def _arrived(self, passed: Passed, at: float) -> None:
        data = passed.data
        size = len(data.encode("utf-8", "replace")) if isinstance(data, str) else len(data)
        self.received += 1
        self.bytes_received += size
        if self._take.kind is ChannelKind.EVENTS:
            self.last_id = passed.id or self.last_id
            message: ChannelMessage = EventMessage(data, at, size, passed.event, passed.id)
        else:
            message = ChannelMessage(data, at, size)
        if self._on_message is None or not self._on_message(self, message):
            self._unread.append(message)
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def receive(self, deadline: float) -> ChannelMessage | Ending | None:
        await trio.lowlevel.checkpoint()
        self._pump()
        while not self._unread:
            if self.ending is not None:
                return self.ending
            if trio.current_time() >= deadline:
                self._say_why_nothing_comes()
                return None
            await self._wait(deadline)
        return self._unread.pop(0)

    async def ended_by(self, deadline: float) -> Ending | None:
        await trio.lowlevel.checkpoint()
        self._pump()
        while self.ending is None and trio.current_time() < deadline:
            await self._wait(deadline)
        return self.ending

    def _say_why_nothing_comes(self) -> None:
        """Tell what stands before the next message: one that the flow did not send, or the end of the recording."""
        messages = self._take.messages
        if self._next == len(messages):
            self._note("no further message is recorded")
        elif messages[self._next].sent:
            self._note(f"the next message was recorded after {_words(messages[self._next].data)}, which was not sent")

    async def _wait(self, deadline: float) -> None:
        news = self._news
        with trio.move_on_at(deadline):
            await news.wait()
        self._pump()

    # -- what is sent ----------------------------------------------------------------------------------------

    async def send(self, data: str | bytes, _deadline: float) -> SentMessage:
        await trio.lowlevel.checkpoint()
        self._pump()
        return self.post(data)

    def post(self, data: str | bytes) -> SentMessage:
        """It finds its counterpart; what came after that is due from now on."""
        outgoing = SentMessage(len(data.encode("utf-8", "replace")) if isinstance(data, str) else len(data))
        ending = self.ending
        if ending is not None:
            outgoing.error = ending.error or ErrorKind.CLOSED_EARLY
            outgoing.detail = ending.detail or f"the channel was closed ({ending.code}) before this was sent"
            return outgoing
        outgoing.sent = trio.current_time()
        self.bytes_sent += outgoing.size
        number = self._counterpart(self._plain(data))
        if number is not None:
            self._open.remove(number)
            self._spoken[number] = outgoing.sent
            self._wake()
        return outgoing

    def _counterpart(self, data: str | bytes) -> int | None:
        messages = self._take.messages
        for number in self._open:
            if messages[number].data == data:
                return number
        if self._open:
            outline = _outline(data)
            alike = (number for number in self._open if _outline(messages[number].data) == outline)
            found = next(alike, self._open[0])
            self._differs(f"the recorded message is {_words(messages[found].data)}, and this is {_words(data)}")
            return found
        if not self._silent:
            self._silent = True
            self._differs(f"no further message is recorded, and this is {_words(data)}")
        return None

    async def ping(self, deadline: float) -> float | None:
        """As long as the recorded one took; None where none got a pong."""
        await trio.lowlevel.checkpoint()
        pongs, number = self._take.pongs, self._pings
        self._pings += 1
        took = pongs[min(number, len(pongs) - 1)] if pongs else 0.0
        if not pongs and self._take.pings:
            await self.ended_by(deadline)
            return None
        due = trio.current_time() + took
        ending = await self.ended_by(min(due, deadline))
        return took if ending is None and due <= deadline else None

    # -- ends ------------------------------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "") -> Ending:
        await trio.lowlevel.checkpoint()
        self._pump()
        self.begin_close(code, reason)
        assert self.ending is not None
        return self.ending

    def begin_close(self, code: int = 1000, reason: str = "") -> None:
        """It ends at once, as it ended then if the flow closed it then, too."""
        if self.ending is not None:
            return
        self._say_what_is_left()
        now, end = trio.current_time(), self._take.end
        if end is None or end.asked is None:
            self._end(Ending(now, code, reason, by_server=False))
            return
        if end.asked != code:
            self._differs(f"it was closed with the code {end.asked}, and now with {code}")
        self._end(_ending(end, now))

    def drop(self) -> None:
        if self.ending is not None:
            return
        if self._take.kind is ChannelKind.EVENTS:
            self._end(Ending(trio.current_time(), 0, "", by_server=False))
        else:
            error = ErrorKind.INTERRUPTED
            self._end(Ending(trio.current_time(), _ABNORMAL, "", by_server=False, error=error))

    def _say_what_is_left(self) -> None:
        """Tell the recorded messages that the flow did not send: what came after them did not come."""
        if self._open:
            first = _words(self._take.messages[self._open[0]].data)
            more = f" and {len(self._open) - 1} more" if len(self._open) > 1 else ""
            self._note(f"the recorded message {first}{more} was not sent")

    def _end(self, ending: Ending) -> None:
        self.ending = ending
        self._wake()


def _ending(end: End, at: float) -> Ending:
    return Ending(at, end.code, end.reason, end.by_server, end.error, end.detail)


def _outline(data: str | bytes) -> str | None:
    """A text without its numbers, times and ids."""
    if isinstance(data, bytes):
        return None
    return _WORD.sub(lambda word: "0" if _DIGIT.search(word[0]) else word[0], data)


def _words(data: str | bytes) -> str:
    if isinstance(data, bytes):
        return f"{len(data)} bytes"
    line = " ".join(data.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
