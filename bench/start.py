"""How much CPU commands take besides what they are for: start, end, and a load of one request.

    python -m bench.start                               ten rounds of this checkout
    python -m bench.start --before ../old --rounds 5    this checkout and another, in turn
    python -m bench.start --only run,try

What is printed is the median of user and system time, of the processes that a command starts too: on a busy machine
wall time says little. Each checkout has its own bytecode, as an installed vezaflow has, and a history of its own that
grows with each round.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOW = """
flow: one
base_url: http://127.0.0.1:{port}
load: {{executor: per-vu-iterations, vus: 1, iterations: 1}}
steps: [{{get: /}}]
gates: {{http_req_failed: rate < 1 %}}
"""
COMMANDS: dict[str, Sequence[str]] = {  # in this order: the later ones look at runs
    "--help": ("--help",),
    "lint": ("lint", "one.yml"),
    "explain": ("explain", "one.yml"),
    "try": ("try", "one.yml"),
    "run": ("run", "one.yml"),
    "run --workers 2": ("run", "one.yml", "--workers", "2", "--vus", "one=2"),
    "history": ("history",),
    "report": ("report", "last", "--html", "page.html"),
}


class Target(BaseHTTPRequestHandler):
    """Answers all with an empty 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.start", description="What starting and ending costs.")
    parser.add_argument("--rounds", type=int, default=10, help="runs of each command (10)")
    parser.add_argument("--before", type=Path, help="another checkout, measured in turn")
    parser.add_argument("--only", default=",".join(COMMANDS), help="some commands, such as run,try")
    options = parser.parse_args()
    names = options.only.split(",")
    checkouts = ([options.before.resolve()] if options.before is not None else []) + [ROOT]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        flow = Path(folder, "one.yml")
        flow.write_text(FLOW.format(port=server.server_port), encoding="utf-8")
        times: dict[tuple[str, int], list[float]] = {}
        for turn in range(options.rounds + 1):
            for name in names:
                for number, checkout in enumerate(checkouts):
                    used = _once(COMMANDS[name], checkout, Path(folder), number)
                    if turn:  # the first one only warms the caches
                        times.setdefault((name, number), []).append(used)
    for name in names:
        row = (f"{statistics.median(times[name, number]) * 1000:6.0f} ms" for number in range(len(checkouts)))
        print(f"{name:18}{''.join(row)}")


def _once(command: Sequence[str], checkout: Path, folder: Path, number: int) -> float:
    """The CPU seconds of a command."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(checkout),
        "PYTHONPYCACHEPREFIX": str(folder / f"bytecode-{number}"),
        "PYTHONDONTWRITEBYTECODE": "",
        "XDG_STATE_HOME": str(folder / f"state-{number}"),
    }
    before = _cpu()
    line = [sys.executable, "-m", "vezaflow", *command]
    subprocess.run(line, env=environment, cwd=folder, check=True, capture_output=True)
    return _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
