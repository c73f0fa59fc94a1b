"""What an audit takes: Node, Lighthouse and Chromium, where they are, in which versions, how to get what is missing.

Lighthouse is `lighthouse` from PATH, or else what npx fetches: one pinned version, so that scores stay comparable.
Chromium is CHROME_PATH, or the first of the usual names on PATH.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.warden import answer

PINNED = "12.2.3"  # the latest that Node 20 runs
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_NODE = {12: (18, 16), 13: (22, 19)}  # by Lighthouse's major version, what its package.json asks for
_LIMIT = 30.0  # seconds for a program to say its version
_VERSION = re.compile(r"(\d+)\.(\d+)[.\d]*")


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: its path and version. `problem` says why it can't be used, `remedy` how that is mended."""

    name: str
    path: str = ""
    version: str = ""
    problem: str = ""
    remedy: str = ""

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0] or 0)


@dataclass(frozen=True, slots=True)
class Tools:
    """All that an audit takes. `command`: the words that run Lighthouse."""

    node: Tool
    lighthouse: Tool
    chromium: Tool
    command: tuple[str, ...]

    @property
    def fetches(self) -> bool:
        """Whether npx has to have Lighthouse, or fetches it on first use."""
        return "--yes" in self.command

    @property
    def all(self) -> tuple[Tool, ...]:
        return (self.node, self.lighthouse, self.chromium)

    @property
    def refusal(self) -> VezaflowError | None:
        """Why no page can be audited with them (REFUSED)."""
        tool = next((tool for tool in self.all if tool.problem), None)
        if tool is None:
            return None
        return VezaflowError(
            f"pages can't be audited: {tool.problem}",
            hint=f"{tool.remedy}; `vezaflow audit --check` shows everything that an audit needs",
            code=ExitCode.REFUSED,
        )


def find_tools(environment: Mapping[str, str]) -> Tools:
    """What there is of it on this machine."""
    node = _node(environment)
    lighthouse, command = _lighthouse(environment, node)
    return Tools(node, lighthouse, _chromium(environment), command)


def require_tools(environment: Mapping[str, str]) -> Tools:
    """The same. Raises VezaflowError (REFUSED) where something is missing."""
    tools = find_tools(environment)
    if tools.refusal is not None:
        raise tools.refusal
    return tools


def _node(environment: Mapping[str, str]) -> Tool:
    remedy = "install Node.js 20 or later, such as `apt-get install nodejs npm`"
    path = _which("node", environment)
    if not path:
        return Tool("Node.js", problem="there is no `node` on PATH", remedy=remedy)
    version = _version_of((path, "--version"), environment)
    if not version:
        return Tool("Node.js", path, problem=f"{path} does not run", remedy=remedy)
    return Tool("Node.js", path, version)


def _lighthouse(environment: Mapping[str, str], node: Tool) -> tuple[Tool, tuple[str, ...]]:
    remedy = f"`npm install --global lighthouse@{PINNED}`"
    path = _which("lighthouse", environment)
    command: tuple[str, ...] = (path,)
    version = ""
    if path:
        version = _version_of((path, "--version"), environment)
        if not version and not node.problem:
            return Tool("Lighthouse", path, problem=f"{path} does not run", remedy=remedy), command
    else:
        path = _which("npx", environment)
        if not path:
            what = "there is neither `lighthouse` nor `npx` on PATH"
            return Tool("Lighthouse", problem=what, remedy=f"install npm, or {remedy}"), ()
        command, version = (path, "--yes", f"lighthouse@{PINNED}"), PINNED
    tool = Tool("Lighthouse", path, version)
    least = _NODE.get(tool.major, _NODE[max(_NODE)] if tool.major > max(_NODE) else _NODE[min(_NODE)])
    if version and node.version and _numbers(node.version) < least:
        problem = f"Lighthouse {version} needs Node.js {least[0]}.{least[1]} or later, and this is {node.version}"
        return Tool("Lighthouse", path, version, problem, f"update Node.js, or {remedy}"), command
    return tool, command


def _chromium(environment: Mapping[str, str]) -> Tool:
    remedy = "install Chromium, such as `apt-get install chromium`, or set CHROME_PATH"
    named = environment.get("CHROME_PATH", "")
    path = named or next((found for name in BROWSERS if (found := _which(name, environment))), "")
    if not path:
        return Tool("Chromium", problem="there is no Chromium or Chrome on PATH", remedy=remedy)
    version = _version_of((path, "--version"), environment)
    if not version:
        from_where = "CHROME_PATH names " if named else ""
        return Tool("Chromium", path, problem=f"{from_where}{path}, which does not run", remedy=remedy)
    return Tool("Chromium", path, version)


def _which(name: str, environment: Mapping[str, str]) -> str:
    return shutil.which(name, path=environment.get("PATH", os.defpath)) or ""


def _version_of(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """The version that a program says; empty where it says none."""
    found = _VERSION.search(answer(command, environment, _LIMIT) or "")
    return found[0].rstrip(".") if found else ""


def _numbers(version: str) -> tuple[int, int]:
    found = _VERSION.search(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
