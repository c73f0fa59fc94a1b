"""Who carries a run's load: this machine, or the machines of a cluster."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import click

from vezaflow.cli.inputs import Asked
from vezaflow.cli.values import CLUSTER
from vezaflow.cluster import ClusterAddress, cluster_shares, gathered, mustered
from vezaflow.limits import MachineShare
from vezaflow.model import Suite, file_paths
from vezaflow.plan import Bundle, Division, Plan
from vezaflow.scale import Crew
from vezaflow.syntax import Literal


@dataclass(frozen=True, slots=True)
class AskedCluster:
    """The cluster that the command line names. `insecure`: one without TLS is accepted."""

    address: ClusterAddress
    insecure: bool = False


def cluster_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command gets them as `cluster` and `insecure_cluster`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--cluster",
        type=CLUSTER,
        metavar="ADDRESS",
        help="Put the load on from the machines of a Dask cluster: tls://scheduler:8786, local:3, ssh:hosts.txt.",
    ),
    click.option(
        "--insecure-cluster",
        is_flag=True,
        help="Accept a scheduler without TLS: who reaches it can run any code on its machines.",
    ),
)


def asked_cluster(
    address: ClusterAddress | None, *, insecure: bool, workers: int, segmented: bool = False
) -> AskedCluster | None:
    """The cluster, if there is one. Raises UsageError where the load is to be divided in another way as well."""
    if address is None:
        return None
    for option, given in (("--workers", workers != 1), ("--segment", segmented)):
        if given:
            raise click.UsageError(f"{option} does not go with --cluster, where each machine uses all its cores")
    return AskedCluster(address, insecure)


@contextmanager
def carried(
    cluster: AskedCluster | None, here: Division, asked: Asked, say: Callable[[str], None]
) -> Iterator[tuple[Division, Crew | None]]:
    """How the load is divided, and the workers of a cluster where one is asked for. `here`: without one."""
    if cluster is None:
        yield here, None
        return
    suite = (asked.plan, asked.bundle, asked.suite.root)
    with mustered(cluster.address, *suite, say, named=_named(asked.suite), insecure=cluster.insecure) as crew:
        yield Division(crew.workers), crew


Carrier = Callable[[Plan, Division], AbstractContextManager[tuple[Division, Crew | None]]]


@contextmanager
def carrier(
    cluster: AskedCluster | None, suite: Suite, plan: Plan, bundle: Bundle, say: Callable[[str], None]
) -> Iterator[Carrier]:
    """As `carried` has it for each of several loads of one suite. `plan`: of one of them."""
    if cluster is None:
        yield lambda _, here: nullcontext((here, None))
        return
    of_suite = (plan, bundle, suite.root)
    named = _named(suite)
    with gathered(cluster.address, *of_suite, say, named=named, insecure=cluster.insecure) as crew_for:

        @contextmanager
        def carry(plan: Plan, _: Division) -> Iterator[tuple[Division, Crew | None]]:
            with crew_for(plan) as crew:
                yield Division(crew.workers), crew

        yield carry


def shares_of(cluster: AskedCluster, asked: Asked, *, reach: bool) -> tuple[MachineShare, ...]:
    """What each machine of the cluster would carry. `reach`: they are to connect to the target."""
    suite = (asked.plan, asked.bundle, asked.suite.root)
    named = _named(asked.suite)
    return cluster_shares(cluster.address, *suite, named=named, insecure=cluster.insecure, reach=reach)


def _named(suite: Suite) -> tuple[str, ...]:
    """The files that a suite uses, where their names are known."""
    written = (path.value for path in file_paths(suite) if isinstance(path, Literal))
    return tuple(dict.fromkeys(path for path in written if isinstance(path, str)))
