"""What happened at a time of the load, for the charts: a band, or a line where it took no time; with its name.

Laws: names don't overlap: they stand in up to two rows above a chart, events first, and one that has no room is left
out (the table of events has it). Marks that are less than a pixel apart are drawn as one, so that a chart's part of a
page is bounded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from vezaflow.reports.page.svg import Axis, pixel
from vezaflow.results import RunResult

_ROWS, _TALL = 2, 11  # rows of names, and their height
_LETTER = 5.2  # about the width of a letter at the size of a name
_LONGEST = 24  # letters of a name


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that began `begin` seconds after the run's start. `end` None: it took no time."""

    name: str
    begin: float
    end: float | None = None
    minor: bool = False  # its name stands behind those of others

    def to_json(self) -> dict[str, Any]:
        return {"name": _short(self.name), "begin": self.begin, "end": self.end, "minor": self.minor}


def marks_of(result: RunResult) -> tuple[Mark, ...]:
    """The flows that began later than the load, and its events; an event that did not end lasts until the load's."""
    flows = [Mark(f"{load.flow} starts", load.start_time, minor=True) for load in result.flows if load.start_time > 0]
    events = [
        Mark(event.name, event.begin, max(event.begin, result.duration) if event.end is None else event.end)
        for event in result.events
    ]
    return tuple(sorted((*flows, *events), key=lambda mark: mark.begin))


def bands_svg(marks: Sequence[Mark], x: Axis, top: float, bottom: float) -> str:
    """The bands, to stand behind a chart's lines."""
    bands = "".join(
        f"M{pixel(start)} {pixel(top)}h{pixel(end - start)}V{pixel(bottom)}h{pixel(start - end)}z"
        for start, end in _bands(marks, x)
    )
    return f'<path d="{bands}" class="mark" fill="#b8860033"/>' if bands else ""


def names_svg(marks: Sequence[Mark], x: Axis, top: float) -> tuple[str, float]:
    """The names, to stand above a chart's lines from `top` on, and how tall they are."""
    found = list(_placed(marks, x))
    if not found:
        return "", 0.0
    names = "".join(
        f'<text x="{pixel(at)}" y="{pixel(top + 5 + row * _TALL)}">{escape(name)}</text>' for at, row, name in found
    )
    tall = _TALL * (1 + max(row for _, row, _ in found))
    return f'<g class="named" fill="currentColor" font-size="9.5">{names}</g>', tall


def _bands(marks: Sequence[Mark], x: Axis) -> Iterator[tuple[float, float]]:
    """From pixel to pixel, in the order of time."""
    last: tuple[float, float] | None = None
    for mark in marks:
        start = x.at(mark.begin)
        end = max(start + 1.0, x.at(mark.begin if mark.end is None else mark.end))
        if last is not None and start < last[1] + 1.0:
            last = (last[0], max(last[1], end))
            continue
        if last is not None:
            yield last
        last = (start, end)
    if last is not None:
        yield last


def _placed(marks: Sequence[Mark], x: Axis) -> Iterator[tuple[float, int, str]]:
    """The names that have room: pixel, row, text."""
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_ROWS)]
    for mark in sorted(marks, key=lambda mark: mark.minor):
        name = _short(mark.name)
        wide = len(name) * _LETTER + 4
        at = max(x.start, min(x.at(mark.begin), x.end - wide))
        for row, spans in enumerate(taken):
            if all(at >= end or at + wide <= start for start, end in spans):
                spans.append((at, at + wide))
                yield at, row, name
                break


def _short(name: str) -> str:
    plain = " ".join(name.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
