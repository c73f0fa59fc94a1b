"""`python -m bench.full_suite`: the shipped suite at its full 1650 VUs for 20 s, against a target that knows the truth.

The target is the truth bench's server (truth/server.c) on a core of its own; it gives the sandbox's answers, each
after a lognormal while (median 5 ms, sigma 0.5). Four figures, each with a bound: the share of one core that vezaflow
takes and the requests it sends once all listeners have begun (the suite spreads them over six seconds), its peak
memory, and its p95 less the true one over the whole run. Ends with 1 if one is out of bounds. CPU and memory are read
from /proc. `--no-history`: the same without a history, to see what that costs.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import cache_folder
from bench.limits import allow_many_sockets
from bench.processes import busy, cost, end, keep_history_apart, pin
from bench.truth.server import Route, Truth, compiled, serving
from vezaflow.sandbox import start

TARGET_CORE, GENERATOR_CORE = 0, 1
SUITE = Path(__file__).parent.parent / "flows"
SECONDS = 20.0
STEADY = (7.0, 19.5)  # seconds after the start of the process: all flows at work but the last uploads
SPARE = 40.0  # an upload may still be under way; the suite's graceful stop ends it
DELAY = "lognormal:0.005:0.5"
MIB = 1024 * 1024
API = "/api/v1"
Json = dict[str, Any]
PLAYLIST = "application/vnd.apple.mpegurl"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, as shown, and whether it is within its bound."""

    name: str
    shown: str
    bound: str
    held: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What a run cost: shares of its core, bytes."""

    share: float
    others: float
    peak: int


def routes() -> tuple[tuple[Route, ...], str]:
    """The answers of the sandbox, taken from a running one, and the track that is streamed."""
    with start() as sandbox:
        track = sandbox.environment["STREAM_TRACK_ID"]

        def body(path: str) -> bytes:
            with urllib.request.urlopen(f"{sandbox.base_url}{API}{path}", timeout=10) as answer:
                found: bytes = answer.read()
                return found

        listed, hls = body("/tracks?limit=50"), f"/tracks/{track}/hls"
        answers = (
            (f"{API}/health", "application/json", b'{"status":"ok"}'),
            (f"{API}/tracks", "application/json", listed),
            (f"{API}/tracks/search", "application/json", body("/tracks/search?q=river&limit=20")),
            (f"{API}/marketplace/products", "application/json", body("/marketplace/products")),
            ("*/master.m3u8", PLAYLIST, body(f"{hls}/master.m3u8")),
            ("*/playlist.m3u8", PLAYLIST, body(f"{hls}/256k/playlist.m3u8")),
            ("*.ts", "video/mp2t", body(f"{hls}/256k/{_segment(body(f'{hls}/256k/playlist.m3u8'))}")),
            (f"{API}/tracks/*", "application/json", body(f"/tracks/{track}")),
        )
    gets = [Route("GET", pattern, text, 200, kind, DELAY) for pattern, kind, text in answers]
    posts = (
        ("/marketplace/orders", 422, b'{"error":"quantity must be at least 1"}'),
        ("/uploads/initiate", 201, b'{"upload_id":"6f9d2c1e-8f3b-4c55-9a56-0b7f6f0f2a11"}'),
        ("/uploads/*", 200, b"{}"),
    )
    return (
        *gets,
        *(Route("POST", API + path, text, status, "application/json", DELAY) for path, status, text in posts),
    ), track


def _segment(playlist: bytes) -> str:
    """The first URI of a playlist."""
    return next(line for line in playlist.decode().splitlines() if line and not line.startswith("#"))


def _command(base: str, track: str, summary: Path) -> list[str]:
    values = {"BASE_URL": base, "STREAM_TRACK_ID": track, "USER_TOKEN": "bench-token"}
    inputs = [argument for name, value in values.items() for argument in ("-e", f"{name}={value}")]
    run = [sys.executable, "-m", "vezaflow", "run", str(SUITE), "--quiet", *inputs]
    kept = () if "--no-history" not in sys.argv else ("--no-history",)
    return pin(GENERATOR_CORE, [*run, "--duration", f"{SECONDS:g}s", "--summary", str(summary), *kept])


def _load(command: list[str]) -> Load:
    """Runs vezaflow and looks at what it costs while all is steady."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=SUITE.parent)
    try:
        begun = time.monotonic()
        time.sleep(STEADY[0])
        at, spent, used = time.monotonic(), cost(process.pid), busy(GENERATOR_CORE)
        time.sleep(max(0.0, begun + STEADY[1] - time.monotonic()))
        last, lasted = cost(process.pid), time.monotonic() - at
        others = (busy(GENERATOR_CORE) - used - (last.cpu - spent.cpu)) / lasted
        process.wait(SECONDS + SPARE)
    finally:
        end(process)
    return Load((last.cpu - spent.cpu) / lasted, max(0.0, others), last.peak)


def _measured() -> tuple[Load, Truth, Json]:
    """One run: its cost, the truth, and vezaflow's own summary."""
    answers, track = routes()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with serving(compiled(cache_folder()), folder, TARGET_CORE, answers) as truth:
            load = _load(_command(truth.base, track, folder / "summary.json"))
        said: Json = json.loads((folder / "summary.json").read_text())
    return load, truth, said


def main() -> None:
    allow_many_sockets()
    keep_history_apart()
    print(f"the suite in {SUITE}, 1650 VUs, {SECONDS:g} s and up to {SPARE:g} s until it ends", file=sys.stderr)
    load, truth, said = _measured()
    ours, (_, p95, p99) = said["pooled"]["http_req_duration"], truth.quantiles()
    rate = truth.rate(after=STEADY[0], before=max(0.5, float(truth.arrived.max()) - STEADY[1]))
    apart = ours["p95"] - p95
    figures = (
        Figure("CPU of one core", f"{load.share:.1%}", "< 60 %", load.share < 0.6),
        Figure("requests/s", f"{rate:,.0f}", "about 4,000", 3600 <= rate <= 4400),
        Figure("peak memory", f"{load.peak / MIB:.0f} MB", "< 100 MB", load.peak < 100 * MIB),
        Figure("p95 less the true one", f"{apart * 1e3:+.2f} ms", "within 2 ms", abs(apart) <= 2e-3),
    )
    for figure in figures:
        print(f"{'pass' if figure.held else 'FAIL'}  {figure.name:22} {figure.shown:>10}   ({figure.bound})")
    print(f"      p95 {ours['p95'] * 1e3:.2f} ms, in truth {p95 * 1e3:.2f} ms;", end=" ")
    print(f"p99 {ours['p99'] * 1e3:.2f} and {p99 * 1e3:.2f} ms")
    print(f"      {load.share / rate * 1e6:.0f} µs of CPU a request; others took {load.others:.0%} of its core")
    print(f"      event-loop lag p99 {1000 * said['health']['lag_p99']:.1f} ms; {said['headline']}")
    sys.exit(0 if all(figure.held for figure in figures) else 1)


if __name__ == "__main__":
    main()
