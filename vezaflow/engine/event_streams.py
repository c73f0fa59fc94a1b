"""Event streams: one is opened, held while steps run, and dropped; events come in meanwhile.

Laws: those of channels.py. A reconnect says which event was the last, and waits as long as the server has said; a
response with status 204 is the server's word that there will be no more, and no failure by itself.
"""

import time

from vezaflow.engine.channels import LONGEST_WAIT, HeldChannel, hold, short, view_of
from vezaflow.engine.context import FlowContext, Run
from vezaflow.engine.vu import VU
from vezaflow.metrics import StreamRecorder
from vezaflow.plan import (
    EvaluationError,
    Failure,
    Outgoing,
    PlannedEventStream,
    PlannedReconnect,
    seconds_since_1970,
    show,
)
from vezaflow.protocols import (
    ChannelMessage,
    Ending,
    EventMessage,
    EventStream,
    Exchange,
    Sender,
    StreamOpening,
    Voice,
    with_last_id,
)

_NO_MORE = 204  # the HTML standard, 9.2.3


class HeldStream(HeldChannel):
    """The event stream of one VU and one run of a step, through all its connections."""

    step: PlannedEventStream
    record: StreamRecorder
    channel: EventStream | None
    item = "event"
    status = 200

    def __init__(self, vu: VU, step: PlannedEventStream, record: StreamRecorder, context: FlowContext) -> None:
        super().__init__(vu, step, record, context)
        self._was_open = False
        self._last_id = ""
        self._retry: float | None = None

    # -- opening ---------------------------------------------------------------------------------------------

    def prepare(self) -> Outgoing:
        outgoing = super().prepare()
        return outgoing._replace(head=with_last_id(outgoing.head, self._last_id))

    async def open(self, client: Sender, outgoing: Outgoing) -> StreamOpening:
        options = self.step.options.after(self._last_id)
        return await client.open_events(outgoing.target.origin, outgoing.head, options, on_message=self._came)

    def entered(self, channel: EventStream) -> None:
        self.channel, self._was_open = channel, True

    def refused(self, exchange: Exchange) -> Failure:
        if self._was_open and exchange.status == _NO_MORE and exchange.error is not None:
            self.over = True
            return Failure(exchange.error, "VF607", exchange.detail, self.step.request.span)
        return super().refused(exchange)

    def wait(self, reconnect: PlannedReconnect, number: int) -> float:
        retry = self._retry
        if retry is None:
            return super().wait(reconnect, number)
        return max(retry, min(LONGEST_WAIT, retry * 2.0 ** min(number, 32)))

    # -- what comes ------------------------------------------------------------------------------------------

    def _came(self, channel: Voice, message: ChannelMessage) -> bool:
        """It may come before the one who opens the stream has it."""
        self.record.received()
        self.count(channel)
        if self.step.sent is not None:
            self._measure(message)
        if self.context.observer is not None and isinstance(message, EventMessage):
            of = f" #{message.id}" if message.id else ""
            self.tell(f"← {message.event}{of}: {short(str(message.data))}", message.at)
        return False

    def _measure(self, message: ChannelMessage) -> None:
        """How long it was on its way, if it says when it was sent."""
        vu, context = self.vu, self.context
        assert self.step.sent is not None
        before = vu.response, vu.item
        vu.response, told = view_of(message)
        vu.item = (told, None)
        try:
            said = self.step.sent(vu)
        except EvaluationError:  # another kind of event
            return
        finally:
            vu.response, vu.item = before
        if said is None:
            return
        sent = seconds_since_1970(said)
        if sent is None:
            wrong = f"`sent` must be a time, such as seconds since 1970: it is {show(said)}"
            context.incidents.add("VF605", context.flow, self.step.name, wrong, self.step.span, context.included)
            return
        came = time.time() - (context.clock() - message.at)
        self.record.delayed(came - sent)

    # -- ends ------------------------------------------------------------------------------------------------

    def note(self, ending: Ending) -> None:
        if self._noted:
            return
        self._noted = True
        if self.channel is not None:
            self.count(self.channel)
            self._last_id = self.channel.last_id
            self._retry = self.channel.retry if self.channel.retry is not None else self._retry
        kind = ending.error.value if ending.error is not None and self._is_unexpected(ending) else ""
        self.record.ended(ending.at - self._begun, kind)
        self.context.tell(self.told(ending))

    async def finish(self) -> Failure | None:
        channel = self.channel
        if self.over or (self.step.reconnect is not None and not self._given_up and not self.is_open):
            return None
        if channel is None:
            return self.closed(None, self.step.span)
        if channel.ending is None:
            self._closing = True
            channel.drop()
        ending = channel.ending
        assert ending is not None, "it was dropped"
        self.note(ending)
        return self.closed(ending, self.step.span) if self._is_unexpected(ending) else None

    def told(self, ending: Ending | None) -> str:
        if ending is None:
            return (
                "the server has no more events (status 204)"
                if self.over
                else "the event stream could not be opened again"
            )
        if ending.error is not None:
            return ending.detail or ending.error.value
        return "vezaflow closed the event stream"


def event_stream_step(step: PlannedEventStream, body: Run, record: StreamRecorder, context: FlowContext) -> Run:
    """The step as a coroutine function of a VU; `body` is what runs while it is open."""

    async def run(vu: VU) -> int:
        return await hold(HeldStream(vu, step, record, context), step.slot, body)

    return run
