"""Which cluster: an address of a scheduler, one that is started here, or hosts that are reached by SSH.

    tls://scheduler:8786   a scheduler, by TLS: certificates as Dask's own configuration names them
    tcp://127.0.0.1:8786   a scheduler on this machine; on another only where that is asked for
    local:3                three Dask workers on this machine, for tests and for trying
    ssh:hosts.txt          a scheduler and workers on the hosts of a file, a line each

What a connection without TLS would carry in clear is only what Dask itself says; what vezaflow says is sealed. But who
reaches a scheduler can run any code on all its machines: so TLS is wanted.
"""

import ipaddress
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vezaflow.errors import ExitCode, VezaflowError

if TYPE_CHECKING:
    from distributed import Client

_CONNECT = 10  # seconds
_MOST_LOCAL = 64


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
            return cls(ClusterKind.SCHEDULER, text)
        raise ValueError("expected an address such as tls://scheduler:8786, or `local:3`, or `ssh:hosts.txt`")

    @property
    def in_the_open(self) -> bool:
        """Whether others could listen, and speak to the scheduler."""
        return self.kind is ClusterKind.SCHEDULER and self.address.startswith("tcp:") and not _is_loopback(self.address)


def _is_loopback(address: str) -> bool:
    host = address.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def connected(address: ClusterAddress, *, insecure: bool = False) -> Iterator[tuple["Client", tuple[str, ...]]]:
    """A client of the cluster, and the addresses of its Dask workers. Raises VezaflowError where there is none."""
    try:
        import dask
        from distributed import Client
    except ModuleNotFoundError:
        raise VezaflowError(
            "`--cluster` needs Dask, which is not installed",
            hint="pip install 'vezaflow[cluster]', on this machine and on all others",
            code=ExitCode.REFUSED,
        ) from None
    if address.in_the_open and not insecure:
        raise VezaflowError(
            f"{address.address} is not protected by TLS: who reaches that scheduler can run any code on its machines",
            hint="use tls://, or accept it with --insecure-cluster where the network is yours alone",
            code=ExitCode.REFUSED,
        )
    for name in ("distributed", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what matters of it is said in our words
    with ExitStack() as stack:
        # A share of load is not to be run again when its machine is lost.
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
        try:
            where = stack.enter_context(_started(address))
            client = stack.enter_context(Client(where, timeout=_CONNECT, set_as_default=False))  # type: ignore[no-untyped-call]
        except (OSError, TimeoutError, ValueError) as e:
            raise VezaflowError(
                f"there is no Dask scheduler at {address.address or address.kind.value}: {e}",
                hint="`dask scheduler` and `dask worker` start one; docs/cluster.md says how",
                code=ExitCode.REFUSED,
            ) from None
        workers = tuple(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise VezaflowError(
                f"the scheduler at {address.address} has no Dask workers",
                hint=f"start one on each machine: `dask worker {address.address}`",
                code=ExitCode.REFUSED,
            )
        yield client, workers


@contextmanager
def _started(address: ClusterAddress) -> Iterator[Any]:
    """What a client connects to: an address, or a cluster of one's own, which ends afterwards."""
    match address.kind:
        case ClusterKind.SCHEDULER:
            yield address.address
        case ClusterKind.LOCAL:
            from distributed import LocalCluster

            with LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=address.machines,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                host="127.0.0.1",
            ) as cluster:
                yield cluster
        case ClusterKind.SSH:
            with _by_ssh(Path(address.address)) as cluster:
                yield cluster


@contextmanager
def _by_ssh(file: Path) -> Iterator[Any]:
    if find_spec("asyncssh") is None:
        raise VezaflowError(
            "`ssh:` needs asyncssh, which is not installed",
            hint="pip install asyncssh",
            code=ExitCode.REFUSED,
        )
    try:
        lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except OSError as e:
        raise VezaflowError(f"{file} can't be read: {e.strerror}", code=ExitCode.REFUSED) from None
    hosts = [line for line in lines if line]
    if not hosts:
        raise VezaflowError(f"{file} names no host", hint="a line for each host", code=ExitCode.REFUSED)
    from distributed import SSHCluster

    with SSHCluster([hosts[0], *hosts], worker_options={"nthreads": 1}) as cluster:
        yield cluster
