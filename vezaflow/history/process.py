"""Which process carries a run, and whether it still lives.

Law: a process of this boot and this process namespace is asked for in /proc, so a killed run is known at once; of
another machine only its heartbeat is known.
"""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

_SILENCE = 60.0  # seconds without a heartbeat, after which a run elsewhere is taken for dead


@dataclass(frozen=True, slots=True)
class Process:
    """`machine`: its boot and process namespace. `started`: ticks since the boot, since numbers are used again."""

    host: str
    machine: str
    pid: int
    started: str


def this_process() -> Process:
    return Process(platform.node(), _machine(), os.getpid(), _started(os.getpid()))


def lives(process: Process, heartbeat: float, now: float) -> bool:
    """Whether the process still runs. `heartbeat`: when it last wrote; both in seconds since the epoch."""
    if process.machine and process.machine == _machine():
        return _started(process.pid) == process.started != ""
    return now - heartbeat < _SILENCE


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When it was started; empty where there is no such process, or only what its parent has not yet reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]
