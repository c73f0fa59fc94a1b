"""An open load on a server that stands still for a while: everyone who came meanwhile is in the figures.

A closed load would send nothing while it waits, and its p95 would look well (coordinated omission).
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

RATE, SECONDS = 50, 3
FROZEN = (1.0, 2.0)  # seconds after the first request
SLACK = 0.15  # of a busy machine
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Freezer:
    """Answers at once, but nobody while it is frozen. `took`: how long each one waited, in seconds."""

    def __init__(self, listener: socket.socket) -> None:
        self.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.took: list[float] = []
        self._listener = listener
        self._first: float | None = None
        self._lock = threading.Lock()

    def accept(self) -> None:
        try:
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()
        except OSError:
            return

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            while sock.recv(65536):
                came = time.monotonic()
                with self._lock:
                    self._first = self._first or came
                begin, end = (self._first + moment for moment in FROZEN)
                if begin <= came < end:
                    time.sleep(end - came)
                sock.sendall(ANSWER)
                self.took.append(time.monotonic() - came)


@contextmanager
def freezer() -> Iterator[Freezer]:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        server = Freezer(listener)
        threading.Thread(target=server.accept, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def run(folder: Path, load: str) -> tuple[Freezer, dict[str, Any]]:
    (folder / "flow.yml").write_text(f"flow: asking\nload: {load}\nsteps: [{{get: /}}]\n")
    with freezer() as server:
        command = [sys.executable, "-m", "vezaflow", "run", str(folder), "--quiet", "--base-url", server.base]
        ended = subprocess.run(
            [*command, "--summary", str(folder / "summary.json")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (folder / "summary.json").exists(), ended.stderr
    figures: dict[str, Any] = json.loads((folder / "summary.json").read_text())["flows"][0]
    return server, figures


@pytest.mark.slow
def test_an_open_load_shows_all_who_waited(tmp_path: Path) -> None:
    load = (
        f"{{executor: constant-arrival-rate, rate: {RATE}/s, duration: {SECONDS}s, pre_allocated_vus: 5, max_vus: 100}}"
    )
    server, figures = run(tmp_path, load)
    arrivals = figures["arrivals"]
    waited = sorted(server.took)
    assert arrivals["due"] == arrivals["started"] == len(waited) == RATE * SECONDS
    slow = sum(took > SLACK for took in waited)
    assert slow == pytest.approx(RATE * (FROZEN[1] - FROZEN[0] - SLACK), rel=0.2), "who came in the freeze"
    for trend in (arrivals["iteration_response_time"], figures["http_req_duration"]):
        assert trend["max"] == pytest.approx(waited[-1], abs=SLACK)
        assert trend["p90"] == pytest.approx(waited[int(0.9 * len(waited))], abs=SLACK)
    assert arrivals["iteration_response_time"]["max"] > FROZEN[1] - FROZEN[0] - SLACK


@pytest.mark.slow
def test_a_closed_load_hides_them(tmp_path: Path) -> None:
    """What the open model is there for: two users who wait send nothing meanwhile, and p90 looks well."""
    server, figures = run(tmp_path, f"{{vus: 2, duration: {SECONDS}s}}\nthink: 40ms")
    assert sum(took > SLACK for took in server.took) == 2
    assert figures["http_req_duration"]["p90"] < SLACK
    assert figures["arrivals"] is None
