"""Markdown for the page of a CI job ($GITHUB_STEP_SUMMARY): what the on-call needs to triage, and no more.

The verdict first, then what broke and how, the server's figures beside the client's, events, pages; then the tables,
the long ones folded. Nothing is shown of what a suite does not use.
"""

from collections.abc import Iterator, Sequence

from vezaflow import units
from vezaflow.gates import Outcome, Verdict
from vezaflow.observe import Quantile
from vezaflow.reports import rows
from vezaflow.reports.audits import audit_sections
from vezaflow.reports.endpoints import apart, endpoint_rows, window_text
from vezaflow.reports.markdown import markdown_table, markdown_text
from vezaflow.reports.percentiles import USUAL, Percentiles
from vezaflow.reports.profiles import profile_sections
from vezaflow.reports.steps import step_sections
from vezaflow.reports.traces import trace_cells, trace_url
from vezaflow.results import RunResult, Words, headline

_SIGNS = {Outcome.GREEN: "✅", Outcome.RED: "❌", Outcome.INCONCLUSIVE: "⚠️"}
_ERRORS = 10
_EVENTS = 10
_TRACES = 5


def step_summary(result: RunResult, percentiles: Percentiles = USUAL) -> str:
    """The page's text."""
    return "\n".join(_lines(result, percentiles)) + "\n"


def _lines(result: RunResult, percentiles: Percentiles) -> Iterator[str]:
    verdict = headline(result.outcome, result.verdicts, result.concerns, Words.REPORT)
    yield f"## {_SIGNS[result.outcome]} {markdown_text(result.suite)}: {markdown_text(verdict)}"
    yield ""
    pooled = rows.flow_rows(result)[-1:]
    for row in pooled:
        shown = zip(percentiles.names, row.duration.quantiles(percentiles.shares), strict=True)
        times = " · ".join(
            f"**{name} {rows.time(time)}**" for name, time in shown if percentiles.chosen or name != "p50"
        )
        yield f"{times} · **failed {rows.share(row.failed)}** · {rows.load_text(result)}"
        yield ""
    standing = result.standing
    for name, line in (("Acceptance", standing.night), ("Baseline", standing.baseline)):
        if line:
            yield f"**{name}: {markdown_text(line)}**"
            yield ""
    yield from _concerns(result)
    yield from _section("Failed gates", result.broken)
    yield from _section("Gates that could not be judged", result.unsettled)
    yield from _errors(result)
    yield from _server(result)
    yield from _events(result)
    yield from profile_sections(result.profiles)
    yield from audit_sections(result.audits)
    yield from _flows(result, percentiles)
    yield from step_sections(result, percentiles)
    yield from _channels(result, percentiles)
    yield from _streams(result, percentiles)
    yield from _traces(result)
    yield from _all_gates(result)
    ended = f"{result.started:%Y-%m-%d %H:%M:%S} UTC, {units.duration(round(result.duration))}"
    target = f" on {markdown_text(result.base_url)}" if result.base_url else ""
    for link in result.links:
        yield f"[{markdown_text(link.name)}](<{link.url}>)"
        yield ""
    yield f"{ended}{target}, run `{result.run_id}`, seed {result.seed}, vezaflow {result.versions.vezaflow}"


def _concerns(result: RunResult) -> Iterator[str]:
    for concern in result.concerns:
        remedy = f" To fix: {markdown_text(concern.remedy)}." if concern.remedy else ""
        yield f"> ⚠️ {markdown_text(concern.text)}.{remedy}"
        yield ""


def _section(title: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    if not verdicts:
        return
    yield f"### {title}"
    yield ""
    yield from markdown_table(
        ("flow", "gate", "value", "why"),
        [(v.gate.flow or rows.ALL, _code(v.gate.text), f"**{v.shown}**", markdown_text(v.reason)) for v in verdicts],
    )


def _events(result: RunResult) -> Iterator[str]:
    if not result.events:
        return
    yield "### Events"
    yield ""
    shown = result.events[:_EVENTS]
    cells = [(markdown_text(each.name), each.when, markdown_text(each.what or each.kind.value)) for each in shown]
    yield from markdown_table(("event", "when", "what"), cells)
    if len(result.events) > _EVENTS:
        yield f"and {len(result.events) - _EVENTS} more"
        yield ""


def _flows(result: RunResult, percentiles: Percentiles) -> Iterator[str]:
    head = ("flow", "VUs", "iterations", "requests", *percentiles.names, "failed")
    cells = []
    for row in rows.flow_rows(result):
        times = rows.times(row.duration, percentiles)
        counts = (row.vus, row.iterations, row.requests)
        cells.append((markdown_text(row.flow), *map(units.number, counts), *times, rows.share(row.failed)))
    yield "### Flows"
    yield ""
    yield from markdown_table(head, cells)


def _server(result: RunResult) -> Iterator[str]:
    found = endpoint_rows(result)
    if not found:
        return
    cells = []
    for row in found:
        counts = tuple("–" if count is None else units.number(count) for count in (row.client_count, row.server_count))
        pairs = (f"{rows.time(mine)} / {_theirs(theirs)}" for mine, theirs in zip(row.client, row.server, strict=True))
        name = _code(row.name)
        cells.append((name, " / ".join(counts), *pairs, apart(row.differences[1]), markdown_text(row.missing)))
    yield "### Client / server"
    yield ""
    yield from markdown_table(("path", "requests", "p50", "p95", "p99", "p95 apart", "missing"), cells)
    if window := window_text(result):
        yield f"The server's figures are {window}."
        yield ""


def _theirs(found: Quantile | None) -> str:
    return "–" if found is None else units.duration(found.value)


def _channels(result: RunResult, percentiles: Percentiles) -> Iterator[str]:
    found = rows.channel_rows(result)
    if not found:
        return
    cells = []
    for row in found:
        counts = map(units.number, (row.opened, row.refused, sum(row.closes.values()), row.sent, row.received))
        times = rows.times(row.latency, percentiles)
        cells.append((markdown_text(row.name), *counts, rows.share(row.failed), rows.share(row.delivered), *times))
    yield "### WebSockets"
    yield ""
    head = ("step", "opened", "refused", "closed", "sent", "received", "failed", "delivered", *percentiles.names)
    yield from markdown_table(head, cells)


def _streams(result: RunResult, percentiles: Percentiles) -> Iterator[str]:
    found = rows.stream_rows(result)
    if not found:
        return
    cells = []
    for row in found:
        counts = map(units.number, (row.opened, row.refused, row.ended, row.events))
        times = rows.times(row.latency, percentiles)
        cells.append((markdown_text(row.name), *counts, rows.share(row.failed), *times))
    yield "### Event streams"
    yield ""
    head = ("step", "opened", "refused", "ended", "events", "failed", *percentiles.names)
    yield from markdown_table(head, cells)


def _all_gates(result: RunResult) -> Iterator[str]:
    if not result.verdicts:
        return
    yield f"<details><summary>All {len(result.verdicts)} gates</summary>"
    yield ""
    cells = [
        (_SIGNS[v.outcome], v.gate.flow or rows.ALL, _code(v.gate.text), v.shown, rows.margin_text(v))
        for _, verdicts in rows.by_scope(result)
        for v in verdicts
    ]
    yield from markdown_table(("", "flow", "gate", "value", "margin"), cells)
    yield "</details>"
    yield ""


def _errors(result: RunResult) -> Iterator[str]:
    found = result.summary.error_rows()[:_ERRORS]
    if not found:
        return
    yield "### Errors"
    yield ""
    cells = [
        (
            markdown_text(row.flow),
            markdown_text(row.step),
            row.error + (f" {row.status}" if row.status else ""),
            units.number(row.count),
            units.ratio(row.share),
            markdown_text(row.detail if len(row.detail) <= 120 else f"{row.detail[:119]}…")
            + (f" {_trace(row.trace_id, trace_url(result, row.flow, row.trace_id))}" if row.trace_id else ""),
        )
        for row in found
    ]
    yield from markdown_table(("flow", "step", "error", "count", "of requests", "for example"), cells)


def _traces(result: RunResult) -> Iterator[str]:
    found = list(trace_cells(result))[:_TRACES]
    if not found:
        return
    yield "### Slowest requests with a trace"
    yield ""
    cells = [
        (
            markdown_text(each.name),
            units.duration(each.row.duration),
            each.response,
            units.duration(round(max(0.0, each.row.at), 2)),
            _trace(each.row.trace_id, each.url),
        )
        for each in found
    ]
    yield from markdown_table(("step", "duration", "response", "at", "trace"), cells)


def _trace(trace_id: str, url: str) -> str:
    """The id, as a link where there is one."""
    return f"[{_code(trace_id)}](<{url}>)" if url and ">" not in url and "|" not in url else _code(trace_id)


def _code(text: str) -> str:
    return "`" + " ".join(text.split()).replace("`", "'").replace("|", "\\|") + "`"
