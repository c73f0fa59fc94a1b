"""`python -m bench.full_suite`: the shipped suite at its full 1650 VUs for 20 s; the sandbox has its own core.

Four figures, each with a bound: the share of one core that vezaflow takes and the requests it sends once all
listeners have begun (the suite spreads them over six seconds), its peak memory, and its p95 less the server's
own p95 over the whole run. Ends with 1 if one is out of bounds. CPU and memory are read from /proc.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.limits import allow_many_sockets
from bench.processes import busy, cost, end, pin
from vezaflow.sandbox import start

TARGET_CORE, GENERATOR_CORE = 0, 1
SUITE = Path(__file__).parent.parent / "flows"
SECONDS = 20.0
STEADY = (7.0, 19.5)  # seconds after the start of the process: all flows at work but the last uploads
SPARE = 40.0  # an upload may still be under way; the suite's graceful stop ends it
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, as shown, and whether it is within its bound."""

    name: str
    shown: str
    bound: str
    held: bool


def _served(base: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{base}/__stats", timeout=10) as answer:
        total: dict[str, object] = json.load(answer)["total"]
        return total


def _requests(base: str) -> int:
    return int(str(_served(base)["requests"]))


def _command(environment: dict[str, str], summary: Path) -> list[str]:
    inputs = [argument for name, value in environment.items() for argument in ("-e", f"{name}={value}")]
    run = [sys.executable, "-m", "vezaflow", "run", str(SUITE), "--quiet", *inputs]
    return pin(GENERATOR_CORE, [*run, "--duration", f"{SECONDS:g}s", "--summary", str(summary)])


def _load(base: str, command: list[str]) -> tuple[float, float, float, int]:
    """Runs vezaflow; its share of the core, requests/s, what others took of the core, and its peak in bytes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=SUITE.parent)
    try:
        begun = time.monotonic()
        time.sleep(STEADY[0])
        at, before, spent, used = time.monotonic(), _requests(base), cost(process.pid), busy(GENERATOR_CORE)
        time.sleep(max(0.0, begun + STEADY[1] - time.monotonic()))
        last, requests, lasted = cost(process.pid), _requests(base) - before, time.monotonic() - at
        cpu = last.cpu - spent.cpu
        others = (busy(GENERATOR_CORE) - used - cpu) / lasted
        process.wait(SECONDS + SPARE)
    finally:
        end(process)
    return cpu / lasted, requests / lasted, others, last.peak


def main() -> None:
    allow_many_sockets()
    print(f"the suite in {SUITE}, 1650 VUs, {SECONDS:g} s and up to {SPARE:g} s until it ends", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, start() as sandbox:
        for thread in Path(f"/proc/{sandbox.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {TARGET_CORE})
        summary = Path(folder) / "summary.json"
        share, rate, others, peak = _load(sandbox.base_url, _command(sandbox.environment, summary))
        server = _served(sandbox.base_url)["seconds"]
        said = json.loads(summary.read_text())
    assert isinstance(server, dict)
    ours = said["pooled"]["http_req_duration"]["p95"]
    apart = ours - server["p95"]
    figures = (
        Figure("CPU of one core", f"{share:.1%}", "< 60 %", share < 0.6),
        Figure("requests/s", f"{rate:,.0f}", "about 4,000", 3600 <= rate <= 4400),
        Figure("peak memory", f"{peak / MIB:.0f} MB", "< 100 MB", peak < 100 * MIB),
        Figure("p95 less the server's", f"{apart * 1e3:+.2f} ms", "within 2 ms", abs(apart) <= 2e-3),
    )
    for figure in figures:
        print(f"{'pass' if figure.held else 'FAIL'}  {figure.name:22} {figure.shown:>10}   ({figure.bound})")
    health = said["health"]
    print(f"      p95 {ours * 1e3:.2f} ms, the server's own {server['p95'] * 1e3:.2f} ms; p99 is", end=" ")
    print(f"{said['pooled']['http_req_duration']['p99'] * 1e3:.2f} and {server['p99'] * 1e3:.2f} ms")
    print(f"      {share / rate * 1e6:.0f} µs of CPU a request; others took {max(0.0, others):.0%} of its core")
    print(f"      loop late by p99 {health['lag_p99_ms']:.1f} ms; {said['headline']}")
    sys.exit(0 if all(figure.held for figure in figures) else 1)


if __name__ == "__main__":
    main()
