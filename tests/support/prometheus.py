"""A Prometheus of the test's own, from the machine's packages: it takes remote writes, and scrapes what a test says."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

PROGRAM = shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(PROGRAM is None, reason="there is no prometheus on this machine")


class Prometheus:
    """A running server at `url`, such as `http://127.0.0.1:9090`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, trust_env=False)

    @property
    def write_url(self) -> str:
        return f"{self.url}/api/v1/write"

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of an instant query: mappings with `metric` and `value`."""
        given: dict[str, str | float] = {"query": expression} | ({} if at is None else {"time": at})
        answer = self._client.get("/api/v1/query", params=given).json()
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def value(self, expression: str, at: float | None = None) -> float:
        """The only value of an instant query."""
        (found,) = self.query(expression, at)
        return float(found["value"][1])

    def until(self, expression: str) -> None:
        """Wait until an instant query comes to something: for what scrapes bring."""
        self.when(lambda: self.query(expression), expression)

    def when(self, holds: Callable[[], object], what: str) -> None:
        """Wait for something that scrapes bring."""
        end = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < end, f"never came: {what}"
            time.sleep(0.1)

    def series(self, match: str = '{__name__=~".+"}') -> list[dict[str, str]]:
        """The labels of all series."""
        found: list[dict[str, str]] = self._client.get("/api/v1/series", params={"match[]": match}).json()["data"]
        return found

    def close(self) -> None:
        self._client.close()


@contextmanager
def prometheus(*flags: str, targets: Sequence[str] = ()) -> Iterator[Prometheus]:
    """A running server, which scrapes these (`host:port`) each second under the job `test`; the test is skipped where
    there can be none."""
    if PROGRAM is None:
        pytest.skip("there is no prometheus on this machine")
    folder = Path(tempfile.mkdtemp(prefix="vezaflow-prometheus-"))
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "test", "static_configs": [{"targets": list(targets)}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    line = [
        PROGRAM,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--enable-feature=native-histograms",
        *flags,
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log)
    server = Prometheus(f"http://127.0.0.1:{port}")
    try:
        _await(server, process, folder / "log")
        yield server
    finally:
        server.close()
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def _await(server: Prometheus, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{server.url}/-/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    pytest.fail(log.read_text())
