"""The JSON Schema of `summary.json`: every field with its type and what it means, published as schema/summary.json.

Every field is required; what has no data is null. More fields may come with the same `schema`, so that a reader ignores
those that it doesn't know.
"""

import json
from typing import Any

from vezaflow.gates import ConcernKind, Outcome
from vezaflow.metrics import Dropped, MetricKind, Phase
from vezaflow.model import ActionKind, Executor, FormFactor, ObservedKind
from vezaflow.results import SCHEMA

Json = dict[str, Any]


def _of(kind: str | list[str], text: str = "", **rest: Any) -> Json:
    return {"type": kind, **({"description": text} if text else {}), **rest}


def _object(text: str, /, **properties: Json) -> Json:
    return _of("object", text, required=list(properties), properties=properties)


def _list(items: Json, text: str = "") -> Json:
    return _of("array", text, items=items)


def _text(text: str = "") -> Json:
    return _of("string", text)


def _flag(text: str) -> Json:
    return _of("boolean", text)


def _count(text: str = "") -> Json:
    return _of("integer", text, minimum=0)


def _maybe_count(text: str = "") -> Json:
    return _of(["integer", "null"], text, minimum=0)


def _number(text: str = "") -> Json:
    return _of("number", text)


def _maybe(text: str = "") -> Json:
    return _of(["number", "null"], text)


def _tally(text: str) -> Json:
    return _of("object", text, additionalProperties=_count())


def _one_of(values: list[str], text: str = "") -> Json:
    return _of("string", text, enum=values)


def _null_or(schema: Json) -> Json:
    return {"anyOf": [{"type": "null"}, schema]}


def _ref(name: str) -> Json:
    return {"$ref": f"#/definitions/{name}"}


_OUTCOME = _one_of(
    [outcome.value for outcome in Outcome], "green: passed, red: failed, inconclusive: no conclusion is possible"
)
_PERCENTILES = ("p50", "p90", "p95", "p99", "p999")

_TREND = _object(
    "A distribution of times. Seconds; null without samples.",
    **{name: _maybe() for name in (*_PERCENTILES, "avg", "min", "max")},
    count=_count("samples"),
    at_least=_list(_text(), "the fields that are lower bounds, because requests timed out"),
)
_TREND["patternProperties"] = {r"^p[0-9]+(\.[0-9]+)?$": _maybe("requested with `--percentiles`: p99.99")}
_REQUEST_TIMES = (
    "http_req_duration", "http_req_blocked", "http_req_connecting", "http_req_tls_handshaking", "http_req_sending",
    "http_req_waiting", "http_req_receiving",
)  # fmt: skip
_ARRIVALS: Json = {
    "description": "Of an open model, otherwise null.",
    "anyOf": [
        {"type": "null"},
        _object(
            "",
            due=_count("iterations that were due"),
            started=_count("of those, started"),
            dropped_iterations=_object("by reason", **{reason.value: _count() for reason in Dropped}),
            iteration_delay=_ref("trend"),
            iteration_response_time=_ref("trend"),
        ),
    ],
}
_FIGURES = {
    "vus_max": _maybe("the highest number of VUs at the same time"),
    "iterations": _maybe("count"),
    "iterations_failed": _maybe("count"),
    "http_reqs": _maybe("count"),
    "http_reqs_per_second": _maybe(),
    "http_req_failed": _maybe("fraction of the requests"),
    "data_sent": _maybe("bytes"),
    "data_received": _maybe("bytes"),
    "http_req_duration": _ref("trend"),
    "iteration_duration": _ref("trend"),
    "arrivals": _ARRIVALS,
}
_REQUESTED = _object(
    "The load that the flow requests.",
    executor=_one_of([executor.value for executor in Executor]),
    vus=_count(),
    duration=_number("seconds; of the iteration executors their limit"),
    iterations=_maybe_count("of the iteration executors"),
    start_time=_number("seconds into the load"),
    rate=_maybe("of an open model: the most starts per second"),
)
_VITALS = {
    "cpu": _number("fraction of a core, over the last second"),
    "cpu_mean": _number("fraction of a core, over the load"),
    "cpu_max": _number("fraction of a core, in the busiest second"),
    "lag_p99": _number("event-loop lag, seconds"),
    "lag_max": _number("event-loop lag, seconds"),
    "memory": _count("peak, bytes"),
    "receive_clock": _one_of(
        ["kernel", "read"], "kernel: responses are timed by the kernel's timestamps; read: when they are read"
    ),
    "late_reads": _count("reads more than 1 ms after the data arrived; corrected by the kernel's timestamps"),
    "read_delay_max": _number("seconds: the longest delay of a read"),
    "lag_share": _number("fraction of the time in which the event loop was late"),
}
_GATE = _object(
    "",
    gate=_text("as written"),
    flow=_of(["string", "null"], "null: all flows"),
    metric=_text(),
    labels=_of("object", additionalProperties=_text()),
    outcome=_OUTCOME,
    value=_maybe("in base units"),
    at_least=_flag("whether `value` is a lower bound"),
    operator=_one_of(["<", "<=", ">", ">=", "==", "!="]),
    bound=_maybe("in base units"),
    compared=_maybe("the figure that `bound` is computed from; null for a fixed bound"),
    compared_at_least=_flag("whether `compared` is a lower bound"),
    shown=_text("the value as displayed"),
    samples=_count(),
    between=_null_or(_list(_maybe("null: no bound"), "of a value that is an estimate: what it is above, and its most")),
    own=_null_or(
        _object(
            "Of a metric that the suite itself names (`observe`): what it is. Null for all others.",
            kind=_one_of([kind.value for kind in MetricKind]),
            dimension=_of(["string", "null"], "what it is measured in; null: a plain number"),
            aggregates=_list(_text()),
        )
    ),
    margin=_maybe("fraction of the bound that is left; negative if the gate failed; null for a lower bound"),
    reason=_text("empty when green"),
    file=_of(["string", "null"]),
    line=_maybe_count(),
    column=_maybe_count(),
)
_POINT = _object(
    "A flow in the `length` seconds that end at `second`.",
    second=_number("end, seconds into the load"),
    length=_number("seconds"),
    flow=_text(),
    vus=_count("at the end"),
    **{
        name: _count()
        for name in ("requests", "failed", "iterations", "iterations_failed", "bytes_sent", "bytes_received")
    },
    **{name: _maybe("seconds") for name in ("p50", "p95", "p99", "max")},
    at_least=_list(_one_of(["p50", "p95", "p99", "max"]), "the fields that are lower bounds"),
)
_QUANTILE = _null_or(
    _object(
        "A quantile of a histogram with buckets.",
        value=_number("interpolated, as Prometheus does"),
        low=_maybe("the bucket: it is above this; null: no bound"),
        high=_maybe("and at most this; null: no bound"),
    )
)
_SIDES = _object(
    "",
    client=_maybe(),
    server=_QUANTILE,
    difference=_null_or(
        _object(
            "client - server: network, queues, proxies.",
            value=_number(),
            low=_maybe("at least this, by the server's bucket; null: no bound"),
            high=_maybe("less than this, by the server's bucket; null: no bound"),
        )
    ),
)
_LABELS = _of("object", additionalProperties=_text())
_STEP = _object("A step that goes there.", flow=_text(), step=_text(), method=_text(), path=_text("as written"))
_OBSERVED = _object(
    "What the server's Prometheus says (`observe`). Null without it.",
    source=_text("its URL"),
    problem=_text("why nothing could be read, or empty"),
    clock_offset=_number("seconds that its clock is ahead; all times here are by the load generator's"),
    latency=_text("the metric that `paths` and `endpoints` are of, or empty"),
    figures=_list(
        _object(
            "A metric over the time that gates judge.",
            name=_text("`latency` of `server.latency`"),
            kind=_one_of([kind.value for kind in ObservedKind]),
            of=_text("the name in Prometheus, or PromQL"),
            flow=_of(["string", "null"], "over whose time; null: all flows'"),
            begin=_number("of that time, seconds since 1970"),
            end=_number("seconds since 1970"),
            problem=_text("why it can't be used, or empty"),
            exponential=_flag("whether quantiles of native histograms are interpolated exponentially"),
            series=_list(
                _object(
                    "One set of labels.",
                    labels=_LABELS,
                    begin=_number("the scrape that it counts from, seconds since 1970"),
                    end=_number("the scrape that it counts to, seconds since 1970"),
                    count=_number("observations of a histogram, samples of a gauge"),
                    total=_number("the sum of them; the increase of a counter"),
                    least=_maybe("of a gauge"),
                    most=_maybe("of a gauge"),
                    last=_maybe("of a gauge"),
                    buckets=_list(_object("", low=_maybe(), high=_maybe(), count=_number("in this one alone"))),
                    quantiles=_of("object", "p50, p95 and p99 of a histogram", additionalProperties=_QUANTILE),
                )
            ),
        )
    ),
    endpoints=_list(_object("", method=_text(), path=_text(), labels=_LABELS, steps=_list(_STEP)), "who goes where"),
    paths=_list(
        _object(
            "The client's figures and the server's.",
            method=_text(),
            path=_text(),
            steps=_list(_text()),
            client_requests=_maybe_count("null: no step is known to go there"),
            server_requests=_maybe_count("null: the server has no such series"),
            missing=_text("what one side counted and the other did not, or empty"),
            p50=_SIDES,
            p95=_SIDES,
            p99=_SIDES,
        )
    ),
)
_OF_STEP = {"flow": _text(), "phase": _one_of([phase.value for phase in Phase]), "step": _text()}
AUDIT = _object(
    "",
    audit=_text("its name"),
    when=_one_of(["", "before", "during", "after"], "the load; empty: without a load"),
    started=_of("string", format="date-time"),
    duration=_number("seconds"),
    form_factor=_one_of([each.value for each in FormFactor]),
    runs=_count("requested for each page"),
    lighthouse=_text("its version; scores of two major versions can't be compared"),
    browser=_text("its version"),
    pages=_list(
        _object(
            "The figures of the median run.",
            page=_text(),
            url=_text(),
            runs=_count("that counted"),
            scores=_of("object", "category → score, 0 to 100", additionalProperties=_number()),
            metrics=_of("object", "metric → value; times are in seconds", additionalProperties=_number()),
            problem=_text("why there are no figures, or empty"),
            warnings=_list(_text()),
            report=_text("the file of Lighthouse's HTML report, or empty"),
        )
    ),
)
_PROFILE = _object(
    "",
    name=_text("of its event"),
    begin=_number("seconds into the load"),
    end=_number("seconds into the load"),
    kind=_text("what it counts: cpu, inuse_space, …"),
    unit=_text("nanoseconds, bytes, count, …"),
    total=_number("in this unit"),
    samples=_count("0: it does not count samples"),
    seconds=_number("over which it was taken; 0: a snapshot"),
    functions=_count("in all"),
    top=_list(
        _object(
            "", function=_text(), flat=_number("ratio: the function itself"), cum=_number("ratio: with what it calls")
        ),
        "the functions with the greatest shares, and those that gates name",
    ),
    rest=_number("the greatest ratio of a function that is not in `top`"),
    problem=_text("why it was not taken, or empty"),
    file=_text("where the profile itself was written, or empty"),
    against=_text("the run that `grown` compares with, or empty"),
    grown=_list(
        _object(
            "",
            function=_text(),
            flat_before=_number("ratio"),
            flat=_number("ratio"),
            cum_before=_number("ratio"),
            cum=_number("ratio"),
        ),
        "functions with a greater share than in that run",
    ),
)
_FIELDS = {
    "schema": {"const": SCHEMA},
    "suite": _text(),
    "description": _text(),
    "run_id": _text(),
    "base_url": _text(),
    "started": _of("string", "when the load started", format="date-time"),
    "duration": _number("of the load, seconds"),
    "outcome": _OUTCOME,
    "headline": _text("the verdict in one line"),
    "exit_code": _count(),
    "interrupted": _flag("whether the run was interrupted"),
    "aborted": _text("the gate that stopped the run early, or empty"),
    "notes": _list(_text()),
    "links": _list(_object("", name=_text(), url=_text()), "pages about the run elsewhere, such as its dashboard"),
    "gates": _list(_GATE),
    "events": _list(
        _object(
            "",
            name=_text("of a manual mark its text"),
            kind=_one_of([kind.value for kind in ActionKind]),
            begin=_number("seconds into the load"),
            end=_maybe("seconds into the load; null: it had no end"),
            text=_text("what was done, and the response"),
            error=_text("what went wrong; empty: nothing"),
            undone=_maybe("when its `finally` was done, seconds into the load; null: it was not, or there is none"),
            manual=_flag("whether it was started by `vezaflow mark`"),
        ),
        "what happened during the load, in the order of time",
    ),
    "event_windows": _list(
        _object("", event=_text(), begin=_number("seconds into the load"), end=_number("seconds into the load")),
        "the times whose figures gates with `during` evaluated; empty where no gate has it",
    ),
    "concerns": _list(
        _object(
            "",
            kind=_one_of([kind.value for kind in ConcernKind]),
            text=_text(),
            remedy=_text("what to do, or empty"),
            flow=_text("empty: all flows"),
        ),
        "reasons not to trust the figures",
    ),
    "flows": _list(_object("", flow=_text(), requested=_REQUESTED, **_FIGURES, unjudged=_ref("figures"))),
    "pooled": _ref("figures"),
    "steps": _list(
        _object(
            "",
            **_OF_STEP,
            method=_text(),
            http_reqs=_count(),
            http_req_failed=_maybe("fraction of the requests"),
            statuses=_tally("status → requests; 0: no response"),
            failures=_tally("kind of failure → requests"),
            data_sent=_count("bytes"),
            data_received=_count("bytes"),
            **{name: _ref("trend") for name in _REQUEST_TIMES},
            checks=_list(_object("", check=_text(), evaluated=_count("times"), failed=_count("of these"))),
            attempts=_null_or(
                _object(
                    "Of a step whose request may be sent more than once, or that consists of several.",
                    steps=_count("that ended"),
                    step_failed=_number("fraction of these"),
                    http_req_retries=_count(),
                    backpressure_obeyed=_count("delays requested by the server that were respected"),
                    backpressure_ignored=_count("delays that were not"),
                    step_duration=_ref("trend"),
                )
            ),
        ),
        "each step that sent requests, in each phase",
    ),
    "listeners": _list(
        _object(
            "The sessions of an `hls` step.",
            **_OF_STEP,
            hls_sessions=_count(),
            hls_startup=_ref("trend"),
            hls_startup_failed=_number("fraction of the sessions"),
            hls_rebuffer_ratio=_maybe("rebuffering / (playing + rebuffering)"),
            hls_rebuffer_time=_ref("trend"),
            hls_stalls=_count(),
            hls_segment_duration=_ref("trend"),
            hls_bitrate=_maybe("mean, kbit/s"),
            hls_variant_switches=_count(),
            hls_segments_abandoned=_count(),
            hls_live_latency=_ref("trend"),
        )
    ),
    "channels": _list(
        _object(
            "",
            **_OF_STEP,
            ws_sessions=_count("opened"),
            ws_connection_failures=_maybe("fraction of those that were to be opened"),
            refused=_tally("kind of failure → WebSockets that could not be opened"),
            ws_unexpected_closes=_tally("close code → count"),
            ws_msgs_sent=_count(),
            ws_msgs_received=_count(),
            ws_msgs_dropped=_count("of these; nobody read them"),
            ws_message_failures=_maybe("fraction of the messages sent or waited for"),
            failures=_tally("kind of failure → messages"),
            expected=_count("messages with an `ack` of which it is known what became of them"),
            ws_delivered=_maybe("fraction of `expected`"),
            late=_count(),
            lost=_count(),
            duplicated=_count("acks that came once more"),
            reordered=_count("acked after one that was sent later"),
            ws_connecting=_ref("trend"),
            ws_session_duration=_ref("trend"),
            ws_ping=_ref("trend"),
            ws_message_latency=_ref("trend"),
        ),
        "each step that opens WebSockets",
    ),
    "streams": _list(
        _object(
            "",
            **_OF_STEP,
            sse_streams=_count("opened"),
            sse_connection_failures=_maybe("fraction of those that were to be opened"),
            refused=_tally("kind of failure → streams that could not be opened"),
            sse_unexpected_ends=_tally("kind of end → streams"),
            sse_events=_count("received"),
            sse_events_dropped=_count("of these; nobody read them"),
            sse_event_failures=_maybe("fraction of the events waited for"),
            failures=_tally("kind of failure → events waited for"),
            sse_connecting=_ref("trend"),
            sse_stream_duration=_ref("trend"),
            sse_event_latency=_ref("trend"),
        ),
        "each step that opens event streams",
    ),
    "observed": _null_or(_OBSERVED),
    "errors": _list(
        _object(
            "",
            **_OF_STEP,
            error=_text("error kind"),
            status=_count("0: no response"),
            count=_count(),
            share=_number("of the step's requests"),
            first=_number("seconds into the load"),
            last=_number("seconds into the load"),
            detail=_text("of one such failure"),
            trace_id=_text("of the first such failure that had a trace; empty: none had"),
        )
    ),
    "traces": _list(
        _object(
            "",
            **_OF_STEP,
            method=_text(),
            status=_count("0: no response"),
            error=_text("error kind; empty: the response was as expected"),
            duration=_number("seconds"),
            at=_number("when it ended, seconds into the load"),
            trace_id=_text("32 hexadecimal digits"),
            url=_text("of the trace; empty without `link`"),
        ),
        "the slowest requests with a trace, at most 3 of each step; the slowest first",
    ),
    "trace_links": _of("object", "by flow: the URL of a trace, with `${trace_id}`", additionalProperties=_text()),
    "incidents": _list(
        _object(
            "",
            code=_text(),
            message=_text(),
            help=_text(),
            file=_of(["string", "null"]),
            line=_maybe_count(),
            column=_maybe_count(),
        ),
        "failures at their place in the YAML",
    ),
    "timeline": _list(_POINT),
    "health": _object(
        "The load generator: the worst reading of each worker; memory and late reads are sums.",
        **_VITALS,
        vus_started=_count(),
        load_missing=_number(
            "fraction of the VUs' time that was lost to the generator: that part of the load is missing"
        ),
        workers=_list(
            _object("A process.", name=_text(), **_VITALS, lost=_text("why it ended early; empty: it did not"))
        ),
    ),
    "readings": _list(
        _object(
            "",
            second=_number("its end, seconds into the load"),
            length=_number("seconds"),
            cpu=_number("fraction of a core, of the busiest process"),
            late=_number("fraction of the time in which the event loop was late"),
            missing=_maybe("fraction of the VUs' time that was lost to the generator; null: no VU with pauses"),
            failures=_of(
                "object",
                "flow → kind of failure, with the status where there is one → failed requests",
                additionalProperties=_of("object", additionalProperties=_count()),
            ),
        ),
        "the load generator and the failures by the second; of a load of more than 600 s by several seconds",
    ),
    "inputs": _of("object", "name → value; secrets are masked", additionalProperties=_text()),
    "seed": _of(["integer", "string"]),
    "versions": _object("", vezaflow=_text(), python=_text(), platform=_text()),
    "plan": _null_or(
        _object(
            "What the files mean: two runs with the same hash ran the same test, however the files are laid out.",
            hash=_text(),
            parts=_of("object", "part → its hash: what changed between two runs", additionalProperties=_text()),
        )
    ),
    "profile": _null_or(
        _object(
            "How much of the suite's load was run.",
            full=_flag("all of it, or more"),
            changes=_list(_text(), "how it was turned down; empty for the full load"),
        )
    ),
    "commit": _null_or(
        _object("Of the suite's git repository.", sha=_text(), dirty=_flag("whether something was not committed"))
    ),
    "host": _null_or(_object("The machine that ran it.", name=_text(), cores=_count(), kernel=_text())),
    "standing": _object(
        "The run among others, in a line each; empty without a history or baseline.",
        night=_text("where the count of green nights is"),
        baseline=_text("what changed from the baseline"),
        accepted=_text("why the suite is accepted, if it is accepted with this run and was not before"),
    ),
    "audits": _list(AUDIT, "pages that Lighthouse audited"),
    "profiles": _list(_PROFILE, "profiles of the server, in the order in which they were taken"),
    "manual_changes": _list(_text(), "what was paused or scaled manually"),
    "machines": _list(
        _object(
            "A machine of a cluster, by its own figures.",
            name=_text(),
            address=_text("of its Dask worker"),
            cores=_maybe_count(),
            workers=_count(),
            clock_error=_number("seconds that its start may have been off the common moment"),
            requests=_count(),
            failed=_count(),
            p50=_maybe("seconds"),
            p95=_maybe("seconds"),
            p99=_maybe("seconds"),
            cpu_mean=_number("of a core, of the worker that used most"),
            cpu_max=_number("of a core, of the worker that used most"),
            lag_p99=_number("seconds that the event loop was late"),
            receive_clock=_text("kernel: responses are timed as they come; read: as they are read"),
            lost=_text("why it was lost; empty: it was not"),
        )
    ),
    "clock": _text("how times are measured, in words"),
    "files": _list(_text(), "the other files that were written"),
    "segment": _of(
        ["object", "null"],
        "for a run with --segment: what `vezaflow merge` needs; its structure is not part of the schema",
    ),
    "by_second": _list(
        _of("object"), "each step by the second, for `vezaflow compare`; its structure is not part of the schema"
    ),
    "figures": _of("object", "every row with its histogram, for merging; its structure is not part of the schema"),
}


def summary_schema() -> Json:
    """The schema as a JSON object."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "vezaflow: summary.json",
        **_object("Times are in seconds, sizes in bytes, ratios from 0 to 1; a value without data is null.", **_FIELDS),
        "definitions": {"trend": _TREND, "figures": _object("The figures of a flow, or of all flows.", **_FIGURES)},
    }


def summary_schema_text() -> str:
    """The text of schema/summary.json."""
    return json.dumps(summary_schema(), indent=2, ensure_ascii=False) + "\n"
