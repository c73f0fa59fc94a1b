"""Listens to one channel while a flow uses it, and says in the end what passed. The flow's own channel is untouched."""

from collections.abc import Callable

from vezaflow.protocols import (
    ChannelMessage,
    Ending,
    ErrorKind,
    EventMessage,
    EventStream,
    Exchange,
    OnFrame,
    OnMessage,
    Voice,
    WebSocket,
)
from vezaflow.tape.channel_take import ChannelKind, ChannelTake, End, Passed

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10  # RFC 6455, 5.2
_MOST_PONGS = 1000


class ChannelRecording:
    """`keep` is asked whether there is room for a message, before it is kept."""

    def __init__(self, kind: ChannelKind, keep: Callable[[Passed], bool]) -> None:
        self._kind = kind
        self._keep = keep
        self._messages: list[Passed] = []  # their times are the clock's
        self._whole = True
        self._pings: dict[bytes, float] = {}  # without a pong yet
        self._sent_pings = 0
        self._pongs: list[float] = []
        self._asked: int | None = None
        self._exchange = Exchange()
        self._channel: WebSocket | EventStream | None = None

    def listening(self, then: OnMessage | None) -> OnMessage:
        """An `on_message` that keeps what comes, before `then` looks at it."""

        def came(channel: Voice, message: ChannelMessage) -> bool:
            event, id_ = (message.event, message.id) if isinstance(message, EventMessage) else ("", "")
            self._pass(Passed(False, message.at, message.data, event, id_))
            return then is not None and then(channel, message)

        return came

    def watching(self, then: OnFrame | None) -> OnFrame:
        """An `on_frame` that keeps what is sent."""

        def frame(sent: bool, opcode: int, payload: bytes, at: float) -> None:
            if sent and opcode in (_TEXT, _BINARY):
                self._pass(Passed(True, at, payload.decode("utf-8", "replace") if opcode == _TEXT else payload))
            elif sent and opcode == _CLOSE:
                self._asked = int.from_bytes(payload[:2], "big")
            elif sent and opcode == _PING:
                self._sent_pings += 1
                self._pings[payload] = at
            elif not sent and opcode == _PONG and (begun := self._pings.pop(payload, None)) is not None:
                self._pongs.append(max(0.0, at - begun))
            if then is not None:
                then(sent, opcode, payload, at)

        return frame

    def opened(self, exchange: Exchange, channel: WebSocket | EventStream | None) -> None:
        """What came of opening it."""
        self._exchange, self._channel = exchange, channel

    def take(self) -> ChannelTake:
        """What has passed so far."""
        exchange, channel = self._exchange, self._channel
        begun = exchange.begun
        return ChannelTake(
            self._kind,
            refused=exchange.error,
            detail=exchange.detail,
            messages=tuple(Passed(m.sent, max(0.0, m.at - begun), m.data, m.event, m.id) for m in self._messages),
            whole=self._whole,
            end=self._end(channel.ending, begun) if channel is not None else None,
            subprotocol=getattr(channel, "subprotocol", None),
            retry=getattr(channel, "retry", None),
            pings=self._sent_pings,
            pongs=tuple(self._pongs[:_MOST_PONGS]),
        )

    def _pass(self, message: Passed) -> None:
        self._whole = self._whole and self._keep(message)
        if self._whole:
            self._messages.append(message)

    def _end(self, ending: Ending | None, begun: float) -> End | None:
        if ending is None or ending.error is ErrorKind.INTERRUPTED:
            return None
        echoed = ending.by_server and ending.error is None
        asked = None if echoed else self._asked
        if self._kind is ChannelKind.EVENTS and not ending.by_server:
            return None  # the flow was done with it
        at = max(0.0, ending.at - begun)
        return End(at, ending.code, ending.reason, ending.by_server, ending.error, ending.detail, asked)
