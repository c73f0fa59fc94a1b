"""What each machine of a load measured by itself: one with a bad link shows as itself, not as the server's tail.

Laws: a machine is said to differ only where its figure and that of all others lie further apart than their noise: the
intervals of both percentiles, from order statistics, widened since requests of one second resemble each other.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from vezaflow import units
from vezaflow.engine import NO_VITALS, Vitals
from vezaflow.metrics import Histogram, Rate, Summary, Trend, merge_all
from vezaflow.units import Dimension
from vezaflow.untrusted import Null, Shape

_WIDE = 2 * 1.96  # standard errors
_RATIO = 1.2  # a smaller difference is nobody's matter
_LEAST = 0.002  # seconds
_SAMPLES = 200
MACHINE: Shape = {
    **dict.fromkeys(("name", "address", "lost"), str),
    **dict.fromkeys(("workers", "requests", "failed"), int),
    "cores": Null(int),
    **dict.fromkeys(("clock_error", "cpu_mean", "cpu_max", "lag_p99"), float),
    "receive_clock": str,
    "p50": Null(float),
    "p95": Null(float),
    "p99": Null(float),
}


@dataclass(frozen=True, slots=True)
class MachineFigures:
    """One machine. Times in seconds. `clock_error`: how far its start may have been off the common moment. CPU (of a
    core) and lag are those of the worker that had most."""

    name: str
    address: str
    cores: int | None
    workers: int
    clock_error: float
    requests: int
    failed: int
    p50: float | None
    p95: float | None
    p99: float | None
    cpu_mean: float = 0.0
    cpu_max: float = 0.0
    lag_p99: float = 0.0
    receive_clock: str = "read"
    lost: str = ""

    def to_json(self) -> dict[str, Any]:
        """An object of the shape MACHINE."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "MachineFigures":
        """What `to_json` wrote, of the shape MACHINE."""
        return cls(**{name: record[name] for name in MACHINE})


@dataclass(frozen=True, slots=True)
class MachinePart:
    """A machine, and what its workers measured. `numbers`: which of the run's workers are there, from 1."""

    name: str
    address: str
    cores: int | None
    numbers: range
    clock_error: float
    summary: Summary
    vitals: Vitals = NO_VITALS
    lost: str = ""


def machine_figures(parts: Iterable[MachinePart]) -> tuple[MachineFigures, ...]:
    """The figures of each machine, in iterations that gates judge."""
    return tuple([_figures(part) for part in parts])


def _figures(part: MachinePart) -> MachineFigures:
    times, (failed, requests) = _times(part.summary), _failed(part.summary)
    p50, p95, p99 = times.quantiles((0.5, 0.95, 0.99))
    return MachineFigures(
        name=part.name,
        address=part.address,
        cores=part.cores,
        workers=len(part.numbers),
        clock_error=part.clock_error,
        requests=requests,
        failed=failed,
        p50=p50,
        p95=p95,
        p99=p99,
        cpu_mean=part.vitals.cpu_mean,
        cpu_max=part.vitals.cpu_max,
        lag_p99=part.vitals.lag_p99,
        receive_clock=part.vitals.receive_clock,
        lost=part.lost,
    )


def machine_differences(parts: Sequence[MachinePart]) -> Iterator[str]:
    """A line for each machine whose p95, or whose failures, are not those of the others."""
    for part in parts:
        others = [other.summary for other in parts if other is not part]
        if others:
            rest = merge_all(others)
            yield from _slower(part, _times(part.summary), _times(rest))
            yield from _more_failures(part, _failed(part.summary), _failed(rest))


def _slower(part: MachinePart, mine: Histogram, theirs: Histogram) -> Iterator[str]:
    if min(mine.samples, theirs.samples) < _SAMPLES:
        return
    (least, here, _), (_, there, most) = _interval(mine), _interval(theirs)
    if least > most and here > _RATIO * there and here - there > _LEAST:
        shown, other = units.text(here, Dimension.TIME), units.text(there, Dimension.TIME)
        yield (
            f"{part.name} measured a p95 of {shown}, the other machines {other}: "
            "look at its link and its load before you look at the server"
        )


def _more_failures(part: MachinePart, mine: tuple[int, int], theirs: tuple[int, int]) -> Iterator[str]:
    if min(mine[1], theirs[1]) < _SAMPLES:
        return
    here, there = mine[0] / mine[1], theirs[0] / theirs[1]
    pooled = (mine[0] + theirs[0]) / (mine[1] + theirs[1])
    noise = _WIDE * sqrt(pooled * (1 - pooled) * (1 / mine[1] + 1 / theirs[1]))
    if here - there > noise and here > _RATIO * there:
        yield (
            f"of {part.name}'s requests {units.text(here, Dimension.RATIO)} failed, of the other machines' "
            f"{units.text(there, Dimension.RATIO)}: look at its link before you look at the server"
        )


def _interval(times: Histogram) -> tuple[float, float, float]:
    """The p95 between the values that it lies between, by ranks."""
    spread = _WIDE * sqrt(0.95 * 0.05 / times.samples)
    least, here, most = times.quantiles((max(0.0, 0.95 - spread), 0.95, min(1.0, 0.95 + spread)))
    assert least is not None
    assert here is not None
    assert most is not None
    return least, here, most


def _times(summary: Summary) -> Histogram:
    measured = summary.select("http_req_duration")
    assert isinstance(measured, Trend)
    return measured.histogram


def _failed(summary: Summary) -> tuple[int, int]:
    """How many requests failed, of how many."""
    measured = summary.select("http_req_failed")
    assert isinstance(measured, Rate)
    return measured.hits, measured.total
