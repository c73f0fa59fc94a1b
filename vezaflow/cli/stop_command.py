"""`vezaflow stop`: the end of a running test, before its time."""

import click

from vezaflow.cli import steer


@click.command("stop")
@click.argument("run", required=False)
@steer.yes
def command(run: str | None, yes: bool) -> None:
    """Stop a running test, as one Ctrl-C does: running iterations finish, the result is written.

    RUN is its id, a part of it, its process id, or the name of its suite or of one of its flows; it is optional if only
    one test is running. If that test does not belong to the suite in the current folder, you must confirm.
    """
    steer.order(run, yes=yes, do="stop")
