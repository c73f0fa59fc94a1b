"""`vezaflow try`: how people write and debug a flow."""

import sys
from pathlib import Path

import click

from vezaflow import units
from vezaflow.cli.inputs import plan_of, shared, target
from vezaflow.cli.printing import colours, say
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.outputs import Trace
from vezaflow.plan import Inputs, Plan, PlannedFlow
from vezaflow.session import rehearse


@click.command("try")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--only", metavar="FLOW", help="Which flow, if PATH is a folder of several.")
@shared
def command(
    path: Path,
    only: str | None,
    words: tuple[str, ...],
    base_url: str | None,
    seed: int,
    sandbox: bool,
    **faults: float,
) -> None:
    """Run one flow once, as one user, and show every request and answer, secrets masked.

    PATH is a flow file, or a suite's folder with --only. Preflight and setup come first, as in a run. No gate is
    judged: the exit code is 0 when every step went well, 99 when one failed.
    """
    with target(words, sandbox=sandbox, faults=faults) as environment:
        inputs = Inputs(environment, base_url=base_url, only=(only,) if only else (), seed=seed)
        plan = plan_of((path,), inputs)
        trace = Trace(say, plan.secrets, color=colours(sys.stdout))
        good = rehearse(plan, _the_flow(plan), trace)
    sent = units.counted(trace.requests, "request")
    if good:
        say(f"{sent}, all as expected")
        return
    say(f"{sent}, {trace.failures} not as expected")
    sys.exit(ExitCode.RED)


def _the_flow(plan: Plan) -> PlannedFlow:
    if len(plan.flows) == 1:
        return plan.flows[0]
    names = ", ".join(flow.name for flow in plan.flows)
    raise VezaflowError(f"which flow? there are {names}", hint=f"add --only {plan.flows[0].name}, or name its file")
