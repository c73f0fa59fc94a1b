"""What `--cluster` says: an address of a scheduler, Dask workers that are started here, or hosts reached by SSH.

    tls://scheduler:8786   a scheduler, by TLS: certificates as Dask's own configuration names them
    tcp://127.0.0.1:8786   a scheduler on this machine; on another only where that is accepted
    local:3                three Dask workers on this machine, for tests and for trying
    ssh:hosts.txt          a scheduler and workers on the hosts of a file, a line each

Without TLS only what Dask itself says is in clear; what vezaflow says is sealed. But who reaches a scheduler can run
any code on all its machines: so TLS is wanted. What a run starts itself, here or by SSH, has a certificate of its own.
"""

import ipaddress
from dataclasses import dataclass
from enum import Enum

_MOST_LOCAL = 64
_MOST_PORT = 65_535


class ClusterKind(Enum):
    SCHEDULER = "scheduler"
    LOCAL = "local"
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """What `--cluster` says."""

    kind: ClusterKind
    address: str = ""  # of the scheduler; of SSH the file
    machines: int = 0  # of local ones

    @classmethod
    def read(cls, text: str) -> "ClusterAddress":
        """Of a text. ValueError, with what is wrong: it names no cluster."""
        kind, colon, rest = text.partition(":")
        if kind == "local" and colon:
            if not rest.isdecimal() or not 1 <= int(rest) <= _MOST_LOCAL:
                raise ValueError(f"`local:` wants a number of Dask workers from 1 to {_MOST_LOCAL}, such as `local:3`")
            return cls(ClusterKind.LOCAL, machines=int(rest))
        if kind == "ssh" and rest:
            return cls(ClusterKind.SSH, rest)
        if kind in ("tls", "tcp") and rest.startswith("//") and len(rest) > len("//"):
            host_and_port(text)
            return cls(ClusterKind.SCHEDULER, text)
        raise ValueError("expected an address such as tls://scheduler:8786, or `local:3`, or `ssh:hosts.txt`")

    @property
    def in_the_open(self) -> bool:
        """Whether others could listen, and speak to the scheduler."""
        return self.kind is ClusterKind.SCHEDULER and self.address.startswith("tcp:") and not _is_loopback(self.address)


def host_and_port(address: str) -> tuple[str, int]:
    """Of a scheduler's address. ValueError: it has none."""
    host, colon, port = address.partition("://")[2].rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare and bare is host) or set(bare) & set("[]/@ "):
        raise ValueError(f"{address} names no host and port: they are as in tls://scheduler:8786 or tcp://[::1]:8786")
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= _MOST_PORT):
        raise ValueError(f"{address} has no port from 1 to {_MOST_PORT:,}: the default of `dask scheduler` is 8786")
    return bare, int(port)


def _is_loopback(address: str) -> bool:
    host, _ = host_and_port(address)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
