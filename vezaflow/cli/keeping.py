"""Runs are kept: the options that say where, and what a run's command does about it.

Laws: a history that nobody asked for costs no run: where it can't be, that is said, and the run goes on. One that was
asked for and can never be is refused before the load; one that is only away for now is tried again during the run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from vezaflow.cli.printing import tell
from vezaflow.errors import VezaflowError
from vezaflow.history import (
    DATABASE_ERRORS,
    VARIABLE,
    HistoryPlace,
    Writer,
    make_folder,
    open_store,
    opened,
    place_of,
    read,
    reason,
    stored_of,
    usual_folder,
)
from vezaflow.results import RunResult

Command = TypeVar("Command", bound=Callable[..., object])

HISTORY = click.option(
    "--history",
    metavar="PATH|URL",
    help=f"The history: a file, or postgresql://…; default: {VARIABLE}, or a file in your state folder.",
)
_OFF = click.option("--no-history", is_flag=True, help="Don't keep this run in the history.")


def kept(command: Command) -> Command:
    """Give a command the options `history` and `no_history`."""
    return HISTORY(_OFF(command))


@contextmanager
def keeping(history: str | None, *, off: bool, quiet: bool = False) -> Iterator[Writer | None]:
    """The keeper of one run; None where none is wanted, or can be. At the end it is said where the run is."""
    writer = None if off else _writer(place_of(history))
    if writer is None:
        yield None
        return
    try:
        yield writer
    finally:
        trouble = writer.wait()
        if trouble:
            tell(trouble)
        elif writer.id and not quiet:
            tell(f"kept: {writer.id} (vezaflow history)")


def keep_merged(history: str | None, result: RunResult, segment: Path) -> None:
    """Keep the result of segments, of which `segment` is one's file. What stands against it is said, and changes
    nothing."""
    place = place_of(history)
    try:
        stored = stored_of(result, read(segment).bundle)
        with opened(place, writing=True) as store:
            assert store is not None
            new = store.add(stored)
    except VezaflowError as e:
        tell(f"{e.message}; the result is not kept")
        return
    tell(f"kept: {stored.id} (vezaflow history)" if new else f"{stored.id} is already in the history")


def _writer(place: HistoryPlace) -> Writer | None:
    try:
        make_folder(place)
    except VezaflowError as e:
        if not place.usual:
            raise
        tell(f"{e.message}; this run is not kept")
        return None
    store = open_store(place)
    try:
        store.prepare()
    except VezaflowError:
        store.close()
        raise
    except DATABASE_ERRORS as e:
        tell(f"the history {place} is not available yet, and is tried again during the run: {reason(e)}")
    return Writer(store, (Path.cwd(), usual_folder()))
