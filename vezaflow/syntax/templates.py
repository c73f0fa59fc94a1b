"""Texts with `${…}` in them.

A scalar that is exactly one `${…}` is that expression and keeps its type; in a longer text each `${…}` is
rendered; `$${` stands for the two characters themselves. Quotes and brackets inside `${…}` are respected:
`${pick(["a}"])}`.
"""

from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics
from vezaflow.syntax.expressions import Expression, Literal, Template
from vezaflow.syntax.nodes import Scalar
from vezaflow.syntax.parser import parse_expression

# start and end of a piece of the text; for an expression without its ${ and }
_Piece = tuple[bool, int, int]


def parse_template(scalar: Scalar, diagnostics: Diagnostics) -> Expression:
    """The text as an expression: Literal without `${`, the expression itself if it is one, else a Template.

    After an error (reported) it is a Template without parts: a value that nobody knows.
    """
    text = scalar.text
    if "${" not in text:
        return Literal(text, scalar.span)
    unknown = Template((), scalar.span)
    parts: list[Expression] = []
    failed = False
    for is_code, start, end in _pieces(text):
        if not is_code:
            parts.append(Literal(text[start:end].replace("$${", "${"), scalar.piece(start, end)))
            continue
        if end < 0:
            diagnostics.error(
                "VF202", scalar.piece(start - 2, start), "unclosed ${",
                label="expected a } after it",
                help="for a literal ${ write $${",
            )  # fmt: skip
            return unknown
        expression = parse_expression(scalar, diagnostics, start, end)
        failed = failed or expression is None
        if expression is not None:
            parts.append(expression)
    if failed:
        return unknown
    if len(parts) == 1:
        only = parts[0]
        return Literal(only.value, scalar.span) if isinstance(only, Literal) and isinstance(only.value, str) else only
    return Template(tuple(parts), scalar.span)


def parse_value(scalar: Scalar, diagnostics: Diagnostics) -> Expression:
    """Like `parse_template`, but a plain scalar without `${` is what YAML says: a number, a boolean …"""
    if "${" not in scalar.text:
        return Literal(scalar.typed(), scalar.span)
    return parse_template(scalar, diagnostics)


def parse_bare(scalar: Scalar, diagnostics: Diagnostics) -> Expression | None:
    """A scalar that is an expression already (`that`, `if`, `where`); `${…}` around the whole is allowed."""
    start = len(scalar.text) - len(scalar.text.lstrip())
    end = len(scalar.text.rstrip())
    if scalar.text.startswith("${", start):
        stop = _close(scalar.text, start + 2)
        if stop == end - 1:
            return parse_expression(scalar, diagnostics, start + 2, stop)
    return parse_expression(scalar, diagnostics)


def _pieces(text: str) -> Iterator[_Piece]:
    """Text and code in turn; code that is not closed has the end -1 and is the last."""
    at = start = 0
    while (found := text.find("${", at)) >= 0:
        if found > start and text[found - 1] == "$" and found - 1 >= at:
            at = found + 2  # $${
            continue
        if found > start:
            yield False, start, found
        end = _close(text, found + 2)
        yield True, found + 2, end
        if end < 0:
            return
        at = start = end + 1
    if start < len(text):
        yield False, start, len(text)


def _close(text: str, start: int) -> int:
    """Where the } that belongs to a ${ stands, else -1. A quote without partner ends it at the next }."""
    depth = 0
    at = start
    while at < len(text):
        c = text[at]
        if c in "\"'":
            end = _close_quote(text, at)
            if end < 0:
                return text.find("}", at)
            at = end
        elif c == "{":
            depth += 1
        elif c == "}":
            if depth == 0:
                return at
            depth -= 1
        at += 1
    return -1


def _close_quote(text: str, start: int) -> int:
    at = start + 1
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\":
            at += 1
        elif text[at] == text[start]:
            return at
        at += 1
    return -1
