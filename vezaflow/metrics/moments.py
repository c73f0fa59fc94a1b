"""One flow in one second of the load, with the times of its answers: what it takes to add parts of a load, or seconds
to longer ones, without loss. Counts are added, and percentiles come from merged times.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.timeline import Point
from vezaflow.untrusted import Maybe, Shape, shape_of

_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
_SHARES = tuple(_PERCENTILES.values())
_TIMES = ("second", "length")
_SUMS = tuple(f.name for f in fields(Point) if f.name not in ("flow", *_TIMES, *_PERCENTILES))
_LATER = ("length", *(name for name in _SUMS if name != "vus"))

SHAPE: Shape = {
    "number": int,
    "span": Maybe(int),
    "point": {**shape_of(Point), "at_least": Maybe([frozenset(_PERCENTILES)])},
    "durations": {"count": int},
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One flow in second `number` of the load (from 1), with the times of its answers; or in the `span` seconds that
    end with that one."""

    number: int
    point: Point
    durations: Histogram
    span: int = 1

    def with_(self, other: "Moment") -> "Moment":
        """The same second of the same flow, another part's added."""
        durations = self.durations.copy()
        durations.add(other.durations)
        mine, theirs = self.point, other.point
        longest = {name: max(getattr(mine, name), getattr(theirs, name)) for name in _TIMES}
        sums = {name: getattr(mine, name) + getattr(theirs, name) for name in _SUMS}
        return Moment(self.number, replace(mine, **longest, **sums), durations, self.span)

    def within(self, span: int) -> "Moment":
        """As the beginning of a longer moment: its number is that of the last second."""
        return Moment(-(-self.number // span) * span, self.point, self.durations, span)

    def then(self, later: "Moment") -> "Moment":
        """The same flow's, with what came after it in the same longer moment. VUs are those at its end."""
        durations = self.durations.copy()
        durations.add(later.durations)
        mine, theirs = self.point, later.point
        sums = {name: getattr(mine, name) + getattr(theirs, name) for name in _LATER}
        return Moment(self.number, replace(theirs, **sums), durations, self.span)

    @property
    def whole(self) -> Point:
        """The point of all who were added, with the percentiles of all their answers: at most 0.1 % off."""
        values = self.durations.quantiles(_SHARES)
        found: dict[str, Any] = dict(zip(_PERCENTILES, values, strict=True))
        return replace(self.point, **found)

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "span": self.span,
            "point": self.point.to_json(),
            "durations": self.durations.to_json(),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Moment":
        durations = Histogram.from_json(record["durations"])
        return cls(record["number"], Point.from_json(record["point"]), durations, record.get("span", 1))
