"""By which clocks a run measures here: the kernel's stamps, the clock and its steps, timers of the event loop.

Each is measured once and judged by a pure function of what was measured. Times in seconds.
"""

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import trio

from vezaflow import units
from vezaflow.doctor.finding import Aspect, Finding, Grade
from vezaflow.errors import ExitCode
from vezaflow.protocols import StampTrial

_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_SLOW_SOURCES = {"hpet", "acpi_pm", "pit", "jiffies", "refined-jiffies"}
_DEAR_READ = 1e-6  # one that goes through the kernel takes 0.1 to 0.4 µs, and several are made for a request
_COARSE_STEP = 10e-6
_READS = 2000
_SLEEP, _SLEEPS = 0.002, 60
_LATE = 0.02  # p99: without stamps a run whose event loop is this late is inconclusive
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


@dataclass(frozen=True, slots=True)
class ClockTrial:
    """`source`: the kernel's name, empty where it is not known; `read`: what a look costs; `step`: the smallest."""

    source: str
    read: float
    step: float


def kernel_stamps(trial: StampTrial) -> Finding:
    """The finding on timestamps of what arrives."""
    if trial.stamped == trial.rounds:
        text = f"{trial.stamped} of {trial.rounds} reads over loopback had one"
        return Finding(Aspect.TIME, "kernel timestamps", Grade.GOOD, text, value=trial.stamped)
    text = f"only {trial.stamped} of {trial.rounds} reads over loopback had one"
    remedy = "use a machine with a Linux kernel (not gVisor), or few VUs per core, so that reads are never late"
    return Finding(
        Aspect.TIME, "kernel timestamps", Grade.POOR, text, remedy, ExitCode.INCONCLUSIVE, value=trial.stamped
    )


def try_clock() -> ClockTrial:
    """Look at the clock two thousand times."""
    try:
        source = _SOURCE.read_text(encoding="ascii").strip()
    except OSError:
        source = ""
    looks = [time.perf_counter() for _ in range(_READS)]
    steps = [after - before for before, after in pairwise(looks) if after > before]
    return ClockTrial(source, (looks[-1] - looks[0]) / _READS, min(steps, default=0.0))


def clock(trial: ClockTrial) -> Finding:
    """The finding on the clock that latencies are measured by."""
    read, step = units.duration(trial.read), units.duration(trial.step)
    text = f"{trial.source or 'not known'}; steps of {step}, {read} a read"
    poor = trial.source in _SLOW_SOURCES or trial.read > _DEAR_READ or trial.step > _COARSE_STEP
    remedy = "boot with `clocksource=tsc` where the processor and the hypervisor allow it" if poor else ""
    return Finding(Aspect.TIME, "clock", Grade.POOR if poor else Grade.GOOD, text, remedy, value=trial.source or None)


def synchronised() -> bool | None:
    """Whether something keeps the wall clock right; None where the kernel does not tell."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # all zero: it only reads
    except (AttributeError, OSError):
        return None
    return None if state < 0 else state != _UNSYNCHRONISED


def wall_clock(kept: bool | None) -> Finding:
    """The finding on the time of day: what segments on several machines start by."""
    if kept is None:
        return Finding(Aspect.TIME, "time of day", Grade.UNKNOWN, "not known whether it is synchronised")
    if kept:
        return Finding(Aspect.TIME, "time of day", Grade.GOOD, "synchronised", value="synchronised")
    remedy = "run chrony or systemd-timesyncd (in a container: on its host), if times of several machines are compared"
    return Finding(Aspect.TIME, "time of day", Grade.POOR, "not synchronised", remedy, value="not synchronised")


def try_timer() -> list[float]:
    """By how much sleeps of 2 ms end too late, in the event loop that runs load."""
    return trio.run(_sleeps)


async def _sleeps() -> list[float]:
    late = []
    for _ in range(_SLEEPS):
        due = time.perf_counter() + _SLEEP
        await trio.sleep(_SLEEP)
        late.append(max(0.0, time.perf_counter() - due))
    return late


def timer(late: Sequence[float]) -> Finding:
    """The finding on timers: how late the event loop comes to what is due while it has nothing else to do."""
    ordered = sorted(late)
    half, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    text = f"{units.duration(half)} late (median), {units.duration(p99)} (p99)"
    if p99 <= _LATE:
        return Finding(Aspect.TIME, "event-loop timers", Grade.GOOD, text, value=p99)
    remedy = "stop what else runs here, or give it cores of its own: this one is late without any load"
    return Finding(Aspect.TIME, "event-loop timers", Grade.POOR, text, remedy, ExitCode.INCONCLUSIVE, p99)
