"""One uvicorn around the API: its socket, its limits, its end.

The socket is bound before anything is announced, so a client that was told the port is never refused. No
access log, no lifespan, no date header: what is left replies some 28,000 requests/s on one
core.
"""

import asyncio
import gc
import os
import resource
import secrets
import socket
from time import perf_counter

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vezaflow.errors import VezaflowError
from vezaflow.sandbox.app import ARRIVED, Api
from vezaflow.sandbox.catalog import Catalog
from vezaflow.sandbox.settings import SandboxSettings
from vezaflow.sandbox.target import Sandbox

BACKLOG = 4096
KEEP_ALIVE = 75  # seconds, nginx's default: a VU that thinks keeps its connection


class Server:
    """A bound socket and the API behind it; `run` serves until told to end."""

    def __init__(self, settings: SandboxSettings) -> None:
        raise_open_files()
        self._socket = bind(settings)
        self.port: int = self._socket.getsockname()[1]
        token = settings.token or secrets.token_urlsafe(24)
        catalog = Catalog()
        self.sandbox = Sandbox(f"http://{settings.host}:{self.port}", token, catalog.stream_track, os.getpid())
        config = uvicorn.Config(
            Api(settings, token, catalog),
            http=StampedProtocol,
            ws="websockets-sansio",
            ws_ping_interval=None,
            lifespan="off",
            interface="asgi3",
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)

    def run(self, until_closed: int | None = None) -> None:
        """Serve until a signal, or until the descriptor `until_closed` reaches its end."""
        gc.freeze()  # the catalogue never dies: the collector need not walk it
        asyncio.run(self._serve(until_closed))

    async def _serve(self, until_closed: int | None) -> None:
        if until_closed is not None:
            asyncio.get_running_loop().add_reader(until_closed, self._parent_said, until_closed)
        await self._server.serve(sockets=[self._socket])

    def _parent_said(self, descriptor: int) -> None:
        if not os.read(descriptor, 4096):
            asyncio.get_running_loop().remove_reader(descriptor)
            self._server.should_exit = True


class StampedProtocol(HttpToolsProtocol):
    """Notes when a request's first bytes were parsed, before it queues for its turn."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[ARRIVED] = perf_counter()  # type: ignore[literal-required]


def bind(settings: SandboxSettings) -> socket.socket:
    """A listening socket, or a VezaflowError that names the address."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each reply waits 40 ms for an ACK
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise VezaflowError(
            f"the sandbox can't listen on {where}: {error.strerror}", hint="--port 0 takes a free one"
        ) from error
    return listener


def raise_open_files() -> None:
    """As many connections as the machine allows, not as many as the shell happens to."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
