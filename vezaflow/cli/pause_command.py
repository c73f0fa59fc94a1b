"""`vezaflow pause`: how a running test rests."""

import click

from vezaflow.cli import steer


@click.command("pause")
@click.argument("run", required=False)
@click.option("--flow", help="Pause only this flow.")
@steer.yes
def command(run: str | None, flow: str | None, yes: bool) -> None:
    """Begin no further iterations until `vezaflow resume`.

    What runs may end. The duration goes on meanwhile, so the run ends when it would have, and its verdict is
    inconclusive: the load that was asked for was not delivered.

    RUN is its id, a part of it, its process id, or the name of its suite or of a flow of it; it may be left out when
    only one test is running. If that is not of the suite of the folder that you are in, you are asked first.
    """
    steer.order(run, yes=yes, do="pause", flow=flow)
