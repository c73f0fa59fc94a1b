"""`vezaflow schema`: the tables of the language as JSON Schema, for editors."""

import sys
from pathlib import Path

import click

from vezaflow.cli.printing import say
from vezaflow.cli.values import PathType
from vezaflow.keys import SCHEMAS, schema_text


@click.command("schema")
@click.argument("kind", type=click.Choice(SCHEMAS), default="flow")
@click.option(
    "--write",
    "folder",
    type=PathType(file_okay=False),
    help="Write the schemas of all kinds into this folder instead.",
)
def command(kind: str, folder: Path | None) -> None:
    """Print what editors need to complete and explain the keys of flow files: a JSON Schema.

    KIND is the kind of file: a flow, or the suite.yml beside it. With --write both schemas become files, for the line
    that an editor's YAML server looks for at the top of a file.
    """
    if folder is None:
        sys.stdout.write(schema_text(kind))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(schema_text(name), encoding="utf-8")
    say(f"{', '.join(str(folder / f'{name}.json') for name in SCHEMAS)} written")
    say("for a flow in a folder beside it, the first line is")
    say(f"  # yaml-language-server: $schema=../{folder.resolve().name}/flow.json")
    say("and for suite.yml the same with suite.json")
