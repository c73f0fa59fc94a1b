"""A summary as JSON and back: how workers send their figures and how `summary.json` keeps them.

Each row is an object that holds its key's fields, its numbers and its histograms (Histogram.to_dict).
"""

from collections import Counter as Tally
from math import inf
from typing import TYPE_CHECKING, Any

from vezaflow.metrics.attempts import Attempts
from vezaflow.metrics.catalog import Phase
from vezaflow.metrics.figures import (
    CONNECTION_TIMES,
    ITERATION_TIMES,
    TIMES,
    Connections,
    FlowKey,
    Iterations,
    RequestKey,
    Requests,
    StepKey,
    Vus,
)
from vezaflow.metrics.histogram import Histogram
from vezaflow.untrusted import Each, Maybe, Shape

if TYPE_CHECKING:
    from vezaflow.metrics.summary import Summary

Json = dict[str, Any]
_TIMES: Shape = {"count": int}  # Histogram.from_dict looks at the rest
_AT: Shape = {
    "flow": str,
    "phase": frozenset(phase.value for phase in Phase),
    "step": str,
    "method": str,
    "group": str,
    "tags": Each(str),
    "judged": bool,
}
SHAPE: Shape = {
    "requests": [
        {
            **_AT,
            **dict.fromkeys(("status", "count", "bytes_sent", "bytes_received"), int),
            **dict.fromkeys(TIMES, _TIMES),
            **dict.fromkeys(("first", "last"), Maybe(float)),
            "error": str,
            "detail": str,
        }
    ],
    "steps": [
        {
            **_AT,
            "answered": int,
            **dict.fromkeys(CONNECTION_TIMES, _TIMES),
            "checks": [str],
            "failed_checks": Each(int),
        }
    ],
    "flows": [
        {
            "flow": str,
            "judged": bool,
            **dict.fromkeys(("done", "failed", "interrupted"), int),
            "seconds": float,
            **dict.fromkeys(ITERATION_TIMES, _TIMES),
            "groups": Each(_TIMES),
            "dropped": Each(int),
        }
    ],
    "vus": [{"flow": str, **dict.fromkeys(("value", "min", "max", "asked", "looks"), int)}],
    "attempts": [{**_AT, **dict.fromkeys(("done", "failed", "retries", "asked", "obeyed"), int), "duration": _TIMES}],
}
_ATTEMPTS = ("done", "failed", "retries", "asked", "obeyed")


def written(summary: "Summary") -> Json:
    """The JSON object of a summary."""
    return {
        "requests": [_request(key, row) for key, row in summary.requests.items()],
        "steps": [_step(key, row) for key, row in summary.steps.items()],
        "flows": [_flow(key, row) for key, row in summary.flows.items()],
        "vus": [{"flow": flow, **_vus(row)} for flow, row in summary.vus.items()],
        "attempts": [_attempts(key, row) for key, row in summary.attempts.items()],
    }


def read(record: Json) -> "Summary":
    """The summary that `written` wrote."""
    from vezaflow.metrics.summary import Summary

    return Summary(
        dict(_read_request(row) for row in record["requests"]),
        dict(_read_step(row) for row in record["steps"]),
        dict(_read_flow(row) for row in record["flows"]),
        {v["flow"]: Vus(v["value"], v["min"], v["max"], v["asked"], v["looks"]) for v in record["vus"]},
        dict(_read_attempts(row) for row in record["attempts"]),
    )


def _vus(row: Vus) -> Json:
    return {
        "value": row.value,
        "min": row.minimum,
        "max": row.maximum,
        "asked": row.asked,
        "looks": row.looks,
    }


def _place(key: StepKey) -> Json:
    return {
        "flow": key.flow,
        "phase": key.phase.value,
        "step": key.step,
        "method": key.method,
        "group": key.group,
        "tags": dict(key.tags),
        "judged": key.judged,
    }


def _read_place(row: Json) -> StepKey:
    tags = tuple(row["tags"].items())
    phase = Phase(row["phase"])
    return StepKey(row["flow"], phase, row["step"], row["method"], row["group"], tags, row["judged"])


def _request(key: RequestKey, row: Requests) -> Json:
    seen = {"first": row.first, "last": row.last} if row.first != inf else {}
    return {
        **_place(key.at),
        "status": key.status,
        "error": key.error,
        "count": row.count,
        "bytes_sent": row.bytes_sent,
        "bytes_received": row.bytes_received,
        **{name: getattr(row, name).to_dict() for name in TIMES},
        **seen,
        "detail": row.detail,
    }


def _read_request(row: Json) -> tuple[RequestKey, Requests]:
    figures = Requests(row["count"], row["bytes_sent"], row["bytes_received"], detail=row["detail"])
    figures.first, figures.last = row.get("first", inf), row.get("last", -inf)
    for name in TIMES:
        setattr(figures, name, Histogram.from_dict(row[name]))
    return RequestKey(_read_place(row), row["status"], row["error"]), figures


def _step(key: StepKey, row: Connections) -> Json:
    return {
        **_place(key),
        "answered": row.answered,
        **{name: getattr(row, name).to_dict() for name in CONNECTION_TIMES},
        "checks": list(row.checks),
        "failed_checks": dict(row.failed_checks),
    }


def _read_step(row: Json) -> tuple[StepKey, Connections]:
    figures = Connections(row["answered"], checks=tuple(row["checks"]), failed_checks=Tally(row["failed_checks"]))
    for name in CONNECTION_TIMES:
        setattr(figures, name, Histogram.from_dict(row[name]))
    return _read_place(row), figures


def _attempts(key: StepKey, row: Attempts) -> Json:
    counts = {name: getattr(row, name) for name in _ATTEMPTS}
    return {**_place(key), **counts, "duration": row.duration.to_dict()}


def _read_attempts(row: Json) -> tuple[StepKey, Attempts]:
    counts = {name: row[name] for name in _ATTEMPTS}
    return _read_place(row), Attempts(**counts, duration=Histogram.from_dict(row["duration"]))


def _flow(key: FlowKey, row: Iterations) -> Json:
    return {
        "flow": key.flow,
        "judged": key.judged,
        "done": row.done,
        "failed": row.failed,
        "interrupted": row.interrupted,
        "seconds": row.seconds,
        "duration": row.duration.to_dict(),
        "groups": {name: held.to_dict() for name, held in row.groups.items()},
        "dropped": dict(row.dropped),
        "delay": row.delay.to_dict(),
        "response_time": row.response_time.to_dict(),
    }


def _read_flow(row: Json) -> tuple[FlowKey, Iterations]:
    groups = {name: Histogram.from_dict(held) for name, held in row["groups"].items()}
    figures = Iterations(
        row["done"],
        row["failed"],
        row["interrupted"],
        row["seconds"],
        Histogram.from_dict(row["duration"]),
        groups,
        Tally(row["dropped"]),
        Histogram.from_dict(row["delay"]),
        Histogram.from_dict(row["response_time"]),
    )
    return FlowKey(row["flow"], row["judged"]), figures
