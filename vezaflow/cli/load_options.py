"""The options that say how much load there is and who carries it: those of `run`, and so of `explain`.

`doctor`, which looks at this machine alone, has them without the cluster.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from vezaflow.cli.crews import AskedCluster, asked_cluster, by_workers, cluster_options
from vezaflow.cli.values import DURATION, FACTOR, SEGMENT, WORKERS, counts
from vezaflow.cluster import ClusterAddress
from vezaflow.plan import Division, Inputs, Plan, Segment

_OPTIONS = (
    click.option(
        "--duration",
        type=DURATION,
        help="Override the duration of every flow, such as 30s or 5m; stages scale with it.",
    ),
    click.option("--vus", "vus_words", multiple=True, metavar="FLOW=N", help="Override the number of VUs of one flow."),
    click.option(
        "--scale",
        type=FACTOR,
        default=1.0,
        help="Multiply VUs, rates and shared iterations by this factor, such as 0.1.",
    ),
    click.option("--only", multiple=True, metavar="FLOW", help="Run only this flow; can be repeated."),
    click.option(
        "--workers",
        type=WORKERS,
        default="1",
        show_default=True,
        metavar="N|auto",
        help="Number of processes that share the load, at most one per CPU core; auto: one per core.",
    ),
    click.option(
        "--segment",
        type=SEGMENT,
        metavar="K/N",
        help="Run only this segment of the load, such as 2/8; merge the files with `vezaflow merge`.",
    ),
)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the options say."""

    duration: float | None
    vus: Mapping[str, int]
    scale: float
    only: tuple[str, ...]
    workers: int  # 0: as many as are sensible
    segment: Segment | None
    cluster: AskedCluster | None = None

    def inputs(self, environment: Mapping[str, str], base_url: str | None, seed: int) -> Inputs:
        return Inputs(environment, base_url, self.duration, self.vus, self.scale, self.only, seed)

    def division(self, plan: Plan) -> Division:
        """Who carries this plan's load."""
        return by_workers(self.workers, self.segment)(plan)


def load_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options; it gets what they say as `load`."""
    return _optioned(cluster_options(_collected(command)))


def load_options_of_here(command: Callable[..., None]) -> Callable[..., None]:
    """The same, for a command that knows of no cluster."""
    return _optioned(_collected(command))


def _optioned(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _collected(command: Callable[..., None]) -> Callable[..., None]:
    """The command, called with `load` in place of the options' values."""

    @functools.wraps(command)
    def collected(
        *words: Any,
        duration: float | None,
        vus_words: tuple[str, ...],
        scale: float,
        only: tuple[str, ...],
        workers: int,
        segment: Segment | None,
        cluster: ClusterAddress | None = None,
        insecure_cluster: bool = False,
        **rest: Any,
    ) -> None:
        vus = counts(vus_words, "--vus")
        if duration is not None and duration <= 0:
            raise click.BadParameter("a load needs a longer duration", param_hint="--duration")
        where = asked_cluster(cluster, insecure=insecure_cluster, workers=workers, segmented=segment is not None)
        load = LoadOptions(duration, vus, scale, only, workers, segment, where)
        command(*words, load=load, **rest)

    return collected
