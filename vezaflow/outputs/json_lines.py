"""A run as it goes, for programs: one JSON object a tick, one line each (`--out json=FILE`).

Laws: names and units are those of summary.json (seconds, bytes, shares of one; what has no data is null), figures are
of the whole run so far; no secret is in it. How the file is written says line_file.py.

    suite, run_id               what runs
    outcome                     green, red or inconclusive in the last line, else null
    time, elapsed, remaining    the moment (ISO 8601, UTC); seconds of the load that are over, and left
    last                        whether it is the last line: the figures of the whole load
    flows[]                     flow, vus, vus_requested, iterations, dropped_iterations, http_reqs,
                                http_reqs_per_second (of the last seconds), http_req_failed, data_sent, data_received,
                                http_req_duration (p50, p90, p95, p99, avg, min, max, count, at_least[]),
                                gates[]: gate, so_far, value, reason
    pooled                      the same over all flows; its gates are those of the suite
    health                      the generator: cpu_mean (fraction of a core), lag_p99, load_missing, memory
    manual_changes[]            what was paused or scaled manually, in words
    events[]                    what happened during the load so far, as in summary.json
"""

from collections.abc import AsyncIterable
from dataclasses import asdict
from typing import Any

from vezaflow.gates import Verdict
from vezaflow.metrics import Summary, Trend, as_numbers
from vezaflow.outputs.line_file import write_lines
from vezaflow.outputs.tick import FlowNow, Tick
from vezaflow.plan import Secrets

Json = dict[str, Any]
_PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0}


class JsonLines:
    """An Output that writes to a file; `-` is standard output."""

    def __init__(self, file: str, secrets: Secrets) -> None:
        self.name = f"json={file}"
        self._file = file
        self._secrets = secrets

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        await write_lines(self._file, ticks, self._line)

    def _line(self, tick: Tick) -> bytes:
        import orjson

        return orjson.dumps(self._secrets.mask_values(to_json(tick)), option=orjson.OPT_APPEND_NEWLINE)


def to_json(tick: Tick) -> Json:
    """The tick as a JSON object, as the file's docstring describes it."""
    vitals = tick.health.vitals
    return {
        "time": tick.at.isoformat(),
        "suite": tick.suite,
        "run_id": tick.run_id,
        "outcome": None if tick.outcome is None else tick.outcome.value,
        "elapsed": tick.elapsed,
        "remaining": tick.remaining,
        "last": tick.last,
        "flows": [_flow(flow, flow.flow, tick.summary) for flow in tick.flows],
        "pooled": _flow(tick.pooled, None, tick.summary),
        "health": {
            "cpu_mean": vitals.cpu_mean,
            "lag_p99": vitals.lag_p99,
            "load_missing": tick.health.load_missing,
            "memory": vitals.memory,
        },
        "manual_changes": list(tick.manual_changes),
        "events": [{**asdict(each), "kind": each.kind.value} for each in tick.events],
    }


def _flow(now: FlowNow, flow: str | None, summary: Summary) -> Json:
    def count(metric: str) -> float | None:
        return summary.select(metric, flow, judged=None).aggregate("count")

    duration = summary.select("http_req_duration", flow, judged=None)
    assert isinstance(duration, Trend)
    times = {name: duration.aggregate("p", share) for name, share in _PERCENTILES.items()}
    return {
        **({} if flow is None else {"flow": flow}),
        "vus": now.vus,
        "vus_requested": now.vus_requested,
        "iterations": now.iterations,
        "dropped_iterations": now.dropped,
        "http_reqs": count("http_reqs"),
        "http_reqs_per_second": now.requests_per_second,
        "http_req_failed": now.failure_rate,
        "data_sent": count("data_sent"),
        "data_received": count("data_received"),
        "http_req_duration": {
            **as_numbers({**times, **{name: duration.aggregate(name) for name in ("avg", "min", "max")}}),
            "count": duration.aggregate("count"),
        },
        "gates": [_gate(verdict) for verdict in now.gates],
    }


def _gate(verdict: Verdict) -> Json:
    return {
        "gate": verdict.gate.text,
        "so_far": verdict.outcome.value,
        "value": None if verdict.value is None else float(verdict.value),
        "reason": verdict.reason,
    }
