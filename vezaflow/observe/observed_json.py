"""Observed ↔ a JSON object. A bound that is none (below all, above all) is null."""

from dataclasses import asdict
from math import inf
from typing import Any

from vezaflow.model import ObservedKind
from vezaflow.observe.histograms import Bucket
from vezaflow.observe.observed import Observed, ObservedEndpoint, ObservedFigures, ObservedSeries
from vezaflow.observe.window import Period
from vezaflow.plan import SentPath
from vezaflow.untrusted import MappingOf, Null, Shape

Json = dict[str, Any]
_SERIES: Shape = {
    "labels": MappingOf(str), "begin": float, "end": float, "count": float, "total": float, "least": Null(float),
    "most": Null(float), "last": Null(float),
    "buckets": [{"low": Null(float), "high": Null(float), "count": float}],
}  # fmt: skip
OBSERVED: Shape = {
    "source": str, "problem": str, "clock_offset": float, "latency": str,
    "figures": [{"name": str, "kind": frozenset(each.value for each in ObservedKind), "of": str, "flow": Null(str),
                 "begin": float, "end": float, "problem": str, "exponential": bool, "series": [_SERIES]}],
    "endpoints": [{"method": str, "path": str, "labels": MappingOf(str),
                   "steps": [{"flow": str, "step": str, "method": str, "path": str}]}],
}  # fmt: skip


def observed_to_json(observed: Observed) -> Json:
    """A JSON object with every bucket; `observed_from_json` reads it back."""
    return {
        "source": observed.source,
        "problem": observed.problem,
        "clock_offset": observed.clock_offset,
        "latency": observed.latency,
        "figures": [_figures(each) for each in observed.figures],
        "endpoints": [
            {
                "method": each.method,
                "path": each.path,
                "labels": dict(each.labels),
                "steps": [asdict(step) for step in each.steps],
            }
            for each in observed.endpoints
        ],
    }


def observed_from_json(record: Json) -> Observed:
    """The record's Observed. `record` has the shape OBSERVED."""
    return Observed(
        record["source"],
        tuple(_figures_from(each) for each in record["figures"]),
        record["problem"],
        record["clock_offset"],
        record["latency"],
        tuple(
            ObservedEndpoint(
                each["method"],
                each["path"],
                tuple(each["labels"].items()),
                tuple(SentPath(step["flow"], step["step"], step["method"], step["path"]) for step in each["steps"]),
            )
            for each in record["endpoints"]
        ),
    )


def _figures(figures: ObservedFigures) -> Json:
    return {
        "name": figures.name,
        "kind": figures.kind.value,
        "of": figures.of,
        "flow": figures.flow,
        "begin": figures.period.begin,
        "end": figures.period.end,
        "problem": figures.problem,
        "exponential": figures.exponential,
        "series": [_series(each) for each in figures.series],
    }


def _series(series: ObservedSeries) -> Json:
    return {
        "labels": dict(series.labels),
        "begin": series.begin,
        "end": series.end,
        "count": series.count,
        "total": series.total,
        "least": series.least,
        "most": series.most,
        "last": series.last,
        "buckets": [
            {
                "low": None if each.low == -inf else each.low,
                "high": None if each.high == inf else each.high,
                "count": each.count,
            }
            for each in series.buckets
        ],
    }


def _figures_from(record: Json) -> ObservedFigures:
    return ObservedFigures(
        record["name"],
        ObservedKind(record["kind"]),
        record["of"],
        record["flow"],
        Period(record["begin"], record["end"]),
        tuple(_series_from(each) for each in record["series"]),
        record["problem"],
        record["exponential"],
    )


def _series_from(record: Json) -> ObservedSeries:
    buckets = tuple(
        Bucket(
            -inf if each["low"] is None else each["low"], inf if each["high"] is None else each["high"], each["count"]
        )
        for each in record["buckets"]
    )
    rest = {name: record[name] for name in ("begin", "end", "count", "total", "least", "most", "last")}
    return ObservedSeries(tuple(record["labels"].items()), **rest, buckets=buckets)
