"""Where a series of nights changed its level: E-divisive (Matteson and James, 2014) with a test of significance.

Laws: the same series gives the same points. As in Hunter and Otava (Fleming and others, 2023), windows of the series
are split where both sides are most unlike, by a weak test first, and then points are dropped, the weakest first, until
all pass a strict one between their neighbours: a single strict pass would miss two changes that follow each other. The
test is Welch's (no equal spread is assumed), moderated for short sides. Nights that follow each other may resemble each
other: their effective number is less by that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import fmean, variance
from typing import TYPE_CHECKING

from vezaflow.compare.student import both_tails

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WINDOW = 30
FEWEST_AFTER = 3  # nights on either side
WEAK, STRICT = 0.01, 0.001
MAGNITUDE = log(1.05)
_SHARED = 4.0
"""The spread of both sides together counts for each side as this many of its nights: three nights know little of it."""
_RESOLUTION = 1e-3  # of a figure: histograms tell no less apart


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """`at`: the first of the series that has the new level. `before` and `after`: the mean levels of both sides."""

    at: int
    before: float
    after: float
    p: float


def change_points(
    series: Sequence[float], magnitude: float = MAGNITUDE, resolution: float = _RESOLUTION
) -> tuple[ChangePoint, ...]:
    """The points at which the level changed by more than `magnitude`, in the order of the series."""
    import numpy as np

    values = np.asarray(series, float)
    found: set[int] = set()
    for start in range(0, max(len(values) - WINDOW // 2, 1), WINDOW // 2):
        _split(values, start, min(start + WINDOW, len(values)), found, resolution)
    return _kept(values, sorted(found), magnitude, resolution)


def _split(values: "Floats", start: int, end: int, found: set[int], resolution: float) -> None:
    """Split a window where both sides are most unlike, then each side."""
    at = _best_split(values[start:end])
    if at is None:
        return
    at += start
    if _p(values[start:at], values[at:end], resolution, weak=True) < WEAK:
        found.add(at)
        _split(values, start, at, found, resolution)
        _split(values, at, end, found, resolution)


def _best_split(window: "Floats") -> int | None:
    """The place of the largest scaled energy distance between both sides."""
    import numpy as np

    n = len(window)
    if n < 2 * FEWEST_AFTER:
        return None
    apart = np.abs(window[:, None] - window[None, :])
    summed = np.zeros((n + 1, n + 1))
    summed[1:, 1:] = apart.cumsum(0).cumsum(1)
    best, place = 0.0, None
    for m in range(FEWEST_AFTER, n - FEWEST_AFTER + 1):
        left, right = summed[m, m], summed[n, n] - 2 * summed[m, n] + summed[m, m]
        across = summed[m, n] - summed[m, m]
        k = n - m
        distance = 2 * across / (m * k) - left / (m * (m - 1)) - right / (k * (k - 1))
        if (scaled := float(distance * m * k / n)) > best:
            best, place = scaled, m
    return place


def _kept(values: "Floats", found: list[int], magnitude: float, resolution: float) -> tuple[ChangePoint, ...]:
    """Drop the weakest point until all are significant between their neighbours."""
    points = list(found)
    while points:
        edges = [0, *points, len(values)]
        sides = [(values[edges[i] : edges[i + 1]], values[edges[i + 1] : edges[i + 2]]) for i in range(len(points))]
        tested = [
            ChangePoint(at, fmean(before), fmean(after), _p(before, after, resolution))
            for at, (before, after) in zip(points, sides, strict=True)
        ]
        weakest = max(range(len(points)), key=lambda i: _weakness(tested[i], magnitude))
        if _weakness(tested[weakest], magnitude) < STRICT:
            return tuple(tested)
        points.pop(weakest)
    return ()


def _weakness(point: ChangePoint, magnitude: float) -> float:
    return point.p if abs(point.after - point.before) > magnitude else 1.0


def _p(before: "Floats", after: "Floats", resolution: float, *, weak: bool = False) -> float:
    """The test of the means. The weak one is of a side that may hold other changes: it looks at no resemblance."""
    n, k = len(before), len(after)
    if min(n, k) < FEWEST_AFTER:
        return 1.0
    inflation = 1.0 if weak else _inflation(before, after)
    own = [max(variance(map(float, side)), resolution**2) for side in (before, after)]
    pooled = ((n - 1) * own[0] + (k - 1) * own[1]) / (n + k - 2)
    shared = [
        (m - 1 + _SHARED, ((m - 1) * v + _SHARED * pooled) / (m - 1 + _SHARED))
        for m, v in zip((n, k), own, strict=True)
    ]
    spreads = [v * inflation / m for m, (_, v) in zip((n, k), shared, strict=True)]
    whole = sum(spreads)
    freedom = whole**2 / sum(spread**2 / free for spread, (free, _) in zip(spreads, shared, strict=True))
    return both_tails(abs(fmean(after) - fmean(before)) / sqrt(whole), min(freedom, n + k - 2))


def _inflation(before: "Floats", after: "Floats") -> float:
    """How much larger the variance of a mean is for the resemblance of neighbours: (1 + r) / (1 − r)."""
    rest = [side - side.mean() for side in (before, after)]
    power = sum(float(each @ each) for each in rest)
    if power <= 0:
        return 1.0
    products = sum(float(each[1:] @ each[:-1]) for each in rest)
    many = sum(map(len, rest))
    r = products / power + 2 / many  # what is lost by taking off the means
    return (1 + r) / (1 - r) if 0 < r < 0.9 else 19.0 if r >= 0.9 else 1.0
