"""How many workers are worth their while: what `--workers auto` takes, and a machine of a cluster."""

import os
from pathlib import Path, PurePosixPath

LEAST_VUS = 25  # of one worker: for fewer its start costs more than its core brings
_GROUPS = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Cores that this process may run on, and has the time of: a container may be limited to less than it sees."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min([cores, *(int(quota) for text in _quotas() if (quota := quota_of(text)) is not None)]))


def quota_of(text: str) -> float | None:
    """Cores that a control group (v2) may use at once, from its `cpu.max`: `400000 100000` are four; None: all."""
    try:
        most, period = map(int, text.split())
    except ValueError:
        return None  # "max 100000", or not told
    return most / period if period > 0 else None


def _quotas() -> list[str]:
    """Of each control group that this process is in."""
    own = next((line[3:] for line in _read(Path("/proc/self/cgroup")).splitlines() if line.startswith("0::")), "/")
    inmost = PurePosixPath(os.path.normpath(own))
    return [_read(_GROUPS / str(group).lstrip("/") / "cpu.max") for group in (inmost, *inmost.parents)]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def sensible_workers(vus: int) -> int:
    """One for each usable core, and none without enough to do."""
    return max(1, min(usable_cores(), vus // LEAST_VUS))
