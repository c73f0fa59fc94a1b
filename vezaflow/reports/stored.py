"""The object of a `summary.json` → the RunResult that it was made of: what every view of a stored run begins with.

Law: `to_json(from_json(record))` is the record, but for what only merging needs (`segment`). Files of schema 1
have other names: they are not read here. Gates are read from their text.
"""

import re
from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, datetime
from math import inf
from typing import Any

from vezaflow.audit import AUDIT_SHAPE, audit_from_json
from vezaflow.diagnostics import CODES, Diagnostic, Diagnostics, Source, Span
from vezaflow.engine import Vitals
from vezaflow.errors import ExitCode
from vezaflow.gates import Concern, ConcernKind, Outcome, Verdict
from vezaflow.metrics import (
    INTERVAL,
    METRICS,
    READING,
    SUMMARY,
    Metric,
    MetricKind,
    Of,
    Point,
    Reading,
    Seconds,
    Summary,
    Timeline,
)
from vezaflow.model import ActionKind
from vezaflow.observe import OBSERVED, observed_from_json
from vezaflow.plan import PlannedGate
from vezaflow.profiles import PROFILE_SHAPE, ProfileRecord, profile_from_json
from vezaflow.reports.provenance import provenance_from_json
from vezaflow.results import (
    SCHEMA,
    EventWindow,
    Happened,
    Health,
    Link,
    RequestedLoad,
    RunResult,
    Standing,
    Versions,
)
from vezaflow.scale import MACHINE, MachineFigures, WorkerState
from vezaflow.syntax import Reference, Scalar, parse_condition
from vezaflow.units import AtLeast, Dimension
from vezaflow.untrusted import MappingOf, Maybe, Null, Shape, misfit, shape_of

Json = dict[str, Any]
_VITALS = shape_of(Vitals)
_GATE: Shape = {
    "gate": str, "flow": Null(str), "metric": str, "labels": MappingOf(str),
    "outcome": frozenset(each.value for each in Outcome), "value": Null(float), "at_least": bool,
    "compared": Null(float), "compared_at_least": bool, "samples": int, "reason": str,
    "between": Maybe(Null([Null(float)])),
    "own": Maybe(Null({"kind": frozenset(each.value for each in MetricKind),
                       "dimension": Null(frozenset(each.value for each in Dimension)), "aggregates": [str]})),
    "file": Maybe(Null(str)), "line": Maybe(Null(int)), "column": Maybe(Null(int)),
}  # fmt: skip
_HAPPENED: Shape = {
    "name": str, "kind": frozenset(each.value for each in ActionKind), "begin": float, "end": Null(float), "text": str,
    "error": str, "undone": Null(float), "manual": bool,
}  # fmt: skip
SHAPE: Shape = {
    "suite": str, "description": str, "run_id": str, "base_url": str, "started": str, "duration": float,
    "outcome": frozenset(each.value for each in Outcome), "exit_code": int, "interrupted": bool, "aborted": str,
    "notes": [str], "gates": [_GATE],
    "concerns": [{"kind": frozenset(each.value for each in ConcernKind), "text": str, "remedy": str, "flow": str}],
    "flows": [{"flow": str, "requested": {"executor": str, "vus": int, "duration": float, "iterations": Null(int),
               "start_time": float, "rate": Null(float)}}],
    "incidents": [{"code": str, "message": str, "help": str, "file": Null(str), "line": Null(int),
                   "column": Null(int)}],
    "health": {**_VITALS, "vus_started": int, "load_missing": float,
               "workers": [{"name": str, **_VITALS, "lost": str}]},
    "inputs": MappingOf(str), "versions": {"vezaflow": str, "python": str, "platform": str},
    "plan": Maybe(Null({"hash": str, "parts": MappingOf(str)})),
    "profile": Maybe(Null({"full": bool, "changes": [str]})),
    "commit": Maybe(Null({"sha": str, "dirty": bool})),
    "host": Maybe(Null({"name": str, "cores": int, "kernel": str})),
    "audits": Maybe([AUDIT_SHAPE]), "profiles": Maybe([PROFILE_SHAPE]),
    "standing": Maybe({"night": str, "baseline": str, "accepted": str}),
    "observed": Maybe(Null(OBSERVED)),
    "events": Maybe([_HAPPENED]), "event_windows": Maybe([{"event": str, "begin": float, "end": float}]),
    "links": Maybe([{"name": str, "url": str}]), "manual_changes": Maybe([str]), "machines": Maybe([MACHINE]),
    "by_second": Maybe([INTERVAL]), "readings": Maybe([READING]),
    "trace_links": Maybe(MappingOf(str)), "clock": str, "files": [str], "figures": SUMMARY,
}  # fmt: skip
_REQUESTED = ("executor", "vus", "duration", "iterations", "start_time", "rate")
_NOWHERE = Source("", "")


def from_json(record: Json, sources: Mapping[str, Source] | None = None) -> RunResult:
    """The result; ValueError where it is none.

    `sources`: the flows' texts by path, for incidents to point into.
    """
    if record.get("schema") != SCHEMA:
        raise ValueError(f"schema {str(record.get('schema'))[:20]}, and this version reads {SCHEMA}")
    if place := misfit(record, SHAPE):
        raise ValueError(f"`{place}` is invalid")
    try:
        return _result(record, sources or {})
    except (KeyError, TypeError) as e:
        raise ValueError(f"missing or unknown field: {e}") from None


def _result(record: Json, sources: Mapping[str, Source]) -> RunResult:
    started = datetime.fromisoformat(record["started"])
    if started.utcoffset() is None:
        raise ValueError("`started` has no UTC offset")
    if not MINYEAR < started.year < MAXYEAR:
        raise ValueError("`started` is out of range")
    return RunResult(
        suite=record["suite"],
        run_id=record["run_id"],
        started=started,
        duration=record["duration"],
        outcome=Outcome(record["outcome"]),
        exit_code=ExitCode(record["exit_code"]),
        interrupted=record["interrupted"],
        verdicts=tuple(_verdict(gate, sources) for gate in record["gates"]),
        concerns=tuple(
            Concern(ConcernKind(each["kind"]), each["text"], each["remedy"], each["flow"])
            for each in record["concerns"]
        ),
        summary=Summary.from_json(record["figures"]),
        timeline=Timeline(tuple(map(Point.from_json, record["timeline"]))),
        flows=tuple(
            RequestedLoad(flow["flow"], **{name: flow["requested"][name] for name in _REQUESTED})
            for flow in record["flows"]
        ),
        health=_health(record["health"]),
        inputs=tuple(record["inputs"].items()),
        seed=record["seed"],
        versions=Versions(**{name: record["versions"][name] for name in ("vezaflow", "python", "platform")}),
        base_url=record["base_url"],
        description=record["description"],
        aborted=record["aborted"],
        files=tuple(record["files"]),
        notes=tuple(record["notes"]),
        incidents=tuple(_incident(each, sources) for each in record["incidents"]),
        seconds=Seconds.from_json(record.get("by_second", ())),
        readings=tuple(Reading(**each) for each in record.get("readings", ())),
        provenance=provenance_from_json(record),
        links=tuple(Link(each["name"], each["url"]) for each in record.get("links", ())),
        trace_links=tuple(record.get("trace_links", {}).items()),
        observed=None if record.get("observed") is None else observed_from_json(record["observed"]),
        events=events_of(record),
        event_windows=tuple(
            EventWindow(each["event"], each["begin"], each["end"]) for each in record.get("event_windows", ())
        ),
        audits=tuple(audit_from_json(each) for each in record.get("audits", ())),
        profiles=profiles_of(record),
        standing=_standing(record.get("standing") or {}),
        manual_changes=tuple(record.get("manual_changes", ())),
        machines=tuple(MachineFigures.from_json(each) for each in record.get("machines", ())),
        clock=record["clock"],
    )


def events_of(record: Json) -> tuple[Happened, ...]:
    """What happened during the load; nothing in files from before it was kept. ValueError: it is something else."""
    found = record.get("events", [])
    if place := misfit(found, [_HAPPENED]):
        raise ValueError(f"`events{place}` is invalid")
    known = ({name: each[name] for name in _HAPPENED} for each in found)
    return tuple(Happened(**{**each, "kind": ActionKind(each["kind"])}) for each in known)


def profiles_of(record: Json) -> tuple[ProfileRecord, ...]:
    """The profiles of a run; none in files from before there were any, or where they are something else."""
    found = record.get("profiles", [])
    return () if misfit(found, [PROFILE_SHAPE]) else tuple(map(profile_from_json, found))


def _standing(record: Json) -> Standing:
    return Standing(**{name: record.get(name, "") for name in ("night", "baseline", "accepted")})


def _verdict(record: Json, sources: Mapping[str, Source]) -> Verdict:
    text = record["gate"]
    head = re.match(r"[^{}:]+(?:\{.*?\})?: ", text)
    diagnostics = Diagnostics()
    span = _gate_place(record, sources)
    written = text[head.end() :] if head else text
    condition = parse_condition(Scalar(written, span, plain=True), diagnostics)
    if condition is None:
        raise ValueError(f"no gate that this version knows: {text[:80]}")
    own = _own(record)
    if own is None and record["metric"] not in METRICS:
        raise ValueError(f"no metric that this version knows: {record['metric'][:80]}")
    gate = PlannedGate(record["flow"], record["metric"], tuple(record["labels"].items()), condition, span, own=own)
    value, compared = record["value"], record["compared"]
    return Verdict(
        gate,
        Outcome(record["outcome"]),
        AtLeast(value) if record["at_least"] else value,
        record["samples"],
        record["reason"],
        AtLeast(compared) if record["compared_at_least"] and isinstance(condition.bound, Reference) else compared,
        _between(record.get("between")),
    )


def _own(record: Json) -> Metric | None:
    """What the gate's metric is, where it is none of the catalog's."""
    said = record.get("own")
    if said is None:
        return None
    dimension = None if said["dimension"] is None else Dimension(said["dimension"])
    labels, only = tuple(record["labels"]), tuple(said["aggregates"])
    return Metric(record["metric"], MetricKind(said["kind"]), dimension, "", labels, Of.ELSEWHERE, "", only=only)


def _between(ends: list[float | None] | None) -> tuple[float, float] | None:
    if ends is None or len(ends) != 2:
        return None
    low, high = ends
    return (-inf if low is None else low, inf if high is None else high)


def _gate_place(record: Json, sources: Mapping[str, Source]) -> Span:
    """Where the gate stands; without the text in one that has nothing but this place."""
    path, line, column = (record.get(name) for name in ("file", "line", "column"))
    if path is None or line is None or column is None:
        return Span(_NOWHERE, 0, 0)
    found = _place(sources[path], line, column) if path in sources else None
    if found is not None:
        return found
    start = line + column - 2
    return Span(Source(path, "\n" * (line - 1) + " " * (column - 1)), start, start)


def _health(record: Json) -> Health:
    workers = tuple(WorkerState(each["name"], _vitals(each), each["lost"]) for each in record["workers"])
    return Health(workers, record["vus_started"], record["load_missing"])


def _vitals(record: Json) -> Vitals:
    return Vitals(**{name: record[name] for name in _VITALS})


def _incident(record: Json, sources: Mapping[str, Source]) -> Diagnostic:
    code = record["code"]
    if code not in CODES:
        raise ValueError(f"unknown code {code[:10]}")
    source = sources.get(record["file"] or "")
    span = _place(source, record["line"], record["column"]) if source is not None else None
    return Diagnostic(code, CODES[code].severity, record["message"], span, help=record["help"])


def _place(source: Source, line: int | None, column: int | None) -> Span | None:
    """The place as a span of its line's rest; None where the text has no such line."""
    lines = source.text.splitlines(keepends=True)
    if line is None or column is None or not 1 <= line <= len(lines):
        return None
    start = sum(map(len, lines[: line - 1])) + min(column, len(lines[line - 1])) - 1
    return Span(source, start, sum(map(len, lines[:line])))
