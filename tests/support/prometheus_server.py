"""A real Prometheus (Debian's) that scrapes what a test says, once a second; and native histograms, pushed to it."""

import json
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROMETHEUS = shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="needs prometheus")
_STARTUP = 20.0  # seconds


@dataclass(frozen=True)
class Running:
    url: str

    def get(self, path: str, **query: object) -> Any:
        """The `data` of an answer, by the standard library."""
        asked = urllib.parse.urlencode({name: str(value) for name, value in query.items()})
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{asked}", timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, promql: str, at: float | None = None) -> float | None:
        """What an expression comes to; None where it comes to nothing."""
        found = self.get("query", query=promql, **({} if at is None else {"time": f"{at:.3f}"}))["result"]
        return float(found[0]["value"][1]) if found else None

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for something that scrapes bring."""
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, f"never came: {what}"
            time.sleep(0.1)


@contextmanager
def prometheus(targets: Sequence[str] = (), *words: str) -> Iterator[Running]:
    """A Prometheus that scrapes these (`host:port`) each second under the job `test`."""
    assert PROMETHEUS is not None
    with tempfile.TemporaryDirectory(prefix="vezaflow-prometheus-") as folder:
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "test", "static_configs": [{"targets": list(targets)}]}],
        }
        path = Path(folder, "prometheus.yml")
        path.write_text(json.dumps(config))
        port = _free_port()
        process = subprocess.Popen(
            [
                PROMETHEUS,
                f"--config.file={path}",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-remote-write-receiver",
                *words,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            running = Running(f"http://127.0.0.1:{port}")
            _await(running, process)
            yield running
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await(running: Running, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _STARTUP
    while True:
        assert process.poll() is None, "prometheus ended at once"
        try:
            with urllib.request.urlopen(f"{running.url}/-/ready", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, "prometheus does not start"
            time.sleep(0.05)


@dataclass(frozen=True)
class NativeHistogram:
    """A native histogram at one moment: `counts` from the bucket with this index on (schema 3: its upper bound is
    2^(index/8))."""

    at: float
    total: float
    index: int
    counts: Sequence[int]
    schema: int = 3


def push(running: Running, labels: dict[str, str], histogram: NativeHistogram) -> None:
    """Send it by remote write (protocol 1.0), as a Prometheus that scraped it would."""
    body = _snappy(_message((1, _series(labels, histogram))))
    headers = {
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        "x-prometheus-remote-write-version": "0.1.0",
    }
    asked = urllib.request.Request(f"{running.url}/api/v1/write", data=body, headers=headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status in (200, 204)


def _series(labels: dict[str, str], histogram: NativeHistogram) -> bytes:
    pairs = [(1, _message((1, name.encode()), (2, value.encode()))) for name, value in sorted(labels.items())]
    steps = [now - before for before, now in zip((0, *histogram.counts), histogram.counts, strict=False)]
    span = _message((1, _zigzag(histogram.index)), (2, len(histogram.counts)))
    sample = _message(
        (1, sum(histogram.counts)),
        (3, histogram.total),
        (4, _zigzag(histogram.schema)),
        (5, 1e-128),
        (6, 0),
        (11, span),
        (12, b"".join(_varint(_zigzag(step)) for step in steps)),
        (15, round(histogram.at * 1000)),
    )
    return _message(*pairs, (4, sample))


def _message(*fields: tuple[int, int | float | bytes]) -> bytes:
    """A protobuf message: numbers as varints, floats as doubles, bytes with their length."""
    out = b""
    for number, value in fields:
        match value:
            case int():
                out += _varint(number << 3) + _varint(value)
            case float():
                out += _varint(number << 3 | 1) + struct.pack("<d", value)
            case bytes():
                out += _varint(number << 3 | 2) + _varint(len(value)) + value
    return out


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _snappy(data: bytes) -> bytes:
    """Snappy's block format, with nothing but literals."""
    out = _varint(len(data))
    for start in range(0, len(data), 60):
        piece = data[start : start + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    return out
