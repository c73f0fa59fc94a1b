"""`vezaflow scale`: more or fewer VUs while a test is running."""

import click

from vezaflow.cli import steer


@click.command("scale")
@click.argument("load", metavar="FLOW=N")
@click.option("--run", help="Which run: its id, a part of it, its process id, or the name of its suite or of a flow.")
@steer.yes
def command(load: str, run: str | None, yes: bool) -> None:
    """Give a flow of a running test N virtual users.

    The suite's `guard: {max_vus: …}` still holds. The result says what was done; with fewer VUs than were asked for the
    verdict is inconclusive, unless the executor is `externally-controlled`. Without --run it is the only test that is
    running; if that is not of the suite of the folder that you are in, you are asked first.
    """
    flow, sign, number = load.partition("=")
    if not sign or not flow or not number.isascii() or not number.isdecimal():
        raise click.BadParameter(f"'{load}' is not a flow and a whole number of VUs, as in browse=200")
    steer.order(run, yes=yes, do="scale", flow=flow, vus=int(number))
