"""Latency against load: a dot for each interval at its requests per second and its p95, as inline SVG."""

from collections.abc import Sequence

from vezaflow.reports.page.columns import PageColumn, StepPart
from vezaflow.reports.page.heatmap import latencies
from vezaflow.reports.page.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Svg,
    drawing,
    labels,
    rule,
    top_of,
    words,
)
from vezaflow.units import Dimension, duration

_FEWEST = 2  # dots that say something together


def scatter(name: str, columns: Sequence[PageColumn], held: Sequence[StepPart]) -> Svg | None:
    """The p95 of `held` against the requests per second of all that ran beside it; None where there are no two."""
    dots = [
        (sum(each.requests for each in column.steps.values()) / column.length, float(p95))
        for column, mine in zip(columns, held, strict=True)
        if (p95 := mine.times.quantile(0.95))
    ]
    if len(dots) < _FEWEST:
        return None
    low, high = min(p95 for _, p95 in dots) * 0.9, max(p95 for _, p95 in dots) * 1.1
    if high < 2 * low:
        low, high = low / 1.3, high * 1.3
    x = Axis(0.0, top_of(rate for rate, _ in dots), LEFT, WIDTH - RIGHT - 6)
    y = Axis(low, high, HEIGHT - BOTTOM, TOP, log=True)
    places = dict.fromkeys((round(x.at(rate)), round(y.at(p95))) for rate, p95 in dots)
    d = "".join(f"M{across} {up}h0" for across, up in places)
    ticks = labels((x.at(value), HEIGHT - 5, f"{words(value, None)}/s") for value in x.ticks(4))
    drawn = f'<path d="{d}" class="dots" stroke="#3457d5" stroke-width="4" stroke-linecap="round" fill="none"/>'
    least, most = min(dots), max(dots)
    ends = ", ".join(f"{duration(p95)} at {words(round(rate, 1), Dimension.RATE)}" for rate, p95 in (least, most))
    said = f"p95 of {name} against requests per second: {ends}"
    return drawing(latencies(y) + rule(f"M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}") + ticks + drawn, said)
