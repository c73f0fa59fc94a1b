"""`vezaflow capacity`: how much more than the suite's load the target bears."""

import os
import re
import shutil
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from vezaflow import units
from vezaflow.capacity import Capacity, distinct, found, grid, markdown, page, to_json
from vezaflow.cli.climbing import Climb, Levels
from vezaflow.cli.crews import asked_cluster, carrier, cluster_options
from vezaflow.cli.inputs import aimed, draw, drawn_faults, planned, shared, target
from vezaflow.cli.keeping import kept
from vezaflow.cli.kept import Claim, check_claims, is_stdout, write
from vezaflow.cli.printing import colours, say, tell
from vezaflow.cli.undisturbed import undisturbed
from vezaflow.cli.values import DURATION, FACTOR, RATIO, WORKERS, FlowPathType, PathType
from vezaflow.cluster import ClusterAddress
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.model import Suite
from vezaflow.plan import Bundle, HeldLevel, Inputs, Plan, judged_of_level
from vezaflow.session import read

_NARROWEST, _WIDEST = 60, 120
_EXPECTED = re.compile(r"\s*>=\s*(\d+(?:\.\d+)?)\s*", re.ASCII)


class ExpectationType(click.ParamType[float]):
    """`>= 1.5`: the factor that has to hold at least."""

    name = "expectation"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = _EXPECTED.fullmatch(str(value))
        if match is None or not float(match[1]):
            self.fail(f"'{value}' is not an expectation: write it like \">= 1.5\"", param, ctx)
        return float(match[1])


@click.command("capacity")
@click.argument("paths", nargs=-1, required=True, type=FlowPathType())
@click.option("--from", "low", type=FACTOR, default=0.5, show_default=True, help="The lowest load, as a multiple.")
@click.option("--to", "high", type=FACTOR, default=4.0, show_default=True, help="The highest load, as a multiple.")
@click.option("--expect", "expected", type=ExpectationType(), metavar="CONDITION", help='The gate, such as ">= 1.5".')
@click.option(
    "--settle", type=DURATION, default="10s", show_default=True, help="The time at the start of a level, not judged."
)
@click.option("--measure", type=DURATION, default="30s", show_default=True, help="The time of a level that is judged.")
@click.option(
    "--steps", type=click.IntRange(1, 100), default=6, show_default=True, help="The number of steps on the way up."
)
@click.option(
    "--precision",
    type=RATIO,
    default="5%",
    show_default=True,
    help="How close the load that holds and the one that does not are in the end.",
)
@click.option("--only", multiple=True, metavar="FLOW", help="Run only this flow; can be repeated.")
@click.option(
    "--workers", type=WORKERS, default="1", show_default=True, metavar="N|auto", help="Number of processes of a level."
)
@cluster_options
@click.option(
    "--json", "json_file", type=PathType(dir_okay=False, allow_dash=True), metavar="FILE", help="Write JSON here."
)
@kept
@click.option("-q", "--quiet", is_flag=True, help="Show no warnings and no progress.")
@shared
def command(
    paths: tuple[Path, ...],
    low: float,
    high: float,
    expected: float | None,
    settle: float,
    measure: float,
    steps: int,
    precision: float,
    only: tuple[str, ...],
    workers: int,
    cluster: ClusterAddress | None,
    insecure_cluster: bool,
    json_file: Path | None,
    history: str | None,
    no_history: bool,
    quiet: bool,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    **faults: float,
) -> None:
    """Find the highest multiple of the load at which the gates hold.

    PATHS are a suite's folder or flow files of it. Each level is a run: every flow at a multiple of its highest load.
    Exit codes: 0 the edge was found, or what --expect demands holds; 99 it does not, or not even the lowest level; 98
    inconclusive, such as when the generator is the limit; 97 refused before the load, 2 mistakes in files or options,
    130 interrupted.
    """
    _check(low, high, expected, measure, precision)
    machines = asked_cluster(cluster, insecure=insecure_cluster, workers=workers)
    check_claims([Claim("--json", json_file)] if json_file is not None else [])
    with ExitStack() as stack:
        environment = stack.enter_context(target(words, sandbox=sandbox, faults=faults))
        inputs = Inputs(environment, base_url, only=only, seed=seed)
        with drawn_faults():
            suite = read(paths, base_url=sandbox or base_url is not None, warn=None if quiet else draw)
            inputs = aimed(suite, inputs) if sandbox else inputs
            plan = planned(suite, inputs)
            level = HeldLevel(settle, measure)
            _check_gates(plan)
            _check_highest(suite, replace(inputs, scale=high, held=level))
            carry = stack.enter_context(carrier(machines, suite, plan, Bundle.of(suite, inputs), tell))
            levels = Levels(suite, inputs, level, workers, history, keep=not no_history, carry=carry)
            marks = tuple(mark for mark in (expected, 1.0) if mark is not None)
            factors = distinct(grid(low, high, precision, marks), lambda factor: _load(plan, factor), marks)
            climb = Climb(factors, steps, _silent if quiet else tell)
            climb.go(levels.run)
        stack.enter_context(undisturbed())
        unjudged = dict.fromkeys(gate.text for gate in plan.gates if not judged_of_level(gate))
        capacity = found(
            suite.name,
            factors,
            climb.edge,
            climb.levels,
            expected=expected,
            interrupted=climb.interrupted,
            unjudged=tuple(unjudged),
        )
        _publish(capacity, json_file)
    sys.exit(capacity.exit_code)


def _silent(_: str) -> None:
    """Nobody wants to hear of it."""


def _check(low: float, high: float, expected: float | None, measure: float, precision: float) -> None:
    if low >= high:
        raise click.BadParameter(f"it must be above --from {units.number(low)}", param_hint="--to")
    if expected is not None and not low <= expected <= high:
        raise click.BadParameter(
            f"{units.number(expected)} is not between --from {units.number(low)} and --to {units.number(high)}",
            param_hint="--expect",
        )
    if measure < 1:
        raise click.BadParameter("a level needs at least 1s that is judged", param_hint="--measure")
    if not 0.005 <= precision <= 1:
        raise click.BadParameter("it must be from 0.5 % to 100 %", param_hint="--precision")


def _check_gates(plan: Plan) -> None:
    if not any(judged_of_level(gate) for gate in plan.gates):
        raise VezaflowError(
            "no level can be judged: there are no gates on times, failures, or anything with an upper limit",
            hint="add a gate such as `http_req_duration: p(95) < 500 ms`",
        )


def _check_highest(suite: Suite, inputs: Inputs) -> None:
    """Raises VezaflowError where the guard forbids the highest level."""
    try:
        planned(suite, inputs)
    except VezaflowError as e:
        if e.code is not ExitCode.REFUSED:
            raise
        message = f"at {units.number(inputs.scale)} times the load: {e.message}"
        raise VezaflowError(message, hint="use a lower --to, or raise the limit in suite.yml", code=e.code) from None


def _load(plan: Plan, factor: float) -> tuple[float, ...]:
    """What a factor asks of each flow. VUs are whole."""
    loads = (flow.load for flow in plan.flows)
    return tuple(
        max(1, round(load.vus * factor)) if load.peak_rate is None else load.peak_rate * factor for load in loads
    )


def _publish(capacity: Capacity, json_file: Path | None) -> None:
    """Write the file and the step summary, and show the page."""
    import orjson

    if json_file is not None:
        write(json_file, orjson.dumps(to_json(capacity), option=orjson.OPT_INDENT_2).decode() + "\n")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with open(summary, "a", encoding="utf-8") as file:
                file.write(markdown(capacity))
        except OSError as e:
            tell(f"the step summary can't be written: {e.strerror}")
    printed = json_file is not None and is_stdout(json_file)
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((100, 24)).columns))
    text = page(capacity, colour=colours(sys.stderr if printed else sys.stdout), width=width).removesuffix("\n")
    (tell if printed else say)(text)
