"""The figures of a run with their spread within it: each as it was, and as it was in each of the resamples.

All steps of a run are resampled with the same blocks, so that what moves them together does so in every resample.
Percentiles and rates are logarithms: a difference of them is a ratio. Failure rates are shares.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import ceil, exp, sqrt
from statistics import median
from typing import TYPE_CHECKING

from vezaflow.compare.blocks import FEWEST_BLOCKS, FEWEST_SECONDS, block_length, severed, shortest_block, weights
from vezaflow.compare.counts import Counts, RunCounts
from vezaflow.metrics import StepName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 2000
FEWEST_ABOVE = 100  # samples above a percentile
OVERLAP = 1.5
"""Blocks that may overlap know a variance as well as 1.5 times as many that don't (Meketon and Schmeiser, 1984)."""
_LEAST = 1e-6  # seconds: a time of zero has no logarithm
_BOUNDED = 0.025  # of the resamples


class FigureKind(Enum):
    """What of a step is compared."""

    P50 = "p50"
    P95 = "p95"
    P99 = "p99"
    FAILED = "failed"
    RATE = "rate"


QUANTILES = {FigureKind.P50: 0.5, FigureKind.P95: 0.95, FigureKind.P99: 0.99}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one step. `value` in seconds, a share or requests per second; `point` and `draws` as compared.
    `least`: the sd that a failure rate has at least, though none of the seconds had a failure."""

    value: float
    point: float
    draws: "Floats"
    lacking: str = ""  # why it can't be compared
    least: float = 0.0
    bounded: bool = False  # requests that timed out are where the percentile is: it is a lower bound


@dataclass(frozen=True, slots=True)
class Resampled:
    """A run's figures. `freedom`: the degrees of freedom of their spread."""

    figures: Mapping[tuple[StepName, FigureKind], Figure]
    freedom: float
    block: int


def resampled(run: RunCounts, salt: str = "", resamples: int = RESAMPLES) -> Resampled:
    """The figures of all steps. The same run and salt give the same draws."""
    import numpy as np

    seconds = len(run.lengths)
    few = ""
    if not seconds:
        few = "the run has no figures by the second"
    elif seconds < FEWEST_SECONDS:
        few = f"the run has {seconds} seconds, and at least {FEWEST_SECONDS} are needed"
    if few:
        figures = {
            (name, metric): _without_draws(run, counts, metric, few)
            for name, counts in run.steps.items()
            for metric in FigureKind
        }
        return Resampled(figures, 1.0, 1)
    length = ceil(median(_length(counts) for counts in run.steps.values())) if run.steps else shortest_block(seconds)
    random = np.random.default_rng(zlib.crc32(f"{run.run_id} {salt}".encode()))
    drawn = weights(seconds, length, resamples, random)
    whole = np.ones((1, seconds), np.float32)
    figures = {}
    for name, counts in run.steps.items():
        points, draws = _figures(run, counts, whole), _figures(run, counts, drawn)
        wider = _wider(counts, length)
        for metric, (value, bounded) in points.items():
            many, cut = draws[metric]
            many = many.mean() + (many - many.mean()) * wider
            figures[name, metric] = Figure(
                _value(metric, float(value[0])),
                float(value[0]),
                many,
                _lacking(counts, metric),
                _least(counts) if metric is FigureKind.FAILED else 0.0,
                bool(bounded[0]) or float(cut.mean()) > _BOUNDED,
            )
    return Resampled(figures, max(OVERLAP * seconds / length - 1, 1.0), length)


def _without_draws(run: RunCounts, counts: Counts, metric: FigureKind, why: str) -> Figure:
    import numpy as np

    point, bounded = _figures(run, counts, np.ones((1, len(run.lengths)), np.float32))[metric]
    return Figure(_value(metric, float(point[0])), float(point[0]), np.zeros(0), why, bounded=bool(bounded[0]))


def _length(counts: Counts) -> int:
    """The length of a block that suits a step: of the log p95 of its seconds, or of their mean log time, which shows
    the moods of seconds with few requests, where the p95 is mostly noise."""
    import numpy as np

    held = counts.samples.sum(axis=1) > 0
    if held.sum() < FEWEST_SECONDS:
        return shortest_block(len(held))
    rows = counts.samples[held]
    p95 = np.log(_quantile(counts, rows, rows.sum(axis=1), 0.95))
    mean = _means(counts, rows)
    return min(max(block_length(p95), block_length(mean)), len(held) // FEWEST_BLOCKS)


def _wider(counts: Counts, length: int) -> float:
    """How much wider than blocks show the draws of a step are, for what blocks cut apart."""
    rows = counts.samples[counts.samples.sum(axis=1) > 0]
    return sqrt(severed(_means(counts, rows), length)) if len(rows) >= FEWEST_SECONDS else 1.0


def _means(counts: Counts, rows: "NDArray[np.float32]") -> "Floats":
    """The mean log time of each second."""
    import numpy as np

    means: Floats = rows.astype(np.float64) @ np.log(np.maximum(counts.values, _LEAST)) / rows.sum(axis=1)
    return means


def _figures(
    run: RunCounts, counts: Counts, drawn: "NDArray[np.float32]"
) -> "dict[FigureKind, tuple[Floats, NDArray[np.bool_]]]":
    """Of each resample: each figure, and whether it is a lower bound."""
    import numpy as np

    requests, failed, known, lasted = (
        drawn @ part for part in (counts.requests, counts.failed, counts.known, run.lengths)
    )
    never = np.zeros(len(drawn), bool)
    found: dict[FigureKind, tuple[Floats, NDArray[np.bool_]]] = {}
    if counts.samples.shape[1]:
        summed = drawn @ counts.samples
        total = summed.sum(axis=1, dtype=np.float64)
        summed.cumsum(axis=1, out=summed)
        for metric, share in QUANTILES.items():
            ranks = _ranks(share, total)
            found[metric] = (np.log(_at_ranks(counts, summed, ranks)), ranks > known + 0.5)
    else:
        found |= {metric: (np.full(len(drawn), np.nan), never) for metric in QUANTILES}
    found[FigureKind.FAILED] = (failed / np.maximum(requests, 1), never)
    found[FigureKind.RATE] = (np.log(np.maximum(requests, 0.5) / lasted), never)
    return found


def _quantile(counts: Counts, rows: "NDArray[np.float32]", total: "Floats", share: float) -> "Floats":
    return _at_ranks(counts, rows.cumsum(axis=1), _ranks(share, total))


def _ranks(share: float, total: "Floats") -> "Floats":
    import numpy as np

    return np.maximum(np.ceil(np.round(share * total.astype(np.float64), 6)), 1)


def _at_ranks(counts: Counts, summed: "NDArray[np.float32]", ranks: "Floats") -> "Floats":
    """The nearest-rank quantiles: of each row the value of the first bucket up to which there are `ranks` samples."""
    import numpy as np

    places = (summed < ranks[:, None].astype(np.float32)).sum(axis=1)
    times: Floats = np.maximum(counts.values[np.minimum(places, len(counts.values) - 1)], _LEAST)
    return times


def _least(counts: Counts) -> float:
    """The binomial sd of a failure rate, with one failure more than there was."""
    requests, failed = float(counts.requests.sum()), float(counts.failed.sum())
    share = (failed + 1) / (requests + 2)
    return sqrt(share * (1 - share) / max(requests, 1))


def _value(metric: FigureKind, point: float) -> float:
    return point if metric is FigureKind.FAILED else exp(point)


def _lacking(counts: Counts, metric: FigureKind) -> str:
    samples = float(counts.samples.sum())
    share = QUANTILES.get(metric)
    if share is not None and round(samples * (1 - share), 6) < FEWEST_ABOVE:
        needed = round(FEWEST_ABOVE / (1 - share))
        return f"{round(samples):,} requests, and {metric.value} needs {needed:,}"
    if share is None and counts.requests.sum() < FEWEST_ABOVE:
        return f"{round(float(counts.requests.sum())):,} requests, and {FEWEST_ABOVE} are needed"
    return ""
