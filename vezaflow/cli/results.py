"""A result on its way out: written to the files that were asked for, told to CI, and shown."""

import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vezaflow.cli.kept import Claim, check_claims, is_stdout, write
from vezaflow.cli.printing import in_workflow, say, tell
from vezaflow.cli.progress import working
from vezaflow.cli.shown import View, viewing
from vezaflow.cli.values import PathType
from vezaflow.reports import REPORTS, Percentiles, annotations, step_summary
from vezaflow.results import RunResult

_FILE = PathType(dir_okay=False, allow_dash=True)
Wanted = Mapping[str, Path]  # by the report's name


def reporting(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each report, and those of how it is shown; it gets the reports that are wanted as
    `reports`, and `view`."""

    @functools.wraps(command)
    def collected(*words: Any, **options: Any) -> None:
        files = {report.name: options.pop(report.name) for report in REPORTS}
        command(*words, reports={name: file for name, file in files.items() if file is not None}, **options)

    for report in reversed(REPORTS):
        collected = click.option(report.option, report.name, type=_FILE, help=report.help)(collected)
    return viewing(collected)


class ReportFiles:
    """The reports that a command was asked for. Whether they can be written is said before the load. `also`: what else
    the command writes."""

    def __init__(self, wanted: Wanted, view: View, also: Sequence[Claim] = ()) -> None:
        self._view = view
        self._files = tuple((wanted[report.name], report) for report in REPORTS if report.name in wanted)
        claims = [*(Claim(report.option, file) for file, report in self._files), *also]
        check_claims(claims)
        self._printed = any(is_stdout(claim.file) for claim in claims)
        self._say = tell if self._printed else say  # what programs read stands alone on standard output

    def publish(self, result: RunResult) -> None:
        """Write the result's files, and the step summary where there is one; show the result.

        What can't be written is told, and the rest is written: the verdict stays what it is. A CI job gets annotations.
        """
        percentiles = self._view.percentiles
        result = replace(result, files=tuple(str(file) for file, _ in self._files))
        written = []
        for file, report in self._files:
            with working(f"writing {file}", quiet=is_stdout(file)):
                content = _text(report.make(result, percentiles))
            if write(file, content):
                written.append(str(file))
        _step_summary(result, percentiles)
        kept = tuple(file for file in written if not is_stdout(Path(file)))
        stream = sys.stderr if self._say is tell else sys.stdout
        self._say(self._view.text(replace(result, files=kept), stream))
        if in_workflow() and (lines := annotations(result)):
            self._say(lines.removesuffix("\n"), commands=True)


def _text(content: str | bytes) -> str:
    return content.decode() if isinstance(content, bytes) else content


def _step_summary(result: RunResult, percentiles: Percentiles) -> None:
    """The page of a GitHub or Forgejo action, where there is one."""
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page:
        try:
            with open(page, "a", encoding="utf-8") as file:
                file.write(step_summary(result, percentiles))
        except OSError as e:
            tell(f"the step summary can't be written: {e.strerror}")
