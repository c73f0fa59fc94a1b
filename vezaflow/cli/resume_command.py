"""`vezaflow resume`: how a paused test goes on."""

import click

from vezaflow.cli import steer


@click.command("resume")
@click.argument("run", required=False)
@click.option("--flow", help="Resume only this flow.")
@steer.yes
def command(run: str | None, flow: str | None, yes: bool) -> None:
    """Let a paused test go on.

    RUN is its id, a part of it, its process id, or the name of its suite or of a flow of it; it may be left out when
    only one test is running. If that is not of the suite of the folder that you are in, you are asked first.
    """
    steer.order(run, yes=yes, do="resume", flow=flow)
