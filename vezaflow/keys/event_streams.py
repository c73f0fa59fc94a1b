"""The keys of event streams: how one is opened, and opened again. Only data, as in tables.py."""

from dataclasses import replace

from vezaflow.keys.connections import CONNECTING_ONE
from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.keys.requests import REQUEST
from vezaflow.keys.suite import DEFAULTS

_OWN_WORDS = {
    "headers": "Headers of the request that opens the stream; for the same name the most specific setting wins. "
    "`Accept: text/event-stream` is sent by default.",
    "auth": "How that request is authenticated; `none` turns an inherited setting off.",
    "timeout": "The maximum time to open it: DNS, TCP, TLS and the head of the response.",
    "on_failure": "What happens to the iteration when it can't be opened, when the server ends it, or when a "
    "`receive` on it fails.",
    "tags": "Labels of its samples.",
}
_QUERY = REQUEST.field("query")
assert _QUERY is not None

EVENT_STREAM = Table(
    "sse",
    "an sse step",
    "Open an event stream (server-sent events), run steps while it is open, and close it. The value is the URL. It "
    "goes over HTTP/1.1; redirects are not followed.",
    (
        Field("name", Kind.TEXT, "The step's identity in metrics and gates.", "feed", default="the URL as written"),
        Field("do", Kind.STEPS, "The steps while it is open.", "[{receive: {within: 5s}}]", required=True),
        Field(
            "as",
            Kind.NAME,
            "A name for steps within it that mean this one, and not another that is open, too.",
            "feed",
            default="none",
        ),
        _QUERY,
        *(replace(field, doc=_OWN_WORDS[field.key]) for field in DEFAULTS if field.key in _OWN_WORDS),
        *CONNECTING_ONE,
        Field(
            "max_event",
            Kind.SIZE,
            "The maximum size of an event; a larger one ends the stream (`too_large`).",
            "4 MiB",
            default="1 MiB",
        ),
        Field(
            "sent",
            Kind.EXPRESSION,
            "When an event was sent, as it says itself, for `sse_event_latency`: seconds or milliseconds since 1970, "
            "or an RFC 3339 time. Events that do not say it are left out.",
            'json("$.sent_at")',
            default="latency is not measured",
        ),
        Field(
            "reconnect",
            Kind.MAPPING,
            "Open it again when the server ends it or the connection breaks, with the `Last-Event-ID`. A response with "
            "status 204 ends that.",
            "{max: 5, wait: 1s}",
            default="never: the step fails",
            tables=("stream reconnect",),
        ),
    ),
    one_of=(Field("sse", Kind.URL, "The URL.", "/api/v1/events"),),
)

PARTS: tuple[Table, ...] = (
    Table(
        "stream reconnect",
        "a reconnect of a stream",
        "How an event stream that ended is opened again.",
        (
            Field("max", Kind.COUNT, "The maximum number of attempts in a row.", "10", default="5"),
            Field(
                "wait",
                Kind.DURATION,
                "The time before the first attempt, where the server has sent no `retry`; it doubles before each "
                "further one, up to 1 min, minus a jitter of up to a half.",
                "500 ms",
                default="1 s",
            ),
        ),
    ),
)
