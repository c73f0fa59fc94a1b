"""Mends that change nothing but the wrong token: comments and layout stay as they are.

A finding carries one only where there is no doubt about what was meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vezaflow.diagnostics.source import Source, Span


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that belongs in the place of a span."""

    span: Span
    text: str


def mended(source: Source, edits: Iterable[Edit]) -> str:
    """The source's text after its own edits; of two that overlap, the first one is made."""
    pieces: list[str] = []
    end = 0
    for edit in sorted((e for e in edits if e.span.source is source), key=lambda e: e.span.start):
        if edit.span.start >= end:
            pieces += [source.text[end : edit.span.start], edit.text]
            end = edit.span.end
    return "".join(pieces) + source.text[end:]
