"""Who carries a run's load: this machine, or the machines of a cluster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from vezaflow.cli.inputs import Asked
from vezaflow.cli.load_options import LoadOptions
from vezaflow.plan import Division
from vezaflow.scale import Crew


@contextmanager
def carried(load: LoadOptions, asked: Asked, say: Callable[[str], None]) -> Iterator[tuple[Division, Crew | None]]:
    """How the load is divided, and the workers of a cluster where one is asked for."""
    if load.cluster is None:
        yield load.division(asked.plan), None
        return
    for option, given in (("--workers", load.workers != 1), ("--segment", load.segment is not None)):
        if given:
            raise click.UsageError(f"{option} does not go with --cluster, where each machine uses all its cores")
    from vezaflow.cluster.muster import mustered

    with mustered(
        load.cluster, asked.plan, asked.bundle, asked.suite.root, say, insecure=load.insecure_cluster
    ) as crew:
        yield Division(crew.workers), crew
