"""A chart over time as SVG: what a page without scripts and a printed one show. Every line of at most 100 points."""

from math import ceil

from vezaflow.reports.page.marks import Mark, bands_svg, names_svg
from vezaflow.reports.page.series import Chart
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
    polyline,
    rows_of,
    times_of,
    top_of,
)

_MOST = 100  # points of a line
COLOURS = {
    "main": "#3457d5",
    "second": "#8aa0ea",
    "light": "#7a8699",
    "faint": "#b6bdc9",
    "bad": "#c92a2a",
    "ochre": "#b26a00",
    "teal": "#0f7f86",
    "plum": "#8a3ea8",
}


def chart_svg(chart: Chart, seconds: float, marks: tuple[Mark, ...] = ()) -> Svg:
    """The chart from 0 to `seconds`, with marks behind its lines."""
    x = Axis(0.0, max(seconds, *chart.times, 1e-9), LEFT, WIDTH - RIGHT)
    values = [value for line in chart.lines for value in line.values if value is not None]
    names, tall = names_svg(marks, x, TOP)
    height = HEIGHT + tall
    y = Axis(0.0, top_of(values), height - BOTTOM, TOP + tall)
    behind = bands_svg(marks, x, TOP + tall, height - BOTTOM)
    stride = max(1, ceil(len(chart.times) / _MOST))
    drawn = "".join(
        f'<path d="{d}" class="line {line.tone}" fill="none" stroke="{COLOURS[line.tone]}"/>'
        for line in reversed(chart.lines)
        if (
            d := polyline(
                [
                    (x.at(time), None if value is None else y.at(value))
                    for time, value in list(zip(chart.times, line.values, strict=True))[::stride]
                ]
            )
        )
    )
    return drawing(
        behind + rows_of(y, chart.dimension, LEFT, WIDTH - RIGHT) + times_of(x, height - 5) + drawn + names,
        f"{chart.title}: {chart.about} The figures are in the table below.",
        height=height,
    )
