"""Blocks for a terminal: pure functions from numbers to lines of a given width."""

from collections.abc import Sequence

from vezaflow import units

_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = 8
_LABEL = 12  # columns that a time below the axis needs for itself, at least


def bars(values: Sequence[float], rows: int) -> list[str]:
    """A column for each value, so many rows high, the highest first row first; what is not nothing is seen."""
    top = max(values, default=0.0)
    if top <= 0:
        return [" " * len(values)] * rows
    heights = [max(1, round(value / top * rows * _EIGHTHS)) if value > 0 else 0 for value in values]
    return ["".join(_cell(height, row) for height in heights) for row in range(rows - 1, -1, -1)]


def _cell(height: int, row: int) -> str:
    return _BLOCKS[max(0, min(_EIGHTHS, height - row * _EIGHTHS))]


def axis(width: int, seconds: float) -> tuple[str, str]:
    """A line of so many columns with ticks, and the times below it."""
    parts = next((count for count in (4, 2) if width // count >= _LABEL), 1)
    line, below = ["─"] * width, [" "] * (width + _LABEL)
    for part in range(parts + 1):
        at = min(width - 1, round(width * part / parts))
        line[at] = "┬"
        label = units.duration(round(seconds * part / parts, 3))
        begin = at if part == 0 else at - len(label) + 1 if part == parts else at - len(label) // 2
        below[begin : begin + len(label)] = label
    return "".join(line), "".join(below).rstrip()
