"""Runs with real worker processes, against a target that remembers what it was asked."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from typing import Any

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_STATE_HOME")  # of the environment
PATIENCE = 30.0  # seconds for what takes one on an idle machine


@dataclass
class Target:
    """A server on loopback."""

    base_url: str
    asked: list[str] = field(default_factory=list)  # paths, in their order


@contextmanager
def target(host: str = "127.0.0.1") -> Iterator[Target]:
    """A target that answers every path with 200 and a small JSON body."""
    found = Target("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))  # else it would be read as the next request
            body = b'{"token": "from-setup"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a connection that a killed worker leaves behind

    server = Server((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    found.base_url = f"http://{host}:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_suite(folder: Path, flow: str, suite: str = "") -> Path:
    """A suite of one flow. Its target comes from BASE_URL."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yml").write_text(f"suite: test\nbase_url: ${{env.BASE_URL}}\n{dedent(suite)}")
    (folder / "flow.yml").write_text(dedent(flow))
    return folder


class Running:
    """`vezaflow …` in a session of its own. Use it as a context manager: nothing outlives it. `folder`: the
    current one, of which no module is taken."""

    def __init__(self, *words: str | Path, env: Mapping[str, str], folder: Path | None = None) -> None:
        kept = {name: value for name, value in os.environ.items() if name in KEPT}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vezaflow", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**kept, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **env},
            start_new_session=True,
            cwd=folder,
        )
        self._texts = {"out": "", "err": ""}
        self._known: set[int] = set()
        streams = (("out", self.process.stdout), ("err", self.process.stderr))
        self._readers = [threading.Thread(target=self._read, args=each) for each in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str, stream: Any) -> None:
        for line in stream:
            self._texts[name] += line

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pid in self._known:
            if is_worker(pid):
                os.kill(pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    @property
    def text(self) -> str:
        return self._texts["out"] + self._texts["err"]

    def workers(self) -> list[int]:
        """The worker processes that live, the oldest first."""
        found = sorted(pid for pid in _children(self.process.pid) if is_worker(pid))
        self._known.update(found)
        return found

    def until_load(self, count: int) -> list[int]:
        """The workers, once they have put on load for a moment."""
        until(lambda: "VUs" in self.text or self.process.poll() is not None)
        time.sleep(0.5)
        found = self.workers()
        assert len(found) == count, self.text
        return found

    def end(self) -> int:
        """The exit code, at the end."""
        code = self.process.wait(timeout=PATIENCE)
        for reader in self._readers:
            reader.join()
        return code

    def gone(self) -> bool:
        """Whether no worker that was seen lives any more."""
        return not any(is_worker(pid) for pid in self._known)


def until(true: Callable[[], object], patience: float = PATIENCE) -> float:
    """Wait for something; seconds that it took."""
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < patience, "it never came"
        time.sleep(0.01)
    return time.monotonic() - begin


def result(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def read_proc(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def is_worker(pid: int) -> bool:
    return b"vezaflow.scale" in read_proc(pid, "cmdline")


def _children(pid: int) -> list[int]:
    return [int(child) for child in read_proc(pid, f"task/{pid}/children").split()]
