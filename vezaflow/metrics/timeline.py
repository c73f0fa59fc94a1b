"""One point a second and flow, older ones for longer (ages.py): how the run went over time. Of what iterations sent,
judged or not."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vezaflow.units import AtLeast

_FIGURES = ("p50", "p95", "p99", "max")


@dataclass(frozen=True, slots=True)
class Point:
    """What happened in the `length` seconds that ended `second` seconds after the run's start. The percentiles are
    this time's own (nearest rank, in seconds: of one second exact, of longer at most 0.1 % off); None when nothing was
    answered, AtLeast among what timed out."""

    second: float
    length: float  # seconds that the point covers: about 1, or 10, 60, 600
    flow: str
    vus: int  # at its end
    requests: int
    failed: int
    iterations: int
    iterations_failed: int
    bytes_sent: int
    bytes_received: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `at_least` names the figures that are lower bounds."""
        times = {name: getattr(self, name) for name in _FIGURES}
        return {**asdict(self), **as_numbers(times)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Point":
        fields = dict(record)
        bounds = {name: AtLeast(fields[name]) for name in fields.pop("at_least", ())}
        return cls(**{**fields, **bounds})


def as_numbers(figures: dict[str, float | None]) -> dict[str, Any]:
    """The figures as plain numbers, and in `at_least` the names of those that are lower bounds."""
    bounds = [name for name, value in figures.items() if isinstance(value, AtLeast)]
    plain = {name: None if value is None else float(value) for name, value in figures.items()}
    return {**plain, "at_least": bounds}


@dataclass(frozen=True, slots=True)
class Timeline:
    """The points of a run in the order of time."""

    points: tuple[Point, ...] = ()

    def of(self, flow: str) -> tuple[Point, ...]:
        return tuple([point for point in self.points if point.flow == flow])

    def to_json(self) -> list[dict[str, Any]]:
        return [point.to_json() for point in self.points]


def recent(points: Sequence[Point], flow: str, seconds: float) -> tuple[Point, ...]:
    """The flow's points of the last so many seconds."""
    found: list[Point] = []
    covered = 0.0
    for point in reversed(points):
        if point.flow == flow:
            if covered >= seconds:
                break
            found.append(point)
            covered += point.length
    return tuple(reversed(found))


def per_second(points: Iterable[Point]) -> float:
    """Requests per second over these points; 0 without any."""
    requests, seconds = 0, 0.0
    for point in points:
        requests += point.requests
        seconds += point.length
    return requests / seconds if seconds > 0 else 0.0
