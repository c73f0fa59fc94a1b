"""When VUs come and go, as pure iterables: no clock, no feedback.

A closed load is a series of VuChange: at this second (from the flow's start) there shall be so many VUs. A further
executor adds an iterable, nothing else. A Segment takes an exact share of any of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

STARTS_PER_SECOND = 1000.0
"""A crowd is let in at this pace: 1650 VUs that connect in one instant would be a burst that nobody asked for."""


class VuChange(NamedTuple):
    at: float  # seconds from the flow's start
    vus: int  # how many there shall be from then on


@dataclass(frozen=True, slots=True)
class Segment:
    """One of `count` equal shares of a load, the `index`-th from 0: VU number n belongs to share n mod count."""

    index: int = 0
    count: int = 1

    def __str__(self) -> str:
        """`2/8`: as the command line writes it."""
        return f"{self.index + 1}/{self.count}"

    def share(self, total: int) -> int:
        """How many of the first `total` are this segment's."""
        return max(0, (total - self.index + self.count - 1) // self.count)

    def number(self, index: int) -> int:
        """The number in the whole (from 1) of this segment's VU `index` (from 0)."""
        return self.index + index * self.count + 1

    def iterations(self, total: int, vus: int) -> int:
        """How many of `total` iterations are this segment's, if `vus` VUs took them in turns."""
        rounds, rest = divmod(total, vus)
        return rounds * self.share(vus) + self.share(rest)

    def slice(self, changes: Iterable[VuChange]) -> Iterator[VuChange]:
        """The changes of this share alone: those that alter its count, at the time of the whole's."""
        now = 0
        for change in changes:
            mine = self.share(change.vus)
            if mine != now:
                now = mine
                yield VuChange(change.at, mine)


WHOLE = Segment()


def constant_vus(vus: int, duration: float | None) -> Iterator[VuChange]:
    """`vus` VUs one after another, all of them within a tenth of the duration at the latest."""
    gap = 1.0 / STARTS_PER_SECOND
    if duration is not None:
        gap = min(gap, duration / 10 / vus)
    for number in range(vus):
        yield VuChange(number * gap, number + 1)
