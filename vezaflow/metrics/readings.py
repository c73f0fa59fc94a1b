"""How the generator fared and what failed, about once a second: what a report draws over time beside the timeline.

Laws: an interval has what came since the one before, so that failures add up to the run's. `Readings` is bounded: when
it is full, neighbours become one. Of each flow `MOST_KINDS` kinds of failures are kept apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vezaflow.untrusted import shape_of

MOST = 600  # readings of a run
MOST_KINDS = 12  # of a flow in one reading; the rest is one kind
OTHERS = "others"

ByKind = Mapping[str, Mapping[str, int]]  # flow → kind (with the status, where there is one) → failed requests


@dataclass(frozen=True, slots=True)
class Reading:
    """The `length` seconds that ended `second` seconds after the run's start. Of several processes the worst."""

    second: float
    length: float
    cpu: float  # share of one core
    late: float  # share of the time in which the event loop was late
    missing: float | None  # share of the VUs' time that the generator took; None: no VU with pauses lived
    failures: ByKind

    def to_json(self) -> dict[str, Any]:
        """A JSON object; shares to a hundredth of a percent."""
        shares = {name: None if (v := getattr(self, name)) is None else round(v, 4) for name in _SHARES}
        return {**asdict(self), "second": round(self.second, 3), "length": round(self.length, 3), **shares}


_SHARES = ("cpu", "late", "missing")
READING = shape_of(Reading)
"""The shape of a reading's JSON."""


class ReadingsKeeper:
    """Gathers readings into a bounded tuple."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: list[Reading] = []
        self._open: list[Reading] = []
        self._stride = 1

    def put(self, reading: Reading) -> None:
        self._open.append(reading)
        if len(self._open) == self._stride:
            self._kept.append(in_turn(self._open))
            self._open.clear()
        if len(self._kept) >= self._most:
            self._kept = [in_turn(self._kept[at : at + 2]) for at in range(0, len(self._kept), 2)]
            self._stride *= 2

    def readings(self) -> tuple[Reading, ...]:
        return (*self._kept, *((in_turn(self._open),) if self._open else ()))


def in_turn(readings: Sequence[Reading]) -> Reading:
    """Readings that follow each other as one: the highest CPU, the means of the rest."""
    if len(readings) == 1:
        return readings[0]
    length = sum(each.length for each in readings)
    return Reading(
        readings[-1].second,
        length,
        max(each.cpu for each in readings),
        sum(each.late * each.length for each in readings) / length,
        _mean([(each.missing, each.length) for each in readings if each.missing is not None]),
        _added(readings),
    )


def side_by_side(parts: Iterable[Sequence[Reading]]) -> tuple[Reading, ...]:
    """The readings of segments that ran at the same time: each with those of the same rounded end, the worst of all."""
    found: dict[int, list[Reading]] = {}
    for part in parts:
        for reading in part:
            found.setdefault(round(reading.second), []).append(reading)
    return tuple(_beside(readings) for _, readings in sorted(found.items()))


def _beside(readings: Sequence[Reading]) -> Reading:
    missing = [each.missing for each in readings if each.missing is not None]
    worst = {name: max(getattr(each, name) for each in readings) for name in ("second", "length", "cpu", "late")}
    return Reading(**worst, missing=max(missing, default=None), failures=_added(readings))


def _mean(weighed: Sequence[tuple[float, float]]) -> float | None:
    length = sum(weight for _, weight in weighed)
    return sum(value * weight for value, weight in weighed) / length if length else None


def _added(readings: Iterable[Reading]) -> ByKind:
    found: dict[str, Counter[str]] = {}
    for reading in readings:
        for flow, kinds in reading.failures.items():
            found.setdefault(flow, Counter()).update(kinds)
    return {flow: fewest_kinds(kinds) for flow, kinds in found.items()}


def fewest_kinds(kinds: Counter[str]) -> dict[str, int]:
    """The most frequent kinds by name, and all others as one."""
    if len(kinds) <= MOST_KINDS:
        return dict(kinds)
    rest = Counter(kinds)
    found: dict[str, int] = {}
    for kind, count in kinds.most_common():
        if kind != OTHERS and len(found) < MOST_KINDS - 1:
            found[kind] = count
            del rest[kind]
    return {**found, OTHERS: rest.total()}
