"""The way in: nothing of Dask or of cryptography is imported before a cluster is asked for.

Laws: where they are missing, or where others could reach the scheduler without TLS, that is said before anything else.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from vezaflow.cluster.address import ClusterAddress
from vezaflow.errors import ExitCode, VezaflowError

if TYPE_CHECKING:
    from vezaflow.cluster.crew import ClusterCrew
    from vezaflow.limits import MachineShare
    from vezaflow.plan import Bundle, Plan

_NEEDED = ("dask", "distributed", "cryptography")


@contextmanager
def mustered(
    address: ClusterAddress,
    plan: "Plan",
    bundle: "Bundle",
    root: Path,
    say: Callable[[str], None],
    *,
    named: Iterable[str] = (),
    insecure: bool = False,
) -> Iterator["ClusterCrew"]:
    """The workers of all machines of a cluster, checked. `root`: the suite's folder, whose files they get; `named`:
    those that the suite uses, by their path from there. Raises VezaflowError (REFUSED) where they can't carry the
    load."""
    with gathered(address, plan, bundle, root, say, named=named, insecure=insecure) as crew_for, crew_for(plan) as crew:
        yield crew


@contextmanager
def gathered(
    address: ClusterAddress,
    plan: "Plan",
    bundle: "Bundle",
    root: Path,
    say: Callable[[str], None],
    *,
    named: Iterable[str] = (),
    insecure: bool = False,
) -> Iterator["Callable[[Plan], AbstractContextManager[ClusterCrew]]"]:
    """The same for several loads of the same files, one after another: all by the same machines, and none where one of
    them is gone."""
    _require(address, insecure=insecure)
    from vezaflow.cluster.muster import crews_of

    with crews_of(address, plan, bundle, root, say, named) as crew_for:
        yield crew_for


def cluster_shares(
    address: ClusterAddress,
    plan: "Plan",
    bundle: "Bundle",
    root: Path,
    *,
    named: Iterable[str] = (),
    insecure: bool = False,
    reach: bool = True,
) -> "tuple[MachineShare, ...]":
    """The machines of a cluster, and what each would carry of a load, without any. `reach`: see whether they can
    connect to the target. Raises VezaflowError (REFUSED) where there is no such cluster."""
    _require(address, insecure=insecure)
    from vezaflow.cluster.muster import shares_of

    return shares_of(address, plan, bundle, root, named, reach=reach)


def _require(address: ClusterAddress, *, insecure: bool) -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise VezaflowError(
            f"`--cluster` needs {' and '.join(missing)}, not installed here",
            hint="pip install 'vezaflow[cluster]', on this machine and on all others",
            code=ExitCode.REFUSED,
        )
    if address.in_the_open and not insecure:
        raise VezaflowError(
            f"{address.address} is not protected by TLS: who reaches it can run any code on its machines",
            hint="use a scheduler at tls://, or accept it with --insecure-cluster where the network is yours alone",
            code=ExitCode.REFUSED,
        )
