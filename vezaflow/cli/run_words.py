"""A word that names a run, as an argument of a command: what a shell may complete it to.

Law: only a history in a file is read for that, and nothing is made; a server, or a file that can't be read, has no
words.
"""

import click
from click.shell_completion import CompletionItem

_MOST = 30
_WORDS = {"last": "the last run that ended", "last-green": "the last green run"}


class RunWordType(click.ParamType[str]):
    """The word as it is. Which run it means is decided where the history is open."""

    name = "run"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Words, and the ids of the latest runs; else files, which name runs as well."""
        words = {**_WORDS, **_latest(ctx.params.get("history"))}
        found = [CompletionItem(word, help=about) for word, about in words.items() if word.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


def _latest(history: str | None) -> dict[str, str]:
    """The ids of the latest runs, each with its suite and verdict."""
    from vezaflow.cli.runs import kept_runs
    from vezaflow.errors import VezaflowError
    from vezaflow.history import DATABASE_ERRORS, place_of

    try:
        place = place_of(history)
        if place.file is None or not place.file.is_file():
            return {}
        return {row.id: f"{row.suite}, {row.word.value}" for row in kept_runs(history)[:_MOST]}
    except (VezaflowError, OSError, *DATABASE_ERRORS):
        return {}


RUN_WORD = RunWordType()
