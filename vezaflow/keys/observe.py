"""The keys of `observe`: figures of the server that are read from its Prometheus. Only data."""

from vezaflow.keys.connections import CONNECTING_ONE
from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import ObservedKind, ObservedUnit

OBSERVE = Table(
    "observe",
    "observed figures",
    "Figures of the server that are read after the load, for gates and reports.",
    (
        Field(
            "prometheus",
            Kind.MAPPING,
            "The Prometheus that scrapes the server.",
            "{url: http://127.0.0.1:9090, metrics: {latency: {histogram: http_request_duration_seconds}}}",
            required=True,
            tables=("prometheus",),
        ),
    ),
)

PROMETHEUS = Table(
    "prometheus",
    "a Prometheus",
    "A server with the HTTP API of Prometheus. The host must be loopback or listed in `guard: allow`; a failure makes "
    "the gates on its metrics inconclusive, and changes nothing else.",
    (
        Field(
            "url",
            Kind.TEMPLATE,
            "The URL, without `/api/v1`. If it is empty, nothing is observed.",
            "${env.PROMETHEUS_URL}",
            required=True,
        ),
        Field(
            "metrics",
            Kind.OBSERVED,
            "What is read, by the name that gates use: `latency` is `server.latency` there.",
            "{latency: {histogram: http_request_duration_seconds, by: [method, path]}}",
            required=True,
            tables=("observed metric",),
        ),
        Field(
            "headers",
            Kind.PAIRS,
            "Headers of each request, such as a tenant.",
            "{X-Scope-OrgID: veza}",
        ),
        Field(
            "auth",
            Kind.AUTH,
            "How requests are authenticated. It is a secret.",
            '{bearer: "${env.PROMETHEUS_TOKEN}"}',
            default="none; the suite's is for its targets only",
            tables=("auth",),
        ),
        *(
            Field(each.key, each.kind, "How its certificate is verified.", "{ca: ca.pem}", tables=each.tables)
            for each in CONNECTING_ONE
            if each.key == "tls"
        ),
        Field("timeout", Kind.DURATION, "The maximum time of a request.", "5s", default="10 s"),
        Field(
            "wait",
            Kind.DURATION,
            "The maximum time, after the load, to wait for the scrape that covers its end, and to read.",
            "1m",
            default="90 s",
        ),
    ),
)

OBSERVED_METRIC = Table(
    "observed metric",
    "an observed metric",
    "A metric of the server over the time that gates evaluate.",
    (
        Field(
            "match",
            Kind.PAIRS,
            "Labels that the series must have.",
            "{service: api}",
        ),
        Field(
            "by",
            Kind.TEXTS,
            "Labels that are kept apart; gates can select by them. All others are summed up.",
            "[method, path]",
            default="none",
        ),
        Field(
            "unit",
            Kind.CHOICE,
            "What the values are in.",
            "ratio",
            choices=tuple(unit.value for unit in ObservedUnit),
            default="by the end of the name: `_seconds`, `_milliseconds`, `_bytes`, `_ratio`, `_percent` (and the same "
            "with `_total`), otherwise `number`",
        ),
    ),
    one_of=(
        Field(
            ObservedKind.HISTOGRAM.value,
            Kind.TEXT,
            "The name of a histogram, classic (without `_bucket`) or native. It has p, med, avg, count and rate.",
            "http_request_duration_seconds",
        ),
        Field(
            ObservedKind.COUNTER.value,
            Kind.TEXT,
            "The name of a counter. It has count (the increase) and rate (per second).",
            "http_requests_total",
        ),
        Field(
            ObservedKind.GAUGE.value,
            Kind.TEXT,
            "The name of a gauge. It has avg, min, max and value (the last one).",
            "process_resident_memory_bytes",
        ),
        Field(
            ObservedKind.QUERY.value,
            Kind.TEXT,
            "A PromQL expression, evaluated once per scrape. It has avg, min, max and value (the last one). With "
            "`$__range` in it, it is evaluated once, at the end, and `$__range` is the length of the time.",
            "sum(rate(process_cpu_seconds_total[30s]))",
        ),
    ),
    exclusive=(("query", "match"),),
)
