"""Two profiles of the same kind: which functions have a greater share than before.

By share, not by amount: two runs are never as long, nor is their load the same to the sample. What chance may do is
left out: of n samples a share is only known to about 1/√n, so a growth counts when it is beyond both runs' noise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import sqrt

from vezaflow.profiles.record import FunctionShare, Growth, ProfileRecord

LEAST = 0.01  # of the whole: a growth below it explains nothing
_SURE = 2.58  # standard errors: 1 % of equal shares look different by chance
_SHOWN = 10


def grown(record: ProfileRecord, earlier: ProfileRecord) -> tuple[Growth, ...]:
    """The functions that grew, the greatest growth of the flat share first."""
    found = (_growth(share, earlier) for share in record.top)
    counted = [growth for growth in found if _is_real(growth, record.samples, earlier.samples)]
    counted.sort(key=lambda each: (each.flat_before - each.flat, each.cum_before - each.cum, each.function))
    return tuple(counted[:_SHOWN])


def compared(records: Sequence[ProfileRecord], earlier: Sequence[ProfileRecord], run: str) -> Iterator[ProfileRecord]:
    """The records with what grew since the last profile of the same name and kind in an earlier run."""
    last = {(each.name, each.kind): each for each in earlier if not each.problem}
    for record in records:
        other = None if record.problem else last.get((record.name, record.kind))
        yield record if other is None else replace(record, against=run, grown=grown(record, other))


def _growth(share: FunctionShare, earlier: ProfileRecord) -> Growth:
    before = earlier.of(share.function) or FunctionShare(share.function, 0.0, 0.0)
    if before.cum == 0.0 and earlier.rest:  # it may be among those that were not kept
        before = FunctionShare(share.function, min(share.flat, earlier.flat_rest), min(share.cum, earlier.rest))
    return Growth(share.function, before.flat, share.flat, before.cum, share.cum)


def _is_real(growth: Growth, samples: int, before: int) -> bool:
    pairs = ((growth.flat_before, growth.flat), (growth.cum_before, growth.cum))
    return any(after - earlier >= max(LEAST, _noise(earlier, before, after, samples)) for earlier, after in pairs)


def _noise(share_before: float, before: int, share: float, samples: int) -> float:
    """How far two equal shares may be apart by chance; 0 where nothing was sampled."""
    if not before or not samples:
        return 0.0
    pooled = (share_before * before + share * samples) / (before + samples)
    pooled = min(1.0, max(0.0, pooled))
    return _SURE * sqrt(pooled * (1 - pooled) * (1 / before + 1 / samples))
