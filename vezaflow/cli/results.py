"""A result on its way out: written to the files that were asked for, told to CI, and shown."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from vezaflow.cli.kept import check_writable, is_stdout, write
from vezaflow.cli.printing import colours, say, tell
from vezaflow.cli.values import PathType
from vezaflow.errors import VezaflowError
from vezaflow.reports import console, junit, step_summary, summary_json
from vezaflow.results import RunResult

Report = Callable[[RunResult], str | bytes]
_FILE = PathType(dir_okay=False, allow_dash=True)

SUMMARY = click.option("--summary", type=_FILE, help="Write the result as JSON to this file; `-` is standard output.")
JUNIT = click.option(
    "--junit", "junit_file", type=_FILE, help="Write a JUnit test report to this file; `-` is standard output."
)


class Files:
    """The reports that a command was asked for. Whether they can be written is said before the load."""

    def __init__(self, *, summary: Path | None, junit_file: Path | None) -> None:
        wanted: tuple[tuple[Path | None, Report], ...] = ((summary, summary_json), (junit_file, junit))
        self._files = tuple((file, report) for file, report in wanted if file is not None)
        printed = [file for file, _ in self._files if is_stdout(file)]
        if len(printed) > 1:
            raise VezaflowError(
                "--summary and --junit both write to standard output", hint="write one of them to a file"
            )
        if len(self._files) > 1 and len({os.path.realpath(file) for file, _ in self._files}) == 1 and not printed:
            raise VezaflowError(
                f"--summary and --junit both write {self._files[0][0]}", hint="choose two different files"
            )
        self._say = tell if printed else say  # a report on standard output stands there alone
        for file, _ in self._files:
            check_writable(file)

    def publish(self, result: RunResult) -> None:
        """Write the result's files, and the step summary where there is one; show the result.

        What can't be written is told, and the rest is written: the verdict stays what it is.
        """
        result = replace(result, files=tuple(str(file) for file, _ in self._files))
        written = [str(file) for file, report in self._files if write(file, _text(report(result)))]
        _step_summary(result)
        kept = tuple(file for file in written if not is_stdout(Path(file)))
        width = min(120, shutil.get_terminal_size((100, 24)).columns)
        colour = colours(sys.stderr if self._say is tell else sys.stdout)
        self._say(console(replace(result, files=kept), colour=colour, width=width).removesuffix("\n"))


def _text(content: str | bytes) -> str:
    return content.decode() if isinstance(content, bytes) else content


def _step_summary(result: RunResult) -> None:
    """The page of a GitHub or Forgejo action, where there is one."""
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page:
        try:
            with open(page, "a", encoding="utf-8") as file:
                file.write(step_summary(result))
        except OSError as e:
            tell(f"the step summary can't be written: {e.strerror}")
