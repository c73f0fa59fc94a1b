"""`python -m bench.listeners`: what listeners of HLS streams cost, against the full suite's server.

Two figures. 2,000 listeners in real time: the share of one core that they take once all have begun, and whether what
they heard stood still. And the CPU of a request with `pace: none`, beside that of the streaming flow, whose requests
are written out: both fetch the same playlists and four segments, in turn, so that a busy machine slows down both. CPU
of listeners is read from /proc, that of a request from the runs' own summaries. Ends with 1 if one is out of bounds.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.contenders import cache_folder
from bench.full_suite import GENERATOR_CORE, TARGET_CORE, Figure, routes
from bench.limits import allow_many_sockets
from bench.processes import cost, end, keep_history_apart, pin
from bench.truth.server import compiled, serving

LISTENERS = 2000
BEGUN, SECONDS = 12.0, 25.0  # seconds until all have begun and filled their buffers, and of the whole load
ROUNDS = 3
FLOWS = Path(__file__).parent / "flows"
REALTIME = f"""
load: {{executor: ramping-vus, stages: [{{duration: 8s, target: {LISTENERS}}}, {{duration: {SECONDS - 8:g}s, target: \
{LISTENERS}}}], graceful_stop: 1s}}
steps: [{{hls: MASTER, name: listen, buffer: 12s}}]
gates: {{hls_startup_failed: rate < 0.5 %}}
"""
UNPACED = """
load: {vus: 64, duration: 5s, graceful_stop: 1s}
steps: [{hls: MASTER, name: listen, variant: {bandwidth: <= 256000}, segments: 4, pace: none}]
gates: {http_req_failed: rate < 0.1 %}
"""
Json = dict[str, Any]


def _begin(folder: Path, base: str) -> subprocess.Popen[bytes]:
    run = [sys.executable, "-m", "vezaflow", "run", str(folder), "--quiet", "--no-history", "-e", f"BASE_URL={base}"]
    command = pin(GENERATOR_CORE, [*run, "--summary", str(folder / "summary.json")])
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)


def _end(process: subprocess.Popen[bytes], folder: Path) -> Json:
    """The summary of a run when it is over."""
    try:
        process.wait(60)
    finally:
        end(process)
    found: Json = json.loads((folder / "summary.json").read_text())
    return found


def _realtime(folder: Path, base: str) -> tuple[float, Json]:
    """The share of their core that listeners take once all have begun, and the summary."""
    begun, process = time.monotonic(), _begin(folder, base)
    try:
        time.sleep(BEGUN)
        at, spent = time.monotonic(), cost(process.pid)
        time.sleep(max(0.0, begun + SECONDS - 1 - time.monotonic()))
        last, lasted = cost(process.pid), time.monotonic() - at
    except BaseException:
        end(process)
        raise
    return (last.cpu - spent.cpu) / lasted, _end(process, folder)


def _cpu_of_a_request(folder: Path, base: str) -> float:
    """In any unit: the load is as long for all."""
    summary = _end(_begin(folder, base), folder)
    return float(summary["health"]["cpu_mean"]) / _requests(summary)


def _suite(folder: Path, flow: str) -> Path:
    folder.mkdir()
    (folder / "suite.yml").write_text("suite: listeners\nbase_url: ${env.BASE_URL}\n")
    (folder / "listen.yml").write_text(flow)
    return folder


def _requests(summary: Json) -> int:
    return sum(int(step["http_reqs"]) for step in summary["steps"])


def _figures() -> list[Figure]:
    answers, track = routes()
    master = f"/api/v1/tracks/{track}/hls/master.m3u8"
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        realtime = _suite(folder / "realtime", REALTIME.replace("MASTER", master))
        unpaced = _suite(folder / "unpaced", UNPACED.replace("MASTER", master))
        written = _suite(folder / "written", (FLOWS / "streaming.yml").read_text() + "gates: {http_reqs: count > 1}\n")
        with serving(compiled(cache_folder()), folder, TARGET_CORE, answers) as truth:
            share, heard = _realtime(realtime, truth.base)
            ratios = [
                _cpu_of_a_request(written, truth.base) / _cpu_of_a_request(unpaced, truth.base) for _ in range(ROUNDS)
            ]
    (listeners,) = heard["listeners"]
    ratio = statistics.median(ratios)
    shown = ", ".join(f"{each:.2f}" for each in ratios)
    print(f"{_requests(heard) / SECONDS:,.0f} requests/s of listeners; rounds: {shown}", file=sys.stderr)
    return [
        Figure("CPU of 2,000 listeners", f"{share:.0%} of a core", "below 100 %", share < 1),
        Figure("stalls", str(listeners["hls_stalls"]), "none", not listeners["hls_stalls"]),
        Figure("requests per CPU, pace: none over streaming", f"{ratio:.2f}", "at least 1", ratio >= 1),
    ]


def main() -> None:
    """Measure, print, and end with 1 if a figure is out of bounds."""
    keep_history_apart()
    allow_many_sockets()
    figures = _figures()
    for each in figures:
        print(f"{'✓' if each.held else '✗'} {each.name:45} {each.shown:>16}   {each.bound}")
    sys.exit(0 if all(each.held for each in figures) else 1)


if __name__ == "__main__":
    main()
