"""A WebSocket (RFC 6455) as a channel: the `websockets` package's frames and rules, our bytes and times.

Laws: control frames are answered as they come, whoever waits for what; a message's fragments are joined once, and none
costs more than its bytes (`max_message`, MOST_FRAGMENTS); what breaks the protocol is closed with its code (1002, 1007,
1009) and is an ending with an error; a close that the server begins is one without. The pong to a ping that nobody
sent by `ping` is what keeps a proxy on the way (nginx's 60 s) from closing an idle connection, and finds the dead.
"""

import codecs
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from websockets.client import ClientProtocol
from websockets.exceptions import PayloadTooBig
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, CloseCode, Frame
from websockets.protocol import OPEN
from websockets.typing import ExtensionParameter, Subprotocol
from websockets.uri import WebSocketURI

from vezaflow.protocols.bounds import MOST_FRAGMENTS, MOST_PONGS
from vezaflow.protocols.channel import (
    ABNORMAL,
    NO_CODE,
    ChannelMessage,
    Ending,
    MessageChannel,
    OnFrame,
    OnMessage,
    SentMessage,
)
from vezaflow.protocols.channel_connection import ChannelConnection
from vezaflow.protocols.exchange import ErrorKind
from vezaflow.protocols.faults import Fault
from vezaflow.protocols.options import WebSocketOptions
from vezaflow.protocols.phases import CLOSED
from vezaflow.protocols.plain_frames import plain_frame, plain_messages, plain_text

_SOMEWHERE = WebSocketURI(False, "localhost", 80, "/", "", None, None)  # the request's head is not its business
_SILENT = logging.getLogger("vezaflow.websocket")
_SILENT.disabled = True
_WINDOW = 12  # bits
_MOST_REASON = 123  # bytes (RFC 6455, 5.5)
_checker = codecs.getincrementaldecoder("utf-8")


@dataclass(slots=True)
class _Ping:
    sent: float
    took: float | None = None


def may_close_with(code: int) -> bool:
    """Whether a client may send this close code: 1000, 1001, 1003, 1007 to 1014 as registered, 3000 to 4999."""
    return 3000 <= code < 5000 or (code in CloseCode.__members__.values() and code not in (NO_CODE, ABNORMAL, 1015))


class Rules(ClientProtocol):
    """The package's, but that a close frame may come between fragments, as every control frame (RFC 6455, 5.4).

    `rested`: nothing has come of a message or a frame of which more is to come."""

    rested = False

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is CLOSE:
            self.current_size = None
        super().recv_frame(frame)
        self.rested = not self.reader.buffer and self.current_size is None


class _Deflate(ClientPerMessageDeflateFactory):
    """Offers what browsers do, so that the server has the same work, and compresses with a window of 4 KiB whatever the
    server allows: some 30 KB a connection, where zlib takes 300 by default."""

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> PerMessageDeflate:
        found = super().process_response_params(params, accepted_extensions)
        return PerMessageDeflate(
            found.remote_no_context_takeover,
            found.local_no_context_takeover,
            found.remote_max_window_bits,
            min(found.local_max_window_bits, _WINDOW),
            self.compress_settings,
        )


_DEFLATE = _Deflate(client_max_window_bits=True, compress_settings={"memLevel": 5})


def rules_for(options: WebSocketOptions) -> Rules:
    """The rules for one connection that is to be opened; its `key` goes into the request."""
    return Rules(
        _SOMEWHERE,
        extensions=[_DEFLATE] if options.compress else None,
        subprotocols=[Subprotocol(name) for name in options.subprotocols] or None,
        max_size=options.max_message,
        logger=_SILENT,
    )


class WebSocketChannel(MessageChannel):
    """An open WebSocket. Made by `Client.open_websocket`."""

    __slots__ = (
        "_checks", "_close_by", "_events", "_fragments", "_linger", "_most", "_next_ping", "_on_frame", "_options",
        "_partial", "_pings", "_plain", "_pongs", "_protocol", "_reading", "_simple", "_text", "opened", "subprotocol",
    )  # fmt: skip

    def __init__(
        self,
        connection: ChannelConnection,
        protocol: Rules,
        options: WebSocketOptions,
        on_message: OnMessage | None,
        on_frame: OnFrame | None,
        now: float,
    ) -> None:
        super().__init__(connection, on_message)
        protocol.events_received()  # the response, of which nobody needs to hold the head
        self._protocol = protocol
        self._options = options
        self._on_frame = on_frame
        self._partial: bytearray | None = None  # of a message whose last fragment is still to come
        self._text = False  # whether that is one
        self._checks: codecs.IncrementalDecoder | None = None
        self._fragments = 0
        self._events: list[Frame] = []
        self._reading = False
        self._most = options.max_message
        self._simple = on_frame is None and not protocol.extensions  # frames need not be the package's
        self._plain = self._simple  # and what comes next begins one
        self._pings: dict[bytes, _Ping] = {}  # those without a pong yet
        self._pongs = 0  # bytes of them that were put since all was sent
        self._next_ping = now + options.ping_every if options.ping_every > 0 else math.inf
        self._close_by = math.inf
        self._linger = math.inf
        self.opened = now
        self.subprotocol: str | None = protocol.subprotocol
        self._remind(self._next_ping)

    # -- for a VU --------------------------------------------------------------------------------------------

    async def ping(self, deadline: float) -> float | None:
        """Seconds from a ping to its pong; None where none came by the deadline, or the channel ended."""
        ping = self._send_ping()
        while ping.took is None and self.ending is None and self._clock() < deadline:
            await self._wait(deadline)
        return ping.took

    async def close(self, code: int = 1000, reason: str = "") -> Ending:
        """Close it, and wait for the server to confirm that (`close_timeout`). Messages that come meanwhile can still
        be read. A code that a client may not send is 1000; a reason is cut to 123 bytes."""
        self.begin_close(code, reason)
        ending = None
        while ending is None:
            ending = await self.ended_by(math.inf)
        return ending

    def begin_close(self, code: int = 1000, reason: str = "") -> None:
        """The same without waiting."""
        if self.ending is not None or self._protocol.state is not OPEN:
            return
        self._simple = self._plain = False
        said = reason.encode("utf-8", "replace")[:_MOST_REASON].decode("utf-8", "ignore")
        self._protocol.send_close(code if may_close_with(code) else CloseCode.NORMAL_CLOSURE, said)
        now = self._clock()
        self._close_by = now + self._options.close_timeout
        if self._on_frame is not None:
            self._on_frame(True, CLOSE, code.to_bytes(2, "big") + said.encode(), now)
        self._put_all(None)
        self._remind(self._close_by)

    async def gone(self) -> None:
        """Wait for the server to close the connection too, once the channel has ended."""
        while self._connection.phase != CLOSED:
            await self._wait(math.inf)

    def drop(self) -> None:
        """Close it at once: the server is told (1001) if the kernel takes it, and not waited for."""
        if self.ending is None:
            self.begin_close(CloseCode.GOING_AWAY)
            self.lost(ErrorKind.INTERRUPTED, "the client was closed")
        self.release()

    # -- for its connection ----------------------------------------------------------------------------------

    def feed(self, view: memoryview, count: int, now: float) -> None:
        messages: list[ChannelMessage] = []
        plain = self._plain and not self._reading
        if plain:
            message = plain_text(view, count, self._most, now)
            if message is not None:
                self.usual = count
                self._reading = True
                self.arrived(message)
                if self._plain:
                    self._reading = False
                else:
                    self._follow(now)
                return
            messages, at = plain_messages(view, count, self._most, now)
            if at != count:
                self._obey(view[at:count])
        else:
            self._obey(view[:count])
        if self._reading:  # from within a callback, by way of a connection that broke: the outer one goes on
            return
        self._reading = True
        for message in messages:
            if self.ending is None:
                self.arrived(message)
        if self._plain:
            self._reading = False
        else:
            self._follow(now)

    def _obey(self, piece: memoryview) -> None:
        """Have the rules read what came."""
        protocol = self._protocol
        self._plain = protocol.rested = False
        protocol.receive_data(piece)  # type: ignore[arg-type] # copied at once
        self._events += protocol.events_received()  # type: ignore[arg-type] # none is the response

    def _follow(self, now: float) -> None:
        """Do what the rules made of it."""
        protocol = self._protocol
        self._take_all(now)
        self._reading = False
        self._plain = self._simple and protocol.rested
        if protocol.parser_exc is not None and self.ending is None:
            self._fail(protocol.parser_exc, now)
        if protocol.writes:
            self._put_all(None)

    def post(self, data: str | bytes) -> SentMessage:
        if self._simple and self.ending is None and not self.outbox:
            opcode, raw = (TEXT, data.encode("utf-8", "replace")) if isinstance(data, str) else (BINARY, data)
            frame = plain_frame(opcode, raw)
            if frame is not None:
                outgoing = SentMessage(len(raw))
                self.put(frame, outgoing)
                return outgoing
        return super().post(data)

    def transmit(self, data: str | bytes, outgoing: SentMessage) -> None:
        protocol = self._protocol
        if protocol.state is not OPEN:
            outgoing.error = ErrorKind.CLOSED_EARLY
            outgoing.detail = "the WebSocket is being closed"
            return
        if isinstance(data, str):
            raw = data.encode("utf-8", "replace")
            protocol.send_text(raw)
        else:
            raw = data
            protocol.send_binary(raw)
        outgoing.size = len(raw)
        self._put_all(outgoing)
        if self._on_frame is not None:
            self._on_frame(True, TEXT if isinstance(data, str) else BINARY, raw, self._clock())

    def cut(self, now: float, broken: Fault | None) -> None:
        if self.ending is None:
            closing = "instead of confirming the close" if self._close_by != math.inf else "without a close frame"
            kind, detail = broken or (ErrorKind.CLOSED_EARLY, f"the server closed the connection {closing}")
            self.end(Ending(now, ABNORMAL, "", True, kind, detail))
        self.release()

    def next_deadline(self, now: float) -> float:
        if self.ending is not None:
            if now >= self._linger:
                self.release()
            return self._linger
        if now >= self._close_by:
            self.lost(ErrorKind.TIMEOUT_CLOSE, "the server did not confirm the close in time")
            return math.inf
        oldest = next(iter(self._pings.values()), None)
        dead = math.inf
        if oldest is not None and self._next_ping != math.inf:
            dead = oldest.sent + self._options.ping_timeout
            if now >= dead:
                self.lost(ErrorKind.TIMEOUT_PING, "the server sent no pong in time")
                return math.inf
        if now >= self._next_ping:
            self._send_ping()
            self._next_ping = now + self._options.ping_every
            dead = min(dead, now + self._options.ping_timeout)
        return min(self._close_by, self._next_ping, dead)

    # -- frames ----------------------------------------------------------------------------------------------

    def _take_all(self, now: float) -> None:
        events = self._events
        while events:
            self._events = []
            for frame in events:
                if self.ending is None:
                    self._take(frame, now)
            events = self._events

    def _take(self, frame: Frame, now: float) -> None:
        opcode = frame.opcode
        if self._on_frame is not None:
            self._on_frame(False, opcode, bytes(frame.data), now)
        if opcode is TEXT or opcode is BINARY:
            if frame.fin:
                self._complete(frame.data, opcode is TEXT, now)
            else:
                self._text = opcode is TEXT
                self._checks = _checker() if self._text else None
                self._partial = bytearray()
                self._fragments = 0
                self._join(frame, now)
        elif opcode is CONT:
            self._join(frame, now)
        elif opcode is PONG:
            self._ponged(bytes(frame.data), now)
        elif opcode is CLOSE:
            self._closed(now)
        elif opcode is PING and self._on_frame is not None:
            self._on_frame(True, PONG, bytes(frame.data), now)

    def _join(self, frame: Frame, now: float) -> None:
        """A fragment; the last one completes its message."""
        partial = self._partial
        assert partial is not None
        partial += frame.data
        self._fragments += 1
        if self._fragments > MOST_FRAGMENTS:
            self._refuse(CloseCode.MESSAGE_TOO_BIG, ErrorKind.TOO_LARGE, f"over {MOST_FRAGMENTS} fragments", now)
            return
        if self._checks is not None:
            try:
                self._checks.decode(frame.data, frame.fin)
            except UnicodeDecodeError:
                self._refuse_text(now)
                return
        if frame.fin:
            self._partial = self._checks = None
            self._complete(partial, self._text, now)

    def _complete(self, data: bytes | bytearray | memoryview, text: bool, now: float) -> None:
        if text:
            try:
                self.arrived(ChannelMessage(str(data, "utf-8"), now, len(data)))
            except UnicodeDecodeError:
                self._refuse_text(now)
        else:
            self.arrived(ChannelMessage(bytes(data), now, len(data)))

    def _ponged(self, payload: bytes, now: float) -> None:
        """A pong. It answers the pings before as well (RFC 6455, 5.5.3), of which nobody knows how long they took."""
        if payload not in self._pings:
            return
        for name in list(self._pings):
            ping = self._pings.pop(name)
            ping.took = max(0.0, now - ping.sent)
            if name == payload:
                break
        self._wake()

    def _closed(self, now: float) -> None:
        """The server's close frame, the echo of which is on its way."""
        said = self._protocol.close_rcvd
        assert said is not None
        began = bool(self._protocol.close_rcvd_then_sent)
        if began and self._on_frame is not None and said.code != NO_CODE:
            self._on_frame(True, CLOSE, said.serialize(), now)
        self._end(Ending(now, int(said.code), said.reason, began))

    # -- ends ------------------------------------------------------------------------------------------------

    def _refuse_text(self, now: float) -> None:
        self._refuse(CloseCode.INVALID_DATA, ErrorKind.MALFORMED, "a text message is not valid UTF-8", now)

    def _refuse(self, code: CloseCode, kind: ErrorKind, detail: str, now: float) -> None:
        self._protocol.fail(code, detail)
        self._end(Ending(now, code, detail, False, kind, f"the server broke the protocol: {detail}"))

    def _fail(self, fault: Exception, now: float) -> None:
        """What the rules found wrong, of which the server is told."""
        sent = self._protocol.close_sent
        code = int(sent.code) if sent is not None else int(CloseCode.PROTOCOL_ERROR)
        if isinstance(fault, PayloadTooBig):
            most = self._options.max_message
            self._end(Ending(now, code, "", False, ErrorKind.TOO_LARGE, f"a message is larger than {most} bytes"))
        else:
            detail = f"the server broke the protocol: {fault}"
            self._end(Ending(now, code, str(fault), False, ErrorKind.MALFORMED, detail))

    def _end(self, ending: Ending) -> None:
        """It is over, but for the server to close the connection."""
        self._simple = False
        self._put_all(None)  # the close frame
        self._partial = self._checks = None
        self._linger = ending.at + self._options.close_timeout
        self.end(ending)
        self._remind(self._linger)

    # -- sending ---------------------------------------------------------------------------------------------

    def _send_ping(self) -> _Ping:
        now = self._clock()
        ping = _Ping(now)
        if self.ending is None:
            payload = b"%d" % int(now * 1e6)
            while payload in self._pings:
                payload += b"+"
            self._pings[payload] = ping
            self._protocol.send_ping(payload)
            if self._on_frame is not None:
                self._on_frame(True, PING, payload, now)
            self._put_all(None)
            self._remind(now + self._options.ping_timeout)
        return ping

    def _put_all(self, outgoing: SentMessage | None) -> None:
        """Hand over what is to be sent: `outgoing` is the last of it. Where much is unsent, pongs are left out."""
        writes = self._protocol.data_to_send()
        if not self.unsent:
            self._pongs = 0
        last = len(writes) - 1
        for number, data in enumerate(writes):
            if not data:  # the end of our side: the server closes first
                continue
            if data[0] & 15 == PONG:
                self._pongs += len(data)
                if self._pongs > MOST_PONGS and self.unsent:
                    continue
            self.put(data, outgoing if number == last else None)
