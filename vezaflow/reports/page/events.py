"""What happened during the load, as a table."""

from vezaflow.model import ActionKind
from vezaflow.reports import rows
from vezaflow.reports.page.tables import Cell, Grid, TableLine, heads, named, time, without_empty, word
from vezaflow.results import Happened, RunResult

MOST = 200  # events that are listed
_DOES = {ActionKind.STEPS: "steps", ActionKind.HAPROXY: "HAProxy", ActionKind.MARK: "a mark"}


def events(result: RunResult) -> Grid:
    """A row for each, in the order of time."""
    judged = {name: rows.windows_text(result, name) for name in dict.fromkeys(each.name for each in result.events)}
    shown: set[str] = set()
    lines = []
    for event in result.events[:MOST]:
        windows = "" if event.name in shown else judged[event.name]
        shown.add(event.name)
        lines.append(TableLine(_cells(event, windows)))
    head = (
        *named("event", "does"),
        *heads("begin", "end", "lasted"),
        *named("result"),
        *heads("undone"),
        *named("gates judged"),
    )
    left = f" The first {MOST} of {len(result.events):,}." if len(result.events) > MOST else ""
    caption = f"What happened, with the time of the load. Gates on an event judge the times in the last column.{left}"
    return without_empty(Grid("events", "Events", caption, head, tuple(lines)))


def _cells(event: Happened, windows: str) -> tuple[Cell, ...]:
    lasted = None if event.end is None else event.end - event.begin
    return (
        word(event.name),
        word(_DOES[event.kind] + (" (manual)" if event.manual else "")),
        time(round(event.begin, 2)),
        time(round(event.end, 2)) if event.end is not None else word("continues"),
        time(round(lasted, 2) if lasted else None),
        Cell(event.what or "–", tone="worse" if event.error else ""),
        time(None if event.undone is None else round(event.undone, 2)),
        word(windows or "–"),
    )
