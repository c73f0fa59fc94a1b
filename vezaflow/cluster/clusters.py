"""The way to a cluster: its scheduler, or one that is started here or by SSH and ends with the run.

Laws: nothing that Dask logs reaches the user's terminal, what matters of it is said in our words; leaving takes some
seconds at most, also when the scheduler is gone.
"""

import logging
import ssl
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, assert_never

from distributed import Client, Security
from distributed.versions import VersionMismatchWarning

from vezaflow.cluster.address import ClusterAddress, ClusterKind
from vezaflow.cluster.knock import knock
from vezaflow.cluster.mail import SchedulerError, asked
from vezaflow.cluster.stations import StationHost, hosts_of, stations
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.limits import raise_open_files

_CONNECT = 10  # seconds
_CERTIFICATES = (
    "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__TLS__CLIENT__CERT and …__TLS__CLIENT__KEY; "
    "docs/cluster.md has an example"
)
_REQUIRED = "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"
_LOGGERS = ("distributed", "tornado", "asyncio")


@contextmanager
def connected(address: ClusterAddress, inputs: Iterable[str] = ()) -> Iterator[Client]:
    """A client of the cluster. `inputs`: names in the environment that are not for processes which are started here.
    Raises VezaflowError where there is no cluster."""
    _hush()
    raise_open_files()
    with ExitStack() as stack:
        where, security = stack.enter_context(_scheduler(address, inputs))
        try:
            client = stack.enter_context(Client(where, timeout=_CONNECT, security=security, set_as_default=False))  # type: ignore[no-untyped-call]
        except (OSError, ValueError, RuntimeError, ImportError, MemoryError) as e:
            raise VezaflowError(
                f"there is no Dask scheduler at {where}: {e}",
                hint="`dask scheduler` and `dask worker` start one; docs/cluster.md says how",
                code=ExitCode.REFUSED,
            ) from None
        _require_its_version(client, where)
        yield client


def workers_of(client: Client, address: ClusterAddress) -> tuple[str, ...]:
    """The addresses of the Dask workers that there are now. Raises VezaflowError (REFUSED) where there is none, or the
    scheduler is gone."""
    scheduler: Any = client.scheduler
    try:
        workers = tuple(asked(client, lambda: scheduler.identity(n_workers=-1), 0.0)["workers"])
    except (SchedulerError, TimeoutError, KeyError, TypeError) as e:
        raise VezaflowError(f"the scheduler can't be reached any more: {e}", code=ExitCode.REFUSED) from None
    if workers:
        return workers
    if address.kind is ClusterKind.SCHEDULER:
        raise VezaflowError(
            f"the scheduler at {address.address} has no Dask workers",
            hint=f"start one on each machine: `dask worker {address.address}`",
            code=ExitCode.REFUSED,
        )
    raise VezaflowError("all Dask workers that were started have ended", hint="run again", code=ExitCode.REFUSED)


@contextmanager
def _scheduler(address: ClusterAddress, inputs: Iterable[str]) -> Iterator[tuple[str, Security | None]]:
    """Where it is, and what one speaks to it with where that is not in Dask's configuration. What is started for the
    run ends afterwards."""
    match address.kind:
        case ClusterKind.SCHEDULER:
            knock(address.address, _certificates(address))
            yield address.address, None
            return
        case ClusterKind.LOCAL:
            hosts: tuple[StationHost, ...] = (StationHost(),) * address.machines
        case ClusterKind.SSH:
            hosts = hosts_of(Path(address.address))
        case never:
            assert_never(never)
    with stations(hosts, inputs) as (where, credentials):
        yield where, credentials.security


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
