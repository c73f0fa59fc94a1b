"""`vezaflow run`: load, verdict, exit code."""

import sys
from pathlib import Path

import click

from vezaflow.cli.inputs import bundled, shared, target
from vezaflow.cli.printing import live, tell
from vezaflow.cli.results import JUNIT, SUMMARY, Files
from vezaflow.cli.values import DURATION, SEGMENT, WORKERS, counts
from vezaflow.outputs import Output, Plain, Terminal
from vezaflow.plan import Inputs, Segment
from vezaflow.scale import sensible_workers
from vezaflow.session import Staff, run


@click.command("run")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--duration", type=DURATION, help="Of every flow, its stages in proportion: 30s, 5m.")
@click.option("--vus", "vus_words", multiple=True, metavar="FLOW=N", help="The most VUs of one flow at once.")
@click.option(
    "--scale",
    type=click.FloatRange(0, 100, min_open=True),
    default=1.0,
    help="Multiply VUs, rates and shared iterations: 0.1 is a tenth.",
)
@click.option("--only", multiple=True, metavar="FLOW", help="Run this flow; may be given several times.")
@click.option(
    "--workers",
    type=WORKERS,
    default="1",
    show_default=True,
    metavar="N|auto",
    help="Processes that share the load, each on a core of its own; auto: one for each core.",
)
@click.option(
    "--segment",
    type=SEGMENT,
    metavar="K/N",
    help="Run only this share of the load, 2/8; `vezaflow merge` puts the shares' files together.",
)
@SUMMARY
@JUNIT
@click.option("-q", "--quiet", is_flag=True, help="No progress while it runs.")
@shared
def command(
    paths: tuple[Path, ...],
    duration: float | None,
    vus_words: tuple[str, ...],
    scale: float,
    only: tuple[str, ...],
    workers: int,
    segment: Segment | None,
    summary: Path | None,
    junit_file: Path | None,
    quiet: bool,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    **faults: float,
) -> None:
    """Put load on a target and judge it; the exit code is the verdict.

    PATHS are a suite's folder or flow files of it. 0 is green, 99 a gate broke, 98 inconclusive (the figures don't
    settle it), 97 refused or stopped before load, 2 wrong files or options, 130 interrupted.
    """
    vus = counts(vus_words, "--vus")
    if duration is not None and duration <= 0:
        raise click.BadParameter("a load lasts longer than that", param_hint="--duration")
    if segment is not None and summary is None:
        summary = Path(f"share-{segment.index + 1}-of-{segment.count}.json")
    files = Files(summary=summary, junit_file=junit_file)
    with target(words, sandbox=sandbox, faults=faults) as environment:
        inputs = Inputs(environment, base_url, duration, vus, scale, only, seed)
        plan, bundle = bundled(paths, inputs)
        staff = Staff(bundle, workers or sensible_workers(plan.vus), segment)
        result = run(plan, _outputs(quiet=quiet), tell, staff)
    files.publish(result, plan.secrets)
    sys.exit(result.exit_code)


def _outputs(*, quiet: bool) -> tuple[Output, ...]:
    if quiet:
        return ()
    if live(sys.stderr):
        return (Terminal(),)
    return (Plain(tell),)
