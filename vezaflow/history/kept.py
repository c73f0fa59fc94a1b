"""A run as the history keeps it: the light row that lists show, and the whole of it.

Laws: what is kept is the start (`header`, `bundle`), the seconds, and at the end the record, which is the object of
`summary.json` without `by_second`. Whatever of these is missing, the rest is of use: a killed run has no record, an
imported one no bundle, a pruned one no figures. Secrets are in none of it.
"""

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

import orjson

from vezaflow.gates import Outcome
from vezaflow.metrics import Interval, Point, merged
from vezaflow.reports import provenance_to_json
from vezaflow.results import Commit, RunStart
from vezaflow.units import AtLeast

Json = dict[str, Any]


class State(Enum):
    """How far a run came."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"  # its process ended before the record was written
    COMPLETE = "complete"


class Word(Enum):
    """What lists call a run's end."""

    GREEN = "green"
    RED = "red"
    INCONCLUSIVE = "inconclusive"
    INTERRUPTED = "interrupted"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class KeptRun:
    """The light row of a run. `id` names it in the history: the run's id, and of a segment with its number."""

    id: str
    run_id: str
    suite: str
    started: datetime  # UTC
    state: State
    outcome: Outcome | None  # None: it has no record
    interrupted: bool  # stopped before its end, by hand or by a crash
    duration: float | None  # seconds of the load
    base_url: str
    p95: float | None  # of http_req_duration over all, in seconds
    failed: float | None  # http_req_failed over all, a ratio
    plan_hash: str  # empty: not known
    plan_parts: Mapping[str, str]
    full: bool | None  # whether the whole load was run; None: not known
    changes: tuple[str, ...]  # how it was turned down
    manual_changes: tuple[str, ...]
    commit: Commit | None
    version: str
    segment: str  # `2/8`; empty: a whole run
    has_figures: bool  # whether its seconds or figures are still kept

    @property
    def word(self) -> Word:
        """The verdict in a word."""
        if self.state is State.RUNNING:
            return Word.RUNNING
        if self.outcome is None or (self.interrupted and self.outcome is not Outcome.RED):
            return Word.INTERRUPTED
        return Word(self.outcome.value)

    def to_json(self) -> Json:
        return {
            **asdict(self),
            "started": self.started.isoformat(),
            "state": self.state.value,
            "outcome": self.outcome.value if self.outcome else None,
            "p95": None if self.p95 is None else float(self.p95),
            "verdict": self.word.value,
        }


@dataclass(frozen=True, slots=True)
class Second:
    """What came in one interval of a run."""

    number: int  # of this run's intervals, from 0
    interval: Json
    points: Sequence[Json] = ()

    @classmethod
    def of(cls, number: int, interval: Interval, points: Sequence[Point] = ()) -> "Second":
        return cls(number, interval.to_json(), [point.to_json() for point in points])


@dataclass(frozen=True, slots=True)
class Stored:
    """The whole of a run."""

    header: Json
    bundle: Json | None = None
    seconds: Sequence[Second] = ()
    record: Json | None = None  # with `figures`, where they are kept
    state: State = State.COMPLETE

    @property
    def id(self) -> str:
        return id_of(self.header)

    def of_intervals(self) -> list[Interval]:
        return [Interval.from_json(second.interval) for second in self.seconds]


def id_of(header: Json) -> str:
    """A segment has the id that its merged run gets, too."""
    segment = header.get("segment") or ""
    return f"{header['run_id']}-{segment.replace('/', 'of')}" if segment else str(header["run_id"])


def header_of(start: RunStart) -> Json:
    """What is known when the load begins, as JSON. `folder`: the paths of the bundle start there."""
    return {
        "run_id": start.run_id,
        "suite": start.suite,
        "description": start.description,
        "started": start.started.isoformat(),
        "base_url": start.base_url,
        "segment": str(start.segment) if start.segment is not None else "",
        "folder": os.getcwd(),
        **provenance_to_json(start.provenance),
    }


def header_from(record: Json) -> Json:
    """The same of a run of which only the record is there."""
    segment = record.get("segment")
    return {
        **{name: record[name] for name in ("run_id", "suite", "description", "started", "base_url")},
        "segment": f"{segment['index']}/{segment['count']}" if segment else "",
        **{name: record.get(name) for name in ("plan", "profile", "commit", "host")},
    }


@dataclass(frozen=True, slots=True)
class Figures:
    """The few figures of a run that lists show."""

    duration: float | None = None
    p95: float | None = None
    failed: float | None = None
    outcome: str | None = None
    interrupted: bool = False
    manual_changes: tuple[str, ...] = field(default=())
    version: str = ""


def figures_of(record: Json) -> Figures:
    """Of a run that has its record."""
    times = record["pooled"]["http_req_duration"]
    p95 = times["p95"]
    return Figures(
        duration=record["duration"],
        p95=AtLeast(p95) if p95 is not None and "p95" in times.get("at_least", ()) else p95,
        failed=record["pooled"]["http_req_failed"],
        outcome=record["outcome"],
        interrupted=record["interrupted"],
        manual_changes=tuple(record.get("manual_changes", ())),
        version=record["versions"]["vezaflow"],
    )


def figures_of_seconds(intervals: Sequence[Interval]) -> Figures:
    """Of a run that has no record, from its seconds."""
    if not intervals:
        return Figures(interrupted=True)
    steps = [step for interval in intervals for step in interval.steps.values()]
    requests = sum(step.requests for step in steps)
    return Figures(
        duration=intervals[-1].second,
        p95=merged(step.duration for step in steps).quantile(0.95),
        failed=sum(step.failed for step in steps) / requests if requests else None,
        interrupted=True,
    )


def packed(value: Any) -> bytes:
    """JSON, compressed."""
    return zlib.compress(orjson.dumps(value), 6)


def unpacked(data: bytes | memoryview) -> Any:
    return orjson.loads(zlib.decompress(data))
