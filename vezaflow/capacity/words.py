"""The levels of a search in rows of words, for the terminal and Markdown alike, by their factors."""

from collections.abc import Iterator
from dataclasses import dataclass

from vezaflow import units
from vezaflow.capacity.capacity import Capacity
from vezaflow.capacity.level import LevelRun
from vezaflow.capacity.search import LevelOutcome

DASH = "–"
HEAD = ("load", "asked", "requests/s", "p95", "failed", "gates")
_WORDS = {LevelOutcome.HELD: "held", LevelOutcome.BROKE: "broke", LevelOutcome.UNCLEAR: "unclear"}


@dataclass(frozen=True, slots=True)
class CapacityRow:
    """`cells` under HEAD; `why`: what broke, or why it is unclear."""

    cells: tuple[str, ...]
    outcome: LevelOutcome | None  # None: it was stopped manually
    why: str


def capacity_rows(found: Capacity) -> tuple[CapacityRow, ...]:
    """A row for each level that was run."""
    return tuple(_row(run) for run in sorted(found.levels, key=lambda run: run.factor))


def verdict_line(found: Capacity) -> str:
    """The verdict and the sentence: `RED: holds 1.2 to 1.3 times the load; …`."""
    word = "STOPPED" if found.interrupted else found.outcome.value.upper()
    return f"{word}: {found.sentence.removeprefix('stopped manually: ')}"


def progress_line(number: int, run: LevelRun) -> str:
    """What became of a level, as it ends."""
    cells = dict(zip(HEAD, _row(run).cells, strict=True))
    figures = f"{cells['requests/s']} requests/s, p95 {cells['p95']}, {cells['failed']} failed"
    early = f" (aborted after {units.duration(round(run.seconds))})" if run.aborted else ""
    why = f": {run.why}" if run.why else ""
    return f"level {number}: {cells['load']} ({cells['asked']}): {figures}: {cells['gates']}{early}{why}"


def notes(found: Capacity) -> Iterator[str]:
    """What else people should know, a line each."""
    if found.remedy:
        yield f"to fix: {found.remedy}" if found.end is LevelOutcome.UNCLEAR else found.remedy
    if found.unjudged:
        yield f"gates that no level can judge: {', '.join(found.unjudged)}"


def _row(run: LevelRun) -> CapacityRow:
    asked = [units.counted(run.vus, "VU")] if run.vus else []
    asked += [units.rate(run.rate)] if run.rate else []
    cells = (
        f"{units.number(run.factor)} ×",
        " + ".join(asked) or DASH,
        DASH if run.requests_per_second is None else units.number(run.requests_per_second),
        DASH if run.p95 is None else units.duration(run.p95),
        DASH if run.failed is None else units.ratio(run.failed),
        "stopped" if run.interrupted else _WORDS[run.outcome],
    )
    return CapacityRow(cells, None if run.interrupted else run.outcome, "" if run.interrupted else run.why)
