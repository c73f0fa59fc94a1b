"""The machine's facts: open files, local ports, memory, cores. Reading them changes nothing.

A fact that the platform doesn't tell is None. What is read (`ports_of`, `available_of`, `left_of`) is text that the
kernel wrote, so that each is a pure function of it.
"""

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vezaflow.scale import usable_cores

_GROUPS = Path("/sys/fs/cgroup")
_NETWORK = Path("/proc/sys/net/ipv4")


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is. Memory in bytes."""

    open_files: int | None  # that one process may open, raised as far as it may raise that itself
    ports: int | None  # local ports for connections to one address and port
    memory: int | None  # available without swapping
    cores: int | None  # that this process may use


def machine() -> Machine:
    """This machine as it is now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Machine(
        open_files=None if hard == resource.RLIM_INFINITY else hard,
        ports=ports_of(_read(_NETWORK / "ip_local_port_range"), _read(_NETWORK / "ip_local_reserved_ports")),
        memory=min((left for left in _memories() if left is not None), default=None),
        cores=usable_cores(),
    )


def raise_open_files() -> None:
    """Let this process, and those that it starts, open as many files as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def ports_of(bounds: str, reserved: str) -> int | None:
    """How many local ports there are for connections out, reserved ones left out (ip(7))."""
    try:
        low, high = map(int, bounds.split())
    except ValueError:
        return None
    taken = 0
    for piece in filter(None, reserved.strip().split(",")):
        first, _, last = piece.partition("-")
        taken += max(0, min(high, int(last or first)) - max(low, int(first)) + 1)
    return max(0, high - low + 1 - taken)


def available_of(meminfo: str) -> int | None:
    """Bytes that may be had without swapping (proc_meminfo(5))."""
    return _field(meminfo, "MemAvailable:", 1024)


def left_of(most: str, current: str, stat: str) -> int | None:
    """Bytes that a control group (v2) may still take; the files that it caches can be dropped for that."""
    if not most.strip().isdecimal() or not current.strip().isdecimal():
        return None  # "max", or not told
    cached = (_field(stat, "inactive_file", 1) or 0) + (_field(stat, "active_file", 1) or 0)
    return max(0, int(most) - int(current) + cached)


def _field(text: str, name: str, unit: int) -> int | None:
    found = (line.split() for line in text.splitlines())
    return next((int(words[1]) * unit for words in found if words[:1] == [name]), None)


def _memories() -> Iterator[int | None]:
    """What is available on the machine, and in each control group that this process is in."""
    yield available_of(_read(Path("/proc/meminfo")))
    own = next((line[3:] for line in _read(Path("/proc/self/cgroup")).splitlines() if line.startswith("0::")), None)
    if own is None:
        return
    for group in (PurePosixPath(os.path.normpath(own)), *PurePosixPath(os.path.normpath(own)).parents):
        folder = _GROUPS / str(group).lstrip("/")
        yield left_of(*(_read(folder / name) for name in ("memory.max", "memory.current", "memory.stat")))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
