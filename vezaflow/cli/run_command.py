"""`vezaflow run`: load, verdict, exit code."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from vezaflow.cli.inputs import bundled, draw, shared, target
from vezaflow.cli.load_options import LoadOptions, load_options
from vezaflow.cli.printing import live, tell
from vezaflow.cli.results import JUNIT, SUMMARY, Files
from vezaflow.cli.undisturbed import undisturbed
from vezaflow.cli.values import PathType
from vezaflow.outputs import Output, Plain, Terminal
from vezaflow.session import run


@click.command("run")
@click.argument("paths", nargs=-1, required=True, type=PathType())
@load_options
@SUMMARY
@JUNIT
@click.option("-q", "--quiet", is_flag=True, help="No warnings before it and no progress while it runs.")
@shared
def command(
    paths: tuple[Path, ...],
    load: LoadOptions,
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
    segment = load.segment
    if segment is not None and summary is None:
        summary = Path(f"segment-{segment.index + 1}-of-{segment.count}.json")
    files = Files(summary=summary, junit_file=junit_file)
    with ExitStack() as until_written:
        with target(words, sandbox=sandbox, faults=faults) as environment:
            inputs = load.inputs(environment, base_url, seed)
            plan, bundle = bundled(paths, inputs, sandbox=sandbox, warn=None if quiet else draw)
            result = run(plan, bundle, load.division(plan), _outputs(quiet=quiet), tell)
            until_written.enter_context(undisturbed())
        files.publish(result)
    sys.exit(result.exit_code)


def _outputs(*, quiet: bool) -> tuple[Output, ...]:
    if quiet:
        return ()
    if live(sys.stderr):
        return (Terminal(),)
    return (Plain(tell),)
