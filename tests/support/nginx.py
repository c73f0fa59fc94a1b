"""Debian's nginx on the loopback, for as long as a test needs it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ports import free_port

needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
_CONF = """
daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/error.log warn;
events {{ worker_connections 512; }}
http {{
  client_body_temp_path {root}/body; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f;
  uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
"""


@contextmanager
def nginx(root: Path, http: str, **written: object) -> Iterator[int]:
    """Its port, while it runs in this folder. `http`: what its configuration says of HTTP, a format of `root`, `port`
    and what is `written`."""
    port, conf = free_port(), root / "nginx.conf"
    conf.write_text(f"{_CONF}{http}}}}}\n".format(root=root, port=port, **written))
    with subprocess.Popen(["nginx", "-p", str(root), "-c", str(conf)], stderr=subprocess.PIPE) as server:
        try:
            _await(port, server)
            yield port
        finally:
            server.terminate()


def _await(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise AssertionError(server.stderr.read() if server.stderr else b"")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx does not listen")
