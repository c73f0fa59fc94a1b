"""What happened at a time of the load, for the charts: a line where it has no end, else a band."""

from dataclasses import dataclass
from typing import Any

from vezaflow.results import RunResult


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that began `begin` seconds after the run's start. `end` None: it took no time."""

    name: str
    begin: float
    end: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "begin": self.begin, "end": self.end}


def marks_of(result: RunResult) -> tuple[Mark, ...]:
    """The flows that began later than the load, and its events."""
    flows = [Mark(f"{load.flow} starts", load.start_time) for load in result.flows if load.start_time > 0]
    events = [Mark(event.name, event.begin, event.end) for event in result.events]
    return tuple(sorted((*flows, *events), key=lambda mark: mark.begin))
