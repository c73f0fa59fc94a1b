"""`vezaflow init`: a project that works at once, and what to do next. Where one of its files exists it writes none."""

import os
import shlex
from pathlib import Path

import click

from vezaflow.cli.kept import write
from vezaflow.cli.printing import say
from vezaflow.cli.values import PathType
from vezaflow.errors import VezaflowError
from vezaflow.project import Forge, project_files

_NEXT = """\
Next:
  {enter}vezaflow run flows --sandbox --duration 10s    green at once, without a server of your own
  vezaflow try flows/browse.yml --sandbox        one user, one iteration, every request shown
  flows/suite.yml                                list your staging under `guard`
  settings of the repository                     variable STAGING_BASE_URL, secret USER_TOKEN: the nightly workflow
"""


@click.command("init")
@click.argument("folder", metavar="[DIR]", type=PathType(file_okay=False), default=".")
@click.option(
    "--forge",
    type=click.Choice([forge.value for forge in Forge]),
    default=Forge.GITHUB.value,
    show_default=True,
    help="Whose Actions run the nightly workflow.",
)
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def command(folder: Path, forge: str, force: bool) -> None:
    """Create a project: flows to start from, a lint hook, a nightly workflow.

    DIR is the folder of the project, by default the current one. Files that exist are never overwritten without
    --force: the command names them, writes nothing, and exits with 2.
    """
    texts = {folder / name: text for name, text in project_files(Forge(forge)).items()}
    there = [str(path) for path in texts if os.path.lexists(path)]
    if there and not force:
        raise VezaflowError(
            f"nothing written: {', '.join(there)} {'exists' if len(there) == 1 else 'exist'}",
            hint="use --force to overwrite, or choose another folder",
        )
    for path in texts:
        _make_room(path)
    for path, text in texts.items():
        if not write(path, text):
            raise VezaflowError("the project is not complete", hint="see why above, then use --force to write it again")
        say(f"wrote {path}")
    enter = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))}\n  "
    say(f"\n{_NEXT.format(enter=enter)}".removesuffix("\n"))


def _make_room(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(0, "is a folder")
    except OSError as e:
        raise VezaflowError(f"{path} can't be written: {e.strerror}", hint="choose another folder") from None
