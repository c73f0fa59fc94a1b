"""What a machine of a cluster is and has: read there, checked by the coordinator before any load.

What comes from another machine is validated as everything from outside is.
"""

import os
import platform
import socket
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vezaflow import __version__
from vezaflow.limits import Machine, machine
from vezaflow.untrusted import Shape, misfit, shape_of

_CONNECT = 3.0  # seconds for a connection to a target


@dataclass(frozen=True, slots=True)
class Facts:
    """One machine. `here`: which machine it is (two Dask workers may be on one)."""

    name: str
    here: str
    vezaflow: str
    python: str
    dask: str
    open_files: int | None
    ports: int | None
    memory: int | None  # bytes
    cores: int | None

    @property
    def machine(self) -> Machine:
        """Its limits."""
        return Machine(self.open_files, self.ports, self.memory, self.cores)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> "Facts":
        """What `to_json` wrote. ValueError: this is something else."""
        if place := misfit(record, SHAPE):
            raise ValueError(f"`{place}` is invalid")
        return cls(**{name: record[name] for name in cls.__dataclass_fields__})


SHAPE: Shape = shape_of(Facts)


def facts() -> Facts:
    """Of the machine that this runs on."""
    there = machine()
    return Facts(
        name=socket.gethostname(),
        here=_which(),
        vezaflow=__version__,
        python=platform.python_version(),
        dask=version("dask"),
        open_files=there.open_files,
        ports=there.ports,
        memory=there.memory,
        cores=there.cores,
    )


def _which() -> str:
    """The same for two processes on one machine, and in one network."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/net')}"
    except OSError:
        return socket.gethostname()


def unreachable(places: list[tuple[str, int]]) -> list[str]:
    """Why a target can't be connected to from here, a line each; empty: all can."""
    found = []
    for host, port in places:
        try:
            socket.create_connection((host, port), _CONNECT).close()
        except OSError as e:
            found.append(f"{host}:{port}: {e.strerror or e}")
    return found
