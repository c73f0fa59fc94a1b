"""`vezaflow accept`: whether enough nights in a row were green."""

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from vezaflow.cli.formats import JSON, MARKDOWN, as_json, formatted
from vezaflow.cli.inputs import draw, drawn_faults
from vezaflow.cli.keeping import HISTORY
from vezaflow.cli.night_runs import night_runs
from vezaflow.cli.printing import colours, say
from vezaflow.cli.values import FlowPathType, PathType
from vezaflow.errors import VezaflowError
from vezaflow.model import Accept, Suite, identity_of
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
@click.argument("suite", default="flows", type=FlowPathType())
@HISTORY
@click.option("--results", metavar="FOLDER", type=PathType(), help="Take the runs from the summary.json files in it.")
@formatted(JSON, MARKDOWN)
@click.option(
    "--last", type=click.IntRange(1), default=_NIGHTS, show_default=True, help="The number of nights to show."
)
@click.option("--as-of", metavar="TIME", type=MomentType(), help="Decide as of this time. Default: now.")
def command(
    suite: Path,
    history: str | None,
    results: Path | None,
    form: str,
    last: int,
    as_of: datetime | None,
) -> None:
    """Show the nights of a suite, and whether enough of them in a row are green.

    SUITE is the folder of the flow files, `flows` by default. `accept` in its suite.yml is the rule: the number of
    nights, their hours, the target. Only full runs of the suite as it is now count. The exit code is 0 if it is
    accepted, 99 if the last night with a verdict is red, 98 if there are not enough nights yet, and 2 for mistakes in
    the files or options.
    """
    if results is not None and history is not None:
        raise click.UsageError("take only one of --results and --history")
    asked = _whole(suite)
    now = _aware(as_of, asked.accept)
    runs = [run for run in night_runs(results, history) if as_of is None or run.started <= now]
    plan = identity_of(asked)
    nights = calendar(runs, asked.accept, now, plan, asked.name)
    decision = acceptance(nights)
    if form == JSON:
        say(as_json(to_json(asked.name, plan, nights, decision)))
    elif form == MARKDOWN:
        say(markdown(asked.name, nights, decision, last=last).removesuffix("\n"))
    else:
        width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((100, 24)).columns))
        text = page(asked.name, nights, decision, last=last, colour=colours(sys.stdout), width=width)
        say(text.removesuffix("\n"))
    sys.exit(decision.exit_code)


def _whole(folder: Path) -> Suite:
    """The suite, with all of its flows."""
    with drawn_faults():
        suite = read([folder], base_url=True, warn=draw)
    if not suite.whole:
        hint = "name the suite's folder: all of its flows are accepted together"
        raise VezaflowError(f"{folder} is not a whole suite", hint=hint)
    return suite


def _aware(as_of: datetime | None, rule: Accept) -> datetime:
    """The time of the decision, in UTC."""
    moment = as_of or datetime.now(UTC)
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=ZoneInfo(rule.timezone))
    return moment.astimezone(UTC)
