"""Processes of this machine, as /proc has them: who has started whom, and who is still there."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process. `began` tells it from a later one of the same number."""

    pid: int
    parent: int
    began: int
    words: str

    @property
    def lives(self) -> bool:
        found = process_of(self.pid)
        return found is not None and found.began == self.began


def process_of(pid: int) -> Process | None:
    """The process of this number; None where there is none, or only its exit code is left."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        words = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else Process(pid, int(fields[1]), int(fields[19]), words)


def started_by(pid: int) -> list[Process]:
    """All that a process has started, and those again."""
    everyone = [found for path in PROC.iterdir() if path.name.isdecimal() and (found := process_of(int(path.name)))]
    known = {pid}
    while more := {each.pid for each in everyone if each.parent in known} - known:
        known |= more
    return sorted((each for each in everyone if each.pid in known and each.pid != pid), key=lambda each: each.began)


def gone(processes: Iterable[Process], limit: float) -> list[str]:
    """Those that are still there after `limit` seconds, as they were called; returns as soon as none is."""
    end = time.monotonic() + limit
    while (left := [each.words for each in processes if each.lives]) and time.monotonic() < end:
        time.sleep(0.05)
    return left
