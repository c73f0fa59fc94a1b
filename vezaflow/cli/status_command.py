"""`vezaflow status`: how a running test stands, from another terminal."""

import shutil
import time

import click
import orjson

from vezaflow.cli.formats import JSON, formatted
from vezaflow.cli.printing import say
from vezaflow.control import Caller, call, screen
from vezaflow.errors import VezaflowError

_EVERY = 1.0  # seconds, a run's own tick
_CLEAR = "\x1b[H\x1b[2J"


@click.command("status")
@click.argument("run", required=False)
@formatted(JSON)
@click.option("--watch", is_flag=True, help="Refresh every second until the run ends.")
def command(run: str | None, form: str, watch: bool) -> None:
    """Show the status of a running test.

    RUN is its id, a part of it, its process id, or the name of its suite or of one of its flows; it is optional if only
    one test is running. Figures cover the run so far; requests per second the last three seconds.
    """
    as_json = form == JSON
    with call(run) as caller:
        _show(caller, as_json=as_json, clear=False)
        while watch:
            time.sleep(_EVERY)
            try:
                _show(caller, as_json=as_json, clear=not as_json)
            except VezaflowError as e:
                say(e.message)
                return


def _show(caller: Caller, *, as_json: bool, clear: bool) -> None:
    status = caller.ask({"do": "status"})
    if as_json:
        say(orjson.dumps(status).decode())
        return
    try:
        text = screen(status, shutil.get_terminal_size((100, 24)).columns)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):  # not as a run says it
        raise caller.unreadable() from None
    say(_CLEAR + text if clear else text)
