"""The server's end of an HTTP/2 connection, for scripts that answer, or misbehave."""

import ssl
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes, Settings
from scripted_server import Stream, World

from vezaflow.protocols import Client, ClientOptions, Exchange, RequestOptions, Sender, Want

BOTH = pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "poll"])
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


class Papers:
    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.options = ClientOptions(ca_file=str(folder / "ca.pem"), http2=True)

    def server(self, *spoken: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert("127.0.0.1").configure_cert(context)
        context.set_alpn_protocols(spoken or ["h2"])
        return context


async def settled(w: World, client: Client) -> None:
    """A first request: after it the client knows the server's settings, as h2's server expects from the first byte."""
    assert (await client.send(w.origin, w.get(), None, RequestOptions(Want.NOTHING, 5.0))).error is None


def goaway(last: int, code: ErrorCodes) -> bytes:
    """The frame, beside the state machine, which would end with it."""
    return b"\0\0\x08\x07\0\0\0\0\0" + last.to_bytes(4, "big") + int(code).to_bytes(4, "big")


class Outcome:
    """What is left of an exchange when its client has gone on."""

    def __init__(self, e: Exchange) -> None:
        assert e.started <= e.sent or e.error is not None, e.detail
        assert e.first <= e.ended or e.error is not None
        self.error, self.detail, self.body, self.reused = e.error, e.detail, e.body, e.reused
        self.sent, self.received = e.bytes_sent, e.bytes_received


async def send_all(
    client: Sender, w: World, paths: list[str], *, method: str = "GET", body: bytes = b"", timeout: float = 5.0
) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}

    async def one(path: str) -> None:
        head = w.get(path, method=method, length=len(body) if body else None)
        found[path] = Outcome(
            await client.send(
                w.origin, head, body or None, RequestOptions(Want.BODY, timeout, replayable=method == "GET")
            )
        )

    async with trio.open_nursery() as nursery:
        for path in paths:
            nursery.start_soon(one, path)
    return found


async def crowd(peer: Peer, count: int) -> list[Request]:
    """So many whole requests, none of them answered yet."""
    found = []
    for _ in range(count):
        request = await peer.request()
        assert request is not None
        found.append(request)
    return found
