"""The result of one segment of a load, as a value and as JSON: what it takes to merge it with the others.

A segment's file is a `summary.json` with this beside its figures. It holds no secret: the bundle is kept masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vezaflow.metrics import MOMENT, SLICE, SUMMARY, LoadSlice, Moment, Summary, slices_from, timeline_of
from vezaflow.plan import Bundle, Inputs, Segment
from vezaflow.scale.report import SHAPE as REPORT
from vezaflow.scale.report import Json, Report, merged
from vezaflow.untrusted import Maybe, Shape, TupleOf, misfit, shape_of

MOST_SEGMENTS = 10_000  # of a run: more machines than anybody has
SHAPE: Shape = {
    "index": int,
    "count": int,
    "bundle": {
        "files": [TupleOf((str, str))],
        "flows": [str],
        "inputs": shape_of(Inputs),
        "secret_names": [str],
        "data": Maybe([TupleOf((str, str))]),
    },
    "report": REPORT,
    "moments": [MOMENT],
    "slices": Maybe([SLICE]),
}


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """`moments`: each second with its times, as JSON. `slices`: what gates ask of events, each second; None in files of
    earlier versions."""

    segment: Segment
    bundle: Bundle
    report: Report
    moments: Sequence[Json]
    slices: tuple[LoadSlice, ...] | None = ()

    def to_json(self) -> Json:
        return {
            "index": self.segment.index + 1,
            "count": self.segment.count,
            "bundle": self.bundle.masked().to_json(),
            "report": self.report.to_json(),
            "moments": list(self.moments),
            **({} if self.slices is None else {"slices": [each.to_json() for each in self.slices]}),
        }

    @classmethod
    def from_json(cls, record: Json, figures: Json) -> "SegmentResult":
        """What `to_json` wrote. `figures`: its summary, from beside it. ValueError: it is something else."""
        if place := misfit(record, SHAPE) or misfit(figures, SUMMARY):
            raise ValueError(f"`{place}` is invalid")
        if not 1 <= record["index"] <= record["count"] <= MOST_SEGMENTS:
            raise ValueError("invalid segment")
        try:
            bundle = Bundle.from_json(record["bundle"])
            report = Report.from_json(record["report"], Summary.from_json(figures), bundle.sources)
            list(map(Moment.from_json, record["moments"]))
        except (KeyError, TypeError) as e:
            raise ValueError(f"missing or unknown field: {e}") from None
        slices = slices_from(record["slices"]) if "slices" in record else None
        return cls(Segment(record["index"] - 1, record["count"]), bundle, report, record["moments"], slices)


def merged_segments(results: Sequence[SegmentResult]) -> Report:
    """One report of all segments, as if one run had put on their load."""
    moments = [[Moment.from_json(moment) for moment in result.moments] for result in results]
    return merged([_named(result) for result in results], timeline_of(moments))


def _named(result: SegmentResult) -> Report:
    workers = tuple(
        replace(worker, name=f"{worker.name} of segment {result.segment}") for worker in result.report.workers
    )
    return replace(result.report, workers=workers)


def differences(one: Bundle, other: Bundle) -> str:
    """What keeps two bundles from being one run's, in words; empty when nothing does."""
    mine, theirs = _texts(one), _texts(other)
    if mine.keys() != theirs.keys():
        return f"different files: {', '.join(sorted(mine.keys() ^ theirs.keys()))}"
    texts = [name for name, text in mine.items() if theirs[name] != text]
    if texts:
        return f"different content of {', '.join(texts)}"
    rows = [path for path, digest in one.data if dict(other.data).get(path) != digest]
    if rows:
        return f"different rows in {', '.join(rows)}"
    inputs = [name for name, value in _words(one.inputs).items() if _words(other.inputs).get(name) != value]
    return f"different {', '.join(inputs)}" if inputs else ""


def _texts(bundle: Bundle) -> dict[str, str]:
    return {path.replace("\\", "/").rpartition("/")[2]: text for path, text in bundle.files}


def _words(inputs: Inputs) -> dict[str, Any]:
    """The inputs by the names that people gave them."""
    options = {
        "--base-url": inputs.base_url,
        "--duration": inputs.duration,
        "--vus": dict(inputs.vus),
        "--scale": inputs.scale,
        "--only": tuple(inputs.only),
        "--seed": inputs.seed,
    }
    return {**inputs.environment, **options}
