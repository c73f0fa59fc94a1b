"""The keys of `outputs`: where a run's figures are sent while it is in progress. Only data.

One table for the key in suite.yml and for the option `--out NAME[=ARG]`: the first field of each output is its ARG.
`OUTPUT_DEFAULTS` says what ARG is where it is left out; an output that is not in it needs one.
"""

from vezaflow.keys.fields import Field, Kind, Table

FILE_OUTPUTS = frozenset(("json", "csv"))
"""The outputs whose ARG is a file."""

OUTPUT_DEFAULTS = {
    "json": "-",
    "csv": "-",
    "prometheus": "http://localhost:9090/api/v1/write",
    "otlp": "http://localhost:4318/v1/metrics",
    "statsd": "localhost:8125",
}

SAMPLES = ("second", "all")
TEMPORALITIES = ("cumulative", "delta")
_GUARDED = "The host must be loopback or listed in `guard: allow`."


def _url(what: str, example: str) -> Field:
    return Field(
        "url",
        Kind.TEMPLATE,
        f"{what} {_GUARDED} If it is empty, nothing is sent.",
        f"${{env.{example}}}",
        required=True,
    )


def _every(default: str) -> Field:
    return Field("every", Kind.DURATION, "The time between two sendings.", "10s", default=default)


_HEADERS = Field("headers", Kind.PAIRS, "Further headers of the requests.", "{x-scope-orgid: load}")
_AUTH = Field(
    "auth",
    Kind.AUTH,
    "How the requests are authenticated. Tokens and passwords are secrets.",
    '{bearer: "${env.METRICS_TOKEN}"}',
    default="none",
    tables=("auth",),
)
_LABELS = Field(
    "labels",
    Kind.PAIRS,
    "Further labels of all series.",
    "{testid: nightly, team: media}",
    default="`testid`: the run's id",
)

_SAMPLES = (
    Field(
        "samples",
        Kind.CHOICE,
        "What a line is: `second`: the figures of a second; `all`: one request.",
        "all",
        choices=SAMPLES,
        default="second",
    ),
    Field("most", Kind.SIZE, "With `samples: all`: the maximum size of one file.", "20 MiB", default="100 MB"),
    Field(
        "files",
        Kind.COUNT,
        "With `samples: all`: the number of files; the oldest is deleted when a new one is started.",
        "10",
        default="5",
    ),
)

OUTPUTS: tuple[Table, ...] = (
    Table(
        "json output",
        "a JSON output",
        "One JSON object per second, each on its own line.",
        (Field("file", Kind.TEMPLATE, "The file; `-` is standard output.", "run.jsonl", required=True), *_SAMPLES),
    ),
    Table(
        "csv output",
        "a CSV output",
        "One row per second for the run, for each flow and for each step.",
        (Field("file", Kind.TEMPLATE, "The file; `-` is standard output.", "run.csv", required=True), *_SAMPLES),
    ),
    Table(
        "prometheus output",
        "a Prometheus output",
        "Prometheus remote write 1.0, with the names, labels and units of k6.",
        (
            _url("The URL of the receiver; without a path `/api/v1/write` is used.", "PROMETHEUS_URL"),
            Field(
                "native",
                Kind.SWITCH,
                "Whether times are native histograms rather than one gauge per statistic.",
                "true",
                default="false",
            ),
            Field(
                "stats",
                Kind.TEXTS,
                "The statistics of the gauges: `min`, `max`, `avg`, `med`, `count`, `sum` and percentiles.",
                "[avg, p95, p99.9]",
                default="min, max, avg, med, p90, p95, p99",
            ),
            _LABELS,
            Field(
                "stale_markers",
                Kind.SWITCH,
                "Whether all series are marked as ended after the run.",
                "true",
                default="false",
            ),
            _every("5 s"),
            _HEADERS,
            _AUTH,
        ),
    ),
    Table(
        "otlp output",
        "an OTLP output",
        "OpenTelemetry metrics over HTTP as protobuf, times as exponential histograms.",
        (
            _url("The URL of the collector; without a path `/v1/metrics` is used.", "OTLP_URL"),
            Field(
                "temporality",
                Kind.CHOICE,
                "Whether counts and histograms are of the whole run so far or of the time since the last sending.",
                "delta",
                choices=TEMPORALITIES,
                default="cumulative",
            ),
            _LABELS,
            _every("10 s"),
            _HEADERS,
            _AUTH,
        ),
    ),
    Table(
        "influx output",
        "an InfluxDB output",
        "InfluxDB's line protocol over HTTP.",
        (
            _url("The URL for writes, such as `http://localhost:8086/write?db=load`.", "INFLUX_URL"),
            _LABELS,
            _every("5 s"),
            _HEADERS,
            _AUTH,
        ),
    ),
    Table(
        "statsd output",
        "a StatsD output",
        "StatsD over UDP: counts and gauges of the time since the last sending.",
        (
            Field(
                "address",
                Kind.TEMPLATE,
                f"Host and port. {_GUARDED} If it is empty, nothing is sent.",
                "${env.STATSD_ADDRESS}",
                required=True,
            ),
            Field("prefix", Kind.TEXT, "The prefix of all names.", "load.", default="vezaflow."),
            Field(
                "tags",
                Kind.SWITCH,
                "Whether labels are sent as tags (DogStatsD) rather than in the names.",
                "true",
                default="false",
            ),
            _every("1 s"),
        ),
    ),
    Table(
        "webhook output",
        "a webhook output",
        "The JSON object of each second, posted to a URL.",
        (
            _url("The URL. It is a secret.", "FIGURES_WEBHOOK"),
            _every("1 s"),
            _HEADERS,
            _AUTH,
        ),
    ),
)

OUTPUT = Table(
    "outputs",
    "`outputs`",
    "Where the figures of a run are sent while it is in progress. `--out NAME[=ARG]` adds an output, or gives one of "
    "these another ARG. Instead of a mapping, an output can be its first key's value alone: `json: run.jsonl`.",
    tuple(
        Field(
            table.name.removesuffix(" output"),
            Kind.OUTPUT,
            table.doc,
            f"{{{table.fields[0].key}: {table.fields[0].example}}}"
            if "${" not in table.fields[0].example
            else f'{{{table.fields[0].key}: "{table.fields[0].example}"}}',
            default="none",
            tables=(table.name,),
        )
        for table in OUTPUTS
    ),
)
