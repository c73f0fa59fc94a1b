"""`vezaflow run`: load, verdict, exit code."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from vezaflow.cli.inputs import plan_of, shared, target
from vezaflow.cli.printing import say, tell
from vezaflow.cli.values import DURATION, counts
from vezaflow.errors import VezaflowError
from vezaflow.outputs import Output, Plain, Terminal
from vezaflow.plan import Inputs, Plan
from vezaflow.reports import console, junit, step_summary, summary_json
from vezaflow.results import RunResult
from vezaflow.session import run

Report = Callable[[RunResult], str | bytes]


@click.command("run")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--duration", type=DURATION, help="Of every flow, instead of its own: 30s, 5m.")
@click.option("--vus", "vus_words", multiple=True, metavar="FLOW=N", help="VUs of one flow, instead of its own.")
@click.option(
    "--scale", type=click.FloatRange(0, 100, min_open=True), default=1.0, help="Multiply VUs: 0.1 is a tenth."
)
@click.option("--only", multiple=True, metavar="FLOW", help="Run this flow; may be given several times.")
@click.option(
    "--summary", type=click.Path(path_type=Path, dir_okay=False), help="Write the result as JSON to this file."
)
@click.option("--junit", "junit_file", type=click.Path(path_type=Path, dir_okay=False), help="Write a test report.")
@click.option("-q", "--quiet", is_flag=True, help="No progress while it runs.")
@shared
def command(
    paths: tuple[Path, ...],
    duration: float | None,
    vus_words: tuple[str, ...],
    scale: float,
    only: tuple[str, ...],
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
    reports: tuple[tuple[Path | None, Report], ...] = ((summary, summary_json), (junit_file, junit))
    files = tuple((file, report) for file, report in reports if file is not None)
    for file, _ in files:
        _check_writable(file)
    with target(words, sandbox=sandbox, faults=faults) as environment:
        inputs = Inputs(environment, base_url, duration, vus, scale, only, seed)
        plan = plan_of(paths, inputs)
        result = run(plan, _outputs(quiet=quiet), tell)
    result = replace(result, files=tuple(str(file) for file, _ in files))
    _show(result, plan)
    for file, report in files:
        _write(file, report(result), plan)
    _step_summary(result, plan)
    sys.exit(result.exit_code)


def _outputs(*, quiet: bool) -> tuple[Output, ...]:
    if quiet:
        return ()
    if sys.stderr.isatty():
        return (Terminal(),)
    return (Plain(tell),)


def _show(result: RunResult, plan: Plan) -> None:
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = min(120, shutil.get_terminal_size((100, 24)).columns)
    say(plan.secrets.mask(console(result, colour=colour, width=width)).removesuffix("\n"))


def _write(file: Path, content: str | bytes, plan: Plan) -> None:
    """Write a report, every secret blotted out on the way whatever the report holds."""
    text = content.decode() if isinstance(content, bytes) else content
    try:
        file.write_text(plan.secrets.mask(text), encoding="utf-8")
    except OSError as e:
        raise VezaflowError(f"{file} can't be written: {e.strerror}") from None


def _check_writable(file: Path) -> None:
    """Say before the load what would be known only after it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a"):
            pass
    except OSError as e:
        raise VezaflowError(f"{file} can't be written: {e.strerror}", hint="choose another file") from None


def _step_summary(result: RunResult, plan: Plan) -> None:
    """The page of a GitHub or Forgejo action, where there is one."""
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page:
        try:
            with open(page, "a", encoding="utf-8") as file:
                file.write(plan.secrets.mask(step_summary(result)))
        except OSError as e:
            tell(f"the step summary can't be written: {e.strerror}")
