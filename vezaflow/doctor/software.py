"""The interpreter, and the programs that some features use: found on the PATH, asked for their version.

Laws: what is missing here stops no load. A program that does not say its version in time is there all the same.
"""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from vezaflow.doctor.finding import Aspect, Finding, Grade
from vezaflow.warden import answer

_PATIENCE = 5  # seconds for a program to say its version
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class _Tool:
    """A program by its names, the first that is there is taken. `remedy`: how to get it."""

    name: str
    commands: tuple[str, ...]
    remedy: str


_TOOLS = (
    _Tool(
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
        "`apt install chromium`, only if pages are audited",
    ),
    _Tool("Node.js", ("node", "nodejs"), "`apt install nodejs npm`, only if pages are audited"),
    _Tool("Lighthouse", ("lighthouse",), "`npm install --global lighthouse`, only if pages are audited"),
)


def interpreter() -> Iterator[Finding]:
    """What runs the load."""
    name = f"{platform.python_implementation()} {platform.python_version()}"
    slow = ""
    if hasattr(sys, "gettotalrefcount"):
        slow = "use a Python that is not a debug build: this one is several times slower"
    elif sys.flags.dev_mode:
        slow = "unset PYTHONDEVMODE: it makes Python slower"
    yield Finding(Aspect.SOFTWARE, "Python", Grade.POOR if slow else Grade.GOOD, name, slow, value=name)
    loop = f"trio {version('trio')}, no other event loop needed"
    yield Finding(Aspect.SOFTWARE, "event loop", Grade.GOOD, loop, value=version("trio"))


def tools() -> Iterator[Finding]:
    """The programs that some features use."""
    for tool in _TOOLS:
        path = next((found for name in tool.commands if (found := shutil.which(name)) is not None), None)
        if path is None:
            yield Finding(Aspect.TOOLS, tool.name, Grade.ABSENT, "not installed", tool.remedy)
        else:
            found = _version_of(path)
            yield Finding(Aspect.TOOLS, tool.name, Grade.GOOD, f"{found} ({path})".lstrip(), value=found or None)


def _version_of(path: str) -> str:
    """What the program calls its version, or nothing."""
    found = _VERSION.search(answer((path, "--version"), os.environ, _PATIENCE) or "")
    return found[0] if found else ""
