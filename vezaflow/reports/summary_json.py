"""`summary.json`: a run as data. `schema` is 2: it goes up when a field changes its meaning or goes away, not when one
is added. Durations are seconds, sizes bytes, shares fractions of one, moments ISO 8601 in UTC; no data is null.

docs/summary-json.md explains the fields, schema/summary.json is their JSON Schema (summary_schema.py). A metric has the
name that gates know it by, k6's where k6 has it.
"""

from dataclasses import asdict
from math import isinf
from typing import Any

from vezaflow.audit import audit_to_json
from vezaflow.diagnostics import Diagnostic, Span
from vezaflow.gates import Verdict
from vezaflow.metrics import (
    MEGABIT,
    ChannelRow,
    ErrorRow,
    Histogram,
    ListenerRow,
    Metric,
    StepBreakdown,
    StepRow,
    StreamRow,
    as_numbers,
    step_breakdowns,
)
from vezaflow.observe import Observed, Quantile, observed_to_json
from vezaflow.profiles import profile_to_json
from vezaflow.reports.endpoints import EndpointRow, endpoint_rows
from vezaflow.reports.percentiles import USUAL, Percentiles
from vezaflow.reports.provenance import provenance_to_json
from vezaflow.reports.rows import arrivals_row, trend
from vezaflow.reports.traces import TraceCells, trace_cells
from vezaflow.results import Health, RequestedLoad, RunResult, headline
from vezaflow.units import AtLeast

Json = dict[str, Any]
_PHASES = {"tls": "tls_handshaking"}  # where the metric has another name than the phase
_SERVER_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def summary_json(result: RunResult, percentiles: Percentiles = USUAL) -> bytes:
    """The file's bytes: indented JSON with a newline at its end."""
    import orjson

    return orjson.dumps(to_json(result, percentiles), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def to_json(result: RunResult, percentiles: Percentiles = USUAL) -> Json:
    """The run as a JSON object, as the file's docstring describes it. Chosen percentiles are with the others in the
    `http_req_duration` of flows, of all of them and of steps."""
    return {
        "schema": result.schema,
        "suite": result.suite,
        "description": result.description,
        "run_id": result.run_id,
        "base_url": result.base_url,
        "started": result.started.isoformat(),
        "duration": result.duration,
        "outcome": result.outcome.value,
        "headline": headline(result.outcome, result.verdicts, result.concerns),
        "exit_code": int(result.exit_code),
        "interrupted": result.interrupted,
        "aborted": result.aborted,
        "notes": list(result.notes),
        "links": [asdict(link) for link in result.links],
        "gates": [_gate(verdict) for verdict in result.verdicts],
        "events": [{**asdict(each), "kind": each.kind.value} for each in result.events],
        "event_windows": [asdict(window) for window in result.event_windows],
        "concerns": [{**asdict(concern), "kind": concern.kind.value} for concern in result.concerns],
        "flows": [_flow(result, requested, percentiles) for requested in result.flows],
        "pooled": _figures(result, None, percentiles, judged=True),
        "steps": [_step(each, percentiles) for each in step_breakdowns(result.summary)],
        "listeners": [_listener(row) for row in result.summary.listener_rows()],
        "channels": [_channel(row) for row in result.summary.channel_rows()],
        "streams": [_stream(row) for row in result.summary.stream_rows()],
        "observed": None if result.observed is None else _observed(result, result.observed),
        "errors": [_error(row) for row in result.summary.error_rows()],
        "traces": [_trace(cells) for cells in trace_cells(result)],
        "trace_links": dict(result.trace_links),
        "incidents": [_incident(incident) for incident in result.incidents],
        "timeline": result.timeline.to_json(),
        "health": _health(result.health),
        "readings": [reading.to_json() for reading in result.readings],
        "inputs": dict(result.inputs),
        "seed": result.seed,
        "versions": asdict(result.versions),
        **provenance_to_json(result.provenance),
        "standing": asdict(result.standing),
        "audits": [audit_to_json(record) for record in result.audits],
        "profiles": [profile_to_json(record) for record in result.profiles],
        "manual_changes": list(result.manual_changes),
        "machines": [machine.to_json() for machine in result.machines],
        "clock": result.clock,
        "files": list(result.files),
        "segment": result.segment.to_json() if result.segment is not None else None,
        "figures": result.summary.to_json(),
        "by_second": result.seconds.to_json(),
    }


def _gate(verdict: Verdict) -> Json:
    gate = verdict.gate
    return {
        "gate": gate.text,
        "flow": gate.flow,
        "metric": gate.metric,
        "labels": dict(gate.labels),
        "outcome": verdict.outcome.value,
        "value": None if verdict.value is None else float(verdict.value),
        "at_least": isinstance(verdict.value, AtLeast),
        "operator": gate.condition.operator,
        "bound": None if verdict.bound is None else float(verdict.bound),
        "compared": None if verdict.compared is None else float(verdict.compared),
        "compared_at_least": isinstance(verdict.compared, AtLeast),
        "shown": verdict.shown,
        "samples": verdict.samples,
        "between": None if verdict.between is None else [_bound(end) for end in verdict.between],
        "own": None if gate.own is None else _own(gate.own),
        "margin": verdict.margin,
        "reason": verdict.reason,
        **_place(gate.span),
    }


def _own(metric: Metric) -> Json:
    """What a metric is that is none of the catalog's."""
    dimension = None if metric.dimension is None else metric.dimension.value
    return {"kind": metric.kind.value, "dimension": dimension, "aggregates": list(metric.only)}


def _bound(end: float) -> float | None:
    """An end of what is known; None: it has none."""
    return None if isinf(end) else end


def _observed(result: RunResult, observed: Observed) -> Json:
    """All of it, with the quantiles of what has buckets, and the client's figures beside the server's."""
    record = observed_to_json(observed)
    for figures, written in zip(observed.figures, record["figures"], strict=True):
        for series, said in zip(figures.series, written["series"], strict=True):
            said["quantiles"] = {
                name: _quantile(figures.quantile((series,), share))
                for name, share in _SERVER_SHARES.items()
                if series.buckets
            }
    return {**record, "paths": [_path(row) for row in endpoint_rows(result)]}


def _quantile(found: Quantile | None) -> Json | None:
    return None if found is None else {"value": found.value, "low": _bound(found.low), "high": _bound(found.high)}


def _path(row: EndpointRow) -> Json:
    sides = zip(_SERVER_SHARES, row.client, row.server, row.differences, strict=True)
    return {
        "method": row.method,
        "path": row.path,
        "steps": list(row.steps),
        "client_requests": row.client_count,
        "server_requests": row.server_count,
        "missing": row.missing,
        **{
            name: {
                "client": None if mine is None else float(mine),
                "server": _quantile(theirs),
                "difference": _quantile(apart),
            }
            for name, mine, theirs, apart in sides
        },
    }


def _flow(result: RunResult, load: RequestedLoad, percentiles: Percentiles) -> Json:
    requested = asdict(load)
    flow = requested.pop("flow")
    return {
        "flow": flow,
        "requested": requested,
        **_figures(result, flow, percentiles, judged=True),
        "unjudged": _figures(result, flow, percentiles, judged=False),
    }


def _figures(result: RunResult, flow: str | None, percentiles: Percentiles, *, judged: bool) -> Json:
    def aggregate(metric: str, name: str) -> float | None:
        return result.summary.select(metric, flow, judged=judged).aggregate(name)

    return {
        "vus_max": aggregate("vus", "max"),
        "iterations": aggregate("iterations", "count"),
        "iterations_failed": aggregate("iterations_failed", "count"),
        "http_reqs": aggregate("http_reqs", "count"),
        "http_reqs_per_second": aggregate("http_reqs", "rate"),
        "http_req_failed": aggregate("http_req_failed", "rate"),
        "data_sent": aggregate("data_sent", "count"),
        "data_received": aggregate("data_received", "count"),
        "http_req_duration": _trend(trend(result.summary, "http_req_duration", flow, judged=judged), percentiles),
        "iteration_duration": _trend(trend(result.summary, "iteration_duration", flow, judged=judged)),
        "arrivals": _arrivals(result, flow, judged=judged),
    }


def _arrivals(result: RunResult, flow: str | None, *, judged: bool) -> Json | None:
    """What an open model adds; None where there is none."""
    row = arrivals_row(result, flow, judged=judged)
    if row is None:
        return None
    return {
        "due": row.due,
        "started": row.started,
        "dropped_iterations": dict(row.dropped),
        "iteration_delay": _trend(row.delay),
        "iteration_response_time": _trend(row.response_time),
    }


def _trend(histogram: Histogram, percentiles: Percentiles = USUAL) -> Json:
    shares = {
        **_SHARES,
        **(dict(zip(percentiles.names, percentiles.shares, strict=True)) if percentiles.chosen else {}),
    }
    quantiles = dict(zip(shares, histogram.quantiles(tuple(shares.values())), strict=True))
    figures = {**quantiles, "avg": histogram.mean, "min": histogram.least, "max": histogram.most}
    return {**as_numbers(figures), "count": histogram.samples}


def _of_step(row: StepRow | ListenerRow | ChannelRow | StreamRow) -> Json:
    return {"flow": row.flow, "phase": row.phase.value, "step": row.step}


def _step(each: StepBreakdown, percentiles: Percentiles) -> Json:
    row, attempts = each.row, each.attempts
    return {
        **_of_step(row),
        "method": row.method,
        "http_reqs": row.requests,
        "http_req_failed": row.failed / row.requests if row.requests else None,
        "statuses": {str(status): count for status, count in each.statuses.items()},
        "failures": dict(each.errors),
        "data_sent": each.bytes_sent,
        "data_received": each.bytes_received,
        "http_req_duration": _trend(row.duration, percentiles),
        **{f"http_req_{_PHASES.get(name, name)}": _trend(times) for name, times in each.phases.items()},
        "checks": [
            {"check": check, "evaluated": evaluated, "failed": failed}
            for check, (evaluated, failed) in each.checks.items()
        ],
        "attempts": None
        if not attempts.done
        else {
            "steps": attempts.done,
            "step_failed": attempts.failed / attempts.done,
            "http_req_retries": attempts.retries,
            "backpressure_obeyed": attempts.obeyed,
            "backpressure_ignored": attempts.ignored,
            "step_duration": _trend(attempts.duration),
        },
    }


def _listener(row: ListenerRow) -> Json:
    felt = row.felt
    return {
        **_of_step(row),
        "hls_sessions": felt.sessions,
        "hls_startup": _trend(felt.startup),
        "hls_startup_failed": felt.not_started / felt.sessions,
        "hls_rebuffer_ratio": felt.stalled_ms / felt.lasted_ms if felt.lasted_ms else None,
        "hls_rebuffer_time": _trend(felt.rebuffering),
        "hls_stalls": felt.stalls,
        "hls_segment_duration": _trend(felt.segments),
        "hls_bitrate": None if felt.bitrates.mean is None else felt.bitrates.mean * MEGABIT / 1000,
        "hls_variant_switches": felt.switches,
        "hls_segments_abandoned": felt.abandoned,
        "hls_live_latency": _trend(felt.latency),
    }


def _channel(row: ChannelRow) -> Json:
    figures = row.figures
    expected = figures.expected
    return {
        **_of_step(row),
        "ws_sessions": figures.sessions,
        "ws_connection_failures": figures.refused.total() / figures.dials if figures.dials else None,
        "refused": dict(figures.refused),
        "ws_unexpected_closes": dict(figures.closes),
        "ws_msgs_sent": figures.sent,
        "ws_msgs_received": figures.received,
        "ws_msgs_dropped": figures.dropped,
        "ws_message_failures": figures.failures.total() / figures.messages if figures.messages else None,
        "failures": dict(figures.failures),
        "expected": expected,
        "ws_delivered": figures.delivered / expected if expected else None,
        "late": figures.late,
        "lost": figures.lost,
        "duplicated": figures.duplicated,
        "reordered": figures.reordered,
        "ws_connecting": _trend(figures.connecting),
        "ws_session_duration": _trend(figures.session_duration),
        "ws_ping": _trend(figures.ping),
        "ws_message_latency": _trend(figures.latency),
    }


def _stream(row: StreamRow) -> Json:
    figures = row.figures
    return {
        **_of_step(row),
        "sse_streams": figures.opened,
        "sse_connection_failures": figures.refused.total() / figures.dials if figures.dials else None,
        "refused": dict(figures.refused),
        "sse_unexpected_ends": dict(figures.ends),
        "sse_events": figures.events,
        "sse_events_dropped": figures.dropped,
        "sse_event_failures": figures.failures.total() / figures.awaited if figures.awaited else None,
        "failures": dict(figures.failures),
        "sse_connecting": _trend(figures.connecting),
        "sse_stream_duration": _trend(figures.duration),
        "sse_event_latency": _trend(figures.latency),
    }


def _error(row: ErrorRow) -> Json:
    return {**asdict(row), "phase": row.phase.value}


def _trace(cells: TraceCells) -> Json:
    return {**asdict(cells.row), "phase": cells.row.phase.value, "url": cells.url}


def _health(health: Health) -> Json:
    return {
        **asdict(health.vitals),
        "vus_started": health.vus_started,
        "load_missing": health.load_missing,
        "workers": [{"name": worker.name, **asdict(worker.vitals), "lost": worker.lost} for worker in health.workers],
    }


def _incident(incident: Diagnostic) -> Json:
    return {"code": incident.code, "message": incident.message, "help": incident.help, **_place(incident.span)}


def _place(span: Span | None) -> Json:
    if span is None:
        return {"file": None, "line": None, "column": None}
    line, column = span.source.position(span.start)
    return {"file": span.source.path, "line": line, "column": column}
