"""How a page for people is set: its width, its colours, its tables."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vezaflow.diagnostics import printable

_BOLD = "1"
DIM = "2"
_NARROWEST = 8  # columns that a table's first one has at least


@dataclass(frozen=True, slots=True)
class Look:
    """`colour`: a terminal's colours; `width`: columns that there are."""

    colour: bool
    width: int

    def paint(self, text: str, tone: str) -> str:
        return f"\x1b[{tone}m{text}\x1b[0m" if self.colour and text else text

    def title(self, text: str) -> str:
        return self.paint(text, _BOLD)


def wrapped(text: str, look: Look, indent: str, set_in: Callable[[str], str] = str) -> Iterator[str]:
    """Prose in lines of whole words; a word that is too long keeps its line. `set_in`: how a line is painted."""
    lines = textwrap.wrap(
        text, look.width, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return map(set_in, lines)


def table(head: Sequence[str], cells: Sequence[Sequence[str]], look: Look, spare: Sequence[str] = ()) -> Iterator[str]:
    """Columns as wide as they need to be, numbers to the right; those to `spare` go when there is no room."""
    columns = list(zip(head, *cells, strict=True))
    for name in spare:
        first, *others = (max(map(len, column)) + 2 for column in columns)
        if max(_NARROWEST + 2, first) + sum(others) > look.width:
            columns = [column for column in columns if column[0] != name]
    head, *cells = zip(*columns, strict=True)
    widths = [max(map(len, column)) for column in columns]
    widths[0] = max(_NARROWEST, min(widths[0], look.width - 2 - sum(width + 2 for width in widths[1:])))
    yield look.paint(_cells(head, widths), DIM)
    for row in cells:
        yield _cells(row, widths)


def _cells(row: Sequence[str], widths: Sequence[int]) -> str:
    name = printable(row[0] if len(row[0]) <= widths[0] else row[0][: widths[0] - 1] + "…")
    rest = "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
    return f"  {name:<{widths[0]}}{rest}".rstrip()
