"""How many workers are worth their while: what `--workers auto` takes."""

import os

LEAST_VUS = 25  # of one worker: for fewer its start costs more than its core brings


def usable_cores() -> int:
    """Cores that this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def sensible_workers(vus: int) -> int:
    """One for each usable core, and none without enough to do."""
    return max(1, min(usable_cores(), vus // LEAST_VUS))
