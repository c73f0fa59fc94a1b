"""SARIF 2.1.0: what the standard's schema asks of the objects that are written (sections 3.13 to 3.52), and places
that lead to the very token.
"""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezaflow.diagnostics import CODES, Diagnostics, Source, Span, render_sarif

LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
POSITIVE = {"type": "integer", "minimum": 1}
URI = {"type": "string", "format": "uri-reference", "minLength": 1}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "minimum": 0},
        "message": MESSAGE,
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {"type": "object", "required": ["uri"], "properties": {"uri": URI}},
                "region": {
                    "type": "object",
                    "required": ["startLine"],
                    "additionalProperties": False,
                    "properties": dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), POSITIVE),
                },
            },
        },
    },
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}, "additionalProperties": False},
    },
}
RESULT = {
    "type": "object",
    "required": ["message"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {"type": "array", "items": LOCATION},
        "relatedLocations": {"type": "array", "items": LOCATION, "uniqueItems": True},
    },
}
DRIVER = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "rules": {"type": "array", "items": RULE, "uniqueItems": True}},
}
RUN = {
    "type": "object",
    "required": ["tool"],
    "additionalProperties": False,
    "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
    },
}
LOG = jsonschema_rs.Draft7Validator(
    {
        "type": "object",
        "required": ["version", "runs"],
        "additionalProperties": False,
        "properties": {"$schema": URI, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}},
    },
    validate_formats=True,
)


def written(diagnostics: Diagnostics) -> dict[str, Any]:
    document = json.loads(render_sarif(diagnostics))
    assert [error.message for error in LOG.iter_errors(document)] == []
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


def test_nothing_found_is_a_run_without_results() -> None:
    assert written(Diagnostics())["results"] == []


def test_a_result_has_its_rule_its_words_and_its_place() -> None:
    diagnostics = Diagnostics()
    source = Source("flows/a b.yml", "x\n  äbc: 1\n")
    diagnostics.error("VF104", Span(source, 5, 7), "m", label="l", help="h", related=((Span(source, 0, 1), "r"),))
    diagnostics.warning("VF507", None, "no gates")
    run = written(diagnostics)
    nowhere, found = run["results"]
    assert "locations" not in nowhere
    assert (found["ruleId"], found["level"], found["message"]["text"]) == ("VF104", "error", "m. l. h")
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "flows/a%20b.yml"
    assert place["region"] == {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 6}
    assert found["relatedLocations"][0]["message"]["text"] == "r"
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in (nowhere, found)] == ["VF507", "VF104"]


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_a_rule(code: str) -> None:
    diagnostics = Diagnostics()
    diagnostics.error(code, None, "m")
    assert written(diagnostics)["results"]


@given(st.text(max_size=30), st.text(min_size=1, max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_any_path_and_any_text_make_a_valid_log(path: str, text: str, start: int, length: int) -> None:
    diagnostics = Diagnostics()
    start = min(start, len(text))
    diagnostics.error("VF104", Span(Source(f"p/{path}", text), start, min(start + length, len(text))), "m")
    written(diagnostics)
