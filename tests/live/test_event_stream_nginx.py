"""Event streams through nginx: events pass as they come where it may not buffer them; its timeout is a named ending."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio
from nginx import needs_nginx, nginx

from vezaflow.protocols import (
    Client,
    Ending,
    ErrorKind,
    EventMessage,
    EventStream,
    EventStreamOptions,
    Origin,
    Transport,
)
from vezaflow.sandbox import Sandbox, SandboxSettings, start

pytestmark = [pytest.mark.slow, pytest.mark.trio, needs_nginx]
HTTP = """
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {behind}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_read_timeout 1s;
    }}
    location /old/ {{ proxy_pass {behind}/; proxy_http_version 1.0; proxy_buffering off; }}
  }}
"""


@contextmanager
def proxied(root: Path, behind: str) -> Iterator[Origin]:
    with nginx(root, HTTP, behind=behind) as port:
        yield Origin("http", "127.0.0.1", port)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with start(SandboxSettings()) as running:
        yield running


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    async with trio.open_nursery() as nursery:
        transport = Transport()
        await nursery.start(transport.run)
        yield transport.client()
        nursery.cancel_scope.cancel()


async def opened(client: Client, origin: Origin, target: str) -> EventStream:
    head = f"GET {target} HTTP/1.1\r\nHost: {origin.authority}\r\nAccept: text/event-stream\r\n\r\n".encode()
    found = await client.open_events(origin, head, EventStreamOptions(5.0))
    assert found.channel is not None, found.exchange.detail
    return found.channel


@pytest.mark.parametrize("path", ["", "/old"])
async def test_events_pass_as_they_come(sandbox: Sandbox, tmp_path: Path, path: str) -> None:
    with proxied(tmp_path, sandbox.base_url) as origin:
        async with client() as one:
            stream = await opened(one, origin, f"{path}/api/v1/events?every=0.02&last=20")
            came: list[EventMessage] = []
            with trio.fail_after(10):
                while isinstance(message := await stream.receive(float("inf")), EventMessage):
                    came.append(message)
    assert [message.id for message in came] == [str(number) for number in range(1, 21)]
    assert came[-1].at - came[0].at > 0.3, "one after the other"
    assert isinstance(message, Ending)
    assert message.error is ErrorKind.CLOSED
    assert (stream.last_id, stream.retry) == ("20", 0.1)


async def test_a_stream_that_is_silent_for_too_long_is_cut_by_the_proxy(sandbox: Sandbox, tmp_path: Path) -> None:
    with proxied(tmp_path, sandbox.base_url) as origin:
        async with client() as one:
            stream = await opened(one, origin, "/api/v1/events?every=60")
            with trio.fail_after(10):
                ending = await stream.ended_by(float("inf"))
    assert isinstance(ending, Ending)
    assert ending.error is ErrorKind.CLOSED_EARLY
