"""A `websockets` server in a thread of its own, and what a test needs to reach it."""

import asyncio
import logging
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import trio
from websockets.asyncio.server import ServerConnection, serve

from vezaflow.protocols import Client, ClientOptions, Origin, Transport, WebSocketOptions
from vezaflow.protocols.websocket import WebSocketChannel

_SILENT = logging.getLogger("ws_peer")
_SILENT.disabled = True
Handler = Callable[[ServerConnection], Awaitable[None]]


async def echo(peer: ServerConnection) -> None:
    async for message in peer:
        await peer.send(message)


@contextmanager
def ws_server(handler: Handler = echo, *, tls: ssl.SSLContext | None = None, **more: Any) -> Iterator[Origin]:
    """Serve in a thread until left. `more`: as `websockets.asyncio.server.serve` takes it."""
    started = threading.Event()
    told: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = []

    async def run() -> None:
        over = asyncio.Event()
        more.setdefault("compression", None)
        more.setdefault("logger", _SILENT)
        more.setdefault("max_size", 1 << 26)
        async with serve(handler, "127.0.0.1", 0, ssl=tls, **more) as server:
            told.append((asyncio.get_running_loop(), over, next(iter(server.sockets)).getsockname()[1]))
            started.set()
            await over.wait()
            server.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    started.wait(5)
    loop, over, port = told[0]
    try:
        yield Origin("https" if tls else "http", "127.0.0.1", port)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


def get(origin: Origin, target: str = "/", more: str = "") -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: {origin.authority}\r\n{more}\r\n".encode()


@asynccontextmanager
async def ws_client(options: ClientOptions = ClientOptions(), *, epoll: bool = True) -> AsyncIterator[Client]:  # noqa: B008
    """A client of a transport that runs."""
    transport = Transport(epoll=epoll)
    async with trio.open_nursery() as nursery:
        await nursery.start(transport.run)
        yield transport.client(options)
        nursery.cancel_scope.cancel()


async def opened(client: Client, origin: Origin, **how: Any) -> WebSocketChannel:
    """A channel, open. `how`: options, the callbacks, the target."""
    callbacks = {name: how.pop(name) for name in ("on_message", "on_frame") if name in how}
    head = get(origin, how.pop("target", "/"))
    found = await client.open_websocket(origin, head, WebSocketOptions(**{"timeout": 5.0, **how}), **callbacks)
    assert isinstance(found.channel, WebSocketChannel), found.exchange.detail
    return found.channel


def soon(client: Client, seconds: float = 5.0) -> float:
    """A deadline."""
    return client.clock() + seconds


__all__ = ["Handler", "echo", "get", "opened", "soon", "ws_client", "ws_server"]
