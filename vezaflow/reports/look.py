"""How a page for people is set: its width, its colours, its tables. Widths are columns of a terminal, of which a
character of Chinese or an emoji takes two."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vezaflow.diagnostics import columns, folded, printable

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
    return map(set_in, folded(text, look.width, indent))


def table(
    head: Sequence[str],
    cells: Sequence[Sequence[str]],
    look: Look,
    spare: Sequence[str] = (),
    below: Sequence[Sequence[str]] = (),
    least: int | None = None,
) -> Iterator[str]:
    """Columns as wide as they need to be, numbers to the right; those to `spare` go when there is no room. `below`: for
    each row the lines that stand under it. A name that is too long is cut; with `least`, the columns that are enough
    for names before others go, it gets a line of its own instead. What has no room then stands in a table
    below."""
    held = list(zip(head, *cells, strict=True))
    for name in spare:
        first, *others = (max(map(columns, column)) + 2 for column in held)
        first = first if least is None else min(first, least + 2)
        if max(_NARROWEST + 2, first) + sum(others) > look.width:
            held = [column for column in held if column[0] != name]
    here = _room(held, look.width)
    rest, held = [held[0], *held[here:]], held[:here]
    head, cells = _turned(held)
    widths = [max(map(columns, column)) for column in held]
    widths[0] = max(_NARROWEST, min(widths[0], look.width - 2 - sum(width + 2 for width in widths[1:])))
    yield look.paint(_cells(head, widths), DIM)
    for number, row in enumerate(cells):
        if least is not None and columns(printable(row[0])) > widths[0]:
            yield from wrapped(printable(row[0]), look, "  ")
            row = ("", *row[1:])
        yield _cells(row, widths)
        yield from below[number] if below else ()
    if len(rest) > 1:
        yield from table(*_turned(rest), look, least=least)


def _room(held: Sequence[Sequence[str]], width: int) -> int:
    """How many columns of a table have room, its first and one more in any case."""
    taken = 2 + _NARROWEST
    for number, column in enumerate(held[1:], 1):
        taken += max(map(columns, column)) + 2
        if taken > width and number > 1:
            return number
    return len(held)


def _turned(held: Sequence[Sequence[str]]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    head, *cells = zip(*held, strict=True)
    return head, cells


def _cells(row: Sequence[str], widths: Sequence[int]) -> str:
    name = printable(row[0])
    name = name if columns(name) <= widths[0] else _cut(name, widths[0])
    rest = "".join(f"  {' ' * (width - columns(cell))}{cell}" for cell, width in zip(row[1:], widths[1:], strict=True))
    return f"  {padded(name, widths[0])}{rest}".rstrip()


def padded(text: str, width: int) -> str:
    """The text with blanks up to so many columns."""
    return text + " " * (width - columns(text))


def _cut(text: str, width: int) -> str:
    """The beginning of a text, in so many columns."""
    taken = 1  # of the ellipsis
    for number, character in enumerate(text):
        taken += columns(character)
        if taken > width:
            return f"{text[:number]}…"
    return text
