"""`vezaflow resume`: how a paused test goes on."""

import click

from vezaflow.cli.steer import order


@click.command("resume")
@click.argument("run", required=False)
@click.option("--flow", help="Resume only this flow.")
def command(run: str | None, flow: str | None) -> None:
    """Let a paused test go on.

    RUN is its id, a part of it, its process id, or the name of its suite or of a flow of it; it may be left out when
    only one test is running.
    """
    order(run, do="resume", flow=flow)
