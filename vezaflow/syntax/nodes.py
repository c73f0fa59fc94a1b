"""YAML as a tree that remembers where everything stands.

A scalar keeps the author's text; what it means (`typed`) follows the YAML 1.2 core schema, never 1.1's surprises.
"""

from dataclasses import dataclass

from vezaflow.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as written. `text` is the value after YAML's quoting and folding."""

    text: str
    span: Span
    plain: bool  # written without quotes or block style, so it may be a number, a boolean or null
    offsets: tuple[int, ...] | None = None  # source offset of each character of `text`, when it is not `span.start + i`

    def typed(self) -> None | bool | int | float | str:
        """The value by YAML 1.2: only plain scalars may be other than text."""
        raise NotImplementedError

    def piece(self, start: int, end: int) -> Span:
        """The span in the source of `text[start:end]`."""
        raise NotImplementedError


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
        return next((e.value for e in self.entries if e.key.text == key), None)


Node = Scalar | Sequence | Mapping
