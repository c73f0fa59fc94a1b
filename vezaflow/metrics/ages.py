"""A timeline that takes the same room however long the run: by the second where it is young, coarser with age.

Laws: a point of n seconds ends at a multiple of n, so that those of all flows and shares fit each other. Counts are
added and times merged, nothing is left out: the points together are the whole load. All that half a day needs is there
from the beginning; what is older than that grows by a point in ten minutes.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from math import isnan, nan
from typing import Any, Generic, Protocol, TypeVar

from vezaflow.metrics.moments import Moment
from vezaflow.metrics.timeline import Point, Timeline
from vezaflow.units import AtLeast

LEVELS: tuple[tuple[int, int | None], ...] = ((1, 900), (10, 720), (60, 720), (600, None))
"""How many seconds a point covers, and how many such points it takes until they are too old for that: by the second
for 15 minutes, by 10 seconds for 2 hours, by the minute for 12 hours."""

_COUNTS = {field.name: field.type is int for field in fields(Point) if field.name != "flow"}
_LATEST = 10  # seconds
_WIDTH = 1 + len(_COUNTS)  # of a row: the moment's number, then its point's figures
T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Shelf(Protocol[T_co]):
    """Where one flow's moments of one length stand: the last ones, as many as there is room for."""

    def put(self, moment: Moment) -> None: ...

    def after(self, number: int) -> Iterator[tuple[int, T_co]]:
        """What stands there with a higher number, from the oldest on."""
        ...


class Points:
    """A shelf of points, as rows of numbers; where there is a limit its memory is there from the beginning."""

    def __init__(self, room: int | None) -> None:
        self._room = room
        self._put = 0
        self._rows = array("d", bytes(8 * _WIDTH * (room or 0)))

    def put(self, moment: Moment) -> None:
        point = moment.point if moment.span == 1 else moment.whole
        row = array("d", (moment.number, *(_number(getattr(point, name)) for name in _COUNTS)))
        if self._room is None:
            self._rows.extend(row)
        else:
            at = self._put % self._room * _WIDTH
            self._rows[at : at + _WIDTH] = row
        self._put += 1

    def after(self, number: int) -> Iterator[tuple[int, Point]]:
        held = self._put if self._room is None else min(self._put, self._room)
        for index in range(self._put - held, self._put):
            at = (index if self._room is None else index % self._room) * _WIDTH
            if self._rows[at] > number:
                yield int(self._rows[at]), self._point(at)

    def _point(self, at: int) -> Point:
        named = zip(_COUNTS.items(), self._rows[at + 1 : at + _WIDTH], strict=True)
        found: dict[str, Any] = {name: int(value) if counts else _figure(value) for (name, counts), value in named}
        return Point(flow="", **found)


def _number(value: float | None) -> float:
    """A figure of a row: NaN where there is none, negative where it is a lower bound."""
    if value is None:
        return nan
    return -float(value) if isinstance(value, AtLeast) else value


def _figure(number: float) -> float | None:
    if isnan(number):
        return None
    return AtLeast(-number) if number < 0 else number


class Records:
    """A shelf of moments with their times, as JSON."""

    def __init__(self, room: int | None) -> None:
        self._held: deque[tuple[int, bytes]] = deque(maxlen=room)

    def put(self, moment: Moment) -> None:
        import orjson

        self._held.append((moment.number, orjson.dumps(moment.to_json())))

    def after(self, number: int) -> Iterator[tuple[int, dict[str, Any]]]:
        import orjson

        return ((at, orjson.loads(text)) for at, text in self._held if at > number)


class _Ages(Generic[T]):
    """One flow's moments, on a shelf for each level."""

    def __init__(self, shelf: Callable[[int | None], Shelf[T]]) -> None:
        self._shelves = [shelf(room) for _, room in LEVELS]
        self._newest = 0
        self._growing: list[Moment | None] = [None] * len(LEVELS)  # what is to become a moment of this level

    def take(self, moment: Moment) -> None:
        """The next second."""
        self._newest = moment.number
        self._put(moment, 0)

    def _put(self, moment: Moment, level: int) -> None:
        self._shelves[level].put(moment)
        above = level + 1
        if above == len(LEVELS):
            return
        grown = moment.within(LEVELS[above][0])
        held = self._growing[above]
        if held is not None and held.number == grown.number:
            grown = held.then(grown)
        elif held is not None:  # its last seconds never came
            self._put(held, above)
        ends = moment.number == grown.number
        self._growing[above] = None if ends else grown
        if ends:
            self._put(grown, above)

    def items(self) -> list[tuple[int, T]]:
        """All, in the order of time: each length from where the shorter one is too old."""
        found: list[tuple[int, T]] = []
        upto = self._newest
        for level, shelf in enumerate(self._shelves):
            old = self._too_old(level)
            found[:0] = [item for item in shelf.after(old) if item[0] <= upto]
            upto = old
        return found

    def _too_old(self, level: int) -> int:
        """The last second that this level's moments are too old for: an end of the next one's."""
        span, room = LEVELS[level]
        if room is None or self._newest <= span * room:
            return 0
        longer = LEVELS[level + 1][0]
        return -(-(self._newest - span * room) // longer) * longer


class Aged(Generic[T]):
    """The moments of all flows, on shelves of one kind."""

    def __init__(self, shelf: Callable[[int | None], Shelf[T]]) -> None:
        self._shelf = shelf
        self._flows: dict[str, _Ages[T]] = {}

    def take(self, moment: Moment) -> None:
        """The next second of a flow."""
        ages = self._flows.get(moment.point.flow)
        if ages is None:
            ages = self._flows[moment.point.flow] = _Ages(self._shelf)
        ages.take(moment)

    def items(self) -> Iterator[tuple[str, T]]:
        """All, with their flows, in the order of time."""
        found = [(number, flow, item) for flow, ages in self._flows.items() for number, item in ages.items()]
        return ((flow, item) for _, flow, item in sorted(found, key=lambda item: item[0]))


class History:
    """How a run went so far. What it takes in are seconds whose points have their own percentiles."""

    def __init__(self) -> None:
        self._aged = Aged(Points)
        self._latest: dict[str, deque[Point]] = {}

    def take(self, moment: Moment) -> None:
        """The next second of a flow."""
        self._aged.take(moment)
        point = moment.point
        self._latest.setdefault(point.flow, deque(maxlen=_LATEST)).append(point)

    def latest(self) -> Timeline:
        """Each flow's last seconds: what a display needs, for next to nothing."""
        # a list first: a tuple of a generator is cut to its length, and CPython then holds one more of that length in
        # reserve, each time, up to 2,000
        return Timeline(tuple([point for points in self._latest.values() for point in points]))

    def timeline(self) -> Timeline:
        """All of it."""
        return Timeline(tuple(replace(point, flow=flow) for flow, point in self._aged.items()))
