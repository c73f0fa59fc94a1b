"""A WebSocket through nginx, which closes what is idle: pings keep it open, and its timeout is a named ending."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ws_peer import get, opened, soon, ws_client, ws_server

from vezaflow.protocols import ChannelMessage, Ending, ErrorKind, Origin, WebSocketOptions

pytestmark = [
    pytest.mark.slow,
    pytest.mark.trio,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx"),
]
CONF = """
daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {root}/body; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f;
  uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_read_timeout 1s;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
    }}
    location /plain {{ proxy_pass http://127.0.0.1:{behind}; }}
  }}
}}
"""


@contextmanager
def nginx(root: Path, behind: int) -> Iterator[Origin]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    (root / "nginx.conf").write_text(CONF.format(root=root, port=port, behind=behind))
    process = subprocess.Popen(["nginx", "-c", str(root / "nginx.conf"), "-p", str(root)], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield Origin("http", "127.0.0.1", port)
    finally:
        process.terminate()
        process.wait(5)


async def test_messages_pass_and_an_idle_connection_is_cut_unless_it_pings(tmp_path: Path) -> None:
    with ws_server(ping_interval=None) as server, nginx(tmp_path, server.port) as origin:
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
    with ws_server() as server, nginx(tmp_path, server.port) as origin:
        async with ws_client() as client:
            found = await client.open_websocket(origin, get(origin, "/plain"), WebSocketOptions(5.0))
            assert (found.channel, found.exchange.error) == (None, ErrorKind.UPGRADE)
            assert found.exchange.status >= 400
