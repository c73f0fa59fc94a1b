"""The keys of `trace`: which requests carry a trace context, and where reports link to. Only data."""

from vezaflow.keys.fields import Field, Kind, Table

TRACE = Table(
    "trace",
    "`trace`",
    "Sends a W3C trace context (`traceparent`, version 00, sampled) with some of the requests of flows, so that a slow "
    "request of a report is found in Tempo or Jaeger. Each request has a trace of its own.",
    (
        Field(
            "every",
            Kind.WHOLE,
            "A `traceparent` is sent with one of this number of requests of a flow; `1`: every request, `0`: none.",
            "100",
            default="100",
        ),
        Field(
            "link",
            Kind.TEMPLATE,
            "The URL of a trace in reports, with `${trace_id}` where its id goes.",
            "http://127.0.0.1:16686/trace/${trace_id}",
            default="none: reports show only the id",
        ),
    ),
)

TRACING = Field(
    "trace",
    Kind.MAPPING,
    "Which requests carry a `traceparent`, and how reports link to their traces.",
    "{every: 100}",
    default="none",
    tables=("trace",),
)
