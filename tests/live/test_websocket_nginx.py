"""A WebSocket through nginx, which closes what is idle: pings keep it open, and its timeout is a named ending."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nginx import needs_nginx, nginx
from ws_peer import get, opened, soon, ws_client, ws_server

from vezaflow.protocols import ChannelMessage, Ending, ErrorKind, Origin, WebSocketOptions

pytestmark = [pytest.mark.slow, pytest.mark.trio, needs_nginx]
HTTP = """
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_read_timeout 1s;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
    }}
    location /plain {{ proxy_pass http://127.0.0.1:{behind}; }}
  }}
"""


@contextmanager
def proxied(root: Path, behind: int) -> Iterator[Origin]:
    with nginx(root, HTTP, behind=behind) as port:
        yield Origin("http", "127.0.0.1", port)


async def test_messages_pass_and_an_idle_connection_is_cut_unless_it_pings(tmp_path: Path) -> None:
    with ws_server(ping_interval=None) as server, proxied(tmp_path, server.port) as origin:
        async with ws_client() as client:
            pinging = await opened(client, origin, ping_every=0.3)
            idle = await opened(client, origin, ping_every=0)
            ending = await idle.ended_by(soon(client))
            assert isinstance(ending, Ending)
            assert (ending.code, ending.error) == (1006, ErrorKind.CLOSED_EARLY)
            await pinging.send("still open", soon(client))
            found = await pinging.receive(soon(client))
            assert isinstance(found, ChannelMessage)
            assert found.data == "still open"
            assert (await pinging.close()).error is None


async def test_a_proxy_that_does_not_pass_the_upgrade_on(tmp_path: Path) -> None:
    with ws_server() as server, proxied(tmp_path, server.port) as origin:
        async with ws_client() as client:
            found = await client.open_websocket(origin, get(origin, "/plain"), WebSocketOptions(5.0))
            assert (found.channel, found.exchange.error) == (None, ErrorKind.UPGRADE)
            assert found.exchange.status >= 400
