"""Requests that can be found again by their trace: of each outcome of a step the slowest, and the first that failed.

Bounded: so many of each, however many were traced and wherever: merging keeps the slowest of all shares.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from vezaflow.metrics.rows import FieldRule
from vezaflow.untrusted import Maybe, TupleOf

KEPT = 3  # of each outcome of a step


class TracedSample(NamedTuple):
    """A request with a trace. Seconds; `at`: when it ended, since the load's begin."""

    duration: float
    at: float
    trace: str


TracedSamples = tuple[TracedSample, ...]


def slowest_of(samples: Iterable[TracedSample]) -> TracedSamples:
    """The slowest first, each once."""
    return tuple(sorted(set(samples), key=lambda each: (-each.duration, each.at, each.trace))[:KEPT])


def _first(mine: TracedSamples, theirs: TracedSamples) -> TracedSamples:
    return tuple(sorted((*mine, *theirs), key=lambda each: (each.at, each.trace))[:1])


def _slowest(mine: TracedSamples, theirs: TracedSamples) -> TracedSamples:
    return slowest_of((*mine, *theirs)) if mine or theirs else ()


def _now(value: TracedSamples, _earlier: TracedSamples) -> TracedSamples:
    return value


def _write(held: TracedSamples) -> list[list[Any]] | None:
    return [list(each) for each in held] or None


def _read(record: list[list[Any]]) -> TracedSamples:
    return tuple(TracedSample(*each) for each in record)


_SHAPE = Maybe([TupleOf((float, float, str))])
SLOWEST = FieldRule(_SHAPE, _slowest, _now, write=_write, read=_read)
FIRST = FieldRule(_SHAPE, _first, _now, write=_write, read=_read)


class TraceRecorder:
    """Takes in the traced requests of one outcome since the last fold."""

    __slots__ = ("first", "slowest")

    def __init__(self) -> None:
        self.first: TracedSamples = ()
        self.slowest: TracedSamples = ()

    def take(self, sample: TracedSample) -> None:
        if not self.first:
            self.first = (sample,)
        if len(self.slowest) < KEPT or sample.duration > self.slowest[-1].duration:
            self.slowest = slowest_of((*self.slowest, sample))
