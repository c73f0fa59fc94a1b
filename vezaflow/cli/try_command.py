"""`vezaflow try`: how people write and debug a flow."""

import shutil
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from vezaflow import units
from vezaflow.cli.inputs import drawn_faults, shared, target
from vezaflow.cli.printing import colours, live, say, tell
from vezaflow.cli.stepper import Stepper, require_terminal
from vezaflow.errors import ExitCode
from vezaflow.model import Flow
from vezaflow.outputs import Trace, TraceLines
from vezaflow.plan import Inputs, Plan, PlannedFlow, names_within, narrowed
from vezaflow.session import (
    RehearsalClock,
    as_recorded,
    chosen,
    keep_tape,
    prepare,
    read,
    rehearse,
    tape_to_replay,
)
from vezaflow.tape import Position, Recording, Replay, Tape

_NARROWEST, _WIDEST = 60, 120  # columns


@dataclass(frozen=True, slots=True)
class Wishes:
    """How it is to be shown."""

    only: tuple[str, ...]
    step: bool
    full: bool


@click.command("try")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--flow", metavar="FLOW", help="Which flow, if PATH is a folder of several.")
@click.option(
    "--only",
    multiple=True,
    metavar="STEP",
    help="Run to this step and no further, the steps before it shown in a line each; may be given several times.",
)
@click.option("--step", is_flag=True, help="Stop before each step (with --only: before that one) and wait for a key.")
@click.option("--replay", is_flag=True, help="Send nothing: take the answers that were recorded the last time.")
@click.option("--full", "-v", is_flag=True, help="Show bodies and values whole.")
@shared
def command(
    path: Path,
    flow: str | None,
    only: tuple[str, ...],
    step: bool,
    replay: bool,
    full: bool,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    **faults: float,
) -> None:
    """Run one flow once, as one user, and show every request and answer, secrets masked.

    PATH is a flow file, or a suite's folder. Preflight and setup come first, as in a run. No gate is judged: the exit
    code is 0 when every step went well, 99 when one failed. The answers are recorded for --replay, without
    credentials.
    """
    if step:
        require_terminal()
    with drawn_faults():
        suite = read((path,), base_url=replay or base_url is not None)
    found = chosen(suite, flow, only)
    tape = tape_to_replay(found) if replay else None
    with target(words, sandbox=sandbox and not replay, faults={} if replay else faults) as environment:
        inputs = Inputs(environment, base_url=base_url, only=(found.name,), seed=seed)
        if tape is not None:
            inputs = as_recorded(inputs, tape, tape_wins=sandbox)
        with drawn_faults():
            plan = prepare(suite, inputs)
        sys.exit(_try(plan, found, Wishes(only, step, full), tape))


def _try(plan: Plan, flow: Flow, wishes: Wishes, tape: Tape | None) -> ExitCode:
    (planned,) = plan.flows
    shown = None
    if wishes.only:
        shown = names_within(plan, planned, wishes.only)
        plan, planned = narrowed(plan, planned, wishes.only)
    color, width = colours(sys.stdout), _width()
    clock, position = RehearsalClock(skipping=tape is not None), Position()
    stepper = Stepper(plan, planned, clock, say, color=color, width=width, shown=shown) if wishes.step else None
    hooks = (position.before, stepper.before) if stepper is not None else (position.before,)
    lines = TraceLines(say, plan.secrets, color=color, width=width, full=wishes.full, shown=shown)
    trace = Trace(lines, hooks=hooks)
    way = _way(plan, planned, tape, position, trace)
    try:
        good = rehearse(plan, planned, trace, way, clock)
    finally:
        if isinstance(way, Recording) and (trouble := keep_tape(way, plan, flow)):
            tell(trouble)
    if stepper is not None and stepper.quit:
        say(f"stopped after {units.counted(trace.requests, 'request')}")
        return ExitCode.INTERRUPTED
    return _verdict(trace, good, wishes.only, way, tape)


def _way(plan: Plan, flow: PlannedFlow, tape: Tape | None, position: Position, trace: Trace) -> Recording | Replay:
    base = flow.targets.base
    origin = base.origin if base is not None else None
    if tape is None:
        return Recording(position, origin, plan.secrets)
    return Replay(tape, position, origin, plan.secrets, trace.said)


def _verdict(trace: Trace, good: bool, only: tuple[str, ...], way: Recording | Replay, tape: Tape | None) -> ExitCode:
    """The last line, and the exit code that goes with it."""
    missed = [name for name in only if name not in trace.reached]
    parts = [units.counted(trace.requests, "request")]
    if not good:
        parts[0] += f", {trace.failures} not as expected"
    elif not missed:
        parts[0] += ", all as expected"
    if missed:
        parts.append(f"not reached: {', '.join(missed)}")
    if tape is not None:
        parts.append(f"nothing was sent: the answers are of {datetime.fromtimestamp(tape.at):%Y-%m-%d %H:%M}")
    if isinstance(way, Replay) and way.others:
        parts.append(f"{units.counted(way.others, 'request')} not as recorded")
    say("; ".join(parts))
    return ExitCode.GREEN if good and not missed else ExitCode.RED


def _width() -> int:
    """Columns of the terminal; where there is none, as many as a log's reader has."""
    columns = shutil.get_terminal_size((100, 24)).columns if live(sys.stdout) else 100
    return max(_NARROWEST, min(_WIDEST, columns))
