"""YAML as a tree that remembers where everything stands.

A scalar keeps the author's text; what it means (`typed`) follows the YAML 1.2 core schema, never 1.1's
surprises: `on`, `no` and `yes` are text, `1:30` is text, `0123` is 123, and only `0o17` and `0x1F` are in
other bases.
"""

import math
import re
from dataclasses import dataclass

from vezaflow.diagnostics import Span

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_BASED = re.compile(r"0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_NAN = frozenset((".nan", ".NaN", ".NAN"))


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as written. `text` is the value after YAML's quoting and folding."""

    text: str
    span: Span
    plain: bool  # written without quotes or block style, so it may be a number, a boolean or null
    # source offset of each character of `text`, when it is not `span.start + i`
    offsets: tuple[int, ...] | range | None = None

    def typed(self) -> bool | int | float | str | None:
        """The value by YAML 1.2: only plain scalars may be other than text."""
        return _typed(self.text) if self.plain else self.text

    def piece(self, start: int, end: int) -> Span:
        """The span in the source of `text[start:end]`; of an empty piece, its place."""
        return Span(self.span.source, self._at(start), self._at(end - 1) + 1 if end > start else self._at(start))

    def _at(self, index: int) -> int:
        if self.offsets is None:
            return min(self.span.start + index, self.span.end)
        if index < len(self.offsets):
            return self.offsets[index]
        return self.offsets[-1] + 1 if self.offsets else self.span.start


def _typed(text: str) -> bool | int | float | str | None:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    if match := _INFINITE.fullmatch(text):
        return float(match[1] + "inf")
    return float("nan") if text in _NAN else text


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple["Node", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Entries in the order written; duplicate keys were reported and the first one kept."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, key: str) -> "Node | None":
        entry = self.entry(key)
        return entry.value if entry else None

    def entry(self, key: str) -> Entry | None:
        return next((e for e in self.entries if e.key.text == key), None)


Node = Scalar | Sequence | Mapping
