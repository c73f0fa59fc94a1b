"""The calendar for a terminal: the sentence first, then a row for each night.

No line is wider than the width, but for words that are longer. What is said of a run is beside it where there is room,
else below it.
"""

import textwrap
from collections.abc import Iterator, Sequence

from vezaflow.diagnostics import printable
from vezaflow.nights.acceptance import Acceptance, Decision
from vezaflow.nights.calendar import Calendar, NightVerdict
from vezaflow.nights.words import NightRow, left_out, night_rows, rule_line, stray_rows
from vezaflow.reports import DIM, Look, wrapped

_TONES: dict[NightVerdict | None, str] = {
    NightVerdict.GREEN: "32",
    NightVerdict.RED: "1;31",
    NightVerdict.INCONCLUSIVE: "33",
    NightVerdict.MISSING: DIM,
    NightVerdict.PENDING: DIM,
}
_SENTENCE = {Decision.ACCEPTED: "1;32", Decision.RED: "1;31", Decision.NOT_YET: "1;33"}
_HEAD = ("night", "verdict", "p95", "failed", "run")
_VERDICT = 1
_LEFT = {0, _VERDICT, 4}  # columns of words
_LEAST = 36  # columns for a remark beside its run


def page(suite: str, found: Calendar, decision: Acceptance, *, last: int, colour: bool, width: int) -> str:
    """The whole page, its lines ended: the last nights, and what is in none."""
    return "\n".join(_lines(suite, found, decision, last, Look(colour, width))) + "\n"


def _lines(suite: str, found: Calendar, decision: Acceptance, last: int, look: Look) -> Iterator[str]:
    tone = _SENTENCE[decision.decision]
    yield from wrapped(printable(decision.sentence), look, "", lambda line: look.paint(line, tone))
    yield from wrapped(printable(f"{suite}: {rule_line(found)}"), look, "  ")
    yield ""
    nights = found.nights[-last:]
    yield from _table(_HEAD, [row for night in nights for row in night_rows(night)], look)
    strays = list(stray_rows(found, nights))
    if strays:
        yield ""
        yield look.title("In no night (times in UTC)")
        yield from _table(("started", *_HEAD[1:]), strays, look)
    notes = list(left_out(found, nights))
    if notes:
        yield ""
    for note in notes:
        yield from wrapped(printable(note), look, "  ", lambda line: look.paint(line, DIM))


def _table(head: Sequence[str], rows: Sequence[NightRow], look: Look) -> Iterator[str]:
    cells = [(row.day, _said(row, look), row.p95, row.failed, printable(row.run_id)) for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    yield look.paint(_line(head, widths), DIM)
    below = 2 + widths[0] + 2  # the column of the verdict
    beside = sum(widths) + 2 * len(widths) + 2
    inline = look.width - beside >= _LEAST
    for row, cell in zip(rows, cells, strict=True):
        plain = _line(cell, widths)
        end = below + len(cell[_VERDICT])
        line = plain[:below] + look.paint(plain[below:end], _TONES.get(row.verdict, DIM)) + plain[end:]
        indent = beside if inline else below
        remark = textwrap.wrap(printable(row.remark), max(_LEAST, look.width - indent), break_on_hyphens=False)
        if inline and remark:
            line += " " * (beside - len(plain)) + look.paint(remark.pop(0), DIM)
        yield line
        yield from (" " * indent + look.paint(piece, DIM) for piece in remark)


def _said(row: NightRow, look: Look) -> str:
    """The night's verdict, which in red is set off by its letters without colours; in further rows the run's own."""
    if row.verdict is None:
        return row.outcome
    return "RED" if row.verdict is NightVerdict.RED and not look.colour else row.verdict.value


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    columns = (
        f"{cell:<{width}}" if n in _LEFT else f"{cell:>{width}}"
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return ("  " + "  ".join(columns)).rstrip()
