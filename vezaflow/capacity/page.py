"""What a capacity search found, for a terminal: the sentence first, then a row for each level."""

from collections.abc import Iterator

from vezaflow.capacity.capacity import Capacity
from vezaflow.capacity.search import LevelOutcome
from vezaflow.capacity.words import HEAD, capacity_rows, notes, verdict_line
from vezaflow.diagnostics import printable
from vezaflow.gates import Outcome
from vezaflow.reports import DIM, Look, table, wrapped

_SENTENCE = {Outcome.GREEN: "1;32", Outcome.RED: "1;31", Outcome.INCONCLUSIVE: "1;33"}
_LEVEL: dict[LevelOutcome | None, str] = {LevelOutcome.BROKE: "31", LevelOutcome.UNCLEAR: "33"}


def page(found: Capacity, *, colour: bool, width: int) -> str:
    """The whole page, its lines ended."""
    return "\n".join(_lines(found, Look(colour, width))) + "\n"


def _lines(found: Capacity, look: Look) -> Iterator[str]:
    tone = _SENTENCE[found.outcome]
    text = printable(f"{found.suite}: {verdict_line(found)}")
    yield from wrapped(text, look, "", lambda line: look.paint(line, tone))
    for note in notes(found):
        yield from wrapped(printable(note), look, "  ")
    rows = capacity_rows(found)
    if not rows:
        return
    yield ""
    head, *lines = table(HEAD, [row.cells for row in rows], look)
    yield head
    for row, line in zip(rows, lines, strict=True):
        yield look.paint(line, _LEVEL[row.outcome]) if row.outcome in _LEVEL else line
        if row.why:
            yield from wrapped(printable(row.why), look, "      ", lambda text: look.paint(text, DIM))
