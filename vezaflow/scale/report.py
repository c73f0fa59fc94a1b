"""How a load stands: the figures of one process, or of all together. What a worker sends once a second, what the
session asks its workers for, and what the file of a segment keeps are this one thing.

Merging loses nothing: counts are added, histograms merged, and of each worker's health its own reading stays.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from vezaflow.diagnostics import Source, Span
from vezaflow.engine import Delivered, Incident, Vitals
from vezaflow.metrics import Summary, Timeline, merge_all
from vezaflow.untrusted import MappingOf, Maybe, Shape, TupleOf, shape_of

Json = dict[str, Any]
_NOWHERE = Source("", "")
SHAPE: Shape = {
    "seconds": float,
    "delivered": MappingOf(shape_of(Delivered)),
    "notes": Maybe([str]),
    "workers": [{"name": str, "vitals": shape_of(Vitals), "lost": str}],
    "incidents": [
        {
            **dict.fromkeys(("code", "flow", "step", "message", "help"), str),
            "count": int,
            "places": [TupleOf((str, int, int))],
        }
    ],
}


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker: how it fares, and why it was lost (empty: it was not)."""

    name: str  # `2`; of a segment `2 of segment 3/8`
    vitals: Vitals
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """`seconds`: how much of the load the figures cover. `timeline`: all of a load that is over, and of one that goes
    on its last seconds."""

    seconds: float
    summary: Summary
    timeline: Timeline
    delivered: Mapping[str, Delivered]  # by flow
    workers: tuple[WorkerState, ...]
    incidents: tuple[Incident, ...] = ()
    notes: tuple[str, ...] = ()  # what else people should know, a line each

    def to_json(self) -> Json:
        """A JSON object without summary and timeline: those travel beside it."""
        return {
            "seconds": self.seconds,
            "delivered": {flow: asdict(delivered) for flow, delivered in self.delivered.items()},
            "workers": [asdict(worker) for worker in self.workers],
            "incidents": [_incident_to_json(incident) for incident in self.incidents],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, record: Json, summary: Summary, sources: Mapping[str, Source]) -> "Report":
        """What `to_json` wrote, without a timeline. `sources`: by path, what incidents point into."""
        return cls(
            record["seconds"],
            summary,
            Timeline(),
            {flow: Delivered(**delivered) for flow, delivered in record["delivered"].items()},
            tuple([WorkerState(w["name"], Vitals(**w["vitals"]), w["lost"]) for w in record["workers"]]),
            tuple([_incident_from_json(incident, sources) for incident in record["incidents"]]),
            tuple(record.get("notes", ())),
        )


def merged(reports: Sequence[Report], timeline: Timeline) -> Report:
    """One report of all. The timeline is made elsewhere: it needs more than the reports' last state."""
    return Report(
        max((report.seconds for report in reports), default=0.0),
        merge_all(report.summary for report in reports),
        timeline,
        merged_delivered(report.delivered for report in reports),
        tuple([worker for report in reports for worker in report.workers]),
        merged_incidents(report.incidents for report in reports),
        tuple([note for report in reports for note in report.notes]),
    )


def merged_delivered(parts: Iterable[Mapping[str, Delivered]]) -> dict[str, Delivered]:
    """What all parts of each flow delivered together."""
    whole: dict[str, Delivered] = {}
    for part in parts:
        for flow, delivered in part.items():
            whole[flow] = _both(whole[flow], delivered) if flow in whole else delivered
    return whole


def _both(one: Delivered, other: Delivered) -> Delivered:
    """Numbers and tallies are added, what is true of one is true of both."""
    found: dict[str, Any] = {}
    for name in (item.name for item in fields(Delivered)):
        mine, theirs = getattr(one, name), getattr(other, name)
        if isinstance(mine, bool):
            found[name] = mine or theirs
        elif isinstance(mine, Mapping):
            found[name] = dict(Tally(mine) + Tally(theirs))
        else:
            found[name] = mine + theirs
    return Delivered(**found)


def merged_incidents(parts: Iterable[tuple[Incident, ...]]) -> tuple[Incident, ...]:
    """Each place once, with the words of the part that came first; the most frequent first."""
    whole: dict[tuple[object, ...], Incident] = {}
    for incident in (incident for part in parts for incident in part):
        key = (incident.code, incident.flow, incident.step, *map(_place, (incident.span, *incident.included)))
        first = whole.get(key)
        whole[key] = replace(first, count=first.count + incident.count) if first else incident
    return tuple(sorted(whole.values(), key=lambda incident: -incident.count))


def _incident_to_json(incident: Incident) -> Json:
    places = [_place(span) for span in (incident.span, *incident.included)]
    names = ("code", "flow", "step", "message", "count", "help")
    return {**{name: getattr(incident, name) for name in names}, "places": places}


def _incident_from_json(record: Json, sources: Mapping[str, Source]) -> Incident:
    span, *included = (Span(sources.get(path, _NOWHERE), start, end) for path, start, end in record["places"])
    code, flow, step, message = (record[name] for name in ("code", "flow", "step", "message"))
    return Incident(code, flow, step, message, span, record["count"], tuple(included), record["help"])


def _place(span: Span) -> tuple[str, int, int]:
    return span.source.path, span.start, span.end
