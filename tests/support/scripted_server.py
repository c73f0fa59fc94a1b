"""A server on 127.0.0.1 that does what a test's coroutine says, connection by connection."""

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import trio

from vezaflow.protocols import Client, ClientOptions, Origin, Transport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Stream: TypeAlias = trio.abc.Stream
Script: TypeAlias = Callable[[Stream], Awaitable[None]]


@dataclass
class World:
    """A running server, and a transport to reach it with."""

    origin: Origin
    transport: Transport
    nursery: trio.Nursery
    peers: list[trio.SocketStream] = field(default_factory=list)

    def client(self, options: ClientOptions = ClientOptions()) -> Client:  # noqa: B008
        return self.transport.client(options)

    def get(self, path: str = "/", *, method: str = "GET", length: int | None = None) -> bytes:
        more = "" if length is None else f"Content-Length: {length}\r\n"
        return f"{method} {path} HTTP/1.1\r\nHost: {self.origin.authority}\r\n{more}\r\n".encode()


@asynccontextmanager
async def world(
    script: Script,
    *,
    epoll: bool = True,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    max_body: int = 2**26,
) -> AsyncIterator[World]:
    """Serve `script` to every connection; leaving closes all."""
    transport = Transport(epoll=epoll, max_body=max_body)
    peers: list[trio.SocketStream] = []

    async def serve(stream: trio.SocketStream) -> None:
        peers.append(stream)
        wrapped: Stream = stream if tls is None else trio.SSLStream(stream, tls, server_side=True)
        try:
            await script(wrapped)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        await nursery.start(transport.run)
        port = listener.socket.getsockname()[1]
        yield World(Origin("https" if tls else "http", host, port), transport, nursery, peers)
        nursery.cancel_scope.cancel()


async def read_head(stream: Stream) -> bytes:
    """The next request's head and whatever came with it; b"" at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = await stream.receive_some(65536)
        if not more:
            return b""
        data += more
    return data


async def always_ok(stream: Stream) -> None:
    while await read_head(stream):
        await stream.send_all(OK)


def reset(stream: trio.SocketStream) -> None:
    """Close so that the peer sees a reset."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()
