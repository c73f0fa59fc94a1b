"""What a machine of a cluster is and has, and how it sees the targets: read there, judged by the coordinator.

What comes from another machine is validated as everything from outside is.
"""

import errno
import ipaddress
import os
import platform
import selectors
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vezaflow import __version__
from vezaflow.limits import Machine, machine
from vezaflow.protocols import kernel_stamps
from vezaflow.untrusted import Shape, misfit, shape_of

_CONNECT = 3.0  # seconds for a connection to a target, by whichever of its addresses
_LOOKUP = 12.0  # that a name may take: two tries of 5 s are what resolv.conf has, where it says nothing else
LOOK = _LOOKUP + _CONNECT  # that one place may take
Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]  # as getaddrinfo has them


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """One machine. `here`: which machine it is (two Dask workers may be on one). `stamps`: its kernel stamps
    responses."""

    name: str
    here: str
    vezaflow: str
    python: str
    dask: str
    open_files: int | None
    ports: int | None
    memory: int | None  # bytes
    cores: int | None
    stamps: bool

    @property
    def machine(self) -> Machine:
        """Its limits."""
        return Machine(self.open_files, self.ports, self.memory, self.cores)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> "MachineFacts":
        """What `to_json` wrote. ValueError: this is something else."""
        if place := misfit(record, SHAPE):
            raise ValueError(f"`{place}` is invalid")
        return cls(**{name: record[name] for name in cls.__dataclass_fields__})


SHAPE: Shape = shape_of(MachineFacts)


def facts() -> MachineFacts:
    """Of the machine that this runs on."""
    there = machine()
    return MachineFacts(
        name=socket.gethostname(),
        here=_which(),
        vezaflow=__version__,
        python=platform.python_version(),
        dask=version("dask"),
        open_files=there.open_files,
        ports=there.ports,
        memory=there.memory,
        cores=there.cores,
        stamps=kernel_stamps(),
    )


def differences(theirs: MachineFacts, mine: MachineFacts) -> Iterator[str]:
    """What of a machine's software is not this one's; a patch release of Python is alike."""
    named = (
        ("vezaflow", theirs.vezaflow, mine.vezaflow),
        ("Python", _minor(theirs.python), _minor(mine.python)),
        ("Dask", theirs.dask, mine.dask),
    )
    return (f"it has {name} {there}, and this machine {here}" for name, there, here in named if there != here)


def _minor(release: str) -> str:
    return release.rpartition(".")[0]


def _which() -> str:
    """The same for two processes on one machine, and in one network."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/net')}"
    except OSError:
        return socket.gethostname()


@dataclass(frozen=True, slots=True)
class Reached:
    """How a machine sees a host and port: the addresses that the name has there, and why no connection came about."""

    host: str
    port: int
    addresses: list[str]
    trouble: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether it is the machine itself."""
        return any(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in self.addresses)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> "Reached":
        """What `to_json` wrote. ValueError: this is something else."""
        if place := misfit(record, _REACHED):
            raise ValueError(f"`{place}` is invalid")
        found = cls(record["host"], record["port"], record["addresses"], record["trouble"])
        for address in found.addresses:
            ipaddress.ip_address(address.partition("%")[0])
        return found


_REACHED: Shape = {"host": str, "port": int, "addresses": [str], "trouble": str}


def reached(places: Iterable[tuple[str, int]], *, connect: bool = True) -> list[Reached]:
    """How this machine sees some hosts and ports. `connect`: try to."""
    return [_reached(host, port, connect=connect) for host, port in places]


def _reached(host: str, port: int, *, connect: bool) -> Reached:
    addresses: list[str] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = sorted({str(each[4][0]) for each in found})
        trouble = unconnected(found, _CONNECT) if connect else ""
    except OSError as e:
        trouble = e.strerror or str(e)
    return Reached(host, port, addresses, f"can't reach the target {host}:{port}: {trouble}" if trouble else "")


def unconnected(found: Iterable[Address], limit: float) -> str:
    """Why no connection comes about to any of these addresses, tried together, within so many seconds; empty: one
    does."""
    until = time.monotonic() + limit
    trouble = "it has no address"
    with ExitStack() as stack:
        waiting = stack.enter_context(selectors.DefaultSelector())
        for family, kind, protocol, _, address in found:
            try:
                each = stack.enter_context(socket.socket(family, kind, protocol))
                each.setblocking(False)
                code = each.connect_ex(address)
            except OSError as e:  # a machine without that kind of address
                trouble = e.strerror or str(e)
                continue
            if code in (0, errno.EINPROGRESS):
                waiting.register(each, selectors.EVENT_WRITE, each)
            else:
                trouble = os.strerror(code)
        while waiting.get_map():
            ready = waiting.select(max(0.0, until - time.monotonic()))
            if not ready:
                return f"no connection within {limit:g} s"
            for key, _ in ready:
                error: int = key.data.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not error:
                    return ""
                trouble = os.strerror(error)
                waiting.unregister(key.fileobj)
    return trouble


def guarded(mine: Reached, theirs: Reached, *, same_machine: bool) -> tuple[str, str]:
    """What the guard has against a machine's own view of a host, and what is to be known of it; empty: nothing.

    The guard allows names. One that leads elsewhere from there may be production: a name that is the machine itself on
    one of the two is refused; of other addresses of their own it is for people to say whether they are right.
    """
    if same_machine:
        return "", ""
    if theirs.is_loopback:
        return f"{theirs.host} is that machine itself there, and not the target", ""
    if mine.is_loopback:
        return f"{theirs.host} is {_listed(theirs.addresses)} there, and loopback on this machine", ""
    if mine.addresses and theirs.addresses and not set(mine.addresses) & set(theirs.addresses):
        here, there = _listed(mine.addresses), _listed(theirs.addresses)
        return "", f"{theirs.host} is {there} there, and {here} on this machine"
    return "", ""


def _listed(addresses: list[str]) -> str:
    return " and ".join(addresses[:3]) or "unknown"
