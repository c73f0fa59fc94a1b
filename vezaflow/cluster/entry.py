"""The way in: nothing of Dask or of cryptography is imported before a cluster is asked for.

Laws: where they are missing, or where others could reach the scheduler without TLS, that is said before anything else.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from vezaflow.cluster.address import ClusterAddress
from vezaflow.errors import ExitCode, VezaflowError

if TYPE_CHECKING:
    from vezaflow.cluster.muster import Cluster

_NEEDED = ("dask", "distributed", "cryptography")


@contextmanager
def joined(address: ClusterAddress, *, insecure: bool = False) -> Iterator["Cluster"]:
    """A cluster, for one load after another. Raises VezaflowError (REFUSED) where this machine has not what it needs
    for one, or its scheduler is without TLS and that is not accepted as `insecure`."""
    _require(address, insecure=insecure)
    from vezaflow.cluster.muster import Cluster

    with ExitStack() as stack:
        yield Cluster(address, stack)


def _require(address: ClusterAddress, *, insecure: bool) -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise VezaflowError(
            f"`--cluster` needs {', '.join(missing)}, not installed here",
            hint="pip install 'vezaflow[cluster]', on this machine and on all others",
            code=ExitCode.REFUSED,
        )
    if address.in_the_open and not insecure:
        raise VezaflowError(
            f"{address.address} is not protected by TLS: who reaches it can run any code on its machines",
            hint="use a scheduler at tls://, or accept it with --insecure-cluster where the network is yours alone",
            code=ExitCode.REFUSED,
        )
