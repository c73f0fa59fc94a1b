"""`vezaflow mark`: a moment of a running test, noted from another terminal."""

import click

from vezaflow.cli import steer


@click.command("mark", options_metavar="[OPTIONS]")
@click.argument("words", nargs=-1, required=True, metavar="[RUN] TEXT")
@steer.yes
def command(words: tuple[str, ...], yes: bool) -> None:
    """Mark this moment of a running test: TEXT appears on the display, in the reports and on the dashboard.

    If TEXT is the name of one of the suite's events, that event starts now.

    RUN is its id, a part of it, its process id, or the name of its suite or of one of its flows; it is optional if only
    one test is running. If that test does not belong to the suite in the current folder, you must confirm.
    """
    if len(words) > 2:
        raise click.UsageError('put the text in quotes: vezaflow mark RUN "deployed 4f2a"')
    *run, text = words
    steer.order(run[0] if run else None, yes=yes, do="mark", text=text)
