"""What a process and its children cost, read from /proc, so that no contender reports on itself.

Only processes that the bench started are ever signalled, each by its own pid.
"""

import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a whole tree: CPU seconds so far (user and system), bytes resident now, the sum of the peaks."""

    cpu: float
    resident: int
    peak: int


def keep_history_apart() -> None:
    """What the bench runs is kept as any run, but not among the runs of who runs it."""
    os.environ["VEZAFLOW_HISTORY"] = str(Path(tempfile.mkdtemp(prefix="bench-history-"), "history.db"))


def pin(cores: int | str, command: list[str]) -> list[str]:
    """The command, bound to a core, or to some (`0,1`)."""
    return ["taskset", "--cpu-list", str(cores), *command]


def family(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found = [pid]
    for member in found:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                found.extend(int(child) for child in task.read_text().split())
            except OSError:
                continue  # it ended between the listing and the reading
    return found


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICK  # utime, stime, and those of children waited for


def _memory(pid: int) -> tuple[int, int]:
    """Resident now and at the peak, in bytes."""
    sizes = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            sizes[name] = int(value.split()[0]) * 1024
    return sizes.get("VmRSS", 0), sizes.get("VmHWM", 0)


def cost(pid: int) -> Cost:
    """What the tree under `pid` has cost so far."""
    cpu, resident, peak = 0.0, 0, 0
    for member in family(pid):
        try:
            cpu += _cpu(member)
            now, most = _memory(member)
        except OSError:
            continue
        resident += now
        peak += most
    return Cost(cpu, resident, peak)


def busy(cores: int | str) -> float:
    """CPU seconds that everything together has spent on some cores so far."""
    names = {f"cpu{core}" for core in str(cores).split(",")}
    spent = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in names:
            user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = (int(field) for field in fields)
            spent += user + nice + system + irq + softirq + steal
    return spent / TICK


def end(process: subprocess.Popen[bytes], patience: float = 3.0) -> None:
    """Ends a process that we started: politely, then surely."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
