"""A summary as JSON and back: how workers send their figures and how `summary.json` keeps them.

Each row is an object that holds its key's fields, its numbers and its histograms (Histogram.to_json). Which rows there
are, and of what, is read off the fields of a summary's class (summary.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from vezaflow.metrics.catalog import Phase
from vezaflow.metrics.figures import FlowKey, RequestKey, StepKey
from vezaflow.metrics.rows import SummaryRow
from vezaflow.untrusted import MappingOf, Maybe, Shape

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Key:
    """How a row's key is written."""

    shape: dict[str, Shape]
    write: Callable[[Any], Json]
    read: Callable[[Json], Any]


def _step(key: StepKey) -> Json:
    return {**key._asdict(), "phase": key.phase.value, "tags": dict(key.tags)}


def _read_step(row: Json) -> StepKey:
    tags = tuple(row["tags"].items())
    phase = Phase(row["phase"])
    return StepKey(row["flow"], phase, row["step"], row["method"], row["group"], tags, row["judged"])


_STEP: dict[str, Shape] = {
    "flow": str,
    "phase": frozenset(phase.value for phase in Phase),
    "step": str,
    "method": str,
    "group": str,
    "tags": MappingOf(str),
    "judged": bool,
}
_KEYS: dict[type, _Key] = {
    StepKey: _Key(_STEP, _step, _read_step),
    RequestKey: _Key(
        {**_STEP, "status": int, "error": str},
        lambda key: {**_step(key.at), "status": key.status, "error": key.error},
        lambda row: RequestKey(_read_step(row), row["status"], row["error"]),
    ),
    FlowKey: _Key(
        {"flow": str, "judged": bool}, lambda key: key._asdict(), lambda row: FlowKey(row["flow"], row["judged"])
    ),
    str: _Key({"flow": str}, lambda key: {"flow": key}, lambda row: row["flow"]),
}
_LATER = ("channels", "listening", "streams", "successes")  # which files of earlier versions lack


class SummaryFormat:
    """How summaries are written: `kind`, whose fields map keys to rows. `shape`: what is let in."""

    __slots__ = ("_parts", "shape")

    def __init__(self, kind: type) -> None:
        self._parts: dict[str, tuple[_Key, type[SummaryRow]]] = {
            name: (_KEYS[key], row) for name, hint in get_type_hints(kind).items() for key, row in [get_args(hint)]
        }
        self.shape: Shape = {
            name: Maybe([{**key.shape, **row.shape()}]) if name in _LATER else [{**key.shape, **row.shape()}]
            for name, (key, row) in self._parts.items()
        }

    def write(self, summary: object) -> Json:
        """The JSON object of a summary."""
        return {
            name: [{**key.write(at), **row.to_json()} for at, row in getattr(summary, name).items()]
            for name, (key, _) in self._parts.items()
        }

    def read(self, record: Json) -> dict[str, Any]:
        """The fields of the summary that `write` wrote."""
        return {
            name: {key.read(each): row.from_json(each) for each in record.get(name, ())}
            for name, (key, row) in self._parts.items()
        }
