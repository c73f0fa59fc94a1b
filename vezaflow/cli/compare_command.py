"""`vezaflow compare`: what changed from one run to another, and how sure that is."""

import shutil
import sys

import click
import orjson

from vezaflow.cli.printing import colours, say
from vezaflow.cli.runs import named
from vezaflow.compare import as_json, compare, page, spread_of
from vezaflow.errors import ExitCode


@click.command("compare")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option(
    "--earlier",
    metavar="RUN",
    multiple=True,
    help="An earlier run of the same plan; 3 or more show how much its runs differ without a change. Repeatable.",
)
@click.option("--fail-on", type=click.Choice(["worse"]), help="Exit with 99 if something got worse.")
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
def command(before: str, after: str, earlier: tuple[str, ...], fail_on: str | None, as_object: bool) -> None:
    """Show what changed from run A to run B.

    A and B are `summary.json` files of `vezaflow run`. A change is real if its 95 % interval excludes no change and it
    is larger than 5 % and 2 ms. Different plans, loads, targets and machines are reported first.
    """
    first, second = named(before), named(after)
    comparison = compare(first, second, spread_of([named(word) for word in earlier]))
    if as_object:
        say(orjson.dumps(as_json(comparison), option=orjson.OPT_INDENT_2).decode())
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        say(page(comparison, colour=colours(sys.stdout), width=width).removesuffix("\n"))
    sys.exit(ExitCode.RED if fail_on and comparison.worse else ExitCode.GREEN)
