"""The reports that options of `run` and `merge` ask for. A report is a file beside this one, and a row here."""

from collections.abc import Callable
from dataclasses import dataclass

from vezaflow.reports.junit import junit
from vezaflow.reports.page import html_page
from vezaflow.reports.percentiles import Percentiles
from vezaflow.reports.summary_json import summary_json
from vezaflow.results import RunResult


@dataclass(frozen=True, slots=True)
class ReportOption:
    """`--NAME FILE` writes what `make` makes of the result, with the percentiles that were chosen."""

    name: str
    help: str
    make: Callable[[RunResult, Percentiles], str | bytes]

    @property
    def option(self) -> str:
        return f"--{self.name}"


REPORTS = (
    ReportOption("summary", "Write the result as JSON to this file; `-` is standard output.", summary_json),
    ReportOption("junit", "Write a test report; `-` is standard output.", lambda result, _: junit(result)),
    ReportOption("html", "Write an HTML page that opens offline, in one file; `-` is standard output.", html_page),
)
