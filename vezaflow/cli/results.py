"""A result on its way out: shown, written to the files that were asked for, and told to CI. Every secret is blotted out
on the way, whatever the report holds.
"""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from vezaflow.cli.kept import check_writable, write
from vezaflow.cli.printing import colours, say, tell
from vezaflow.plan import Secrets
from vezaflow.reports import console, junit, step_summary, summary_json
from vezaflow.results import RunResult

Report = Callable[[RunResult], str | bytes]
_FILE = click.Path(path_type=Path, dir_okay=False)

SUMMARY = click.option("--summary", type=_FILE, help="Write the result as JSON to this file.")
JUNIT = click.option("--junit", "junit_file", type=_FILE, help="Write a test report.")


class Files:
    """The reports that a command was asked for. Whether they can be written is said before the load."""

    def __init__(self, *, summary: Path | None, junit_file: Path | None) -> None:
        wanted: tuple[tuple[Path | None, Report], ...] = ((summary, summary_json), (junit_file, junit))
        self._files = tuple((file, report) for file, report in wanted if file is not None)
        for file, _ in self._files:
            check_writable(file)

    def publish(self, result: RunResult, secrets: Secrets) -> None:
        """Show the result, write its files, and the step summary where there is one."""
        result = replace(result, files=tuple(str(file) for file, _ in self._files))
        width = min(120, shutil.get_terminal_size((100, 24)).columns)
        say(secrets.mask(console(result, colour=colours(sys.stdout), width=width)).removesuffix("\n"))
        for file, report in self._files:
            write(file, secrets.mask(_text(report(result))))
        _step_summary(result, secrets)


def _text(content: str | bytes) -> str:
    return content.decode() if isinstance(content, bytes) else content


def _step_summary(result: RunResult, secrets: Secrets) -> None:
    """The page of a GitHub or Forgejo action, where there is one."""
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page:
        try:
            with open(page, "a", encoding="utf-8") as file:
                file.write(secrets.mask(step_summary(result)))
        except OSError as e:
            tell(f"the step summary can't be written: {e.strerror}")
