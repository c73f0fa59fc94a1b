"""Diagnostics for programs: one object, lines and columns from 1, columns counted in characters."""

import json
from collections.abc import Iterable

from vezaflow.diagnostics.diagnostic import Diagnostic
from vezaflow.diagnostics.source import Span

FORMAT = 1


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """`{"version": 1, "diagnostics": [...]}`, indented, with a line end."""
    document = {"version": FORMAT, "diagnostics": [_object(d) for d in diagnostics]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _object(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        "place": diagnostic.span and _place(diagnostic.span),
        "related": [{"place": _place(span), "label": label} for span, label in diagnostic.related],
    }


def _place(span: Span) -> dict[str, object]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "path": span.source.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }
