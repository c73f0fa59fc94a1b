"""Debian's HAProxy before two backends, with its runtime API on a Unix socket."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ports import free_port

PROGRAM = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
needs_haproxy = pytest.mark.skipif(PROGRAM is None, reason="needs haproxy")
REDISPATCH = """  option redispatch 1
  retries 3
  retry-on conn-failure empty-response response-timeout
"""
NO_RETRY = "  retries 0\n"
_CONF = """
global
  stats socket {socket} mode 600 level admin
  stats socket ipv4@127.0.0.1:{admin} level admin
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend front
  bind 127.0.0.1:{port}
  default_backend be
backend be
  balance roundrobin
{options}{servers}
"""


@dataclass(frozen=True)
class HAProxy:
    base_url: str
    path: Path  # of the Unix socket
    tcp: str

    def states(self) -> dict[str, str]:
        """By server: `0` where it is not in maintenance (srv_admin_state)."""
        rows = [line.split() for line in self.said("show servers state be").splitlines() if line.startswith("3 be")]
        return {row[3]: row[6] for row in rows}

    def said(self, command: str) -> str:
        """What HAProxy itself responds."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(self.path))
            asking.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: asking.recv(65536), b"")).decode()


@contextmanager
def haproxy(backends: Sequence[str], options: str = REDISPATCH) -> Iterator[HAProxy]:
    """An HAProxy before these base URLs, the servers be/s1, be/s2, …"""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="ha-") as folder:  # pytest's own are too long for a socket's path
        root, port, admin = Path(folder), free_port(), free_port()
        servers = "".join(
            f"  server s{number} {urlsplit(url).netloc}\n" for number, url in enumerate(backends, start=1)
        )
        conf = root / "haproxy.cfg"
        conf.write_text(_CONF.format(socket=root / "ha.sock", admin=admin, port=port, options=options, servers=servers))
        with subprocess.Popen([PROGRAM, "-f", str(conf), "-db"], stderr=subprocess.PIPE) as process:
            try:
                _await(root / "ha.sock", process)
                yield HAProxy(f"http://127.0.0.1:{port}", root / "ha.sock", f"127.0.0.1:{admin}")
            finally:
                process.terminate()
                process.communicate(timeout=10)


def _await(path: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
