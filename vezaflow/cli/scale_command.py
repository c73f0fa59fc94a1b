"""`vezaflow scale`: more or fewer VUs while a test is running."""

import click

from vezaflow.cli.steer import order


@click.command("scale")
@click.argument("load", metavar="FLOW=N")
@click.option("--run", help="Which run: its id, a part of it, its process id, or the name of its suite or of a flow.")
def command(load: str, run: str | None) -> None:
    """Give a flow of a running test N virtual users.

    The suite's `guard: {max_vus: …}` still holds. The result says what was done; with fewer VUs than were asked for the
    verdict is inconclusive, unless the executor is `externally-controlled`.
    """
    flow, sign, number = load.partition("=")
    if not sign or not flow or not number.isascii() or not number.isdecimal():
        raise click.BadParameter(f"'{load}' is not a flow and a whole number of VUs, as in browse=200")
    order(run, do="scale", flow=flow, vus=int(number))
