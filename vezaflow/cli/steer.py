"""One order to a running test, and what it says to it.

Laws: without a name an order is for the suite that the working folder lies in. Whose run it is otherwise, is said and
asked before anything is done to it.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from vezaflow.cli.printing import say
from vezaflow.control import Run, call, run_of
from vezaflow.errors import VezaflowError

C = TypeVar("C", bound=Callable[..., Any])


def yes(command: C) -> C:
    """Give a command `--yes`."""
    return click.option("-y", "--yes", is_flag=True, help="Don't ask for confirmation.")(command)


def order(wanted: str | None, *, yes: bool, **request: Any) -> None:
    """Send a request to a run and print what it says."""
    with call(wanted) as caller:
        run = run_of(caller)
    if wanted is None and not yes and not run.is_of(Path.cwd()):
        _ask(run, str(request["do"]))
    with call(run.run_id) as caller:  # it may have taken its time to be asked, and the run hangs up on who is silent
        say(f"{run.name}, run {run.run_id}: {caller.order(request)}")


def _ask(run: Run, what: str) -> None:
    """Raises VezaflowError where nobody can say yes, click.Abort where somebody says no."""
    place = f" in {run.folder}" if run.folder else ""
    if not sys.stdin.isatty():
        also = {"scale": f"scale FLOW=N --run {run.run_id}", "mark": f"mark {run.run_id} TEXT"}
        named = also.get(what, f"{what} {run.run_id}")
        raise VezaflowError(
            f"the active run does not belong to this folder's suite: {run.name}{place}",
            hint=f"to control it anyway, name it: `vezaflow {named}`, or add --yes",
        )
    click.confirm(f"{what} {run.name}{place}, which is not this folder's suite?", abort=True, err=True)
