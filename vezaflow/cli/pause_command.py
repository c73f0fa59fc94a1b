"""`vezaflow pause`: how a running test rests."""

import click

from vezaflow.cli import steer


@click.command("pause")
@click.argument("run", required=False)
@click.option("--flow", help="Pause only this flow.")
@steer.yes
def command(run: str | None, flow: str | None, yes: bool) -> None:
    """Start no new iterations until `vezaflow resume`.

    Running iterations finish. The duration keeps counting, so the run ends at the same time as without a pause, and
    its verdict is inconclusive: the requested load was not delivered.

    RUN is its id, a part of it, its process id, or the name of its suite or of one of its flows; it is optional if only
    one test is running. If that test does not belong to the suite in the current folder, you must confirm.
    """
    steer.order(run, yes=yes, do="pause", flow=flow)
