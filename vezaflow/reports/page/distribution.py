"""How the latencies of one step are distributed: bars on a log scale as inline SVG, with its percentiles as lines."""

from vezaflow import units
from vezaflow.metrics import Histogram
from vezaflow.reports.page.bins import binned
from vezaflow.reports.page.heatmap import span
from vezaflow.reports.page.svg import BOTTOM, HEIGHT, RIGHT, WIDTH, Axis, Svg, drawing, labels, pixel, rule, words
from vezaflow.units import Dimension

BARS = 56
_LEFT, _TOP = 10, 26
_LINES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_APART = 34.0  # pixels between the names of two percentiles


def distribution(name: str, times: Histogram) -> Svg | None:
    """The bars of one step; None where no response came."""
    if not times.count:
        return None
    low, high = span([times])
    x = Axis(low, high, _LEFT, WIDTH - RIGHT, log=True)
    counts = binned(times, low, high, BARS)
    floor, width = HEIGHT - BOTTOM, (WIDTH - RIGHT - _LEFT) / BARS
    y = Axis(0.0, max(counts), floor, _TOP)
    bars = "".join(f"H{pixel(_LEFT + at * width)}V{pixel(_top(y, count))}" for at, count in enumerate(counts))
    inner = [
        f'<path d="M{_LEFT} {floor}{bars}H{WIDTH - RIGHT}V{floor}z" class="bars" fill="#3457d5"/>',
        rule(f"M{_LEFT} {floor}H{WIDTH - RIGHT}"),
        labels((x.at(value), HEIGHT - 5, words(value, Dimension.TIME)) for value in x.ticks(6)),
        _percentiles(times, x, floor),
    ]
    figures = ", ".join(f"{word} {_shown(times.quantile(share))}" for word, share in _LINES.items())
    return drawing("".join(inner), f"Distribution of the latency of {name}, {times.samples:,} responses: {figures}")


def _top(y: Axis, count: int) -> float:
    """A bar that has something is seen."""
    return min(y.at(count), y.start - 1.0) if count else y.start


def _percentiles(times: Histogram, x: Axis, floor: float) -> str:
    found = [
        (word, x.at(value))
        for word, value in zip(_LINES, times.quantiles(tuple(_LINES.values())), strict=True)
        if value is not None and not isinstance(value, units.AtLeast)
    ]
    lines = "".join(f"M{pixel(at)} {_TOP - 8}V{floor}" for _, at in found)
    names: list[tuple[float, float, str]] = []
    right = WIDTH - 14.0
    for word, at in reversed(found):  # from the right, since that is where they are close to each other
        names.append((min(at, right), _TOP - 12, word))
        right = names[-1][0] - _APART
    return f'<path d="{lines}" class="percentile" stroke="currentColor"/>{labels(names)}'


def _shown(time: float | None) -> str:
    return "–" if time is None else units.duration(time)
