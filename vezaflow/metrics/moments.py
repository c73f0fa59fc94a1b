"""One timeline of several shares of a load, without loss: a second's counts are added, and its percentiles come from
its merged times. Whoever puts on a share keeps a Moment a second and flow; the merge of any split equals the whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.timeline import Point, Timeline

_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
_TIMES = ("second", "length")
_SUMS = tuple(f.name for f in fields(Point) if f.name not in ("flow", *_TIMES, *_PERCENTILES))


@dataclass(frozen=True, slots=True)
class Moment:
    """One flow in second `number` of the load (from 1), with the times of its answers."""

    number: int
    point: Point
    durations: Histogram

    def with_(self, other: "Moment") -> "Moment":
        """The same second of the same flow, another share's added."""
        durations = self.durations.copy()
        durations.add(other.durations)
        mine, theirs = self.point, other.point
        longest = {name: max(getattr(mine, name), getattr(theirs, name)) for name in _TIMES}
        sums = {name: getattr(mine, name) + getattr(theirs, name) for name in _SUMS}
        return Moment(self.number, replace(mine, **longest, **sums), durations)

    @property
    def whole(self) -> Point:
        """The point of all who were added, with the percentiles of all their answers: at most 0.1 % off."""
        values = self.durations.quantiles(tuple(_PERCENTILES.values()))
        found: dict[str, Any] = dict(zip(_PERCENTILES, values, strict=True))
        return replace(self.point, **found)

    def to_json(self) -> dict[str, Any]:
        return {"number": self.number, "point": self.point.to_json(), "durations": self.durations.to_dict()}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Moment":
        return cls(record["number"], Point.from_json(record["point"]), Histogram.from_dict(record["durations"]))


class Merger:
    """Takes the moments of several shares in, second by second. A second is done when every share has reported it, or
    has nothing more to say."""

    def __init__(self, shares: Iterable[int]) -> None:
        self._last = dict.fromkeys(shares, 0)  # the last second that each has reported
        self._open: dict[tuple[int, str], Moment] = {}
        self._points: list[Point] = []
        self._settled: list[Moment] = []

    def take(self, share: int, number: int, moments: Sequence[Moment]) -> None:
        """A share's seconds up to `number`."""
        for moment in moments:
            key = (moment.number, moment.point.flow)
            held = self._open.get(key)
            self._open[key] = moment if held is None else held.with_(moment)
        if share in self._last:
            self._last[share] = number
            self._settle()

    def gone(self, share: int) -> None:
        """Nothing more comes from this share."""
        self._last.pop(share, None)
        self._settle()

    def _settle(self) -> None:
        upto = min(self._last.values(), default=None)
        ready = [key for key in self._open if upto is None or key[0] <= upto]
        for key in sorted(ready):
            moment = self._open.pop(key)
            self._points.append(moment.whole)
            self._settled.append(moment)

    def timeline(self) -> Timeline:
        """The seconds that are done."""
        return Timeline(tuple(self._points))

    def settled(self) -> tuple[Moment, ...]:
        """The moments of the seconds that were done since this was last asked."""
        settled, self._settled = self._settled, []
        return tuple(settled)


def timeline_of(shares: Sequence[Sequence[Moment]]) -> Timeline:
    """The timeline of shares that are all over."""
    merger = Merger(range(len(shares)))
    for number, moments in enumerate(shares):
        merger.take(number, max((moment.number for moment in moments), default=0), moments)
    for number in range(len(shares)):
        merger.gone(number)
    return merger.timeline()
