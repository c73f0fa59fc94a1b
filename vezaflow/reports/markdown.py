"""Markdown for the page of a CI job: texts that stay in their cell, and tables."""

from collections.abc import Iterator, Sequence

from vezaflow.diagnostics import printable


def markdown_table(head: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, and an empty one. The cells are Markdown already."""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in cells:
        yield f"| {' | '.join(row)} |"
    yield ""


def markdown_text(text: str) -> str:
    """Text that stays in its cell and is nobody's HTML."""
    line = printable(" ".join(text.split()))
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("`", "\\`")):
        line = line.replace(sign, safe)
    return line
