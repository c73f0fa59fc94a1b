"""What a CI runner reads in the output of a step: `::error file=…,line=…::text`, by the rules of actions/runner.

The runner takes a line that starts with `::`, up to the next `::` (ActionCommand.cs), and undoes the escapes.
"""

import re
from dataclasses import dataclass

_COMMAND = re.compile(r"^::(?P<name>[a-z-]+)(?: (?P<properties>.*?))?::(?P<text>.*)$", re.MULTILINE)
_ESCAPES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    text: str


def commands(output: str) -> list[Command]:
    """The commands of an output, in their order."""
    return [
        Command(
            found["name"],
            {name: plain(value) for name, _, value in (part.partition("=") for part in parts(found["properties"]))},
            plain(found["text"]),
        )
        for found in _COMMAND.finditer(output)
    ]


def parts(properties: str | None) -> list[str]:
    return properties.split(",") if properties else []


def plain(text: str) -> str:
    return re.sub("%(?:0D|0A|3A|2C|25)", lambda found: _ESCAPES[found[0]], text)
