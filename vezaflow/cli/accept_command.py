"""`vezaflow accept`: whether enough nights in a row were green."""

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from vezaflow.cli.inputs import draw, drawn_faults
from vezaflow.cli.night_runs import night_runs
from vezaflow.cli.printing import colours, say
from vezaflow.cli.values import PathType
from vezaflow.model import identity_of
from vezaflow.nights import acceptance, calendar, markdown, page, to_json
from vezaflow.session import read

_NARROWEST, _WIDEST = 60, 200
_YEARS = range(1970, 9999)  # further out, calendars end
_NIGHTS = 14  # that a page shows


class MomentType(click.ParamType[datetime]):
    """A moment as ISO 8601 writes it; without an offset it is the time of some zone, which the suite says."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"'{value}' is not a time: write it like `2026-11-28T09:00+01:00`", param, ctx)
        if moment.year not in _YEARS:
            self.fail(f"'{value}' is out of range", param, ctx)
        return moment


@click.command("accept")
@click.argument("suite", default="flows", type=PathType())
@click.option("--results", metavar="FOLDER", type=PathType(), help="Take the runs from the summary.json files in it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, for $GITHUB_STEP_SUMMARY.")
@click.option(
    "--last", type=click.IntRange(1), default=_NIGHTS, show_default=True, help="The number of nights to show."
)
@click.option("--as-of", metavar="TIME", type=MomentType(), help="Decide as of this time. Default: now.")
def command(
    suite: Path, results: Path | None, as_json: bool, as_markdown: bool, last: int, as_of: datetime | None
) -> None:
    """Show the nights of a suite, and whether enough of them in a row are green.

    SUITE is the folder of the flow files, `flows` by default. `accept` in its suite.yml is the rule: the number of
    nights, their hours, the target. Only full runs of the suite as it is now count. The exit code is 0 if it is
    accepted, 99 if the last night with a verdict is red, 98 if there are not enough nights yet, and 2 for mistakes in
    the files or options.
    """
    if as_json and as_markdown:
        raise click.UsageError("take only one of --json and --markdown")
    with drawn_faults():
        found = read([suite], base_url=True, warn=draw)
    now = as_of or datetime.now(UTC)
    if now.utcoffset() is None:
        now = now.replace(tzinfo=ZoneInfo(found.accept.timezone))
    plan = identity_of(found)
    runs = night_runs(results)
    if as_of is not None:
        runs = [run for run in runs if run.started <= now]
    nights = calendar(runs, found.accept, now.astimezone(UTC), plan, found.name)
    decision = acceptance(nights)
    if as_json:
        import orjson

        document = to_json(found.name, plan, nights, decision)
        say(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    elif as_markdown:
        say(markdown(found.name, nights, decision, last=last).removesuffix("\n"))
    else:
        width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((100, 24)).columns))
        text = page(found.name, nights, decision, last=last, colour=colours(sys.stdout), width=width)
        say(text.removesuffix("\n"))
    sys.exit(decision.exit_code)
