"""`vezaflow pause`: how a running test rests."""

import click

from vezaflow.cli.steer import order


@click.command("pause")
@click.argument("run", required=False)
@click.option("--flow", help="Pause only this flow.")
def command(run: str | None, flow: str | None) -> None:
    """Begin no further iterations until `vezaflow resume`.

    What runs may end. The duration goes on meanwhile, so the run ends when it would have, and its verdict is
    inconclusive: the load that was asked for was not delivered.

    RUN is its id, a part of it, its process id, or the name of its suite or of a flow of it; it may be left out when
    only one test is running.
    """
    order(run, do="pause", flow=flow)
