"""A histogram in exponential buckets, as native histograms (Prometheus) and exponential histograms (OpenTelemetry) have
them: bucket `i` holds what is above base^(i-1) and at most base^i, base = 2^(2^-SCHEMA).

Each fine bucket goes whole into the one that its middle lies in, so no figure is further off than the wider of the two:
2.2 % for the schema 5. Times that are only known to be at least so long count as just so long.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vezaflow.metrics import BUCKETS, Histogram, middle

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = 5


@dataclass(frozen=True, slots=True)
class Exponential:
    """`counts` are those of the bucket `first` and of all that follow, the last one of them not empty; zeros are apart.
    `total` is the sum of all values."""

    count: int
    zeros: int
    total: float
    first: int
    counts: list[int]

    def spans(self) -> tuple[list[tuple[int, int]], list[int]]:
        """Runs of neighbouring buckets as (offset from the run before, length), and counts as differences."""
        spans: list[tuple[int, int]] = []
        deltas: list[int] = []
        before, last = 0, 0
        for index, count in enumerate(self.counts, self.first):
            if not count:
                continue
            if spans and index == before:
                spans[-1] = (spans[-1][0], spans[-1][1] + 1)
            else:
                spans.append((index - before if spans else index, 1))
            deltas.append(count - last)
            before, last = index + 1, count
        return spans, deltas


def exponential(histogram: Histogram, scale: float = 1.0) -> Exponential:
    """A histogram's samples, each multiplied by `scale`."""
    import numpy as np

    held, numbers = histogram.above_zero()
    zeros, nanoseconds = histogram.zeros, histogram.nanoseconds
    if histogram.cut is not None:
        more, counts = histogram.cut.above_zero()
        held, numbers = np.append(held, more), np.append(numbers, counts)
        zeros, nanoseconds = zeros + histogram.cut.zeros, nanoseconds + histogram.cut.nanoseconds
    first, counted = 0, []
    if len(held):
        found = _indexes(scale)[held]
        first = int(found[0] if histogram.cut is None else found.min())
        counted = np.bincount(found - first, weights=numbers).astype(np.int64).tolist()
    return Exponential(histogram.samples, zeros, nanoseconds * 1e-9 * scale, first, counted)


@lru_cache(maxsize=8)
def _indexes(scale: float) -> "NDArray[Any]":
    """The exponential bucket of each fine one."""
    import numpy as np

    middles = np.array([middle(bucket) for bucket in range(BUCKETS)]) * scale
    found: NDArray[np.int64] = np.ceil(np.log2(middles) * (1 << SCHEMA)).astype(np.int64)
    return found
