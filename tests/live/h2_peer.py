"""The server's end of an HTTP/2 connection, for scripts that answer, or misbehave."""

from collections import deque
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes, Settings
from scripted_server import Stream

Fields = list[tuple[bytes, bytes]]


@dataclass
class Request:
    stream: int
    fields: Fields
    body: bytearray = field(default_factory=bytearray)

    @property
    def path(self) -> str:
        return dict(self.fields)[b":path"].decode()


class Peer:
    """`requests` come as they end; `seen` is every event."""

    def __init__(self, stream: Stream, window: int = 65_535, streams: int = 100) -> None:
        self.stream = stream
        self.wire = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        values = {SettingCodes.INITIAL_WINDOW_SIZE: window, SettingCodes.MAX_CONCURRENT_STREAMS: streams}
        self.wire.local_settings = Settings(client=False, initial_values=values)
        self.wire.initiate_connection()
        self.seen: list[Event] = []
        self._open: dict[int, Request] = {}
        self._whole: deque[Request] = deque()

    async def request(self) -> Request | None:
        """The next whole request; None when the client is gone."""
        while not self._whole:
            if not await self.receive():
                return None
        return self._whole.popleft()

    async def begun(self) -> Request:
        """A request whose head has come."""
        while not self._open:
            await self.receive()
        return next(iter(self._open.values()))

    async def receive(self) -> bool:
        """Take what comes next; False when the client is gone."""
        await self.flush()
        data = await self.stream.receive_some(65536)
        if not data:
            return False
        events = self.wire.receive_data(data)
        self.seen += events
        for event in events:
            self._take(event)
        await self.flush()
        return True

    def _take(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._open[event.stream_id] = Request(event.stream_id, list(event.headers))
        elif isinstance(event, DataReceived):
            self._open[event.stream_id].body += event.data
            self.wire.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            self._whole.append(self._open.pop(event.stream_id))
        elif isinstance(event, StreamReset):
            self._open.pop(event.stream_id, None)

    async def respond(
        self, request: Request, body: bytes = b"ok", *, status: int = 200, fields: Fields | None = None
    ) -> None:
        stream = request.stream
        self.wire.send_headers(stream, [(b":status", str(status).encode()), *(fields or [])], end_stream=not body)
        left = memoryview(body)
        while left:
            room = min(self.wire.local_flow_control_window(stream), self.wire.max_outbound_frame_size)
            if room == 0:
                await self.receive()
                continue
            self.wire.send_data(stream, left[:room], end_stream=room >= len(left))
            left = left[room:]
            await self.flush()
        await self.flush()

    async def flush(self) -> None:
        await self.stream.send_all(self.wire.data_to_send())


async def always_ok(stream: Stream) -> None:
    peer = Peer(stream)
    while request := await peer.request():
        await peer.respond(request)
