"""What is wrong in an author's file: where, what, why, and how to mend it."""

from vezaflow.diagnostics.codes import CODES, Rule, Severity
from vezaflow.diagnostics.diagnostic import Diagnostic, Diagnostics, Related, covered
from vezaflow.diagnostics.fixes import Edit, mended
from vezaflow.diagnostics.github import github_command, render_github, without_commands
from vezaflow.diagnostics.json import render_json
from vezaflow.diagnostics.sarif import render_sarif
from vezaflow.diagnostics.source import Source, Span
from vezaflow.diagnostics.suggest import did_you_mean, slip, suggest, unknown
from vezaflow.diagnostics.text import columns, folded, harmless, printable, render_one, render_text, summary_line

__all__ = [
    "CODES",
    "Diagnostic",
    "Diagnostics",
    "Edit",
    "Related",
    "Rule",
    "Severity",
    "Source",
    "Span",
    "columns",
    "covered",
    "did_you_mean",
    "folded",
    "github_command",
    "harmless",
    "mended",
    "printable",
    "render_github",
    "render_json",
    "render_one",
    "render_sarif",
    "render_text",
    "slip",
    "suggest",
    "summary_line",
    "unknown",
    "without_commands",
]
