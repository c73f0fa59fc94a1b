"""The page of one run: every part made by its file, put in its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from vezaflow import __version__, units
from vezaflow.metrics import RELATIVE_ERROR, Histogram
from vezaflow.reports import rows
from vezaflow.reports.endpoints import window_text
from vezaflow.reports.page import tables
from vezaflow.reports.page.assets import assets
from vezaflow.reports.page.audits import audit_parts
from vezaflow.reports.page.columns import PageColumns, columns_of
from vezaflow.reports.page.distribution import distribution
from vezaflow.reports.page.events import events
from vezaflow.reports.page.gates import GateRow, gate_rows
from vezaflow.reports.page.heatmap import heatmap
from vezaflow.reports.page.lines import chart_svg
from vezaflow.reports.page.marks import marks_of
from vezaflow.reports.page.packed import packed_times
from vezaflow.reports.page.rendered import rendered
from vezaflow.reports.page.scatter import scatter
from vezaflow.reports.page.series import scopes, scopes_json
from vezaflow.reports.page.server import server_metrics, server_paths, troubles
from vezaflow.reports.page.svg import Svg, clock
from vezaflow.reports.page.texts import FileText, anchor, faults, file_texts
from vezaflow.reports.page.verdict import verdict_head
from vezaflow.reports.percentiles import USUAL, Percentiles
from vezaflow.results import RunResult

MOST_DETAILS = 40  # steps with drawings, those with the most requests


@dataclass(frozen=True, slots=True)
class PlacedGate:
    """A gate's row with its place in the page's files; empty: they are not there."""

    row: GateRow
    outcome: str
    word: str
    anchor: str


@dataclass(frozen=True, slots=True)
class StepDetail:
    """A step's drawings."""

    name: str
    figures: str
    heatmap: Svg
    distribution: Svg
    scatter: Svg | None


def html_page(result: RunResult, percentiles: Percentiles = USUAL) -> bytes:
    """The file's bytes: the whole run on one page that opens without a network, and reads without scripts. Chosen
    percentiles are those of its tables until its reader chooses others."""
    shares = percentiles.by_name if percentiles.chosen else tables.PERCENTILES
    seen, files, marks = columns_of(result.seconds), file_texts(result), marks_of(result)
    found = scopes(result, seen)
    seconds = max(result.duration, *(time for chart in found[0].charts for time in chart.times[-1:]), 0.0)
    packed = packed_times(result)
    data = {
        "seconds": round(seconds, 1),
        "marks": [mark.to_json() for mark in marks],
        **scopes_json(found),
        "packed": packed,
    }
    details = tuple(_details(result, seen, seconds))
    figures = tuple(tables.figures(result))
    errors, steps = tables.errors(result), tables.steps(result, shares)
    context: dict[str, Any] = {
        "page": assets(data),
        "version": __version__,
        "result": result,
        "verdict": verdict_head(result),
        "tiles": tuple(_tiles(result)),
        "gates": _gates(result, seen, files),
        "flows": tables.flows(result, shares),
        "shares": ", ".join(name.removeprefix("p") for name in shares),
        "error": units.ratio(round(RELATIVE_ERROR * 2 ** packed["shift"], 4)),
        "charts": [(chart, chart_svg(chart, seconds, marks)) for chart in found[0].charts],
        "scope_names": [scope.name for scope in found],
        "starts": [f"{load.flow} starts at {clock(load.start_time)}" for load in result.flows if load.start_time > 0],
        "steps": steps,
        "details": details,
        "figures": figures,
        "server": server_paths(result),
        "server_metrics": server_metrics(result),
        "server_window": window_text(result),
        "server_troubles": troubles(result.observed),
        "events": events(result),
        "audits": audit_parts(result),
        "errors": errors,
        "faults": faults(result, files),
        "workers": tables.workers(result),
        "health": tuple(_health(result)),
        "files": files,
        "about": tuple(_about(result)),
        "inputs": tuple((name, value) for name, value in result.inputs),
        "links": [link for link in result.links if link.url.startswith(("https://", "http://"))],
    }
    context["sections"] = tuple(_sections(context))
    return rendered("run.html.j2", context)


def _sections(context: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "gates", "Gates"
    yield "flows", "Flows"
    if context["result"].observed is not None:
        yield "server", "Server"
    if context["events"].lines:
        yield "events", "Events"
    if context["audits"]:
        yield "audits", "Audits"
    if context["charts"]:
        yield "charts", "Over time"
    if context["steps"].lines:
        yield "steps", "Steps"
    yield from ((table.key, table.title) for table in context["figures"])
    yield "errors", "Errors"
    yield "generator", "Generator"
    if context["files"]:
        yield "files", "Files"
    yield "about", "About"


def _tiles(result: RunResult) -> Iterator[tuple[str, str, bool]]:
    """The figures that people look for first: name, text, whether it is bad."""
    row = rows.flow_rows(result)[-1] if result.flows else None
    if row is None:
        return
    received = result.summary.select("data_received").aggregate("count")
    yield "requests", units.number(row.requests), False
    yield "requests/s", "–" if row.requests_per_second is None else units.number(row.requests_per_second), False
    yield "failed", rows.share(row.failed), bool(row.failed)
    yield "p50", rows.time(row.p50), False
    yield "p95", rows.time(row.p95), False
    yield "p99", rows.time(row.p99), False
    yield "VUs", units.number(row.vus), False
    yield "iterations", units.number(row.iterations), False
    if received:
        yield "received", units.size(received), False


def _gates(result: RunResult, seen: PageColumns, files: tuple[FileText, ...]) -> list[tuple[str, list[PlacedGate]]]:
    placed = [
        PlacedGate(row, row.outcome, row.word, anchor(files, *row.place) if row.place is not None else "")
        for row in gate_rows(result, seen)
    ]
    return [(scope, list(held)) for scope, held in groupby(placed, key=lambda gate: gate.row.scope)]


def _details(result: RunResult, seen: PageColumns, seconds: float) -> Iterator[StepDetail]:
    """The steps with the most requests, in the order of the table."""
    found = tables.step_rows(result)
    most = sorted(found, key=lambda row: -row.requests)[:MOST_DETAILS]
    for row in found:
        if row not in most:
            continue
        step, name = (row.flow, row.step, row.method), f"{row.flow} › {row.step}"
        held = seen.of(lambda each, step=step: each == step)  # type: ignore[misc]
        grid = heatmap(name, seen.ends, held, seconds) if held else None
        bars = distribution(name, row.duration)
        if grid is not None and bars is not None:
            yield StepDetail(name, _summed(row.duration), grid, bars, scatter(name, seen.columns, held))


def _summed(times: Histogram) -> str:
    p50, p95, p99 = times.quantiles((0.5, 0.95, 0.99))
    return (
        f"{units.counted(times.samples, 'response')}, p50 {rows.time(p50)}, p95 {rows.time(p95)}, p99 {rows.time(p99)}"
    )


def _health(result: RunResult) -> Iterator[tuple[str, str]]:
    health, vitals = result.health, result.health.vitals
    if not health.workers:
        yield "generator", "nothing is known of it: the run has no end"
        return
    yield "VUs started", units.number(health.vus_started)
    yield "VUs' time lost to the generator", units.ratio(round(health.load_missing, 5))
    kernel = vitals.receive_clock == "kernel"
    yield (
        "responses are timed",
        "by the kernel" if kernel else "when they are read: the kernel gives no timestamps here",
    )
    if kernel:
        late = f"{units.number(vitals.late_reads)}, at most {units.duration(vitals.read_delay_max)} late"
        yield "responses read more than 1 ms late", late if vitals.late_reads else "0"


def _about(result: RunResult) -> Iterator[tuple[str, str]]:
    yield "run", result.run_id
    yield "started", f"{result.started:%Y-%m-%d %H:%M:%S} UTC"
    yield "duration of the load", units.duration(round(result.duration, 3))
    if result.base_url:
        yield "target", result.base_url
    yield "exit code", str(int(result.exit_code))
    yield "seed", str(result.seed)
    if result.versions.vezaflow:
        yield "vezaflow", f"{result.versions.vezaflow}, Python {result.versions.python}, {result.versions.platform}"
    made = result.provenance
    if made is not None:
        yield "machine", f"{made.host.name}, {units.counted(made.host.cores, 'core')}, kernel {made.host.kernel}"
        if made.commit is not None:
            yield "commit", made.commit.sha[:12] + (" with changes" if made.commit.dirty else "")
        yield "load", "the full load" if made.profile.full else "; ".join(made.profile.changes)
        yield "plan", made.identity.digest[:16]
    for load in result.flows:
        yield f"load of {load.flow}", _load(load.executor, load.vus, load.rate, load.iterations, load.duration)


def _load(executor: str, vus: int, rate: float | None, iterations: int | None, duration: float) -> str:
    said = [executor] if executor else []
    said.append(units.counted(vus, "VU"))
    if rate is not None:
        said.append(f"at most {units.rate(rate)}")
    if iterations is not None:
        said.append(units.counted(iterations, "iteration"))
    said.append(units.duration(duration))
    return ", ".join(said)
