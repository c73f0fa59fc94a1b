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
    help="Write the schemas of all kinds of files to this folder instead.",
)
def command(kind: str, folder: Path | None) -> None:
    """Print the JSON Schema that editors use to complete and check flow files.

    KIND is the kind of file. With --write the schemas of all kinds are written to a folder; a comment at the top of a
    file selects the one to use in the editor.
    """
    if folder is None:
        sys.stdout.write(schema_text(kind))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(schema_text(name), encoding="utf-8")
    say(f"{', '.join(str(folder / f'{name}.json') for name in SCHEMAS)} written")
    say("first line of a flow in a folder next to it:")
    say(f"  # yaml-language-server: $schema=../{folder.resolve().name}/flow.json")
    say("for suite.yml use suite.json, for files in parts/ fragment.json, for files in audit/ audit.json")
