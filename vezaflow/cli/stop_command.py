"""`vezaflow stop`: the end of a running test, before its time."""

import click

from vezaflow.cli import steer


@click.command("stop")
@click.argument("run", required=False)
@steer.yes
def command(run: str | None, yes: bool) -> None:
    """Stop a running test as one Ctrl-C would: iterations may end, the result is written.

    RUN is its id, a part of it, its process id, or the name of its suite or of a flow of it; it may be left out when
    only one test is running. If that is not of the suite of the folder that you are in, you are asked first.
    """
    steer.order(run, yes=yes, do="stop")
