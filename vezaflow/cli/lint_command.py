"""`vezaflow lint`: every mistake of every file, at once."""

import sys
from pathlib import Path

import click

from vezaflow.diagnostics import render_github, render_json, render_text, summary_line
from vezaflow.errors import ExitCode
from vezaflow.model import lint


@click.command("lint")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as annotations of a GitHub or Forgejo action.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail, too.")
def command(paths: tuple[Path, ...], form: str, strict: bool) -> None:
    """Say what is wrong in flow files, before anything is sent.

    PATHS are suite folders or flow files; a flow file is read with the suite.yml beside it. The exit code is 2 when
    there is an error, 0 otherwise. Environment values are not needed: `run` and `try` ask for them.
    """
    diagnostics = lint(paths)[1]
    found = diagnostics.items
    if form == "json":
        click.echo(render_json(found), nl=False)
    elif form == "github":
        click.echo(render_github(found), nl=False)
    else:
        if found:
            click.echo(render_text(found, colour=sys.stdout.isatty()), nl=False)
        click.echo(summary_line(found))
    if diagnostics.failed or (strict and found):
        sys.exit(ExitCode.USAGE)
