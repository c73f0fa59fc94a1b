"""The object of a `summary.json` of schema 1 → the same as schema 2 has it, as far as it is known.

docs/summary-json.md has the table of what is called otherwise. What schema 1 did not write is empty (the seconds, the
plan's hash, the profile, the commit, the requested iterations).
"""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
_FIGURES = {"requests": "http_reqs", "requests_per_second": "http_reqs_per_second", "failed_rate": "http_req_failed"}
_REQUESTED = ("executor", "vus", "duration", "start_time", "rate")
_VITALS = {
    "lag_p99_ms": "lag_p99",
    "lag_max_ms": "lag_max",
    "latest_read_ms": "read_delay_max",
    "away": "lag_share",
    "held_up": "load_missing",
}


def upgraded(record: Json) -> Json:
    """The record under schema 2's names. KeyError, TypeError or AttributeError: it was none of schema 1."""
    rest = {name: value for name, value in record.items() if name not in ("seconds", "share")}
    return {
        **rest,
        "schema": 2,
        "duration": record["seconds"],
        "gates": [{"at_least": False, "compared_at_least": False, **gate} for gate in record["gates"]],
        "concerns": [{**c, "kind": "segment" if c["kind"] == "share" else c["kind"]} for c in record["concerns"]],
        "flows": [_flow(flow) for flow in record["flows"]],
        "pooled": _figures(record["pooled"]),
        "steps": [_step(step) for step in record["steps"]],
        "timeline": [{"at_least": [], **point} for point in record["timeline"]],
        "health": _health(record["health"]),
        "segment": record.get("share"),
        "by_second": [],
    }


def _flow(flow: Json) -> Json:
    figures = {name: value for name, value in flow.items() if name not in (*_REQUESTED, "flow", "unjudged")}
    requested = {name: flow.get(name) for name in _REQUESTED}
    return {
        "flow": flow["flow"],
        "requested": {"start_time": 0.0, **requested, "iterations": None},
        **_figures(figures),
        "unjudged": _figures(flow["unjudged"]),
    }


def _figures(figures: Json) -> Json:
    found = _renamed(figures, _FIGURES)
    arrivals = found.get("arrivals")
    if arrivals is not None:
        arrivals = {
            **_renamed(arrivals, {"dropped": "dropped_iterations"}),
            "iteration_delay": _trend(arrivals["iteration_delay"]),
            "iteration_response_time": _trend(arrivals["iteration_response_time"]),
        }
    times: Json = {name: _trend(found[name]) for name in ("http_req_duration", "iteration_duration") if name in found}
    return {**found, **times, "arrivals": arrivals}


def _trend(trend: Json) -> Json:
    return {**trend, "at_least": trend.get("at_least", [])}


def _step(step: Json) -> Json:
    requests, failed = step["requests"], step["failed"]
    rest = {name: value for name, value in step.items() if name not in ("requests", "failed")}
    return {
        **rest,
        "http_reqs": requests,
        "http_req_failed": failed / requests if requests else None,
        "http_req_duration": _trend(step["http_req_duration"]),
    }


def _health(health: Json) -> Json:
    workers = [_vitals(worker) for worker in health["workers"]]
    whole = _vitals(health)
    return {"cpu": max((worker["cpu"] for worker in workers), default=0.0), **whole, "workers": workers}


def _vitals(vitals: Json) -> Json:
    found = _renamed(vitals, _VITALS)
    return {
        name: value / 1000 if f"{name}_ms" in vitals or name == "read_delay_max" else value
        for name, value in found.items()
    }


def _renamed(fields: Json, names: Mapping[str, str]) -> Json:
    return {names.get(name, name): value for name, value in fields.items()}
