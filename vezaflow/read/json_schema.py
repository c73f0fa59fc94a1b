"""A JSON Schema in a flow, or in a file beside it: read without templates, checked before anything is sent."""

import math
from pathlib import Path
from typing import Any

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.keys import Field, Kind
from vezaflow.model import Schema, SchemaMatch, Suite, flow_steps, requests, suite_steps
from vezaflow.read import scalars
from vezaflow.read.files import content, inside, is_file
from vezaflow.read.mappings import Row
from vezaflow.syntax import JsonSchema, Literal, Mapping, Node, Scalar, compile_schema, json_bytes

_PATH = Field("schema", Kind.PATH, "")


def read_schema(row: Row) -> Schema:
    """The `schema` of an expectation; one that is written out has been checked."""
    node = row.entries["schema"].value
    if isinstance(node, Scalar):
        return Schema(scalars.expression(node, _PATH, row.diagnostics), b"", node.span)
    if not isinstance(node, Mapping):
        scalars.report_shape(node, "'schema'", Kind.SCHEMA.value, row.diagnostics)
        return Schema(None, b"{}", node.span)
    return Schema(None, _checked(_plain(node, row.diagnostics), node.span, row.diagnostics), node.span)


def check_schemas(suite: Suite, diagnostics: Diagnostics) -> None:
    """Files that hold no JSON Schema."""
    for steps in (suite_steps(suite), *(flow_steps(flow) for flow in suite.flows)):
        for request in requests(steps):
            for expectation in request.expect.expectations if request.expect else ():
                if isinstance(expectation, SchemaMatch) and isinstance(expectation.schema.path, Literal):
                    _check_file(suite.root, expectation.schema.path, diagnostics)


def _check_file(root: Path, path: Literal, diagnostics: Diagnostics) -> None:
    whole = inside(root, str(path.value))
    if whole is None or not is_file(whole):  # check_files has said so
        return
    try:
        compile_schema(content(whole))
    except OSError as error:
        diagnostics.error("VF132", path.span, f"'{path.value}' can't be read: {error.strerror or error}")
    except ValueError as error:
        _report(error, path.span, diagnostics)


def _checked(document: Any, span: Span, diagnostics: Diagnostics) -> bytes:
    try:
        JsonSchema(document)
    except ValueError as error:
        _report(error, span, diagnostics)
        return b"{}"
    return json_bytes(document)


def _report(error: ValueError, span: Span, diagnostics: Diagnostics) -> None:
    diagnostics.error("VF230", span, "not a valid JSON Schema", label=" ".join(str(error).split()))


def _plain(node: Node, diagnostics: Diagnostics) -> Any:
    """The node as JSON has it: no `${…}` means anything here."""
    if isinstance(node, Mapping):
        return {entry.key.text: _plain(entry.value, diagnostics) for entry in node.entries}
    if not isinstance(node, Scalar):
        return [_plain(item, diagnostics) for item in node.items]
    if "${" in node.text:
        diagnostics.error("VF125", node.span, "a schema must be constant", label="`${…}` is not allowed here")
    value = node.typed()
    return node.text if isinstance(value, float) and not math.isfinite(value) else value
