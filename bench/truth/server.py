"""The target that knows the truth: server.c, compiled once, one process a run, pinned to its core.

Its answers' true times come back as an array when it ends. It ends with its standard input, so none outlives us.
"""

import hashlib
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.processes import end, pin

SOURCE = Path(__file__).with_name("server.c")
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Route:
    """Requests of `method` whose path fits `pattern` are answered with `body`, `delay` after their arrival."""

    method: str
    pattern: str
    body: bytes = b"ok\n"
    status: int = 200
    kind: str = "text/plain"
    delay: str = "fixed:0"  # fixed:SECONDS or lognormal:MEDIAN:SIGMA


@dataclass(frozen=True, slots=True)
class Stall:
    """The whole server stands still for the last `length` seconds of every `period`."""

    period: float
    length: float


@dataclass(slots=True)
class Truth:
    """`base` while the server runs; the samples (arrival and duration in seconds, route) once it has ended."""

    base: str
    arrived: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    took: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def quantiles(self) -> tuple[float, float, float]:
        """p50, p95, p99 in seconds, nearest rank."""
        return quantiles(self.took)

    def rate(self, after: float = 1.0, before: float = 0.5) -> float:
        """Requests per second, without the run's edges (seconds)."""
        if not len(self.arrived):
            return 0.0
        lasted = math.floor(float(self.arrived.max()) - before - after)  # whole seconds: crowds come in waves
        inside = np.count_nonzero((self.arrived >= after) & (self.arrived < after + lasted))
        return float(inside) / lasted if lasted > 0 else 0.0


def quantiles(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """p50, p95, p99 by nearest rank; zeros of nothing."""
    if not len(values):
        return 0.0, 0.0, 0.0
    low, high, highest = (float(q) for q in np.quantile(values, QUANTILES, method="inverted_cdf"))
    return low, high, highest


def compiled(cache: Path) -> Path:
    """The server's program; made where this source was not compiled before."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("this bench needs a C compiler (Debian: gcc and libc6-dev)")
    program = cache / f"truth-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [compiler, "-O2", "-Wall", "-o", str(program), str(SOURCE), "-lm"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise SystemExit(f"{SOURCE} could not be compiled:\n{made.stderr}")
    return program


@contextmanager
def serving(
    program: Path, folder: Path, core: int, routes: Sequence[Route], stall: Stall | None = None
) -> Iterator[Truth]:
    """The server, until the block ends; then the Truth holds its samples."""
    lines = []
    for number, route in enumerate(routes):
        body = folder / f"answer-{number}"
        body.write_bytes(route.body)
        lines.append(f"{route.method} {route.pattern} {route.status} {route.kind} {route.delay} {body}\n")
    (folder / "routes").write_text("".join(lines))
    samples = folder / "samples"
    command = [str(program), str(folder / "routes"), str(samples)]
    if stall is not None:
        command += [f"{stall.period:g}", f"{stall.length:g}"]
    process = subprocess.Popen(pin(core, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        if not port:
            raise SystemExit("the truth server did not start")
        truth = Truth(f"http://127.0.0.1:{port.decode()}")
        yield truth
        process.stdin.close()
        if process.wait(15) != 0:
            print("the truth server ended badly", file=sys.stderr)
        found = np.fromfile(samples, dtype="<i4").reshape(-1, 3)
        truth.arrived, truth.took = found[:, 0] / 1e6, found[:, 1] / 1e6
    finally:
        end(process)
        process.stdout.close()
