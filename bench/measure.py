"""One contender, one scenario, one run: what the target counted and what the process tree cost meanwhile.

The window opens `WARM` seconds after the first request arrived, so that neither interpreter start-up nor the
opening of connections is in it. CPU is the tree's over the window; memory its peak up to the window's end.
"""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import HERE, Contender, Job
from bench.nginx import Target
from bench.processes import busy, cost, end, pin

WARM = 1.5
LIMIT = 10.0  # no run lasts longer
SPARE = 1.5  # the generator goes on for so long after the window: some take a second to start


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run. Memory in bytes; shares are of one core: 1.0 is all of it."""

    requests_per_second: float
    cpu_per_request: float  # seconds
    cpu_share: float
    others: float  # what was spent on the same cores by processes that are not the generator
    peak: int


class RunError(Exception):
    """The contender did not load the target."""


def _wait_for_traffic(target: Target, process: subprocess.Popen[bytes], before: int, until: float) -> None:
    while target.requests() - before < 2 and time.monotonic() < until:
        if process.poll() is not None:
            return
        before += 1  # our own look at the counter
        time.sleep(0.05)


def _window(target: Target, pid: int, cores: str, seconds: float) -> Figures:
    begun, counted, spent, used = time.monotonic(), target.requests(), cost(pid), busy(cores)
    time.sleep(seconds)
    last, total, lasted = cost(pid), target.requests(), time.monotonic() - begun
    requests = max(total - counted - 1, 0)
    cpu = last.cpu - spent.cpu
    return Figures(
        requests_per_second=requests / lasted,
        cpu_per_request=cpu / requests if requests else 0.0,
        cpu_share=cpu / lasted,
        others=max(0.0, (busy(cores) - used - cpu) / lasted),
        peak=last.peak,
    )


def measure(contender: Contender, job: Job, target: Target, cores: str, window: float) -> Figures:
    """Runs the job on `cores` and measures `window` seconds of it.

    Raises RunError with the contender's last words when it ended too early or sent nothing.
    """
    command = contender.command(contender.program, job)
    log = job.folder / f"{contender.name}.log"
    before, started = target.requests(), time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            pin(cores, command),
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=HERE.parent,
        )
    try:
        _wait_for_traffic(target, process, before, started + LIMIT - window - WARM)
        time.sleep(WARM)
        figures = _window(target, process.pid, cores, window)
        if process.poll() is not None or figures.requests_per_second == 0:
            raise RunError(_tail(log))
        process.wait(max(0.1, started + LIMIT - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass  # it takes its time to stop; the window is over
    finally:
        end(process)
    return figures


def duration(window: float) -> float:
    """How long a generator is told to run so that it outlasts the window."""
    return WARM + window + SPARE


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:]) or "it said nothing"
