"""Where latency was, and when: a grid of time and log latency as inline SVG, the darker the more responses.

Law: at most 50 columns, 18 rows and a path for each of five shades: at most some 4 KB, however long the run.
"""

from collections.abc import Sequence
from itertools import groupby
from math import ceil, sqrt

from vezaflow.metrics import Histogram, merged
from vezaflow.reports.page.bins import binned
from vezaflow.reports.page.columns import StepPart
from vezaflow.reports.page.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Svg,
    clock,
    drawing,
    labels,
    times_of,
    words,
)
from vezaflow.units import Dimension

COLUMNS, ROWS, SHADES = 50, 18, 5
_LEAST = 1e-6  # seconds: what is shorter is drawn there


def heatmap(name: str, ends: Sequence[float], held: Sequence[StepPart], seconds: float) -> Svg | None:
    """The map of one step; None where nothing came."""
    stride = max(1, ceil(len(held) / COLUMNS))
    columns = [
        (
            ends[at - 1] if at else 0.0,
            ends[min(at + stride, len(ends)) - 1],
            merged(each.times for each in held[at : at + stride]),
        )
        for at in range(0, len(held), stride)
    ]
    known = [times for _, _, times in columns if times.count]
    if not known:
        return None
    low, high = span(known)
    x = Axis(0.0, max(seconds, ends[-1]), LEFT, WIDTH - RIGHT)
    y = Axis(low, high, HEIGHT - BOTTOM, TOP, log=True)
    rows = [binned(times, low, high, ROWS) for _, _, times in columns]
    most = max(map(max, rows))
    wide, tall = (x.at(columns[-1][1]) - LEFT) / len(columns), (HEIGHT - BOTTOM - TOP) / ROWS
    place = f'transform="translate({LEFT} {TOP + tall / 2:.2f}) scale({wide:.3f} {tall:.3f})"'
    drawn = "".join(
        f'<path d="{path}" class="heat" stroke="#3457d5" stroke-opacity="{(shade + 1) / SHADES:.2f}"/>'
        for shade, path in enumerate(_paths(rows, most))
        if path
    )
    drawn = f'<g {place} stroke-width="1.06">{drawn}</g>'
    whole = merged(known)
    p50, p95 = whole.quantiles((0.5, 0.95))
    figures = f"{whole.samples:,} responses, p50 {_said(p50)}, p95 {_said(p95)}"
    said = f"Latency of {name} over {clock(round(seconds))}: {figures}"
    return drawing(latencies(y) + drawn + times_of(x, HEIGHT - 5), said)


def _paths(rows: Sequence[Sequence[int]], most: int) -> list[str]:
    """A path for each shade, in cells from the top left; neighbours in a row of one shade are one stroke."""
    paths = [""] * SHADES
    for row in range(ROWS):
        shades = [_shade(counts[row], most) if counts[row] else None for counts in rows]
        at = 0
        for shade, held in groupby(shades):
            wide = len(list(held))
            if shade is not None:
                paths[shade] += f"M{at} {ROWS - row - 1}h{wide}"
            at += wide
    return paths


def span(known: Sequence[Histogram]) -> tuple[float, float]:
    """The ends of a log axis on which all these times are."""
    low = max(_LEAST, min(times.minimum for times in known)) * 0.9
    high = max(_LEAST * 2, max(times.maximum for times in known)) * 1.1
    return (low, high) if high > 2 * low else (low / 1.5, high * 1.5)


def latencies(y: Axis) -> str:
    """A log y axis of times."""
    return labels([(LEFT - 5, y.at(value) + 3.5, words(value, Dimension.TIME)) for value in y.ticks(6)], "end")


def _shade(count: int, most: int) -> int:
    """By the square root, so that a few slow ones are seen beside many fast ones."""
    return min(SHADES - 1, int(sqrt(count / most) * SHADES))


def _said(time: float | None) -> str:
    return "–" if time is None else words(time, Dimension.TIME)
