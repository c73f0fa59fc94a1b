"""An event stream as a channel: the body of an HTTP/1.1 response, chunked or up to the end of the connection, with its
events as messages.

Laws: the server's end of it is an ending with the error `closed`, since a stream has none; a connection that breaks
within a chunk is `closed_early`. It sends nothing, and what the client no longer wants ends the connection.
"""

from vezaflow.protocols.channel import Ending, EventMessage, MessageChannel, OnMessage, SentMessage
from vezaflow.protocols.channel_connection import ChannelConnection
from vezaflow.protocols.event_stream import EventParser, EventTooLarge
from vezaflow.protocols.exchange import ErrorKind
from vezaflow.protocols.faults import Fault
from vezaflow.protocols.head import Unreadable
from vezaflow.protocols.options import EventStreamOptions
from vezaflow.protocols.streamed_response import StreamedResponse

NO_FRAME = 0  # the code of an ending: an event stream has no close frame


class EventStreamChannel(MessageChannel):
    """See the module. `response` is the one whose head came at `now`."""

    __slots__ = ("_parser", "_response", "opened")

    def __init__(
        self,
        connection: ChannelConnection,
        response: StreamedResponse,
        options: EventStreamOptions,
        on_message: OnMessage | None,
        now: float,
    ) -> None:
        super().__init__(connection, on_message)
        self._response = response
        self._parser = EventParser(options.max_event, options.last_id)
        self.opened = now

    @property
    def last_id(self) -> str:
        """Of the last event that had one; what a reconnect says."""
        return self._parser.last_id

    @property
    def retry(self) -> float | None:
        """Seconds that the server wants a client to wait before a reconnect."""
        return self._parser.retry

    def drop(self) -> None:
        """Close it: the server sees the end of the connection."""
        if self.ending is None:
            self.end(Ending(self._clock(), NO_FRAME, "", by_server=False))
        self.release()

    # -- for its connection ----------------------------------------------------------------------------------

    def feed(self, view: memoryview, count: int, now: float) -> None:
        try:
            self._response.feed(view[:count])
        except Unreadable as error:
            self._over(now, (error.kind, error.detail))
            return
        self.take(now)

    def take(self, now: float) -> None:
        """Read the events in what came of the body."""
        response = self._response
        body = b"".join(response.parts)
        response.parts.clear()
        response.size = 0
        try:
            for event in self._parser.feed(body):
                if self.ending is not None:
                    return
                self.arrived(EventMessage(event.data, now, event.size, event.name, event.id))
        except EventTooLarge:
            self._over(now, (ErrorKind.TOO_LARGE, f"an event is larger than {self._parser.most} bytes"))
            return
        if response.done and self.ending is None:
            self._over(now, _ENDED)

    def transmit(self, data: str | bytes, outgoing: SentMessage) -> None:
        raise AssertionError("an event stream has one direction")

    def cut(self, now: float, broken: Fault | None) -> None:
        if broken is not None:
            self._over(now, broken)
        elif self._response.open_ended:
            self._over(now, _ENDED)
        else:
            self._over(now, _CUT)

    def _over(self, now: float, fault: Fault) -> None:
        kind, detail = fault
        self.end(Ending(now, NO_FRAME, "", by_server=True, error=kind, detail=detail))
        self.release()


_ENDED: Fault = (ErrorKind.CLOSED, "the server ended the event stream")
_CUT: Fault = (ErrorKind.CLOSED_EARLY, "the server closed the connection in the middle of the event stream")
