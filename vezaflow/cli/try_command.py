"""`vezaflow try`: how people write and debug a flow."""

import sys
from math import inf
from pathlib import Path

import click

from vezaflow.cli.inputs import aimed, draw_all_but_gates, drawn_faults, planned, shared, target
from vezaflow.cli.kept import check_writable
from vezaflow.cli.stepper import require_terminal
from vezaflow.cli.trying import Trying, Wishes
from vezaflow.cli.values import DURATION, FlowPathType, PathType
from vezaflow.plan import Inputs
from vezaflow.session import as_recorded, chosen, read, tape_to_replay


@click.command("try")
@click.argument("path", type=FlowPathType())
@click.option("--flow", metavar="FLOW", help="Flow to run, if PATH is a folder with several.")
@click.option(
    "--only",
    multiple=True,
    metavar="STEP",
    help="Run up to this step, with one line for each step before it; can be repeated.",
)
@click.option("--step", is_flag=True, help="Pause before each step (with --only: before that one) and wait for a key.")
@click.option("--replay", is_flag=True, help="Send nothing: use the responses recorded by the last `try`.")
@click.option("--for", "limit", type=DURATION, help="End the iteration after this time, such as 20s, if it lasts.")
@click.option("--html", type=PathType(dir_okay=False), help="Write the trace as an HTML page to this file.")
@click.option("--full", "-v", is_flag=True, help="Show bodies and values in full.")
@shared
def command(
    path: Path,
    flow: str | None,
    only: tuple[str, ...],
    step: bool,
    replay: bool,
    limit: float | None,
    html: Path | None,
    full: bool,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    **faults: float,
) -> None:
    """Run one flow once with one VU, and show every request and response, with secrets masked.

    PATH is a flow file, or a suite's folder. Preflight and setup come first, as in a run. Gates are not checked: the
    exit code is 0 if every step succeeded, 99 if one failed. The responses are recorded for --replay, without
    credentials.
    """
    if limit is not None and limit <= 0:
        raise click.BadParameter("an iteration needs a longer time", param_hint="--for")
    if step:
        require_terminal()
    if html is not None:
        check_writable(html)
    with drawn_faults():
        elsewhere = replay or sandbox or base_url is not None
        suite = read((path,), base_url=elsewhere, warn=draw_all_but_gates)
    found = chosen(suite, flow, only)
    tape = tape_to_replay(found) if replay else None
    with target(words, sandbox=sandbox and not replay, faults={} if replay else faults) as environment:
        inputs = Inputs(environment, base_url=base_url, only=(found.name,), seed=seed)
        if sandbox and not replay:
            inputs = aimed(suite, inputs)
        if tape is not None:
            inputs = as_recorded(inputs, tape, tape_wins=sandbox)
        with drawn_faults():
            plan = planned(suite, inputs)
        sys.exit(Trying(plan, found, Wishes(only, step, html, full, inf if limit is None else limit), tape).run())
