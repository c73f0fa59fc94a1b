"""An Explanation as data. `schema` is 2; it grows when a field changes its meaning or goes, not when one is added.
Times are seconds, sizes bytes, rates per second; what is not known is null.

    schema            2
    suite, description, exit_code, refused (null, or message and hint)
    seconds           until the last flow's planned end; cut_off: until the last graceful stop is over
    workers, segment  as `--segment` has it, null for the whole load
    inputs, seed      name → value; secrets are masked
    totals            the figures below over all flows
      figures         vus_most, requests_least, bytes_sent_least, iterations_per_second_most, requests_per_second_most
    flows[]           flow, description, executor, duration, start_time, vus, rate (the most starts that are asked for;
                      null: a closed model), vus_resting (that its pauses keep at its peak),
                      connections_of_vu_most (together), iterations_least, iterations_most,
                      login_requests and finally_requests (of each VU at least), figures, mix[] (of each `choose`),
                      traced (one of so many requests; null: none),
                      gates, judged (which part of it the gates judge; empty: all)
      iteration       requests_least, requests_most, bytes_sent_least, pause
      connects[]      steps that connect otherwise than the flow: step, http_version, proxy (host:port or null),
                      local_addresses[], certificate (the file's name or null)
      opens[]         steps that hold a connection open: step, what (WebSocket, event stream)
      listens[]       steps that play a stream: step, what (in words)
      keeps[]         step, body, headers, why[]
      load[]          60 equal parts of the run: the most VUs in each, or starts per second of an open model
    data[]            name, flows[], where, rows, pick, each, at_end, rows_of_segment, taken_least,
                      taken_most, verdict (enough, may be exhausted, too few)
    around            preflight, setup, teardown: requests at least; connects[] as in flows
    events[]          name, at, every, for, window, kind (steps, haproxy, profile, mark), address (of HAProxy's runtime
                      API: a path, or host:port; else null), profile_seconds (0: a snapshot; null: no profile), on_red,
                      undone
    audits[]          audit, when (before, during, after), pages[] (page, url as written), login_requests (at least),
                      runs (of each page), form_factor, timeout (of a run), gates
    audit_needs[]     the programs that audits take: name, path, version, problem (empty: none), remedy
    hosts[]           scheme, host, port, allowed (loopback, or the guard's pattern), by[]
    led_by_run[]  step, url: where a request goes that only the run tells
    reports_to[]      kind (grafana, notification), scheme, host, port, of[] (link or annotation; the events), form (the
                      dashboard's uid; the template, or json)
    reads_from        the Prometheus of the server's own figures: scheme, host, port, metrics[], every; null without one
    sends_to[]        output (its name), file, scheme, host, port (null where it has none), every (null: each request
                      when it is done), samples
    gates[]           those over all flows together, as written
    limits[]          name, needed, there, verdict (enough, close to the limit, too little), remedy
    machines[]        of a cluster: name, address, cores, workers, fraction (of the load), clock_error, stamps (its
                      kernel stamps responses), vus (flow → at most), limits[], problems[], warnings[]
"""

from math import inf
from typing import Any

from vezaflow.errors import ExitCode
from vezaflow.explain.data_sources import DataSourceExplained
from vezaflow.explain.explained import Explanation, FlowExplained, request_rate
from vezaflow.explain.requests import Way
from vezaflow.explain.surroundings import surroundings_to_json
from vezaflow.limits import Check, MachineShare
from vezaflow.model import RowPick

Json = dict[str, Any]
SCHEMA = 2
PARTS = 60


def to_json(e: Explanation) -> Json:
    """The explanation as a JSON object, as the file's docstring describes it."""
    plan, segment = e.plan, e.division.segment
    return {
        "schema": SCHEMA,
        "suite": plan.suite,
        "description": plan.description,
        "exit_code": int(ExitCode.GREEN if e.refused is None else e.refused.code),
        "refused": None if e.refused is None else {"message": e.refused.message, "hint": e.refused.hint},
        "seconds": plan.seconds,
        "cut_off": plan.cut_off,
        "workers": e.division.workers,
        "segment": str(segment) if segment.count > 1 else None,
        "inputs": dict(plan.shown_inputs),
        "seed": plan.inputs.seed,
        "totals": {
            "vus_most": e.vus,
            "requests_least": e.requests,
            "bytes_sent_least": e.sent,
            "iterations_per_second_most": e.rate,
            "requests_per_second_most": e.request_rate,
        },
        "flows": [_flow(flow, plan.seconds, segment.count) for flow in e.flows],
        "data": [_data_source(found) for found in e.data_sources],
        "around": {
            "preflight": e.around.preflight,
            "setup": e.around.setup,
            "teardown": e.around.teardown,
            "connects": _ways(e.around.ways),
        },
        "hosts": [
            {
                "scheme": host.origin.scheme,
                "host": host.origin.host,
                "port": host.origin.port,
                "allowed": host.allowed,
                "by": list(host.by),
            }
            for host in e.hosts
        ],
        "led_by_run": [{"step": step, "url": url} for step, url in e.led],
        **surroundings_to_json(e),
        "gates": list(e.gates),
        "limits": [_limit(check) for check in e.limits],
        "machines": [_machine(each) for each in e.machines],
    }


def _flow(flow: FlowExplained, seconds: float, shares: int) -> Json:
    load, iteration = flow.load, flow.iteration
    return {
        "flow": flow.name,
        "description": flow.description,
        "executor": load.executor.value,
        "duration": load.duration,
        "start_time": load.start_time,
        "vus": flow.vus,
        "vus_most": flow.max_vus,
        "vus_resting": flow.resting,
        "connections_of_vu_most": flow.connections.most,
        "rate": None if load.peak_rate is None else load.peak_rate / shares,
        "iterations_least": flow.iterations,
        "iterations_most": flow.iterations_most,
        "requests_least": flow.requests,
        "bytes_sent_least": flow.sent,
        "iterations_per_second_most": flow.rate,
        "requests_per_second_most": request_rate(flow),
        "iteration": {
            "requests_least": iteration.requests,
            "requests_most": None if iteration.most == inf else iteration.most,
            "bytes_sent_least": iteration.sent,
            "pause": iteration.pause,
        },
        "login_requests": flow.login,
        "finally_requests": flow.final,
        "connects": _ways(flow.ways),
        "opens": [{"step": opened.step, "what": opened.what} for opened in flow.opened],
        "listens": [{"step": each.step, "what": each.what} for each in flow.listens],
        "keeps": [
            {"step": kept.step, "body": kept.body, "headers": kept.headers, "why": list(kept.why)} for kept in flow.kept
        ],
        "mix": list(flow.mix),
        "traced": flow.traced,
        "gates": list(flow.gates),
        "judged": flow.judged,
        "load": flow.curve.columns(seconds, PARTS),
    }


def _ways(ways: tuple[Way, ...]) -> list[Json]:
    return [
        {
            "step": way.step,
            "http_version": "2" if way.http2 else "1.1",
            "proxy": way.proxy,
            "local_addresses": list(way.local_addresses),
            "certificate": way.certificate,
        }
        for way in ways
    ]


def _data_source(found: DataSourceExplained) -> Json:
    data_source = found.data_source
    return {
        "name": data_source.name,
        "flows": [taken.flow for taken in found.taken],
        "where": data_source.where,
        "rows": found.rows,
        "pick": data_source.pick.value,
        "each": data_source.each.value,
        "at_end": data_source.at_end.value if data_source.pick is not RowPick.RANDOM else None,
        "rows_of_segment": found.share,
        "taken_least": found.least,
        "taken_most": found.most,
        "verdict": found.lasts.value,
    }


def _machine(each: MachineShare) -> Json:
    return {
        "name": each.name,
        "address": each.address,
        "cores": each.cores,
        "workers": each.workers,
        "fraction": each.fraction,
        "clock_error": each.clock_error,
        "stamps": each.stamps,
        "vus": dict(each.vus),
        "limits": [_limit(check) for check in each.limits],
        "problems": list(each.problems),
        "warnings": list(each.warnings),
    }


def _limit(check: Check) -> Json:
    return {
        "name": check.name,
        "needed": check.needed,
        "there": check.there,
        "verdict": check.enough.value,
        "remedy": check.remedy,
    }
