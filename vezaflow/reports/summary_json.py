"""`summary.json`: a run as data. `schema` is 1; it grows when a field changes its meaning or goes, not when one
is added. Times are seconds, sizes bytes, shares fractions of one, moments ISO 8601 in UTC; what has no data is null.

    schema        1
    suite, run_id, description, base_url, seed, clock
    started, seconds          when the load began, and how long it lasted
    outcome                   green | red | inconclusive
    headline, exit_code, interrupted, aborted (the gate that stopped it early)
    gates[]                   gate (as written), flow (null: all), metric, labels, outcome, value, bound, operator,
                              compared (the figure that the bound follows from, null: a fixed bound),
                              at_least, compared_at_least (whether value and compared are lower bounds),
                              shown, samples, margin (share of the bound left; below 0: broken), reason
    concerns[]                kind, text, remedy, flow
    flows[]                   the load asked (executor, vus, duration, iterations, start_time, rate) and what came:
                              the figures below; `unjudged` what `measure` kept from the gates
    pooled                    the same figures over all flows
      figures                 vus_max, iterations, iterations_failed, requests, requests_per_second, failed_rate,
                              data_sent, data_received, http_req_duration (a trend:
                              p50, p90, p95, p99, p999, avg, min, max, count; at_least[]: the names of those
                              that are lower bounds, as requests timed out), iteration_duration (a trend);
                              arrivals of an open model, else null: due, started, dropped (reason → count),
                              iteration_delay, iteration_response_time (trends)
    steps[]                   flow, phase, step, method, requests, failed, http_req_duration (a trend)
    errors[]                  flow, phase, step, error, status, count, share, detail; first, last: seconds
    incidents[]               code, message, help, file, line, column
    timeline[]                one object a second and flow, older ones for longer (vezaflow.metrics.Point)
    notes, files              what else people should know; the reports written
    health                    cpu_mean, cpu_max (share of a core), lag_p99_ms, lag_max_ms, memory, vus_started,
                              receive_clock (kernel, read), late_reads, latest_read_ms, away, held_up;
                              workers[]: the same of each process, with its name, cpu (now) and why it was lost
    inputs                    name → value; secrets are masked
    versions                  vezaflow, python, platform
    share                     of a run with `--segment`: what `vezaflow merge` needs
    figures                   every row and bucket (Summary.to_json): what merging and comparing need
"""

from dataclasses import asdict
from typing import Any

from vezaflow.diagnostics import Diagnostic
from vezaflow.gates import Verdict
from vezaflow.metrics import ErrorRow, Histogram, StepRow, as_numbers
from vezaflow.reports.rows import arrivals_row, trend
from vezaflow.results import FlowAsked, RunResult, headline
from vezaflow.units import AtLeast

Json = dict[str, Any]
_SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def summary_json(result: RunResult) -> bytes:
    """The file's bytes: indented JSON with a newline at its end."""
    import orjson

    return orjson.dumps(as_json(result), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_json(result: RunResult) -> Json:
    """The run as a JSON object, as the file's docstring describes it."""
    return {
        "schema": result.schema,
        "suite": result.suite,
        "description": result.description,
        "run_id": result.run_id,
        "base_url": result.base_url,
        "started": result.started.isoformat(),
        "seconds": result.seconds,
        "outcome": result.outcome.value,
        "headline": headline(result.outcome, result.verdicts, result.concerns),
        "exit_code": int(result.exit_code),
        "interrupted": result.interrupted,
        "aborted": result.aborted,
        "notes": list(result.notes),
        "gates": [_gate(verdict) for verdict in result.verdicts],
        "concerns": [{**asdict(concern), "kind": concern.kind.value} for concern in result.concerns],
        "flows": [_flow(result, asked) for asked in result.flows],
        "pooled": _figures(result, None, judged=True),
        "steps": [_step(row) for row in result.summary.step_rows()],
        "errors": [_error(row) for row in result.summary.error_rows()],
        "incidents": [_incident(incident) for incident in result.incidents],
        "timeline": result.timeline.to_json(),
        "health": asdict(result.health),
        "inputs": dict(result.inputs),
        "seed": result.seed,
        "versions": asdict(result.versions),
        "clock": result.clock,
        "files": list(result.files),
        "share": result.share.to_json() if result.share is not None else None,
        "figures": result.summary.to_json(),
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
        "margin": verdict.margin,
        "reason": verdict.reason,
    }


def _flow(result: RunResult, asked: FlowAsked) -> Json:
    return {
        **asdict(asked),
        **_figures(result, asked.flow, judged=True),
        "unjudged": _figures(result, asked.flow, judged=False),
    }


def _figures(result: RunResult, flow: str | None, *, judged: bool) -> Json:
    def aggregate(metric: str, name: str) -> float | None:
        return result.summary.select(metric, flow, judged=judged).aggregate(name)

    return {
        "vus_max": aggregate("vus", "max"),
        "iterations": aggregate("iterations", "count"),
        "iterations_failed": aggregate("iterations_failed", "count"),
        "requests": aggregate("http_reqs", "count"),
        "requests_per_second": aggregate("http_reqs", "rate"),
        "failed_rate": aggregate("http_req_failed", "rate"),
        "data_sent": aggregate("data_sent", "count"),
        "data_received": aggregate("data_received", "count"),
        "http_req_duration": _trend(trend(result.summary, "http_req_duration", flow, judged=judged)),
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
        "dropped": dict(row.dropped),
        "iteration_delay": _trend(row.delay),
        "iteration_response_time": _trend(row.response_time),
    }


def _trend(histogram: Histogram) -> Json:
    quantiles = dict(zip(_SHARES, histogram.quantiles(tuple(_SHARES.values())), strict=True))
    figures = {**quantiles, "avg": histogram.mean, "min": histogram.least, "max": histogram.most}
    return {**as_numbers(figures), "count": histogram.samples}


def _step(row: StepRow) -> Json:
    return {
        "flow": row.flow,
        "phase": row.phase.value,
        "step": row.step,
        "method": row.method,
        "requests": row.requests,
        "failed": row.failed,
        "http_req_duration": _trend(row.duration),
    }


def _error(row: ErrorRow) -> Json:
    return {**asdict(row), "phase": row.phase.value}


def _incident(incident: Diagnostic) -> Json:
    place: Json = {"file": None, "line": None, "column": None}
    if incident.span is not None:
        line, column = incident.span.source.position(incident.span.start)
        place = {"file": incident.span.source.path, "line": line, "column": column}
    return {"code": incident.code, "message": incident.message, "help": incident.help, **place}
