"""A distribution of times with a relative error of at most 0.1 %, in some thirty kilobytes.

Buckets are log-linear: each octave of microseconds, from 1 µs to 2^32 µs (about 1.2 h), is cut into 512 equal
parts; a quantile is a bucket's middle, so at most 1/1024 off. Count, sum (in whole nanoseconds), least, most and
the number of zeros are exact, and merging is exact: the merge of any split equals the whole. A few samples take memory
for their octaves only (2 KB each). With the sixteenth a histogram takes room for times down to half and up to 256 times
as long, so that what comes seldom in a long run adds hardly anything. numpy is loaded with the first samples, not
with this file.

A request that timed out would have taken longer than it was given: its time is at least that. Such samples are kept
beside the others, by the same law, and rank behind all of them: a figure that falls among them is a lower bound.
"""

import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from vezaflow.units import AtLeast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.signedinteger[Any]]

PARTS = 512  # of an octave
OCTAVES = 32
BUCKETS = PARTS * OCTAVES
RELATIVE_ERROR = 1 / 1024
_FEW = 16  # samples, below which their own octaves do
_BELOW, _ABOVE = 1, 8  # octaves that are taken beside: times have a floor, and a long tail
_NARROW = 2**31 - 1  # samples, up to which every bucket's number has 32 bits
_PART_BITS = 9
_MOST_BYTES = BUCKETS * 16 + 1  # of all buckets with their counts, and one
# A float's bits read as an integer are its exponent and mantissa: cut after 9 bits of mantissa they number
# the buckets in order. One shift a sample.
_SHIFT = 52 - _PART_BITS
_ORIGIN = struct.unpack("<q", struct.pack("<d", 1.0))[0] >> _SHIFT
_LIMIT = float(2**OCTAVES) * (1 - 2**-12)  # µs; longer times count in the last bucket


def _edge(bucket: int) -> float:
    """The lower bound of a bucket in seconds."""
    octave, part = divmod(bucket, PARTS)
    return (PARTS + part << octave) / PARTS * 1e-6


def middle(bucket: int) -> float:
    """The time in seconds that a bucket's samples count as; bucket -1 is that of zeros."""
    return 0.0 if bucket < 0 else (_edge(bucket) + _edge(bucket + 1)) / 2


class Histogram:
    """Times in seconds. A copy shares its buckets until one of the two records again."""

    __slots__ = ("_base", "_counts", "_roomy", "_shared", "count", "cut", "maximum", "minimum", "nanoseconds", "zeros")

    def __init__(self) -> None:
        self._counts: Integers | None = None  # of the octaves from `_base` on
        self._base = 0  # the first octave that is kept
        self._roomy = False
        self._shared = False
        self.count = 0  # of the times that are known, zeros included
        self.cut: Histogram | None = None  # of the times that are only known to be at least so long
        self.zeros = 0
        self.nanoseconds = 0
        self.minimum = inf
        self.maximum = 0.0

    def record_many(self, values: "Floats") -> None:
        """Take in an array of seconds; what is not above zero counts as zero."""
        import numpy as np

        if not len(values):
            return
        least = float(values.min())
        if least <= 0.0:
            values = self._without_zeros(values)
            if not len(values):
                return
            least = float(values.min())
        self.count += len(values)
        self.nanoseconds += int(np.rint(values * 1e9).sum())
        self.minimum = min(self.minimum, least)
        self.maximum = max(self.maximum, float(values.max()))
        self._count_in(np.clip(values * 1e6, 1.0, _LIMIT))

    def record_cut(self, values: "Floats") -> None:
        """Take in an array of seconds of which each is only the least that its time can have been."""
        if len(values):
            self.cut = self.cut or Histogram()
            self.cut.record_many(values)

    def record(self, value: float) -> None:
        """Take in one time. Slow: for what happens seldom."""
        import numpy as np

        self.record_many(np.array([value]))

    def record_zeros(self, number: int) -> None:
        """Take in so many zeros."""
        if number > 0:
            self.count += number
            self.zeros += number
            self.minimum = 0.0

    def _without_zeros(self, values: "Floats") -> "Floats":
        above = values[values > 0.0]
        self.record_zeros(len(values) - len(above))
        return above

    def _count_in(self, micros: "Floats") -> None:
        import numpy as np

        index = (micros.view(np.int64) >> _SHIFT) - _ORIGIN
        first, last = int(index.min()), int(index.max())
        counts = self._cover(first >> _PART_BITS, last >> _PART_BITS)
        low = first - self._base * PARTS
        found = np.bincount(index - first)
        counts[low : low + len(found)] += found

    def _cover(self, first: int, last: int) -> "Integers":
        """Make room for the octaves from `first` to `last`, and for so many samples as `count` says by now; the buckets
        are then ours alone to change."""
        import numpy as np

        old = self._counts
        if old is not None:
            first = min(first, self._base)
            last = max(last, self._base + len(old) // PARTS - 1)
        if self.count >= _FEW and not self._roomy:
            first, last = max(first - _BELOW, 0), min(last + _ABOVE, OCTAVES - 1)
            self._roomy = True
        kind = np.dtype(np.int64 if self.count > _NARROW else np.int32 if old is None else old.dtype)
        size = (last - first + 1) * PARTS
        if old is None or len(old) != size or old.dtype != kind:
            self._counts = np.zeros(size, kind)
            if old is not None:
                at = (self._base - first) * PARTS
                self._counts[at : at + len(old)] = old
            self._base = first
        elif self._shared:
            self._counts = old.copy()
        self._shared = False
        assert self._counts is not None
        return self._counts

    def copy(self) -> "Histogram":
        """The same distribution; costs next to nothing until one of the two changes."""
        self._shared = True
        twin = Histogram.__new__(Histogram)  # a loop over the fields takes five times as long
        twin._counts, twin._base, twin._roomy, twin._shared = self._counts, self._base, self._roomy, True
        twin.count, twin.zeros, twin.nanoseconds = self.count, self.zeros, self.nanoseconds
        twin.minimum, twin.maximum = self.minimum, self.maximum
        twin.cut = None if self.cut is None else self.cut.copy()
        return twin

    def add(self, other: "Histogram") -> None:
        """Take in another histogram's samples."""
        self.count += other.count
        if other._counts is not None:
            counts = other._counts
            if self._counts is None:
                self._counts, self._base, self._shared = counts.copy(), other._base, False
                self._roomy = other._roomy
            else:
                mine = self._cover(other._base, other._base + len(counts) // PARTS - 1)
                at = (other._base - self._base) * PARTS
                mine[at : at + len(counts)] += counts
        self.zeros += other.zeros
        self.nanoseconds += other.nanoseconds
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if other.cut is not None:
            self.cut = self.cut or Histogram()
            self.cut.add(other.cut)

    def minus(self, earlier: "Histogram") -> "Histogram":
        """What came since an earlier state of this same histogram. Least and most are then known to 0.2 %."""
        since = self.copy()
        since.count -= earlier.count
        since.zeros -= earlier.zeros
        since.nanoseconds -= earlier.nanoseconds
        if earlier._counts is self._counts:  # nothing but zeros came since
            since._counts, since._base, since._roomy = None, 0, False
        elif since._counts is not None and earlier._counts is not None and since._octaves == earlier._octaves:
            since._counts, since._shared = since._counts - earlier._counts, False
        elif earlier._counts is not None:
            counts = since._cover(earlier._base, earlier._base + len(earlier._counts) // PARTS - 1)
            at = (earlier._base - since._base) * PARTS
            counts[at : at + len(earlier._counts)] -= earlier._counts
        since._bound()
        if since.cut is not None and earlier.cut is not None:
            left = since.cut.minus(earlier.cut)
            since.cut = left if left.count else None
        return since

    def _bound(self) -> None:
        """Draw least and most in to the buckets that hold something."""
        held = self._held()
        if not len(held):
            self.minimum, self.maximum = (0.0 if self.zeros else inf), 0.0
            return
        start = self._base * PARTS
        least = max(self.minimum, _edge(start + int(held[0])))
        self.minimum = 0.0 if self.zeros else least
        self.maximum = min(self.maximum, _edge(start + int(held[-1]) + 1))

    @property
    def _octaves(self) -> tuple[int, int]:
        """The first one that is kept, and the one behind the last."""
        return self._base, self._base + (len(self._counts) // PARTS if self._counts is not None else 0)

    def _held(self) -> "Integers":
        import numpy as np

        if self._counts is None:
            return np.zeros(0, np.int64)
        held: Integers = (self._counts != 0).nonzero()[0]  # of numbers themselves it takes five times as long
        return held

    def buckets(self) -> "tuple[Integers, Integers]":
        """The numbers of the buckets that hold something and how many samples each holds; zeros are bucket -1. Of the
        times that are known: `cut` has its own."""
        import numpy as np

        held, counts = self.above_zero()
        return (np.append(-1, held), np.append(self.zeros, counts)) if self.zeros else (held, counts)

    def above_zero(self) -> "tuple[Integers, Integers]":
        """`buckets` without that of zeros."""
        held = self._held()
        return held + self._base * PARTS, self._counts[held] if self._counts is not None else held

    @property
    def samples(self) -> int:
        """How many there are, those of which only a lower bound is known among them."""
        return self.count + (self.cut.count if self.cut is not None else 0)

    @property
    def mean(self) -> float | None:
        """Seconds; None without samples. Exact to a nanosecond a sample."""
        if self.cut is not None:
            return AtLeast((self.nanoseconds + self.cut.nanoseconds) / self.samples * 1e-9)
        return self.nanoseconds / self.count * 1e-9 if self.count else None

    @property
    def least(self) -> float | None:
        """The sample of the lowest rank in seconds; None without samples."""
        return self.quantile(0.0)

    @property
    def most(self) -> float | None:
        """The sample of the highest rank in seconds; None without samples."""
        return self.quantile(1.0)

    def quantile(self, q: float) -> float | None:
        """The nearest-rank quantile in seconds: the sample of rank ⌈q·samples⌉, the least one being rank 1."""
        return self.quantiles((q,))[0]

    def quantiles(self, shares: Sequence[float]) -> tuple[float | None, ...]:
        """Several quantiles at the price of about one; each None without samples."""
        samples = self.samples
        if not samples:
            return (None,) * len(shares)
        if samples == self.zeros:
            return (0.0,) * len(shares)
        ranks = _ranks(tuple(shares), samples)
        known = self._at_ranks([rank for rank in ranks if rank <= self.count])
        if max(ranks, default=0) <= self.count:
            return tuple([known[rank] for rank in ranks])
        # the rank is of one whose time is not known: it is no less than with all of them cut at the least they can be
        cut = self._with_cut()._at_ranks([rank for rank in ranks if rank > self.count])
        return tuple([known[rank] if rank in known else AtLeast(cut[rank]) for rank in ranks])

    def _with_cut(self) -> "Histogram":
        whole = self.copy()
        if whole.cut is not None:
            cut, whole.cut = whole.cut, None
            whole.add(cut)
        return whole

    def _at_ranks(self, ranks: Iterable[int]) -> dict[int, float]:
        """The time of each of these ranks, which are at most `count`."""
        found = dict.fromkeys(ranks, 0.0)
        between = [rank for rank in found if 1 < rank < self.count and rank > self.zeros]
        if between:
            held, counts = self.above_zero()
            places = held[counts.cumsum().searchsorted([rank - self.zeros for rank in between])]
            least = 0.0 if self.zeros else self.minimum
            for rank, bucket in zip(between, places.tolist(), strict=True):
                found[rank] = min(max(middle(bucket), least), self.maximum)
        if self.count in found:
            found[self.count] = self.maximum
        if 1 in found:
            found[1] = self.minimum
        return found

    def to_json(self) -> dict[str, Any]:  # Any: a JSON object
        """A compact JSON object. `buckets`: base64 of zlib of int64 pairs in two runs: bucket numbers as
        differences, then counts (both little-endian). `cut`, where there are any: the same of lower bounds."""
        beside = {"cut": self.cut.to_json()} if self.cut is not None else {}
        if not self.count:
            return {"count": 0, **beside}
        import numpy as np

        held = self._held()
        counts = self._counts[held] if self._counts is not None else held
        numbers = np.concatenate([np.diff(held + self._base * PARTS, prepend=0), counts]).astype("<i8")
        return {
            "count": self.count,
            "zeros": self.zeros,
            "nanoseconds": self.nanoseconds,
            "min": self.minimum,
            "max": self.maximum,
            "buckets": b64encode(zlib.compress(numbers.tobytes(), 6)).decode(),
            **beside,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Histogram":
        """The histogram that `to_json` wrote. ValueError, KeyError or TypeError: this is none."""
        self = cls._known(record)
        if "cut" in record:
            self.cut = cls._known(record["cut"])
        return self

    @classmethod
    def _known(cls, record: dict[str, Any]) -> "Histogram":
        import numpy as np

        self = cls()
        if not record["count"]:
            return self
        self.count, self.zeros = record["count"], record["zeros"]
        self.nanoseconds, self.minimum, self.maximum = record["nanoseconds"], record["min"], record["max"]
        numbers = np.frombuffer(_unpacked(record["buckets"]), "<i8")
        steps, counts = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
        places = steps.cumsum()
        if not (0 <= self.minimum <= self.maximum < inf and self.nanoseconds >= 0 and self.zeros >= 0):
            raise ValueError("these are no times")
        # The least of them, not `(… < 1).any()`: a coordinator reads tens of thousands of histograms a second.
        if len(numbers) % 2 or counts.min(initial=1) < 1 or self.zeros + int(counts.sum()) != self.count:
            raise ValueError("the buckets don't add up")
        if len(places):
            if steps[1:].min(initial=1) < 1 or places[0] < 0 or places[-1] >= PARTS * OCTAVES:
                raise ValueError("there are no such buckets")
            room = self._cover(int(places[0]) >> _PART_BITS, int(places[-1]) >> _PART_BITS)
            room[places - self._base * PARTS] = counts
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        p50, p95 = self.quantiles((0.5, 0.95))
        return f"<Histogram of {self.samples}: p50 {p50}, p95 {p95}, max {self.maximum}>"


@lru_cache(maxsize=16)
def _ranks(shares: tuple[float, ...], samples: int) -> tuple[int, ...]:
    """Those of quantiles. Kept, for the figures of a step have as many samples as one another."""
    # 0.07 * 100 is a hair above 7 in floats: unrounded, that would be the eighth
    return tuple([min(samples, max(1, ceil(round(q * samples, 6)))) for q in shares])


def _unpacked(text: str) -> bytes:
    """The bytes of packed buckets, of which there are no more than a histogram has."""
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(b64decode(text, validate=True), _MOST_BYTES)
    except zlib.error as e:
        raise ValueError(str(e)) from None
    if not unpacking.eof:
        raise ValueError("more buckets than there are")
    return found


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """One histogram of all the samples."""
    whole = Histogram()
    for histogram in histograms:
        if histogram.samples:
            whole.add(histogram)
    return whole
