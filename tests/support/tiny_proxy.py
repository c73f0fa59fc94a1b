"""A proxy on 127.0.0.1 that forwards and tunnels, and remembers what it was asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import trio
from scripted_server import read_head

from vezaflow.protocols import Proxy

REFUSED = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


@dataclass
class TinyProxy:
    """A running proxy. `reply`: what it says to CONNECT instead of opening a tunnel."""

    port: int
    credentials: bytes = b""
    reply: bytes | None = None
    heads: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> Proxy:
        return Proxy("127.0.0.1", self.port)

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            try:
                while head := await read_head(stream):
                    self.heads.append(head)
                    if self.credentials and b"Proxy-Authorization: Basic " + self.credentials not in head:
                        await stream.send_all(REFUSED)
                    elif head.startswith(b"CONNECT "):
                        await self._tunnel(stream, head)
                        return
                    else:
                        await self._forward(stream, head)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass

    async def _tunnel(self, stream: trio.SocketStream, head: bytes) -> None:
        if self.reply is not None:
            await stream.send_all(self.reply)
            return
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        async with await trio.open_tcp_stream(host, int(port)) as far:
            for byte in b"HTTP/1.1 200 Connection established\r\nVia: 1.1 tiny\r\n\r\n":
                await stream.send_all(bytes([byte]))  # however it is cut
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_copy, stream, far, nursery.cancel_scope)
                nursery.start_soon(_copy, far, stream, nursery.cancel_scope)

    async def _forward(self, stream: trio.SocketStream, head: bytes) -> None:
        method, url, rest = head.split(b" ", 2)
        parts = urlsplit(url.decode())
        async with await trio.open_tcp_stream(parts.hostname or "", parts.port or 80) as far:
            await far.send_all(b"%b %b %b" % (method, parts.path.encode(), rest))
            await stream.send_all(await far.receive_some(65536))


async def _copy(source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope) -> None:
    try:
        async for piece in source:
            await sink.send_all(piece)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    scope.cancel()


@asynccontextmanager
async def tiny_proxy(*, credentials: bytes = b"", reply: bytes | None = None) -> AsyncIterator[TinyProxy]:
    """A proxy that serves until it is left."""
    async with trio.open_nursery() as nursery:
        listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        proxy = TinyProxy(listener.socket.getsockname()[1], credentials, reply)
        nursery.start_soon(trio.serve_listeners, proxy.serve, [listener])
        yield proxy
        nursery.cancel_scope.cancel()
