"""Diagnostics as SARIF 2.1.0 (OASIS), which code scanning of forges and many editors read.

Lines and columns count from 1, columns in characters; paths are URIs relative to where lint was started, as they were
given.
"""

import json
import os
from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import quote

from vezaflow import __version__
from vezaflow.diagnostics.codes import CODES
from vezaflow.diagnostics.diagnostic import Diagnostic
from vezaflow.diagnostics.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """One run of the tool with its results and the rules that they follow, indented, with a line end."""
    found = list(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in found})
    driver = {"name": "vezaflow", "version": __version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, object]:
    rule = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.doc},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(diagnostic: Diagnostic, index: int) -> dict[str, object]:
    words = ". ".join(part for part in (diagnostic.message, diagnostic.label, diagnostic.help) if part)
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": diagnostic.severity.value,
        "message": {"text": words},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span)]
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, **_location(span), "message": {"text": label}}
            for number, (span, label) in enumerate(diagnostic.related)
        ]
    return result


def _location(span: Span) -> dict[str, object]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    uri = quote(os.fsencode(PurePath(span.source.path).as_posix()))
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
