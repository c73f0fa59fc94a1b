"""The functions of two runs' profiles: whose own (flat) share of the samples changed, and how sure that is.

Laws: a share of n samples is binomial, so its interval is Wilson's, and that of a difference Newcombe's ("Interval
estimation for the difference between independent proportions", 1998, method 10). The intervals of all functions reach
so far that at most 5 % of comparisons without any change show one (Bonferroni). How much profiles of one plan differ
among themselves is not known from two of them: `PRIOR` stands in, as for percentiles. Profiles without a count of
samples are not compared. Shares add up to one: where a function grows, others shrink.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, inf, sqrt

from vezaflow import units
from vezaflow.compare.judgement import Judgement
from vezaflow.compare.spread import PRIOR
from vezaflow.compare.student import quantile
from vezaflow.profiles import ProfileRecord

LEAST_SHARE = 0.01  # of the samples: less is no change that counts
FEWEST_SAMPLES = 100
MOST = 10  # functions that are told of
_FALSE = 0.05  # of comparisons without a change
_WIDEST = 0.05  # an interval that reaches further either way has nothing to say about small changes


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """A function in the profiles of one name and kind of both runs. `before` and `after`: its share of the samples by
    itself; at most that, where it is not among the functions that the run has kept. `low`, `high`: the interval of the
    difference."""

    profile: str
    kind: str
    function: str
    before: float
    after: float
    before_at_most: bool
    after_at_most: bool
    low: float
    high: float
    judgement: Judgement
    reason: str = ""  # why it is unclear

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class FunctionChanges:
    """`functions`: the real changes, and then those that may be, the largest first. `notes`: of each profile what was
    compared, or why it can't be."""

    functions: tuple[FunctionChange, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pooled:
    """All profiles of one name and kind of a run: how many samples, the functions' shares of them, and how much more
    each can have, from the profiles that have not kept it; `rest`: what one can have that none has kept."""

    samples: int
    shares: Mapping[str, float]
    more: Mapping[str, float]
    rest: float

    def share(self, function: str, other: float) -> tuple[float, bool]:
        """A function's share, and whether it is the most that it can be: that which is nearest to the `other` run."""
        known = self.shares.get(function, 0.0)
        most = known + self.more.get(function, self.rest)
        return (min(most, other), True) if other > known and most > known else (known, False)


_Key = tuple[str, str]  # name and kind
_Pair = tuple[_Pooled, _Pooled]


def function_changes(before: Sequence[ProfileRecord], after: Sequence[ProfileRecord]) -> FunctionChanges:
    """What changed from the profiles of one run to those of another."""
    earlier, later = _pooled(before), _pooled(after)
    pairs = {key: (earlier[key], now) for key, now in later.items() if key in earlier}
    judged = {key: pair for key, pair in pairs.items() if not _lacking(*pair)}
    functions = {key: list(_large(*pair)) for key, pair in judged.items()}
    many = sum(map(len, functions.values()))
    reach = quantile(1 - _FALSE / 2 / many, inf) if many else 0.0
    changes = [_change(key, name, judged[key], reach) for key, names in functions.items() for name in names]
    shown = [change for change in changes if abs(change.difference) >= LEAST_SHARE]
    shown.sort(key=lambda each: (not each.judgement.real, -abs(each.difference), each.profile, each.function))
    notes = [note for key, pair in pairs.items() for note in _notes(key, pair, changes)]
    return FunctionChanges(tuple(shown[:MOST]), tuple(notes))


def _pooled(records: Sequence[ProfileRecord]) -> dict[_Key, _Pooled]:
    """A run's profiles; several of one name and kind weigh by their samples."""
    together: dict[_Key, list[ProfileRecord]] = {}
    for record in records:
        if not record.problem:
            together.setdefault((record.name, record.kind), []).append(record)
    return {key: _pool(found) for key, found in together.items()}


def _pool(records: Sequence[ProfileRecord]) -> _Pooled:
    samples = sum(record.samples for record in records)
    weights = [record.samples / samples if samples else 0.0 for record in records]
    rests = [record.flat_rest * weight for record, weight in zip(records, weights, strict=True)]
    shares: dict[str, float] = {}
    for record, weight in zip(records, weights, strict=True):
        for each in record.top:
            shares[each.function] = shares.get(each.function, 0.0) + each.flat * weight
    kept = [{each.function for each in record.top} for record in records]
    more = {
        function: sum(rest for names, rest in zip(kept, rests, strict=True) if function not in names)
        for function in shares
    }
    return _Pooled(samples, shares, more, sum(rests))


def _lacking(before: _Pooled, after: _Pooled) -> str:
    """Why two profiles can't be compared; empty if they can."""
    if not before.samples or not after.samples:
        return "it has no count of samples, so it is not known what chance may do"
    if min(before.samples, after.samples) < FEWEST_SAMPLES:
        return f"too little to tell: {_samples(before, after)}, and {FEWEST_SAMPLES} are needed in each"
    return ""


def _large(before: _Pooled, after: _Pooled) -> Iterator[str]:
    """The functions of a share that can have changed by what counts."""
    for function in dict.fromkeys((*before.shares, *after.shares)):
        if max(before.shares.get(function, 0.0), after.shares.get(function, 0.0)) >= LEAST_SHARE:
            yield function


def _change(key: _Key, function: str, runs: _Pair, reach: float) -> FunctionChange:
    first, second = runs
    before, was_at_most = first.share(function, second.shares.get(function, 0.0))
    after, is_at_most = second.share(function, before)
    counts = (before, first.samples, after, second.samples)
    found, within = after - before, newcombe(*counts, reach)
    low, high = newcombe(*counts, reach, usual=reach * sqrt(2) * PRIOR * (before + after) / 2)
    judgement, reason = Judgement.SAME, ""
    if abs(found) >= LEAST_SHARE and not low <= 0 <= high:
        judgement = Judgement.DIFFERENT
    elif abs(found) >= LEAST_SHARE and not within[0] <= 0 <= within[1]:
        judgement, reason = Judgement.UNCLEAR, "the profiles differ, by no more than those of one plan may"
    elif max(high - found, found - low) > _WIDEST:
        judgement, reason = Judgement.UNCLEAR, f"{_samples(first, second)} are too few for a change of this size"
    return FunctionChange(*key, function, before, after, was_at_most, is_at_most, low, high, judgement, reason)


def newcombe(
    before: float, samples_before: int, after: float, samples: int, reach: float, usual: float = 0.0
) -> tuple[float, float]:
    """Between which values the difference of two shares is. `reach`: in standard deviations; `usual`: how far it may
    be off for other reasons than the number of samples."""
    low_before, high_before = _wilson(before, samples_before, reach)
    low, high = _wilson(after, samples, reach)
    found = after - before
    down, up = hypot(after - low, high_before - before, usual), hypot(high - after, before - low_before, usual)
    return found - down, found + up


def _wilson(share: float, samples: int, reach: float) -> tuple[float, float]:
    """Between which values a share of so many samples is."""
    squared = reach * reach
    middle = share + squared / (2 * samples)
    half = reach * sqrt(share * (1 - share) / samples + squared / (4 * samples * samples))
    whole = 1 + squared / samples
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def _notes(key: _Key, runs: _Pair, changes: Sequence[FunctionChange]) -> Iterator[str]:
    name, kind = key
    title = f"profile {name} ({kind})"
    if lacking := _lacking(*runs):
        yield f"{title}: not compared: {lacking}"
        return
    own = [change for change in changes if (change.profile, change.kind) == key]
    real = sum(change.judgement.real for change in own)
    told = f"{units.counted(real, 'function')} changed" if real else "no change seen"
    yield (
        f"{title}: {told}, of {len(own):,} with at least {units.ratio(LEAST_SHARE)} by themselves ({_samples(*runs)})"
    )
    for reason in dict.fromkeys(change.reason for change in own if change.reason):
        many = sum(change.reason == reason for change in own)
        yield f"{title}: too little to tell of {units.counted(many, 'function')}: {reason}"


def _samples(before: _Pooled, after: _Pooled) -> str:
    return f"{before.samples:,} and {units.counted(after.samples, 'sample')}"
