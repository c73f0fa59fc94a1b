"""The languages in which a response's body is searched: one row each, for the keys, the reader, lint and the editors.

A language is a row here, a `Source` in plan/sources.py, a code in diagnostics/codes.py and a file that reads it. The
libraries behind are loaded when the first text is met. Nothing else in vezaflow knows which languages there are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vezaflow.syntax.jsonpath import compile_jsonpath
from vezaflow.syntax.patterns import compile_pattern
from vezaflow.syntax.selectors import compile_css, compile_xpath

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[\d+\])*")  # a path without its `$`


@dataclass(frozen=True, slots=True)
class Query:
    """`title`: "this is not a valid <title>" (`code`); `wanted`: "… must be <wanted>"; `doc` and `example` of its key
    in `extract`. `compile` raises ValueError with the reason in one line."""

    title: str
    wanted: str
    doc: str
    example: str
    code: str
    compile: Callable[[str], Any]
    pattern: str = ""  # that every text in this language matches, for editors; empty: none
    hint: Callable[[str], str] = lambda text: ""  # what to write instead of a text that is not valid
    structured: bool = False  # whether what it finds may have fields of its own


def _rooted(text: str) -> str:
    return f"write `$.{text}`" if _DOTTED.fullmatch(text) else ""


QUERIES: dict[str, Query] = {
    "json": Query(
        "JSONPath",
        "a JSONPath, such as `$.data[0].id`",
        "A JSONPath in the body.",
        "$.data[*].id",
        "VF210",
        compile_jsonpath,
        pattern=r"^\$",
        hint=_rooted,
        structured=True,
    ),
    "regex": Query(
        "pattern",
        "a regular expression",
        "A regular expression on the body's text: its first group, or the whole match.",
        "token=(\\w+)",
        "VF211",
        compile_pattern,
    ),
    "css": Query(
        "CSS selector",
        "a CSS selector, with `::attr(name)` at the end for an attribute",
        "Elements of an HTML body: their texts, or an attribute. URLs in `href`, `src` and `action` are made absolute.",
        "a.next::attr(href)",
        "VF228",
        compile_css,
    ),
    "xpath": Query(
        "XPath",
        "an XPath, such as `//item/title`",
        "Nodes of an XML body. Prefixes are those of the document; its default namespace is `ns`.",
        "//channel/item/title",
        "VF229",
        compile_xpath,
    ),
}
