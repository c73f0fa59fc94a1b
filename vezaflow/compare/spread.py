"""How much runs of one plan differ among themselves, beyond what their own seconds explain.

Two runs are one draw each of everything that differs between runs: the machine's mood, the caches, the neighbours. No
amount of seconds shows that, only other runs do. Where there are none, `PRIOR` stands in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, variance

from vezaflow.compare.counts import counts_of
from vezaflow.compare.resampled import Figure, FigureKind, Resampled, resampled
from vezaflow.metrics import StepName
from vezaflow.results import RunResult

FEWEST_RUNS = 3
PRIOR = 0.03
"""The sd of a log percentile, or of a log rate, between runs of which nothing is known."""
PRIOR_FAILED = 0.3
"""The sd of a failure rate between such runs, as a fraction of it."""
_LEAST = 0.0025
"""No plan is taken to vary less between its runs."""
_RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations between runs by step and figure, of logarithms but for failure rates. `runs`: of how many."""

    deviations: Mapping[tuple[StepName, FigureKind], float]
    runs: int


UNKNOWN = Spread({}, 0)


def spread_of(runs: Sequence[RunResult]) -> Spread | None:
    """The spread between earlier runs of a plan; None of fewer than three."""
    if len(runs) < FEWEST_RUNS:
        return None
    return spread_between([resampled(counts_of(run.run_id, run.seconds), "spread", _RESAMPLES) for run in runs])


def spread_between(runs: Sequence[Resampled]) -> Spread:
    """The spread between runs. A step's variance is half its own and half that of all steps: so a step that few runs
    happen to agree on is not taken for one that never varies."""
    common = [key for key in runs[0].figures if all(key in run.figures for run in runs)]
    own = {key: found for key in common if (found := _between([run.figures[key] for run in runs])) is not None}
    pooled = {metric: [found for (_, other), found in own.items() if other is metric] for metric in FigureKind}
    return Spread(
        {
            key: max(sqrt(max((found + fmean(pooled[key[1]])) / 2, 0.0)), _LEAST if _is_log(key[1]) else 0.0)
            for key, found in own.items()
        },
        len(runs),
    )


def between(spread: Spread, name: StepName, metric: FigureKind, value: float) -> tuple[float, float]:
    """The sd between runs of a figure (`value`: of a failure rate, what it is about), and its degrees of freedom."""
    known = spread.deviations.get((name, metric))
    if known is not None:
        return known, spread.runs - 1.0
    return (PRIOR_FAILED * value if metric is FigureKind.FAILED else PRIOR), inf


def _between(figures: Sequence[Figure]) -> float | None:
    """The variance between runs, less what their seconds explain; None where it can't be known."""
    if any(figure.lacking or figure.bounded for figure in figures):
        return None
    within = fmean(float(figure.draws.var()) for figure in figures)
    return variance([figure.point for figure in figures]) - within


def _is_log(metric: FigureKind) -> bool:
    return metric is not FigureKind.FAILED
