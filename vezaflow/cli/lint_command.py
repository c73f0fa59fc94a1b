"""`vezaflow lint`: every mistake of every file, at once."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from vezaflow.cli.mend import mend
from vezaflow.cli.printing import colours, say, tell
from vezaflow.cli.progress import working
from vezaflow.cli.values import FlowPathType
from vezaflow.diagnostics import (
    Diagnostic,
    Diagnostics,
    render_github,
    render_json,
    render_sarif,
    render_text,
    summary_line,
)
from vezaflow.errors import ExitCode
from vezaflow.lint import lint

_RENDERERS = {"json": render_json, "github": render_github, "sarif": render_sarif}  # beside the text for people


@click.command("lint")
@click.argument("paths", nargs=-1, required=True, type=FlowPathType())
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="Output format: text for a terminal, JSON, annotations of a GitHub or Forgejo action, or SARIF for code "
    "scanning.",
)
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("--fix", is_flag=True, help="Fix unambiguous mistakes in the files, and show the others.")
def command(paths: tuple[Path, ...], form: str, strict: bool, fix: bool) -> None:
    """Check flow files without sending anything.

    PATHS are suite folders or flow files; a flow file is read together with the suite.yml in its folder. The exit code
    is 2 if there are errors, 0 otherwise. Environment variables are not needed: only `run` and `try` need them.
    """
    diagnostics = Diagnostics()
    for suite in suites(paths):
        for words in mend(suite) if fix else ():
            tell(words)
        with working(f"checking {suite[0]}"):
            diagnostics.extend(lint(suite)[1])
    found = diagnostics.items
    say(_drawn(found, form).removesuffix("\n"), commands=form == "github")
    if fixable := sum(diagnostic.fix is not None for diagnostic in found):
        tell(f"`vezaflow lint --fix` can fix {fixable} of them")
    if diagnostics.failed or (strict and found):
        sys.exit(ExitCode.USAGE)


def suites(paths: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    """The paths of each suite: a folder is one, and flow files that lie in one folder are."""
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        if path.is_dir():
            yield (path,)
        else:
            folders.setdefault(path.parent, []).append(path)
    yield from (tuple(files) for files in folders.values())


def _drawn(found: list[Diagnostic], form: str) -> str:
    if form in _RENDERERS:
        return _RENDERERS[form](found)
    return (render_text(found, colour=colours(sys.stdout)) if found else "") + summary_line(found)
