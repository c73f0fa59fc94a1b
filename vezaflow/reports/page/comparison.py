"""The page of several runs: what changed from the first to each other one, and all of them side by side.

Law: this page judges nothing: the changes and their words are those of `vezaflow compare`, handed in as texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vezaflow import __version__, units
from vezaflow.gates import Outcome, Verdict
from vezaflow.metrics import StepRow
from vezaflow.reports import rows
from vezaflow.reports.page import tables
from vezaflow.reports.page.assets import assets
from vezaflow.reports.page.audits import figure_of, title_of
from vezaflow.reports.page.columns import MOST, columns_of
from vezaflow.reports.page.gates import WORDS
from vezaflow.reports.page.lines import chart_svg
from vezaflow.reports.page.rendered import rendered
from vezaflow.reports.page.series import Chart, ChartScope, Line, points_of, scopes_json
from vezaflow.reports.page.tables import Cell, Grid, TableHead, TableLine, count, named, share, time, word
from vezaflow.results import RunResult, headline
from vezaflow.units import Dimension

_TONES = ("main", "ochre", "teal", "plum", "light")
_SAME = {"duration", "load", "target", "commit"}  # columns that are left out where they say the same of all runs
_PAGES = ("performance", "accessibility", "best-practices", "lcp", "tbt", "cls")  # figures of audited pages
_CLASSES = {Outcome.GREEN: "better", Outcome.RED: "worse", Outcome.INCONCLUSIVE: "different"}


@dataclass(frozen=True, slots=True)
class ComparedRuns:
    """What changed from one run to another, in words. `tones`: of each row `worse`, `better`, `different` or empty."""

    before: str
    after: str
    differences: tuple[str, ...]  # of plans, loads, targets and machines
    heads: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    tones: tuple[str, ...]
    sentences: tuple[str, ...]  # what changed for real
    reasons: tuple[str, ...]  # what can't be told, and why
    footing: str
    function_heads: tuple[str, ...] = ()
    functions: tuple[tuple[str, ...], ...] = ()  # of profiles: those whose share changed most
    function_notes: tuple[str, ...] = ()  # of each profile what was compared


def html_comparison(runs: Sequence[RunResult], compared: Sequence[ComparedRuns]) -> bytes:
    """The page of two or more runs; `compared` has the first with each other one."""
    names = _names(runs)
    charts = tuple(_charts(runs, names))
    seconds = max(run.duration for run in runs)
    data = {"seconds": round(seconds, 1), "marks": [], **scopes_json([ChartScope(rows.ALL, charts)])}
    context: dict[str, Any] = {
        "page": assets(data),
        "version": __version__,
        "suite": " and ".join(dict.fromkeys(run.suite for run in runs)),
        "runs": _runs(runs, names),
        "heads": [
            (name, run.outcome.value, *headline(run.outcome, run.verdicts, run.concerns).split(": ", 1))
            for name, run in zip(names, runs, strict=True)
        ],
        "compared": [
            (f"From {names[0]} to {name}", each, _changes(name, each), _functions(name, each))
            for name, each in zip(names[1:], compared, strict=True)
        ],
        "gates": _gates(runs, names),
        "steps": _steps(runs, names),
        "audits": _audits(runs, names),
        "charts": [(chart, chart_svg(chart, seconds)) for chart in charts],
        "clock": runs[0].clock,
    }
    return rendered("comparison.html.j2", context)


def _names(runs: Sequence[RunResult]) -> list[str]:
    """Short names, the run's letter and when it began."""
    return [f"{chr(ord('A') + number % 26)} {run.started:%m-%d %H:%M}" for number, run in enumerate(runs)]


def _runs(runs: Sequence[RunResult], names: Sequence[str]) -> Grid:
    lines = []
    for name, run in zip(names, runs, strict=True):
        figures = _figures(rows.flow_rows(run)[-1]) if run.flows else (word("–"),) * 6
        commit = run.provenance.commit.sha[:9] if run.provenance and run.provenance.commit else "–"
        cells = (
            word(name),
            Cell(run.outcome.value, tone=_CLASSES[run.outcome]),
            word(run.run_id),
            word(units.duration(round(run.duration, 1))),
            word(rows.load_text(run)),
            word(run.base_url or "–"),
            word(commit),
            *figures,
        )
        lines.append(TableLine(cells))
    heads = (
        *(TableHead(text, number=False) for text in ("run", "verdict", "id", "duration", "load", "target", "commit")),
        *(TableHead(text) for text in ("requests", "req/s", "failed", "p50", "p95", "p99")),
    )
    return _without_same(Grid("runs", "Runs", "The runs, all flows of each together.", heads, tuple(lines)))


def _without_same(grid: Grid) -> Grid:
    """The table without the columns of words that are the same in all runs; its caption has them."""
    same = [
        at
        for at, head in enumerate(grid.heads)
        if head.text in _SAME and len({line.cells[at].text for line in grid.lines}) == 1
    ]
    said = [f"{grid.heads[at].text} {text}" for at in same if (text := grid.lines[0].cells[at].text) != "–"]
    lines = tuple(
        replace(line, cells=tuple(cell for at, cell in enumerate(line.cells) if at not in same)) for line in grid.lines
    )
    caption = f"{grid.caption} The same in each: {'; '.join(said)}." if said else grid.caption
    return replace(
        grid, caption=caption, lines=lines, heads=tuple(h for at, h in enumerate(grid.heads) if at not in same)
    )


def _figures(row: rows.FlowRow) -> tuple[Cell, ...]:
    counts = (count(row.requests), count(row.requests_per_second), share(row.failed, "bad"))
    return (*counts, *map(time, (row.p50, row.p95, row.p99)))


def _changes(name: str, each: ComparedRuns) -> Grid:
    last = len(each.heads) - 1
    lines = tuple(
        TableLine(tuple(Cell(text, tone=tone if at == last else "") for at, text in enumerate(cells)))
        for cells, tone in zip(each.cells, each.tones, strict=True)
    )
    heads = tuple(TableHead(text or "judgement", number=1 < at < last) for at, text in enumerate(each.heads))
    caption = f"From {each.before} to {each.after}, with the interval of each change."
    return Grid(f"changes-{name[0]}", f"All figures, to {name}", caption, heads, lines)


def _functions(name: str, each: ComparedRuns) -> Grid:
    """The last column judges, the first two are words."""
    last = len(each.function_heads) - 1
    heads = tuple(TableHead(text or "judgement", number=1 < at < last) for at, text in enumerate(each.function_heads))
    lines = tuple(TableLine(tuple(map(word, cells))) for cells in each.functions)
    caption = f"Functions by flat share, from {each.before} to {each.after}, with the interval of each difference."
    return Grid(f"functions-{name[0]}", f"Profiles, to {name}", caption, heads, lines)


def _gates(runs: Sequence[RunResult], names: Sequence[str]) -> Grid:
    """A row for each gate that one of the runs has."""
    held: dict[tuple[str, str], dict[int, Verdict]] = {}
    for number, run in enumerate(runs):
        for scope, verdicts in rows.by_scope(run):
            for verdict in verdicts:
                held.setdefault((scope, verdict.gate.text), {})[number] = verdict
    lines = tuple(
        TableLine(
            (
                word("all flows" if scope == rows.ALL else scope),
                word(text),
                *(_judged(verdicts.get(number)) for number in range(len(runs))),
            )
        )
        for (scope, text), verdicts in held.items()
    )
    heads = (TableHead("flow", number=False), TableHead("gate", number=False), *map(TableHead, names))
    return Grid("gates", "Gates", "Each gate's value and verdict in each run.", heads, lines)


def _judged(verdict: Verdict | None) -> Cell:
    if verdict is None:
        return Cell("–")
    value = None if verdict.value is None else float(verdict.value)
    tone = "" if verdict.outcome is Outcome.GREEN else _CLASSES[verdict.outcome]
    return Cell(f"{verdict.shown} {WORDS[verdict.outcome]}", value, tone)


def _steps(runs: Sequence[RunResult], names: Sequence[str]) -> Grid:
    """A row for each step; p95 and failures in each run."""
    held: dict[tuple[str, str, str], dict[int, StepRow]] = {}
    for number, run in enumerate(runs):
        for row in tables.step_rows(run):
            held.setdefault((row.flow, row.step, row.method), {})[number] = row
    lines = tuple(
        TableLine(
            (
                word(step),
                word(flow),
                *(_p95(found.get(number)) for number in range(len(runs))),
                *(_failed(found.get(number)) for number in range(len(runs))),
            )
        )
        for (flow, step, _), found in held.items()
    )
    heads = (
        TableHead("step", number=False),
        TableHead("flow", number=False),
        *(TableHead(f"p95 {name[0]}") for name in names),
        *(TableHead(f"failed {name[0]}") for name in names),
    )
    return Grid("steps", "Steps", "p95 of http_req_duration and failed requests of each step.", heads, lines)


def _audits(runs: Sequence[RunResult], names: Sequence[str]) -> Grid:
    """A row for each figure of each audited page. Figures of another major version of Lighthouse than the first run's
    are not shown beside it."""
    found: dict[tuple[str, str, str], dict[int, Cell]] = {}
    major = ""
    for number, run in enumerate(runs):
        for record in run.audits:
            version = record.lighthouse.partition(".")[0]
            major = major or version
            for page in record.pages:
                for key in _PAGES:
                    cell = figure_of(page, key) if version == major else Cell(f"– (Lighthouse {version})")
                    found.setdefault((record.title, page.page, key), {})[number] = cell
    lines = tuple(
        TableLine(
            (word(page), word(title_of(key)), word(title), *(cells.get(at, Cell("–")) for at in range(len(runs))))
        )
        for (title, page, key), cells in found.items()
        if any(cell.text != "–" for cell in cells.values())
    )
    heads = (*named("page", "figure", "audit"), *map(TableHead, names))
    return Grid(
        "audits", "Audits", "Audited pages: scores from 0 to 100, and times. They are not judged here.", heads, lines
    )


def _p95(row: StepRow | None) -> Cell:
    return word("–") if row is None else time(row.duration.quantile(0.95))


def _failed(row: StepRow | None) -> Cell:
    return word("–") if row is None else share(row.failed / row.requests, "bad")


def _charts(runs: Sequence[RunResult], names: Sequence[str]) -> list[Chart]:
    """Charts with a line for each run, over the seconds of the longest."""
    times = tuple(float(second) for second in _grid(max(run.duration for run in runs)))
    latency, rates, failing, users = [], [], [], []
    for number, (name, run) in enumerate(zip(names, runs, strict=True)):
        tone = _TONES[number % len(_TONES)]
        seen = columns_of(run.seconds)
        columns = zip(seen.columns, seen.of(), strict=True)
        p95 = [(column.end, column.length, each.times.quantile(0.95)) for column, each in columns]
        points = points_of(run, None, MOST)
        latency.append(Line(name, tone, _at(times, [(end, length, _plain(value)) for end, length, value in p95])))
        shares = [(each.second, each.length, each.failed / each.requests if each.requests else None) for each in points]
        rates.append(
            Line(name, tone, _at(times, [(each.second, each.length, each.requests / each.length) for each in points]))
        )
        failing.append(Line(name, tone, _at(times, shares)))
        users.append(Line(name, tone, _at(times, [(each.second, each.length, each.vus) for each in points])))
    found = (
        Chart("latency", "p95", "p95 of http_req_duration in each interval.", Dimension.TIME, times, tuple(latency)),
        Chart("requests", "Requests per second", "Requests that were sent.", None, times, tuple(rates)),
        Chart(
            "failures", "Failed requests", "The share of requests that failed.", Dimension.RATIO, times, tuple(failing)
        ),
        Chart("vus", "Virtual users", "VUs that were active.", None, times, tuple(users)),
    )
    return [chart for chart in found if any(value is not None for line in chart.lines for value in line.values)]


def _grid(seconds: float) -> list[float]:
    step = max(1.0, seconds / MOST)
    return [number * step for number in range(1, max(1, round(seconds / step)) + 1)]


def _at(times: Sequence[float], found: Sequence[tuple[float, float, float | None]]) -> tuple[float | None, ...]:
    """Each time's value, of the interval (its end, its length) that it is in; None where it is in none."""
    step = times[0] if times else 1.0
    held: dict[int, float | None] = {}
    for end, length, value in found:
        last = max(1, round(end / step))
        held |= dict.fromkeys(range(min(last, round((end - length) / step) + 1), last + 1), value)
    return tuple(held.get(number) for number in range(1, len(times) + 1))


def _plain(value: float | None) -> float | None:
    return None if value is None else float(value)
