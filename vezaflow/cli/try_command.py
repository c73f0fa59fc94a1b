"""`vezaflow try`: how people write and debug a flow."""

import shutil
import sys
from pathlib import Path

import click

from vezaflow import units
from vezaflow.cli.inputs import drawn_faults, shared, target
from vezaflow.cli.printing import colours, live, say
from vezaflow.errors import ExitCode
from vezaflow.outputs import Trace, TraceLines
from vezaflow.plan import Inputs, names_within, narrowed
from vezaflow.session import chosen, prepare, read, rehearse

_NARROWEST, _WIDEST = 60, 120  # columns


@click.command("try")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--flow", metavar="FLOW", help="Which flow, if PATH is a folder of several.")
@click.option(
    "--only",
    multiple=True,
    metavar="STEP",
    help="Run to this step and no further, the steps before it shown in a line each; may be given several times.",
)
@click.option("--full", "-v", is_flag=True, help="Show bodies and values whole.")
@shared
def command(
    path: Path,
    flow: str | None,
    only: tuple[str, ...],
    full: bool,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    **faults: float,
) -> None:
    """Run one flow once, as one user, and show every request and answer, secrets masked.

    PATH is a flow file, or a suite's folder. Preflight and setup come first, as in a run. No gate is judged: the exit
    code is 0 when every step went well, 99 when one failed.
    """
    with target(words, sandbox=sandbox, faults=faults) as environment:
        with drawn_faults():
            suite = read((path,), base_url=base_url is not None)
            name = chosen(suite, flow, only).name
            plan = prepare(suite, Inputs(environment, base_url=base_url, only=(name,), seed=seed))
        (planned,) = plan.flows
        shown = None
        if only:
            shown = names_within(plan, planned, only)
            plan, planned = narrowed(plan, planned, only)
        lines = TraceLines(say, plan.secrets, color=colours(sys.stdout), width=_width(), full=full, shown=shown)
        trace = Trace(lines)
        good = rehearse(plan, planned, trace)
    sys.exit(_verdict(trace, good, only))


def _verdict(trace: Trace, good: bool, only: tuple[str, ...]) -> ExitCode:
    """The last line, and the exit code that goes with it."""
    sent = units.counted(trace.requests, "request")
    missed = [name for name in only if name not in trace.reached]
    if missed:
        say(f"{sent}; not reached: {', '.join(missed)}")
    elif good:
        say(f"{sent}, all as expected")
    else:
        say(f"{sent}, {trace.failures} not as expected")
    return ExitCode.GREEN if good and not missed else ExitCode.RED


def _width() -> int:
    """Columns of the terminal; where there is none, as many as a log's reader has."""
    columns = shutil.get_terminal_size((100, 24)).columns if live(sys.stdout) else 100
    return max(_NARROWEST, min(_WIDEST, columns))
