"""Scrapes → what happened in a period: the increase of a counter or of a histogram between two of them.

Pure. Scrapes don't fall on the ends of a period: the increase is taken from the last one before it to the first one
after it, and says so. A counter that falls was reset, and counts from zero again. A series that begins within the
period began at zero, if its target was scraped before.
"""

from dataclasses import dataclass
from math import isfinite

from vezaflow.observe.histograms import Buckets, since, united


@dataclass(frozen=True, slots=True)
class Period:
    """A time of the load, in seconds since 1970."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class NativeSample:
    """A native histogram at one scrape."""

    count: float
    total: float
    buckets: Buckets


Value = float | NativeSample


@dataclass(slots=True)
class Increase:
    """Takes the samples of one series in the order of time; those that it had already are let pass."""

    period: Period
    begin: float | None = None  # the scrape that it counts from
    end: float | None = None  # the scrape that it counts to
    first: Value | None = None  # of a series that began in the period: its first value
    last: float = float("-inf")
    total: float = 0.0  # of a counter
    native: NativeSample | None = None
    _before: Value | None = None

    def take(self, at: float, value: Value) -> None:
        """One sample."""
        if at <= self.last or self.covered or (isinstance(value, float) and not isfinite(value)):
            return
        self.last = at
        if self._before is None or at <= self.period.begin:
            self.begin = self.end = at
            self.first = value if at > self.period.begin else None
        else:
            self._add(value)
            self.end = at
        self._before = value

    @property
    def covered(self) -> bool:
        """Whether there is a sample at the end of the period or after it."""
        return self.end is not None and self.end >= self.period.end and self.begin != self.end

    def from_zero(self, begin: float) -> None:
        """Its target was scraped at `begin`, when there was no such series yet: all that it had is an increase."""
        if self.first is not None:
            self._before = None
            self._add(self.first)
            self.begin, self.first = min(begin, self.period.begin), None

    def _add(self, value: Value) -> None:
        before = self._before
        if isinstance(value, NativeSample):
            self.native = _plus(self.native, _native_since(value, before if isinstance(before, NativeSample) else None))
        else:
            was = before if isinstance(before, float) else 0.0
            self.total += value if value < was else value - was


def _native_since(now: NativeSample, before: NativeSample | None) -> NativeSample:
    """What came since; all of it after a reset."""
    if before is None or now.count < before.count:
        return now
    buckets = since(now.buckets, before.buckets)
    return now if buckets is None else NativeSample(now.count - before.count, now.total - before.total, buckets)


def _plus(one: NativeSample | None, other: NativeSample) -> NativeSample:
    if one is None:
        return other
    buckets = united((one.buckets, other.buckets))
    return NativeSample(one.count + other.count, one.total + other.total, buckets)
