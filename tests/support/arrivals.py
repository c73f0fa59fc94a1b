"""A target whose requests are read by libraries that are not ours: h11, and hyper's h2. It says what arrived.

A path's first segment names the step, the second what the target does with it: `ok`, `login` (sets cookies), `503-N` (N
times, then 200), `307` (to /landed/step/ok), `303-307` (a GET, which is sent on), `away` (307 to the other origin),
`page` (a Link to /landed/step/ok).
"""

import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11
import trio
import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

CA = trustme.CA()
_COOKIES = (b"sid=abc; Path=/", b"deep=1; Path=/s1", b"caf\xc3\xa9=x; Path=/s2")


@dataclass(frozen=True)
class Arrived:
    """A request as somebody else's parser read it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]  # names in lower case; over HTTP/2 `host` is :authority
    body: bytes
    connection: int

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


@dataclass
class Arrivals:
    """A running target, and all that arrived at it."""

    port: int = 0
    secure: bool = False
    seen: list[Arrived] = field(default_factory=list)
    _times: Counter[str] = field(default_factory=Counter)
    _connections: int = 0

    @property
    def base(self) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}"

    @property
    def other(self) -> str:
        return self.base.replace("127.0.0.1", "localhost")

    def of(self, step: str) -> list[Arrived]:
        """What arrived of one step, in its order."""
        return [each for each in self.seen if step in each.path.split("/")[1:3]]

    def reply(self, arrived: Arrived) -> tuple[int, list[tuple[bytes, bytes]]]:
        self.seen.append(arrived)
        _, step, act, *_ = [*arrived.path.split("/"), "", ""]
        self._times[step] += 1
        if act == "login":
            return 200, [(b"set-cookie", cookie) for cookie in _COOKIES]
        if act.startswith("503-") and self._times[step] <= int(act[4:]):
            return 503, []
        if act in ("307", "308", "302", "301"):
            return int(act), [(b"location", f"/landed/{step}/ok".encode())]
        if act == "page":
            return 200, [(b"link", f"</landed/{step}/ok>; rel=next".encode())]
        if act == "303-307":
            return 303, [(b"location", f"/again/{step}/ok".encode())]
        if step == "again":
            return 307, [(b"location", f"/landed/{act}/ok".encode())]
        if act == "away":
            return 307, [(b"location", f"{self.other}/landed/{step}/ok".encode())]
        return 200, []

    async def serve(self, stream: trio.abc.Stream) -> None:
        self._connections += 1
        number = self._connections
        try:
            if isinstance(stream, trio.SSLStream):
                await stream.do_handshake()
                if stream.selected_alpn_protocol() == "h2":
                    await self._http2(stream, number)
                    return
            await self._http1(stream, number)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def _http1(self, stream: trio.abc.Stream, number: int) -> None:
        wire = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        while True:
            request: h11.Request | None = None
            body = b""
            while True:
                event = wire.next_event()
                if event is h11.NEED_DATA:
                    wire.receive_data(bytes(await stream.receive_some(65536)))
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return
            assert request is not None
            headers = tuple((name.decode(), value.decode("utf-8")) for name, value in request.headers)
            method, target = request.method.decode(), request.target.decode("ascii")
            status, lines = self.reply(Arrived(method, target, headers, body, number))
            answer = h11.Response(status_code=status, headers=[*lines, (b"content-length", b"2")])
            data = wire.send(answer) or b""
            if method != "HEAD":
                data += wire.send(h11.Data(data=b"{}")) or b""
            elif wire.our_state is h11.SEND_BODY:
                pass
            await stream.send_all(data + (wire.send(h11.EndOfMessage()) or b""))
            if wire.our_state is not h11.DONE or wire.their_state is not h11.DONE:
                return
            wire.start_next_cycle()

    async def _http2(self, stream: trio.abc.Stream, number: int) -> None:
        wire = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        wire.initiate_connection()
        heads: dict[int, list[tuple[bytes, bytes]]] = {}
        bodies: dict[int, bytes] = {}
        while True:
            await stream.send_all(wire.data_to_send())
            data = await stream.receive_some(65536)
            if not data:
                return
            for event in wire.receive_data(data):
                if isinstance(event, RequestReceived):
                    heads[event.stream_id], bodies[event.stream_id] = list(event.headers), b""
                elif isinstance(event, DataReceived):
                    bodies[event.stream_id] += event.data
                    wire.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    fields = [(n.decode(), v.decode("utf-8")) for n, v in heads.pop(event.stream_id)]
                    said = dict(fields)
                    headers = tuple(("host" if n == ":authority" else n, v) for n, v in fields)
                    headers = tuple(pair for pair in headers if not pair[0].startswith(":"))
                    body = bodies.pop(event.stream_id)
                    status, lines = self.reply(Arrived(said[":method"], said[":path"], headers, body, number))
                    head = [(b":status", str(status).encode()), *lines]
                    wire.send_headers(event.stream_id, head, end_stream=said[":method"] == "HEAD")
                    if said[":method"] != "HEAD":
                        wire.send_data(event.stream_id, b"{}", end_stream=True)


@asynccontextmanager
async def arrivals(*, tls: bool = False, http2: bool = False) -> AsyncIterator[Arrivals]:
    """Serve until left."""
    target = Arrivals(secure=tls)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if tls:
        _certificate().configure_cert(context)
        context.set_alpn_protocols(["h2"] if http2 else ["http/1.1"])

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await target.serve(trio.SSLStream(stream, context, server_side=True) if tls else stream)

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        target.port = listeners[0].socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        yield target
        nursery.cancel_scope.cancel()


_made: list[trustme.LeafCert] = []


def _certificate() -> trustme.LeafCert:
    if not _made:
        _made.append(CA.issue_cert("127.0.0.1", "localhost"))
    return _made[0]
