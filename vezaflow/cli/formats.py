"""In which form a command prints what it found: `--format`, and a short flag for each form but the text for people."""

import functools
from collections.abc import Callable
from typing import Any

import click

TEXT, JSON, MARKDOWN = "text", "json", "markdown"
_HELP = {
    JSON: "Print JSON; short for --format json.",
    MARKDOWN: "Print Markdown, for $GITHUB_STEP_SUMMARY; short for --format markdown.",
}
Command = Callable[..., None]


def formatted(*others: str) -> Callable[[Command], Command]:
    """Give a command `--format` with the text for people and these other forms; it gets the word as `form`."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collected(*words: Any, form: str | None, **options: Any) -> None:
            short = [name for name in others if options.pop(f"as_{name}")]
            asked = {*short, *([form] if form else [])}
            if len(asked) > 1:
                flags = [f"--{name}" for name in short] if len(short) > 1 else ["--format", f"--{short[0]}"]
                raise click.UsageError(f"take only one of {' and '.join(flags)}")
            command(*words, form=asked.pop() if asked else TEXT, **options)

        for name in reversed(others):
            collected = click.option(f"--{name}", f"as_{name}", is_flag=True, help=_HELP[name])(collected)
        choice = click.Choice([TEXT, *others])
        return click.option("--format", "form", type=choice, help="The form of the output. Default: text.")(collected)

    return decorate


def as_json(document: object) -> str:
    """An object as indented JSON, without its last line's end."""
    import orjson

    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
