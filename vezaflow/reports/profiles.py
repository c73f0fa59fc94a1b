"""Profiles of the server in the reports: the functions that lead, what grew, where the file is."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from vezaflow import units
from vezaflow.diagnostics import printable
from vezaflow.profiles import FunctionShare, Growth, ProfileRecord
from vezaflow.reports import rows
from vezaflow.reports.look import DIM, Look, table, wrapped
from vezaflow.reports.markdown import markdown_table, markdown_text
from vezaflow.units import Dimension

TOP = 10  # functions in tables that have the room
_SHORT = 6  # in a terminal
_WIDE = 70  # characters of a function in Markdown
_SAID = {"nanoseconds": Dimension.TIME, "bytes": Dimension.SIZE}
_NANO = 1e-9


def profile_lines(records: Sequence[ProfileRecord], look: Look) -> Iterator[str]:
    """The lines of a page for people."""
    for record in records:
        if record.problem:  # the event, or a note, says so
            continue
        yield look.title(f"Profile {printable(record.name)}") + look.paint(f" ({printable(about(record))})", DIM)
        yield from table(("most by itself", "flat", "cum"), list(map(_cells, _leading(record, _SHORT))), look)
        yield from table(("most with its calls", "flat", "cum"), list(map(_cells, record.by_cum()[:_SHORT])), look)
        if record.against:
            yield from wrapped(printable(_since(record)), look, "  ")
        for growth in record.grown[:_SHORT]:
            yield from wrapped(printable(growth_text(growth)), look, "    ")
        if record.file:
            yield f"  written: {printable(record.file)}"


def profile_sections(records: Sequence[ProfileRecord]) -> Iterator[str]:
    """The same in Markdown."""
    for record in records:
        if record.problem:
            continue
        yield f"### Profile {markdown_text(record.name)}"
        yield ""
        pairs = zip_longest(_leading(record, TOP), record.by_cum()[:TOP])
        cells = [(*_row(one, flat=True), *_row(other, flat=False)) for one, other in pairs]
        yield from markdown_table(("most by itself", "flat", "most with its calls", "cum"), cells)
        if record.against:
            yield markdown_text(_since(record))
            yield ""
        if record.grown:
            yield from (f"- {markdown_text(growth_text(growth))}" for growth in record.grown)
            yield ""
        yield markdown_text(about(record) + (f"; written: {record.file}" if record.file else ""))
        yield ""


def about(record: ProfileRecord) -> str:
    """What it is of, in a few words: `cpu, 1.2 s in 120 samples, at 10 s, for 2 s`."""
    samples = f" in {units.counted(record.samples, 'sample')}" if record.samples else ""
    when = f"at {units.duration(round(record.begin, 1))}"
    lasted = f", for {units.duration(round(record.seconds, 1))}" if record.seconds else ""
    return f"{record.kind}, {amount(record)}{samples}, {when}{lasted}"


def amount(record: ProfileRecord) -> str:
    """Its total as people write it."""
    dimension = _SAID.get(record.unit)
    if dimension is None:
        return units.number(record.total)
    return units.text(record.total * (_NANO if dimension is Dimension.TIME else 1), dimension)


def growth_text(growth: Growth) -> str:
    """`main.search: 12 % → 19 % by itself, 20 % → 28 % with its calls`."""
    parts = ((growth.flat_before, growth.flat, "by itself"), (growth.cum_before, growth.cum, "with its calls"))
    said = (f"{rows.share(before)} → {rows.share(now)} {what}" for before, now, what in parts)
    return f"{growth.function}: {', '.join(said)}"


def _since(record: ProfileRecord) -> str:
    what = "what grew" if record.grown else "nothing grew"
    return f"{what} since the last green run, {record.against}"


def _cells(each: FunctionShare) -> tuple[str, ...]:
    return (each.function, rows.share(each.flat), rows.share(each.cum))


def _leading(record: ProfileRecord, most: int) -> list[FunctionShare]:
    """Those that were found running, the greatest share first."""
    return [each for each in record.by_flat()[:most] if each.flat]


def _row(each: FunctionShare | None, *, flat: bool) -> tuple[str, str]:
    if each is None:
        return "", ""
    name = each.function if len(each.function) <= _WIDE else f"{each.function[: _WIDE - 1]}…"
    return markdown_text(name), rows.share(each.flat if flat else each.cum)
