"""The way to a cluster: its scheduler, or one that is started here or by SSH and ends with the run.

Laws: nothing that Dask logs reaches the user's terminal, what matters of it is said in our words; leaving takes some
seconds at most, also when the scheduler is gone.
"""

import logging
import os
import signal
import ssl
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster, Security, SSHCluster
from distributed.versions import VersionMismatchWarning

from vezaflow.cluster.address import ClusterAddress, ClusterKind
from vezaflow.cluster.knock import knock
from vezaflow.cluster.mail import SchedulerError, asked
from vezaflow.errors import ExitCode, VezaflowError

_CONNECT = 10  # seconds
_CERTIFICATES = (
    "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__TLS__CLIENT__CERT and …__TLS__CLIENT__KEY; "
    "docs/cluster.md has an example"
)
_REQUIRED = "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"
_LOGGERS = ("distributed", "tornado", "asyncio")


@contextmanager
def connected(address: ClusterAddress, inputs: Iterable[str] = ()) -> Iterator[tuple[Client, tuple[str, ...]]]:
    """A client of the cluster, and the addresses of its Dask workers. `inputs`: names in the environment that are not
    for processes which are started here. Raises VezaflowError where there is no cluster."""
    _hush()
    if address.kind is ClusterKind.SCHEDULER:
        knock(address.address, _certificates(address))
    with ExitStack() as stack:
        # A share of load is not to be run again when its machine is lost.
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
        try:
            where = stack.enter_context(_started(address, inputs))
            client = stack.enter_context(Client(where, timeout=_CONNECT, set_as_default=False))  # type: ignore[no-untyped-call]
        except (OSError, ValueError, RuntimeError, ImportError, MemoryError) as e:
            raise VezaflowError(
                f"there is no Dask scheduler at {address.address or address.kind.value}: {e}",
                hint="`dask scheduler` and `dask worker` start one; docs/cluster.md says how",
                code=ExitCode.REFUSED,
            ) from None
        if address.kind is ClusterKind.SCHEDULER:
            _require_its_version(client, address.address)
        workers = tuple(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise VezaflowError(
                f"the scheduler at {address.address} has no Dask workers",
                hint=f"start one on each machine: `dask worker {address.address}`",
                code=ExitCode.REFUSED,
            )
        if address.kind is ClusterKind.LOCAL:
            client.run(_leave_ctrl_c)
        yield client, workers


def _require_its_version(client: Client, address: str) -> None:
    """A scheduler speaks with clients and workers of its own release; what else comes of it nobody tests."""
    mine, trouble = version("distributed"), ""
    try:
        scheduler: Any = client.scheduler
        told = asked(client, lambda: scheduler.versions(packages=[]), 0.0)
        theirs = told["packages"]["distributed"]
        if theirs != mine:
            trouble = f"the scheduler at {address} has Dask {theirs}, and this machine {mine}"
    except (SchedulerError, KeyError, TypeError) as e:
        trouble = f"the scheduler at {address} does not say its version: {e}"
    if trouble:
        raise VezaflowError(trouble, hint="install the same version of Dask on all machines", code=ExitCode.REFUSED)


def _leave_ctrl_c() -> None:
    """In a Dask worker of this terminal: a Ctrl-C, which goes to all of its processes, is the coordinator's alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _certificates(address: ClusterAddress) -> ssl.SSLContext | None:
    """What Dask's own configuration has for an address; None: it is without TLS. Dask's own errors on this are
    tracebacks."""
    try:
        security: Any = Security()  # type: ignore[no-untyped-call]
        for file in (security.tls_ca_file, security.tls_client_cert, security.tls_client_key):
            if file and "\n" not in file:  # else it is the certificate itself
                Path(file).open("rb").close()  # ssl's own error has no name
        found: ssl.SSLContext | None = security.get_connection_args("client")["ssl_context"]
    except (OSError, ValueError) as e:
        raise VezaflowError(f"Dask's certificates can't be read: {e}", hint=_CERTIFICATES, code=ExitCode.REFUSED) from e
    if not address.address.startswith("tls:"):
        if security.require_encryption:
            raise VezaflowError(
                f"{address.address} is without TLS, and Dask's configuration has `require-encryption`",
                hint=f"use {address.address.replace('tcp:', 'tls:')}, or unset it: {_REQUIRED}",
                code=ExitCode.REFUSED,
            )
        return None
    if found is None:
        raise VezaflowError(
            f"{address.address} wants a certificate, and Dask's configuration has none for TLS",
            hint=_CERTIFICATES,
            code=ExitCode.REFUSED,
        )
    return found


def _hush() -> None:
    """Dask gives loggers of its own a level and a handler each; what matters of them is said in our words."""
    for name in (*_LOGGERS, *logging.root.manager.loggerDict):
        if name.partition(".")[0] in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", category=VersionMismatchWarning)


@contextmanager
def _started(address: ClusterAddress, inputs: Iterable[str]) -> Iterator[Any]:
    """What a client connects to: an address, or a cluster of one's own, which ends afterwards."""
    match address.kind:
        case ClusterKind.SCHEDULER:
            yield address.address
        case ClusterKind.LOCAL:
            with _hidden(inputs):  # what Dask's own `env` can't do: it only adds to what is inherited
                local = LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=address.machines,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",  # 8787 may be taken, and Dask warns of that
                    host="127.0.0.1",
                )
            with local as cluster:
                yield cluster
        case ClusterKind.SSH:
            with _by_ssh(Path(address.address)) as cluster:
                yield cluster


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """While processes are started that are not to inherit these."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


@contextmanager
def _by_ssh(file: Path) -> Iterator[Any]:
    try:
        lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except OSError as e:
        raise VezaflowError(f"{file} can't be read: {e.strerror}", code=ExitCode.REFUSED) from None
    hosts = [line for line in lines if line]
    if not hosts:
        raise VezaflowError(f"{file} names no host", hint="a line for each host", code=ExitCode.REFUSED)
    if find_spec("asyncssh") is None:
        raise VezaflowError(
            "`ssh:` needs asyncssh, which is not installed",
            hint="pip install asyncssh",
            code=ExitCode.REFUSED,
        )
    with SSHCluster([hosts[0], *hosts], worker_options={"nthreads": 1}) as cluster:
        yield cluster
