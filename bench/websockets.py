"""`python -m bench.websockets`: what WebSockets cost, and whether their latency is true.

The echo server (echo.py) has one core, vezaflow another. `steady`: connections with a message a second each; `idle`:
many that only stay open; `saturated`: 64 that send as soon as the last message came back, and k9-load's, in turn;
`latency`: a server that
holds each message for 20 ms, at a busy loop, reported times less the server's own. CPU and memory are read from /proc.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import cache_folder, find
from bench.limits import allow_many_sockets
from bench.processes import busy, cost, end, keep_history_apart, pin

RAMP = 8.0  # seconds in which connections come
SETTLED = 3.0  # seconds after that before the window opens
SPARE = 3.0  # seconds behind the window
ENDED = (0, 98)
HOLD = 0.02
TEXT = '{"id":"00000000-0000-4000-8000-000000000000"}'
PAIRS = 1000  # of messages in one session of k9-load's: its plans have no loops there


Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """What is done: how many connections, and what each does while it is open."""

    name: str
    connections: int
    steps: str
    hold: float = 0.0


Load = Callable[[Path, str, Work, int, float], list[str]]
"""The command that puts a work's load on a base URL for so many seconds; its files go into a folder."""

PING_PONG = """repeat: 1000000
        do:
          - send: '@TEXT@'
          - receive: {within: 10s}"""
ACKED = """repeat: 1000000
        do:
          - send: {json: {id: "${uuid()}"}}
            ack: {where: json("$.id") == sent.id, within: 5s}
          - think: %s"""
WORKS = {
    "steady": Work("steady", 1000, ACKED % "1s"),
    "idle": Work("idle", 10_000, "think: 10m"),
    "saturated": Work("saturated", 64, PING_PONG),
    "latency": Work("latency", 1000, ACKED % "500ms", HOLD),
}
FLOW = """flow: bench
load:
  executor: ramping-vus
  stages: [{duration: @RAMP@s, target: @VUS@}, {duration: @SECONDS@s, target: @VUS@}]
  graceful_stop: 0s
steps:
  - websocket: /
    name: echo
    timeout: 30s
    do:
      - @STEPS@
gates: {ws_connection_failures: rate < 1 %}
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.websockets", description=__doc__)
    add = parser.add_argument
    add("--works", default=",".join(WORKS), help="by commas")
    add("--seconds", type=float, default=60.0, help="of each window; 8 to 15 for a quick look")
    add("--connections", type=int, help="instead of each work's own number")
    add("--target-core", type=int, default=0)
    add("--generator-core", type=int, default=1)
    return parser.parse_args()


@contextmanager
def echo(core: int, hold: float) -> Iterator[str]:
    """The server, on a core of its own; its base URL."""
    command = pin(core, [sys.executable, "-m", "bench.echo", "0", str(hold)])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            end(process)  # type: ignore[arg-type] # of text or of bytes, it is a process


def stats(base: str) -> Json:
    with urllib.request.urlopen(f"{base}/stats", timeout=30) as answer:
        found: Json = json.load(answer)
    return found


def _vezaflow(folder: Path, base: str, work: Work, connections: int, seconds: float) -> list[str]:
    (folder / "suite.yml").write_text(f"suite: bench\nbase_url: {base}\n")
    flow = FLOW.replace("@STEPS@", work.steps).replace("@TEXT@", TEXT).replace("@VUS@", str(connections))
    (folder / "bench.yml").write_text(flow.replace("@RAMP@", f"{RAMP:g}").replace("@SECONDS@", f"{seconds:g}"))
    words = ["run", str(folder), "--quiet", "--summary", str(folder / "summary.json")]
    return [sys.executable, "-m", "vezaflow", *words]


def _k9(folder: Path, base: str, work: Work, connections: int, seconds: float) -> list[str]:
    steps = [{"send": TEXT}, {"receive": {"timeout": "10s"}}] * PAIRS
    session = {"websocket": {"url": base.replace("http", "ws", 1) + "/", "steps": steps}}
    plan = {"options": {"vus": connections, "duration": f"{RAMP + seconds:g}s"}, "flows": {"default": [session]}}
    (folder / "plan.yml").write_text(json.dumps(plan))  # JSON is YAML
    (contender,) = find(["k9-load"], cache_folder())
    return [*contender.program, "run", "--quiet", str(folder / "plan.yml")]


def _measured(work: Work, connections: int, options: argparse.Namespace, seconds: float, load: Load) -> Json:
    """One run: what the server counted, what the generator cost in the window, and what it reports."""
    with tempfile.TemporaryDirectory(prefix="bench-ws-") as name, echo(options.target_core, work.hold) as base:
        folder = Path(name)
        command = load(folder, base, work, connections, SETTLED + seconds + SPARE)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(pin(options.generator_core, command), stdout=log, stderr=log)
            try:
                if not _all_open(base, connections, process):
                    raise SystemExit(f"never {connections} at once\n{(folder / 'log').read_text(errors='replace')}")
                time.sleep(SETTLED)
                begun, before, spent, used = (
                    time.monotonic(),
                    stats(base),
                    cost(process.pid),
                    busy(options.generator_core),
                )
                time.sleep(seconds)
                after, last, lasted = stats(base), cost(process.pid), time.monotonic() - begun
                others = (busy(options.generator_core) - used - (last.cpu - spent.cpu)) / lasted
                code = process.wait(SPARE + 60)
            finally:
                end(process)
        if code not in ENDED:
            raise SystemExit((folder / "log").read_text(errors="replace"))
        told = folder / "summary.json"
        row = json.loads(told.read_text())["channels"][0] if told.exists() else {}
        whole = stats(base)
    messages, cpu = after["messages"] - before["messages"], last.cpu - spent.cpu
    return {
        "connections": after["open"],
        "messages_per_second": messages / lasted,
        "core": cpu / lasted,
        "others": max(0.0, others),
        "per_core": messages / cpu if cpu else 0.0,
        "peak": last.peak,
        "closes": row.get("ws_unexpected_closes"),
        "latency": row.get("ws_message_latency"),
        "truth": {name: whole[name] for name in ("p50", "p95", "p99")},
    }


def _all_open(base: str, connections: int, process: "subprocess.Popen[bytes]") -> bool:
    until = time.monotonic() + RAMP + 60
    while stats(base)["open"] < connections:
        if process.poll() is not None or time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def _shown(work: Work, options: argparse.Namespace) -> str:
    connections = options.connections or work.connections
    found = _measured(work, connections, options, options.seconds, _vezaflow)
    if found["closes"]:
        raise SystemExit(f"{work.name}: the server closed {found['closes']}")
    core = f"{found['core']:.0%} of a core (others {found['others']:.0%})"
    sent = f"{found['messages_per_second']:,.0f} messages/s"
    match work.name:
        case "saturated":
            rival = _measured(work, connections, options, options.seconds, _k9)
            ratio = f"{found['per_core'] / rival['per_core']:.2f} times k9-load's {rival['per_core']:,.0f}"
            return f"{sent}, {found['per_core']:,.0f} per full core ({ratio}), {core}"
        case "latency":
            off = (f"{q} {1000 * (found['latency'][q] - found['truth'][q]):+.2f} ms" for q in ("p50", "p95", "p99"))
            return f"{sent}, {core}; reported less true: {', '.join(off)}"
    one = _measured(work, 1, options, min(2.0, options.seconds), _vezaflow)
    each = (found["peak"] - one["peak"]) / max(1, connections - 1)
    return f"{found['connections']:,} connections, {sent}, {core}, {each / 1000:.1f} KB each"


def main() -> None:
    options = _arguments()
    unknown = [name for name in options.works.split(",") if name not in WORKS]
    if unknown:
        raise SystemExit(f"no work {', '.join(unknown)}; there are {', '.join(WORKS)}")
    allow_many_sockets()
    keep_history_apart()
    for name in options.works.split(","):
        print(f"{name:<10} {_shown(WORKS[name], options)}", flush=True)


if __name__ == "__main__":
    main()
