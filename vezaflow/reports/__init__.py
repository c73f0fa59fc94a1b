"""What people and machines get after a run. Each report is a function from a RunResult to text or bytes."""

from vezaflow.reports.annotations import annotations
from vezaflow.reports.audits import audit_console, audit_json, audit_summary
from vezaflow.reports.chat import as_accepted, chat_message, facts_of
from vezaflow.reports.console import console
from vezaflow.reports.junit import junit
from vezaflow.reports.look import DIM, Look, table, wrapped
from vezaflow.reports.markdown import markdown_table, markdown_text
from vezaflow.reports.options import REPORTS
from vezaflow.reports.page import ComparedRuns, html_comparison, html_page
from vezaflow.reports.percentiles import USUAL, Percentiles, read_percentiles
from vezaflow.reports.provenance import provenance_from_json, provenance_to_json
from vezaflow.reports.step_summary import step_summary
from vezaflow.reports.stored import events_of, from_json, profiles_of
from vezaflow.reports.summary_json import summary_json, to_json
from vezaflow.reports.summary_schema import summary_schema, summary_schema_text

__all__ = [
    "DIM",
    "REPORTS",
    "USUAL",
    "ComparedRuns",
    "Look",
    "Percentiles",
    "annotations",
    "as_accepted",
    "audit_console",
    "audit_json",
    "audit_summary",
    "chat_message",
    "console",
    "events_of",
    "facts_of",
    "from_json",
    "html_comparison",
    "html_page",
    "junit",
    "markdown_table",
    "markdown_text",
    "profiles_of",
    "provenance_from_json",
    "provenance_to_json",
    "read_percentiles",
    "step_summary",
    "summary_json",
    "summary_schema",
    "summary_schema_text",
    "table",
    "to_json",
    "wrapped",
]
