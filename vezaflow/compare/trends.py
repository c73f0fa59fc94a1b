"""Many nights of one suite: which figures of which steps changed their level, and between which commits.

Laws: the nights are taken in the order of time. Percentiles are logarithms, failure rates shares. Of all that is found,
in all steps and figures, at most 5 % is false (Benjamini and Hochberg); a change is told from its third night on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log
from typing import Any

from vezaflow import units
from vezaflow.compare.change_points import FEWEST_AFTER, MAGNITUDE, ChangePoint, change_points
from vezaflow.compare.document import StepFigures, step_rows
from vezaflow.compare.resampled import QUANTILES, FigureKind
from vezaflow.compare.significance import discoveries
from vezaflow.metrics import StepName
from vezaflow.reports import Look, table, wrapped
from vezaflow.results import RunResult

SCHEMA = 1
FALSE_DISCOVERIES = 0.05
LEAST_FAILED = 0.001  # of the requests
LEAST_TIME = 0.002  # seconds
_FEWEST = 2 * FEWEST_AFTER
_BARS = "▁▂▃▄▅▆▇█"
_METRICS = (*QUANTILES, FigureKind.FAILED)


@dataclass(frozen=True, slots=True)
class TrendNight:
    """What trends keep of a run. `figures`: seconds and shares; a figure that the run has not is left out."""

    run_id: str
    started: datetime
    commit: str
    figures: Mapping[tuple[StepName, FigureKind], float]


@dataclass(frozen=True, slots=True)
class Shift:
    """A figure changed its level with the night `first`; `last` is the one before. Levels in seconds or shares."""

    step: StepName
    metric: FigureKind
    before: float
    after: float
    last: TrendNight
    first: TrendNight
    nights: int  # since then

    @property
    def size(self) -> float:
        if self.metric is FigureKind.FAILED:
            return abs(self.after - self.before) * 10
        return abs(log(self.after / self.before))


@dataclass(frozen=True, slots=True)
class Trends:
    nights: tuple[TrendNight, ...]
    shifts: tuple[Shift, ...]  # the latest first, of a night the largest


def night_of(run: RunResult) -> TrendNight:
    """The figures of a run."""
    commit = run.provenance.commit.sha if run.provenance and run.provenance.commit else ""
    figures = {(name, metric): value for name, row in step_rows(run) for metric, value in _values(row)}
    return TrendNight(run.run_id, run.started, commit, figures)


def _values(row: StepFigures) -> Iterator[tuple[FigureKind, float]]:
    for metric, time in zip(QUANTILES, row.duration.quantiles(tuple(QUANTILES.values())), strict=True):
        if time:
            yield metric, float(time)
    if row.requests:
        yield FigureKind.FAILED, row.failed / row.requests


def trends(nights: Sequence[TrendNight]) -> Trends:
    """The shifts of these nights."""
    nights = sorted(nights, key=lambda night: night.started)
    keys = dict.fromkeys(key for night in nights for key in night.figures if key[1] in _METRICS)
    found: list[tuple[Shift, float]] = []
    tests = 0
    for key in keys:
        held = [night for night in nights if key in night.figures]
        if len(held) < _FEWEST:
            continue
        tests += 1
        found += [(shift, point.p) for point in _points(held, key) if (shift := _shift(held, key, point)) is not None]
    # figures in which nothing was found were tested as well
    kept = discoveries([*(p for _, p in found), *[1.0] * max(tests - len(found), 0)], FALSE_DISCOVERIES)
    shifts = [shift for (shift, _), is_kept in zip(found, kept, strict=False) if is_kept]
    shifts.sort(key=lambda shift: (-shift.first.started.timestamp(), -shift.size))
    return Trends(tuple(nights), tuple(shifts))


def _points(nights: Sequence[TrendNight], key: tuple[StepName, FigureKind]) -> tuple[ChangePoint, ...]:
    values = [night.figures[key] for night in nights]
    if key[1] is FigureKind.FAILED:
        return change_points(values, LEAST_FAILED, LEAST_FAILED / 10)
    return change_points([log(value) for value in values], MAGNITUDE)


def _shift(nights: Sequence[TrendNight], key: tuple[StepName, FigureKind], point: ChangePoint) -> Shift | None:
    before, after = (
        (point.before, point.after) if key[1] is FigureKind.FAILED else (exp(point.before), exp(point.after))
    )
    if key[1] is not FigureKind.FAILED and abs(after - before) <= LEAST_TIME:
        return None
    return Shift(*key, before, after, nights[point.at - 1], nights[point.at], len(nights) - point.at)


def shift_sentence(shift: Shift) -> str:
    """`browse › list: p95 went from 82 ms to 97 ms on 3 Nov, between commits a1b2c3 and d4e5f6`."""
    show = units.ratio if shift.metric is FigureKind.FAILED else units.duration
    name = "failed requests" if shift.metric is FigureKind.FAILED else shift.metric.value
    commits = ""
    if shift.last.commit and shift.first.commit:
        commits = (
            f", between commits {shift.last.commit[:7]} and {shift.first.commit[:7]}"
            if shift.last.commit != shift.first.commit
            else f", both nights at commit {shift.first.commit[:7]}"
        )
    day = f"{shift.first.started.day} {shift.first.started:%b %Y}"
    flow, step, _ = shift.step
    return f"{flow} › {step}: {name} went from {show(shift.before)} to {show(shift.after)} on {day}{commits}"


def sparkline(values: Sequence[float | None]) -> str:
    """A bar for each value between the least and the most of them; a blank where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if value is None else _BARS[round((value - low) * scale)] for value in values)


def trends_page(found: Trends, *, colour: bool = False, width: int = 100) -> str:
    """The shifts in sentences, and the p95 of each step by night. Lines ended."""
    look = Look(colour, width)
    first, last = found.nights[0], found.nights[-1]
    span = f"{first.started:%Y-%m-%d} to {last.started:%Y-%m-%d}"
    lines = [look.title(f"{units.counted(len(found.nights), 'night')}, {span}")]
    for shift in found.shifts:
        lines += wrapped(shift_sentence(shift), look, "  ")
    if len(found.nights) < _FEWEST:
        lines.append(f"  too little to tell: a change needs {FEWEST_AFTER} nights before and {FEWEST_AFTER} after it")
    elif not found.shifts:
        lines.append("  no change seen")
    steps = dict.fromkeys(step for night in found.nights for step, _ in night.figures)
    most = max(width - 50, 10)
    cells = []
    for step in steps:
        values = [night.figures.get((step, FigureKind.P95)) for night in found.nights][-most:]
        known = [value for value in values if value is not None]
        if known:
            ends = (units.duration(min(known)), units.duration(max(known)), units.duration(known[-1]))
            cells.append((f"{step[0]} › {step[1]}", sparkline(values), *ends))
    if cells:
        lines += ["", *table(("step", "p95 by night", "least", "most", "last"), cells, look)]
    return "\n".join(lines) + "\n"


def trends_json(found: Trends) -> dict[str, Any]:  # Any: a JSON object
    """All of it. Times in seconds, failures as a ratio; None: a night without such a figure."""
    steps = dict.fromkeys(step for night in found.nights for step, _ in night.figures)
    return {
        "schema": SCHEMA,
        "nights": [
            {"run_id": night.run_id, "started": night.started.isoformat(), "commit": night.commit}
            for night in found.nights
        ],
        "shifts": [
            {
                **_named(shift.step),
                "metric": shift.metric.value,
                "before": shift.before,
                "after": shift.after,
                "last": shift.last.run_id,
                "first": shift.first.run_id,
                "sentence": shift_sentence(shift),
            }
            for shift in found.shifts
        ],
        "steps": [
            {
                **_named(step),
                **{metric.value: [night.figures.get((step, metric)) for night in found.nights] for metric in _METRICS},
            }
            for step in steps
        ],
    }


def _named(step: StepName) -> dict[str, str]:
    flow, name, method = step
    return {"flow": flow, "step": name, "method": method}
