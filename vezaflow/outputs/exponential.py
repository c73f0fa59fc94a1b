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
    """Buckets that hold something, by their index, with zeros apart. `total` is the sum of all values."""

    count: int
    zeros: int
    total: float
    indexes: tuple[int, ...]
    counts: tuple[int, ...]

    def spans(self) -> tuple[list[tuple[int, int]], list[int]]:
        """Runs of neighbouring buckets as (offset from the run before, length), and counts as differences."""
        spans: list[tuple[int, int]] = []
        deltas: list[int] = []
        before, last = 0, 0
        for index, count in zip(self.indexes, self.counts, strict=True):
            if spans and index == before:
                spans[-1] = (spans[-1][0], spans[-1][1] + 1)
            else:
                spans.append((index - before if spans else index, 1))
            deltas.append(count - last)
            before, last = index + 1, count
        return spans, deltas

    def dense(self) -> tuple[int, list[int]]:
        """The first bucket's index, and the counts from there on without gaps."""
        if not self.indexes:
            return 0, []
        counts = [0] * (self.indexes[-1] - self.indexes[0] + 1)
        for index, count in zip(self.indexes, self.counts, strict=True):
            counts[index - self.indexes[0]] = count
        return self.indexes[0], counts


def exponential(histogram: Histogram, scale: float = 1.0) -> Exponential:
    """A histogram's samples, each multiplied by `scale`."""
    import numpy as np

    parts = [histogram] if histogram.cut is None else [histogram, histogram.cut]
    held, numbers = parts[0].above_zero()
    for part in parts[1:]:
        more, counts = part.above_zero()
        held, numbers = np.append(held, more), np.append(numbers, counts)
    found = _indexes(scale)[held]
    first = int(found.min()) if len(found) else 0
    counted = np.bincount(found - first, weights=numbers).astype(np.int64)
    filled = counted.nonzero()[0]
    return Exponential(
        count=histogram.samples,
        zeros=sum(part.zeros for part in parts),
        total=sum(part.nanoseconds for part in parts) * 1e-9 * scale,
        indexes=tuple((filled + first).tolist()),
        counts=tuple(counted[filled].tolist()),
    )


@lru_cache(maxsize=8)
def _indexes(scale: float) -> "NDArray[Any]":
    """The exponential bucket of each fine one."""
    import numpy as np

    middles = np.array([middle(bucket) for bucket in range(BUCKETS)]) * scale
    found: NDArray[np.int64] = np.ceil(np.log2(middles) * (1 << SCHEMA)).astype(np.int64)
    return found
