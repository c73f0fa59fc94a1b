"""`vezaflow scale`: more or fewer VUs while a test is running."""

import click

from vezaflow.cli import steer


@click.command("scale")
@click.argument("load", metavar="FLOW=N")
@click.option(
    "--run", help="Run to scale: its id, a part of it, its process id, or the name of its suite or of a flow."
)
@steer.yes
def command(load: str, run: str | None, yes: bool) -> None:
    """Change the number of VUs of a flow in a running test to N.

    The suite's `guard: {max_vus: …}` still applies. The result lists the changes; with fewer VUs than requested the
    verdict is inconclusive, unless the executor is `externally-controlled`. Without --run, the only running test is
    scaled; if it does not belong to the suite in the current folder, you must confirm.
    """
    flow, sign, number = load.partition("=")
    if not sign or not flow or not number.isascii() or not number.isdecimal():
        raise click.BadParameter(f"'{load}' is not FLOW=N, such as browse=200")
    steer.order(run, yes=yes, do="scale", flow=flow, vus=int(number))
