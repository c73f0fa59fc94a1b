"""Texts in a language of their own (JSONPath, patterns, selectors, …), checked where they are written."""

from vezaflow.diagnostics import Diagnostics
from vezaflow.read import scalars
from vezaflow.read.mappings import Row
from vezaflow.syntax import QUERIES, Scalar


def query(row: Row, key: str) -> str:
    """The text under a key of the kind QUERY: a constant."""
    node, field = row.entries[key].value, row.field(key)
    if isinstance(node, Scalar) and (not node.plain or node.text):
        check_query(node, field.query, row.diagnostics)
        return node.text
    scalars.report_shape(node, f"'{key}'", field.wanted, row.diagnostics)
    return ""


def check_query(scalar: Scalar, language: str, diagnostics: Diagnostics) -> None:
    """Report a text that is not valid in its language."""
    known = QUERIES[language]
    try:
        known.compile(scalar.text)
    except ValueError as error:
        diagnostics.error(
            known.code,
            scalar.span,
            f"not a valid {known.title}",
            label=" ".join(str(error).split()),
            help=known.hint(scalar.text),
        )
