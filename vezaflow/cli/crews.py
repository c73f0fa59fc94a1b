"""Who carries a run's load: this machine, or the machines of a cluster."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import click

from vezaflow.cli.inputs import Asked
from vezaflow.cli.values import CLUSTER
from vezaflow.cluster import ClusterAddress, joined
from vezaflow.limits import MachineShare
from vezaflow.plan import Division, Plan, Segment
from vezaflow.scale import Crew, sensible_workers

# How a load is divided, and by whom it is carried; None: by this machine.
Carry = Callable[[Asked], AbstractContextManager[tuple[Division, Crew | None]]]


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
    """The cluster, if there is one. Raises UsageError for options that don't go with it, or only with it."""
    if address is None:
        if insecure:
            raise click.UsageError("--insecure-cluster is for --cluster: name the scheduler as well")
        return None
    for option, given in (("--workers", workers != 1), ("--segment", segmented)):
        if given:
            raise click.UsageError(f"{option} does not go with --cluster, where each machine uses all its cores")
    return AskedCluster(address, insecure)


def by_workers(workers: int, segment: Segment | None = None) -> Callable[[Plan], Division]:
    """How this machine divides a load, or a segment of it, among so many processes; 0: as many as are sensible."""
    return lambda plan: Division(workers or sensible_workers(plan.vus), segment)


@contextmanager
def carriers(
    cluster: AskedCluster | None, here: Callable[[Plan], Division], say: Callable[[str], None]
) -> Iterator[Carry]:
    """Who carries loads, one after another. `here`: how this machine divides one, where no cluster is asked for."""
    if cluster is None:
        yield lambda asked: nullcontext((here(asked.plan), None))
        return
    with joined(cluster.address, insecure=cluster.insecure) as machines:

        @contextmanager
        def carried(asked: Asked) -> Iterator[tuple[Division, Crew]]:
            with machines.crew(asked.plan, asked.bundle, asked.suite, say) as crew:
                yield Division(crew.workers), crew

        yield carried


def shares_of(cluster: AskedCluster, asked: Asked, *, reach: bool) -> tuple[MachineShare, ...]:
    """What each machine of the cluster would carry. `reach`: they are to connect to the target."""
    with joined(cluster.address, insecure=cluster.insecure) as machines:
        return machines.shares(asked.plan, asked.bundle, asked.suite, reach=reach)
