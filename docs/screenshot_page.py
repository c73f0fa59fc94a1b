"""docs/images/report*.png: the page of a real run in a browser: its top, the server and the events, its charts.

    python docs/screenshot_page.py       wants chromium and prometheus; takes as long as the run, about two minutes

The sandbox is given some latency and a few failures, and the suite two events, so that there is something to see.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vezaflow.sandbox import SandboxSettings, start

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
SIZE = "1120,780"
ONLY = "<style>.top, nav, .tiles, section:not({}) {{ display: none !important }} main {{ padding: 1rem }}</style>"
FEWER = "<style>#server-table tbody:nth-of-type(n + 4), #server h3, #server h3 ~ * { display: none }</style>"
TAKES = {
    "report.png": ("", []),
    "report-server.png": (ONLY.format("#server, #events") + FEWER, []),
    "report-charts.png": (ONLY.format("#charts"), ["--blink-settings=preferredColorScheme=0"]),
}
LOAD = ["--scale", "0.15", "--duration", "60s", "--no-history", "--quiet"]
GATES = "gates:\n  http_req_duration{during:deployment}: p(95) < 500 ms\n"
AROUND = """
events:
  - {name: deployment, at: 20s, for: 12s, window: 5s}
  - {name: cache flushed, at: 44s, do: [{get: /api/v1/health}]}
observe:
  prometheus:
    url: ${env.PROMETHEUS_URL}
    metrics:
      latency: {histogram: http_request_duration_seconds, by: [method, path]}
      cpu: {gauge: process_cpu_ratio}
"""


def main() -> None:
    chromium, prometheus = shutil.which("chromium"), shutil.which("prometheus")
    if chromium is None or prometheus is None:
        raise SystemExit("this needs chromium and prometheus")
    with (
        tempfile.TemporaryDirectory() as name,
        start(SandboxSettings(latency=0.03, jitter=0.065, error_rate=0.002)) as sandbox,
    ):
        folder = Path(name)
        with scraping(prometheus, folder, sandbox.environment["BASE_URL"].removeprefix("http://")) as url:
            command = [sys.executable, "-m", "vezaflow", "run", str(suite(folder)), *LOAD]
            command += ["--html", str(folder / "report.html")]
            subprocess.run(
                command, cwd=ROOT, env={**os.environ, **sandbox.environment, "PROMETHEUS_URL": url}, check=False
            )
        for name in TAKES:
            take(chromium, folder, name)


def suite(folder: Path) -> Path:
    """The nightly suite with the events, and what is observed."""
    made = folder / "flows"
    made.mkdir()
    for file in (ROOT / "flows").glob("*.yml"):
        shutil.copy(file, made)
    whole = made / "suite.yml"
    whole.write_text(whole.read_text(encoding="utf-8").replace("gates:\n", GATES, 1) + AROUND, encoding="utf-8")
    return made


@contextmanager
def scraping(prometheus: str, folder: Path, target: str) -> Iterator[str]:
    """The URL of a Prometheus that scrapes the target."""
    jobs = [{"job_name": "sandbox", "static_configs": [{"targets": [target]}]}]
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = [f"--config.file={config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
    process = subprocess.Popen([prometheus, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)


def take(chromium: str, folder: Path, name: str) -> None:
    """One picture."""
    style, also = TAKES[name]
    page = (folder / "report.html").read_text(encoding="utf-8")
    shown = folder / f"{name}.html"
    shown.write_text(page.replace("</head>", f"{style}</head>"), encoding="utf-8")
    switches = ["--headless=new", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}/profile"]
    switches += [f"--window-size={SIZE}", "--virtual-time-budget=3000", *also]
    command = [chromium, *switches, f"--screenshot={IMAGES / name}", shown.as_uri()]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
