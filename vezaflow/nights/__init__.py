"""Acceptance: which nights of a suite are green, and whether that is enough. Pure functions over runs."""

from vezaflow.nights.acceptance import Acceptance, Decision, acceptance, streak_line
from vezaflow.nights.calendar import Bar, Calendar, Night, NightEntry, NightVerdict, calendar
from vezaflow.nights.document import acceptance_schema, acceptance_schema_text, to_json
from vezaflow.nights.markdown import markdown
from vezaflow.nights.page import page
from vezaflow.nights.runs import NightRun, night_run

__all__ = [
    "Acceptance",
    "Bar",
    "Calendar",
    "Decision",
    "Night",
    "NightEntry",
    "NightRun",
    "NightVerdict",
    "acceptance",
    "acceptance_schema",
    "acceptance_schema_text",
    "calendar",
    "markdown",
    "night_run",
    "page",
    "streak_line",
    "to_json",
]
