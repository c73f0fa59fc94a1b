"""Texts that other tools would fill in and vezaflow sends as they are: `{{ id }}`, `$TOKEN`, `/tracks/{id}`."""

import re
from collections.abc import Iterator

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.model import Place, Suite, all_uses, flow_steps, set_in, suite_steps
from vezaflow.syntax import Expression, Literal, Template

_BRACES = re.compile(r"\{\{-?\s*(?P<name>[A-Za-z_][\w.]*|(?=\$))[^{}]*\}\}")  # Jinja, Handlebars, Artillery, Postman
_SHELL = re.compile(r"(?<![\w$])\$(?P<name>[A-Za-z_]\w*)")
_BARE = re.compile(r"(?<![\w.])env\.[A-Z][A-Z0-9_]+\b")
_IN_PATH = re.compile(r"(?<![${])\{(?P<name>[A-Za-z_]\w*)\}(?!\})|(?<=/):(?P<express>[A-Za-z_]\w*)")  # OpenAPI, Express


def check_placeholders(suite: Suite, diagnostics: Diagnostics) -> None:
    """Placeholders of other languages. What may well be meant as it stands is let pass."""
    names = _set_names(suite)
    said: set[Span] = set()
    for use in all_uses(suite):
        if use.place not in (Place.PLAIN, Place.URL, Place.NOTIFICATION):
            continue
        for literal in _texts(use.expression):
            for written, right in _placeholders(str(literal.value), names, in_url=use.place is Place.URL):
                span = _piece(literal.span, written)
                if span not in said:
                    said.add(span)
                    diagnostics.warning(
                        "VF231", span, f"'{written}' is sent literally", help=f"use `${{{right}}}` to insert the value"
                    )


def _set_names(suite: Suite) -> set[str]:
    found = [*set_in(suite.vars, suite_steps(suite))]
    for flow in suite.flows:
        found += set_in(flow.vars, flow_steps(flow))
    return {name for name, _ in found}


def _texts(expression: Expression) -> Iterator[Literal]:
    """The pieces of a text that are no code."""
    parts = expression.parts if isinstance(expression, Template) else (expression,)
    return (part for part in parts if isinstance(part, Literal) and isinstance(part.value, str))


def _placeholders(text: str, names: set[str], *, in_url: bool) -> Iterator[tuple[str, str]]:
    """What looks like a placeholder, and what it would be here."""
    for match in _BRACES.finditer(text):
        yield match[0], _here(match["name"], names)
    for match in _SHELL.finditer(text):
        if match["name"] in names or (match["name"].isupper() and len(match["name"]) > 1):
            yield match[0], _here(match["name"], names)
    for match in _BARE.finditer(text):
        yield match[0], match[0]
    for match in _IN_PATH.finditer(text) if in_url else ():
        yield match[0], _here(match["name"] or match["express"], names)


def _here(name: str, names: set[str]) -> str:
    return f"env.{name}" if name.isupper() and name not in names else name or "…"


def _piece(span: Span, written: str) -> Span:
    """Where the placeholder stands; the whole text where escapes are in the way."""
    at = span.text.find(written)
    return span if at < 0 else Span(span.source, span.start + at, span.start + at + len(written))
