"""Prometheus' histograms, classic and native: what came between two scrapes, and the quantiles of it.

Pure. A histogram is its buckets, each with the observations that fell into it alone. A quantile is interpolated as
`histogram_quantile` does it, and comes with the bounds of its bucket, which is all that is known for certain: the
observation lies above `low` and not above `high`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp2, inf, isclose, isinf, log2, nan


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """`count` observations above `low` and not above `high`."""

    low: float
    high: float
    count: float


Buckets = tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class Quantile:
    """An interpolated value, and the bucket that it was found in."""

    value: float
    low: float
    high: float


def classic(cumulative: Iterable[tuple[float, float]]) -> Buckets:
    """The buckets of `le` bounds with the counts up to each. Counts that fall (scrapes of several instances can be a
    little apart) are raised to the one before, as Prometheus does."""
    found: list[Bucket] = []
    below, seen = -inf, 0.0
    for high, total in sorted(cumulative):
        low = 0.0 if isinf(below) and high > 0 else below
        found.append(Bucket(low, high, max(0.0, total - seen)))
        below, seen = high, max(seen, total)
    return tuple(found)


def united(parts: Iterable[Buckets]) -> Buckets:
    """The sum of histograms. Where their layouts differ, its buckets are those that all of them can fill exactly."""
    held = [part for part in parts if part]
    counts: dict[tuple[float, float], float] = {}
    for bucket in (bucket for part in held for bucket in part):
        key = (bucket.low, bucket.high)
        counts[key] = counts.get(key, 0.0) + bucket.count
    whole = tuple(Bucket(low, high, count) for (low, high), count in sorted(counts.items()))
    if all(one.high <= other.low for one, other in pairwise(whole)):
        return whole
    filled = [bucket for bucket in whole if bucket.count]
    edges = sorted({edge for bucket in whole for edge in (bucket.low, bucket.high)})
    edges = [edge for edge in edges if not any(bucket.low < edge < bucket.high for bucket in filled)]
    return tuple(
        Bucket(low, high, sum(bucket.count for bucket in filled if low <= bucket.low and bucket.high <= high))
        for low, high in pairwise(edges)
    )


def since(now: Buckets, before: Buckets) -> Buckets | None:
    """What came between two snapshots; None where the histogram was reset between them.

    A native histogram may have become coarser in between: its old buckets then lie within new ones."""
    counts = {(bucket.low, bucket.high): bucket.count for bucket in now}
    for bucket in before:
        if not bucket.count:
            continue
        key = (bucket.low, bucket.high)
        if key not in counts:
            around = [wide for wide in now if wide.low <= bucket.low and bucket.high <= wide.high]
            if not around:
                return None
            key = (around[0].low, around[0].high)
        counts[key] -= bucket.count
        if counts[key] < 0:
            return None
    return tuple(Bucket(low, high, count) for (low, high), count in counts.items())


def quantile(buckets: Buckets, share: float, *, exponential: bool = False) -> Quantile | None:
    """The value below which this share (0 to 1) of the observations lies; None without observations.

    `exponential`: they are native ones, which are interpolated on their own logarithmic scale, as Prometheus does since
    3.0; those with bounds of their own are not. What lies above the highest finite bound is only known to be above
    it."""
    total = sum(bucket.count for bucket in buckets)
    if not total:
        return None
    rank = min(max(share, 0.0), 1.0) * total
    at = _holding(buckets, rank)
    found = _without_zero(buckets[at], buckets)
    if isinf(found.high):
        return Quantile(found.low, found.low, inf)
    if isinf(found.low):
        return Quantile(found.high, -inf, found.high)
    before = sum(bucket.count for bucket in buckets[:at])
    part = (rank - before) / found.count if found.count else nan
    if exponential and found.low > 0 and has_one_base(buckets):
        value = exp2(log2(found.low) + (log2(found.high) - log2(found.low)) * part)
    else:
        value = found.low + (found.high - found.low) * part
    return Quantile(value, found.low, found.high)


def _holding(buckets: Sequence[Bucket], rank: float) -> int:
    """The first bucket whose observations, with all before it, reach the rank."""
    reached: list[float] = []
    seen = 0.0
    for bucket in buckets:
        seen += bucket.count
        reached.append(seen)
    at = min(bisect_left(reached, rank), len(buckets) - 1)
    while not buckets[at].count and at + 1 < len(buckets):  # rank 0: the first that holds anything
        at += 1
    while not buckets[at].count and at:
        at -= 1
    return at


def _without_zero(bucket: Bucket, buckets: Buckets) -> Bucket:
    """A bucket around zero holds what all the others say of the sign."""
    if not bucket.low < 0 < bucket.high or isinf(bucket.low) or isinf(bucket.high):
        return bucket
    if not any(each.count and each.high <= bucket.low for each in buckets):
        return Bucket(0.0, bucket.high, bucket.count)
    if not any(each.count and each.low >= bucket.high for each in buckets):
        return Bucket(bucket.low, 0.0, bucket.count)
    return bucket


def has_one_base(buckets: Buckets) -> bool:
    """Whether the bounds are powers of one base, 2^(2^-schema), as those of native histograms are."""
    ratios = [bucket.high / bucket.low for bucket in buckets if bucket.low > 0 and not isinf(bucket.high)]
    if not ratios:
        return False
    steps = [log2(log2(ratio)) for ratio in ratios if ratio > 1]
    return len(steps) == len(ratios) and all(isclose(step, round(step), abs_tol=1e-6) for step in steps)
