"""What a machine can carry without knowing the load: rough upper bounds, from the constants that checks of a plan use.

Laws: the simplest VU is meant, one connection each, all to one address and port; one worker a core. A limit that is
not known bounds nothing.
"""

from dataclasses import dataclass

from vezaflow.limits.checks import BASE_MEMORY, SPARE_FILES, STARTS, TLS_MEMORY, VU_MEMORY
from vezaflow.limits.machine import Machine


@dataclass(frozen=True, slots=True)
class MostVus:
    """How many VUs, and the name of the limit that they meet first. None: no limit is known."""

    vus: int | None
    limit: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """At most, about. `requests`: plain GETs per second."""

    http: MostVus
    https: MostVus
    requests: int
    workers: int


def estimate(there: Machine) -> Estimate:
    """The most that this machine may carry, with a worker on each of its cores."""
    workers = there.cores or 1
    return Estimate(
        _most(there, workers, VU_MEMORY), _most(there, workers, VU_MEMORY + TLS_MEMORY), workers * STARTS, workers
    )


def _most(there: Machine, workers: int, memory: int) -> MostVus:
    processes = workers + (1 if workers > 1 else 0)  # the one that leads them
    limits = {
        "open files": None if there.open_files is None else (there.open_files - SPARE_FILES) * workers,
        "local ports": there.ports,
        "memory": None if there.memory is None else (there.memory - processes * BASE_MEMORY) // memory,
    }
    known = [(max(0, most), name) for name, most in limits.items() if most is not None]
    return MostVus(*min(known, default=(None, "")))
