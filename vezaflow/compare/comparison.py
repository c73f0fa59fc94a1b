"""Two runs side by side: which figures of which steps changed for real, and how sure that is.

Laws: the same runs give the same Comparison. A change is real only if its interval excludes no change *and* it is
larger than max(5 %, 2 ms). The intervals are so wide that of comparisons without any change at most 5 % show one.
Method (Kalibera and Jones, "Quantifying Performance Changes with Effect Size Confidence Intervals", 2012; Romano and
Wolf, 2005): two levels of chance, the seconds within a run and the run itself, are drawn for all figures at once; the
largest deviation of each draw, in its figure's standard deviations, gives how far all intervals must reach.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log, sqrt
from typing import TYPE_CHECKING

from vezaflow.compare.counts import counts_of
from vezaflow.compare.differences import Difference, differences
from vezaflow.compare.functions import FunctionChanges, function_changes
from vezaflow.compare.judgement import Judgement
from vezaflow.compare.pages import PageChanges, page_changes
from vezaflow.compare.resampled import QUANTILES, Figure, FigureKind, Resampled, resampled
from vezaflow.compare.spread import UNKNOWN, Spread, between
from vezaflow.compare.student import both_tails, quantile
from vezaflow.metrics import StepName
from vezaflow.results import RunResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.95
_SINGLE = 1.959964  # sd of a normal distribution that a 95 % interval reaches either way
LEAST_RATIO = 0.05  # of what was before
LEAST_TIME = 0.002  # seconds
LEAST_FAILED = 0.001  # of the requests
_WIDEST = log(1.25)  # an interval that reaches further than this either way has nothing to say about small changes
_WIDEST_FAILED = 0.02


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one step in both runs. Times in seconds, rates per second, failures as a share of the requests.

    `low` and `high`: the 95 % interval of the ratio, of failures that of the difference. None: not known.
    """

    step: StepName
    metric: FigureKind
    before: float | None
    after: float | None
    judgement: Judgement
    low: float | None = None
    high: float | None = None
    reason: str = ""  # why it is unclear
    bounded: bool = False  # a lower bound of how much worse, or of how much better, it became

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def ratio(self) -> float | None:
        return self.after / self.before if self.before and self.after is not None else None

    @property
    def size(self) -> float:
        """How large it is, for ranking: the logarithm of a ratio; of failures ten times the difference."""
        if self.before is None or self.after is None:
            return 0.0
        if self.metric is FigureKind.FAILED:
            return 10 * abs(self.after - self.before)
        return abs(log(self.after / self.before)) if self.before and self.after else inf


@dataclass(frozen=True, slots=True)
class Comparison:
    """`before` and `after`: the runs' ids. `earlier`: how many runs their spread is known from; 0: it is not."""

    before: str
    after: str
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]  # of each step each metric, in the order of the steps
    earlier: int = 0
    level: float = LEVEL  # of the intervals
    pages: PageChanges = PageChanges()  # noqa: RUF009 (frozen)
    functions: FunctionChanges = FunctionChanges()  # noqa: RUF009 (frozen)

    @property
    def real(self) -> tuple[Change, ...]:
        """The real changes, what got worse first, and of each the largest first."""
        order = [Judgement.WORSE, Judgement.DIFFERENT, Judgement.BETTER]
        found = [change for change in self.changes if change.judgement.real]
        return tuple(sorted(found, key=lambda change: (order.index(change.judgement), -change.size)))

    @property
    def worse(self) -> bool:
        return any(change.judgement is Judgement.WORSE for change in self.changes)


def compare(before: RunResult, after: RunResult, spread: Spread | None = None) -> Comparison:
    """What changed from one run to the other. `spread`: how much earlier runs of the plan differ among themselves."""
    first, second = (resampled(counts_of(run.run_id, run.seconds), salt) for run, salt in ((before, "1"), (after, "2")))
    return Comparison(
        before.run_id,
        after.run_id,
        differences(before, after),
        changes_between(first, second, spread or UNKNOWN, zlib.crc32(f"{before.run_id} {after.run_id}".encode())),
        spread.runs if spread else 0,
        pages=page_changes(before, after),
        functions=function_changes(before.profiles, after.profiles),
    )


@dataclass(frozen=True, slots=True)
class _Item:
    """A figure that can be compared: `draws` of its difference by chance alone, with all that differs between runs."""

    step: StepName
    metric: FigureKind
    before: Figure
    after: Figure
    draws: "Floats"
    within: float  # sd by the seconds of the two runs
    freedom: float

    @property
    def found(self) -> float:
        return self.after.point - self.before.point


def changes_between(before: Resampled, after: Resampled, spread: Spread = UNKNOWN, seed: int = 1) -> tuple[Change, ...]:
    """Each figure of each step that both runs have."""
    import numpy as np

    random = np.random.default_rng(seed)
    changes: dict[tuple[StepName, FigureKind], Change] = {}
    items: list[_Item] = []
    moods: dict[tuple[StepName, FigureKind | None], Floats] = {}
    for key, figure in before.figures.items():
        other = after.figures.get(key)
        if other is None:
            continue
        if unclear := _unclear(key, figure, other):
            changes[key] = unclear
            continue
        moved = (key[0], None if key[1] in QUANTILES else key[1])  # what moves a run moves a step's percentiles alike
        if moved not in moods:
            moods[moved] = random.standard_normal(len(figure.draws))
        items.append(_item(key, (before, after), spread, moods[moved]))
        changes[key] = Change(*key, None, None, Judgement.SAME)  # its place
    for change in _stepped_down(items, known=bool(spread.runs)):
        changes[change.step, change.metric] = change
    return tuple(changes.values())


def _stepped_down(items: Sequence[_Item], *, known: bool) -> Iterator[Change]:
    """The items judged: those that changed for real no longer count among those that may have changed by chance."""
    left = list(items)
    while True:
        reach = _reach(left)
        judged = [(item, _judged(item, reach, known=known)) for item in left]
        left = [item for item, change in judged if not change.judgement.real]
        yield from (change for _, change in judged if change.judgement.real)
        if len(left) == len(judged):
            yield from (change for _, change in judged)
            return


def _unclear(key: tuple[StepName, FigureKind], before: Figure, after: Figure) -> Change | None:
    """What is said of a figure that has no interval."""
    was, is_now = (figure.value if isfinite(figure.value) else None for figure in (before, after))
    reason = before.lacking or after.lacking
    if not reason and before.bounded and after.bounded:
        reason = "requests timed out at this percentile in both runs"
    elif not reason and before.bounded and after.point > before.point:
        reason = "requests timed out at this percentile in the first run"
    elif not reason and after.bounded and after.point < before.point:
        reason = "requests timed out at this percentile in the second run"
    return Change(*key, was, is_now, Judgement.UNCLEAR, reason=reason) if reason else None


def _item(key: tuple[StepName, FigureKind], runs: tuple[Resampled, Resampled], spread: Spread, mood: "Floats") -> _Item:
    before, after = (run.figures[key] for run in runs)
    centred = [figure.draws - figure.draws.mean() for figure in (before, after)]
    variances = [_variance(key[1], figure, draws) for figure, draws in zip((before, after), centred, strict=True)]
    own, freedom_between = between(spread, *key, (before.value + after.value) / 2)
    parts = [(variances[0], runs[0].freedom), (variances[1], runs[1].freedom), (2 * own**2, freedom_between)]
    whole = sum(variance for variance, _ in parts)
    spent = sum(variance**2 / freedom for variance, freedom in parts)
    drawn = centred[1] - centred[0]
    within = sqrt(variances[0] + variances[1])
    scale = within / float(drawn.std()) if drawn.std() > 0 else 0.0
    return _Item(
        *key,
        before,
        after,
        drawn * scale + mood * own * sqrt(2),
        within,
        whole**2 / spent if spent else inf,
    )


def _variance(metric: FigureKind, figure: Figure, draws: "Floats") -> float:
    """By the seconds. A failure rate that was zero in all of them may still be one in so many requests."""
    found = float(draws.var())
    return max(found, figure.least**2) if metric is FigureKind.FAILED else found


def _reach(items: Sequence[_Item]) -> float:
    """How many sd an interval reaches: so many that of all draws, in which nothing changed, at most 5 % have a figure
    that is outside *and* large enough to count; at least those of a single 95 % interval."""
    import numpy as np

    counted = [
        np.where(sizes > _least_step(item), sizes / deviation, 0.0)
        for item in items
        if (deviation := float(item.draws.std())) > 0
        for sizes in [np.abs(item.draws)]
    ]
    if not counted:
        return _SINGLE
    return max(float(np.quantile(np.max(counted, axis=0), LEVEL)), _SINGLE)


def _least_step(item: _Item) -> float:
    """How far a draw must be from no change to count."""
    least, before = least_change(item.metric, item.before.value), item.before.value
    return least if item.metric is FigureKind.FAILED else log(1 + least / before)


def _judged(item: _Item, reach: float, *, known: bool) -> Change:
    deviation = float(item.draws.std())
    # the same probability, of a deviation whose sd is estimated from a few blocks and a few runs
    width = quantile(1 - both_tails(reach, inf) / 2, item.freedom)
    found, half = item.found, width * deviation
    low, high = found - half, found + half
    bounded = item.before.bounded or item.after.bounded
    ends = (low, high) if item.metric is FigureKind.FAILED else (exp(low), exp(high))
    judgement, reason = _judge(item, half, width * item.within, known)
    return Change(item.step, item.metric, item.before.value, item.after.value, judgement, *ends, reason, bounded)


def _judge(item: _Item, half: float, half_within: float, known: bool) -> tuple[Judgement, str]:
    size, found = abs(item.after.value - item.before.value), item.found
    large = size > least_change(item.metric, item.before.value)
    if large and abs(found) > half:
        return direction(item.metric, found), ""
    if large and abs(found) > half_within and not known:
        return Judgement.UNCLEAR, (
            "these two runs differ, by no more than runs of one plan may: compare more runs, or give earlier ones"
        )
    if half > (_WIDEST_FAILED if item.metric is FigureKind.FAILED else _WIDEST) and not _small(item, half):
        return Judgement.UNCLEAR, "the figures vary too much within the runs"
    return Judgement.SAME, ""


def _small(item: _Item, half: float) -> bool:
    """Whether even the ends of the interval are no change that counts."""
    least = least_change(item.metric, item.before.value)
    if item.metric is FigureKind.FAILED:
        return abs(item.found) + half <= least
    return item.before.value * (exp(abs(item.found) + half) - 1) <= least


def least_change(metric: FigureKind, before: float) -> float:
    """How large a difference must be to count."""
    match metric:
        case FigureKind.P50 | FigureKind.P95 | FigureKind.P99:
            return max(LEAST_RATIO * before, LEAST_TIME)
        case FigureKind.FAILED:
            return max(LEAST_RATIO * before, LEAST_FAILED)
        case FigureKind.RATE:
            return LEAST_RATIO * before


def direction(metric: FigureKind, found: float) -> Judgement:
    """What a real change of this sign is."""
    if metric is FigureKind.RATE:
        return Judgement.DIFFERENT
    return Judgement.WORSE if found > 0 else Judgement.BETTER


def by_step(changes: Sequence[Change]) -> Mapping[StepName, Mapping[FigureKind, Change]]:
    """The changes as a table has them."""
    found: dict[StepName, dict[FigureKind, Change]] = {}
    for change in changes:
        found.setdefault(change.step, {})[change.metric] = change
    return found
