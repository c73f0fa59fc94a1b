"""The metrics that exist: k6's names with k6's meanings, and a few of our own.

One table for the recorder, the gates, lint and the reference pages. Pure data: this file never needs numpy,
so that linting stays fast. Trends are of times in seconds; sizes are in bytes.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from vezaflow.units import Dimension


class MetricKind(Enum):
    """What is kept of a metric's samples, and so what may be asked of it."""

    TREND = "trend"  # a distribution
    RATE = "rate"  # hits out of a total
    COUNTER = "counter"  # a sum
    GAUGE = "gauge"  # the last value, with the least and the most


class Phase(Enum):
    """When in a VU's life a request was sent. Gates judge iterations; the rest is shown apart."""

    ITERATION = "iteration"
    LOGIN = "login"
    FINALLY = "finally"
    SETUP = "setup"
    TEARDOWN = "teardown"
    EVENT = "event"
    PREFLIGHT = "preflight"


class Dropped(StrEnum):
    """Why an iteration that was due could not be started."""

    NO_FREE_VU = "no_free_vu"
    GENERATOR_LATE = "generator_late"


INTERRUPTED = "interrupted"  # the error kind of what the end of the run cut off: neither success nor failure

ERRORS = (
    "dns", "refused", "unreachable", "proxy", "reset", "closed_early", "timeout_connect", "timeout_tls",
    "timeout_send", "timeout_wait", "timeout_receive", "tls", "malformed", "too_large", "upgrade", "content_type",
    "timeout_ping", "timeout_close", "timeout_message", "closed", "too_many_redirects", "guard", "url", "expression",
    "status", "expectation", "extraction",
)  # fmt: skip
"""The kinds of failure, as `protocols.ErrorKind` has them."""

ERROR_CLASSES: dict[str, tuple[str, ...]] = {
    "timeout": (
        "timeout_connect",
        "timeout_tls",
        "timeout_send",
        "timeout_wait",
        "timeout_receive",
        "timeout_ping",
        "timeout_close",
        "timeout_message",
    ),
    "connection": ("dns", "refused", "unreachable", "proxy", "reset", "closed_early"),
}
"""A word that stands for these kinds of errors, in a gate's label `error` as in `retry: {on: …}`."""

AGGREGATES: dict[MetricKind, tuple[str, ...]] = {
    MetricKind.TREND: ("p", "avg", "min", "max", "med", "count"),  # p takes an argument: p(95), p(99.9)
    MetricKind.RATE: ("rate", "count"),
    MetricKind.COUNTER: ("count", "rate"),
    MetricKind.GAUGE: ("value", "min", "max"),
}


class Of(Enum):
    """Which rows of a summary a metric's figures come from."""

    REQUESTS = "requests"  # all but those that the end of the run cut off
    FAILURES = "failures"  # those of them that failed
    INTERRUPTED = "interrupted"  # those that it cut off
    CONNECTIONS = "connections"
    STEPS = "steps"
    LISTENING = "listening"  # the sessions of `hls` steps
    CHANNELS = "channels"
    STREAMS = "streams"
    FLOWS = "flows"
    VUS = "vus"
    ELSEWHERE = "elsewhere"  # no rows: what gates judge by was read from somewhere else, such as a Prometheus
    EVENTS = "events"  # what happened during the load: see windows.py

    @property
    def grows(self) -> bool:
        """Whether what comes in a time is the figures at its end minus those at its begin."""
        return self not in (Of.VUS, Of.EVENTS, Of.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name, what it measures (None: a plain number), and the labels that a gate may select by. `value` is
    the field of the rows that it is `of`; where that holds several by name, the label `by` chooses. Of a rate, `out_of`
    is the field that is its total, where that is in the same rows. `scale`: its units in one of the rows'. `only`: its
    aggregates, where they are not those of its kind."""

    name: str
    kind: MetricKind
    dimension: Dimension | None
    doc: str
    labels: tuple[str, ...]
    of: Of
    value: str
    by: str = ""
    out_of: str = ""
    scale: float = 1.0
    only: tuple[str, ...] = ()

    @property
    def aggregates(self) -> tuple[str, ...]:
        return self.only or AGGREGATES[self.kind]

    def dimension_of(self, aggregate: str) -> Dimension | None:
        """What a bound on this aggregate must be written in."""
        match self.kind, aggregate:
            case (MetricKind.TREND, "count") | (MetricKind.RATE, "count"):
                return None
            case MetricKind.RATE, _:
                return Dimension.RATIO
            case MetricKind.TREND, "rate":
                return Dimension.RATE
            case MetricKind.COUNTER, "rate" if self.dimension is Dimension.TIME:  # seconds per second
                return Dimension.RATIO
            case MetricKind.COUNTER, "rate":
                return self.dimension or Dimension.RATE
            case _:
                return self.dimension


IDENTITY = ("flow", "step", "method", "group", "phase")
PAGE = "page"  # which one of a `paginate` it was, from 1; a gate may give a range: `page:1..5`
OUTCOME = ("status", "expected_response")
_SENT = (*IDENTITY, PAGE)
_CHANNEL = ("flow", "step", "group", "phase")
_REQUEST = (*_SENT, *OUTCOME)
_FAILURE = (*_REQUEST, "error")
_FLOW = ("flow",)


def _time(name: str, doc: str, labels: tuple[str, ...], of: Of, value: str, by: str = "") -> Metric:
    return Metric(name, MetricKind.TREND, Dimension.TIME, doc, labels, of, value, by)


def _count(
    name: str,
    doc: str,
    labels: tuple[str, ...],
    of: Of,
    value: str,
    *,
    by: str = "",
    dimension: Dimension | None = None,
) -> Metric:
    return Metric(name, MetricKind.COUNTER, dimension, doc, labels, of, value, by)


def _share(name: str, doc: str, value: str, out_of: str, by: str = "", of: Of = Of.CHANNELS) -> Metric:
    labels = (*_CHANNEL, by) if by else _CHANNEL
    return Metric(name, MetricKind.RATE, Dimension.RATIO, doc, labels, of, value, by, out_of)


_ALL = (
    _count("http_reqs", "Requests, with or without a response.", _FAILURE, Of.REQUESTS, "count"),
    _time(
        "http_req_duration",
        "From the first byte sent (handed to the kernel) to the last byte of the response: sending + waiting + "
        "receiving. Includes requests that timed out, with the time they waited, a lower bound.",
        _FAILURE,
        Of.REQUESTS,
        "duration",
    ),
    _time(
        "http_req_blocked",
        "The time before a connection could be opened: DNS; 0 on a reused one.",
        _SENT,
        Of.CONNECTIONS,
        "blocked",
    ),
    _time("http_req_connecting", "Opening the TCP connection; 0 on a reused one.", _SENT, Of.CONNECTIONS, "connecting"),
    _time("http_req_tls_handshaking", "The TLS handshake; 0 on a reused connection.", _SENT, Of.CONNECTIONS, "tls"),
    _time(
        "http_req_sending",
        "Handing the request's bytes to the kernel. Only requests with a response.",
        _FAILURE,
        Of.REQUESTS,
        "sending",
    ),
    _time(
        "http_req_waiting",
        "From the last byte of the request to the first byte of the response. Includes requests that timed out while "
        "waiting, with the time they waited, a lower bound.",
        _FAILURE,
        Of.REQUESTS,
        "waiting",
    ),
    _time(
        "http_req_receiving",
        "From the first byte of the response to the last. Only requests with a response.",
        _FAILURE,
        Of.REQUESTS,
        "receiving",
    ),
    Metric(
        "http_req_failed",
        MetricKind.RATE,
        Dimension.RATIO,
        "The share of requests that failed: no response, an unexpected status, a failed expectation or a failed "
        "extraction.",
        _FAILURE,
        Of.FAILURES,
        "count",
    ),
    _count(
        "http_req_errors", "Failed requests, by the label `error`, the kind of failure.", _FAILURE, Of.FAILURES, "count"
    ),
    _count(
        "http_reqs_interrupted",
        "Requests cut off by the end of the run, or given up by the player of an `hls` step; in no other metric.",
        _SENT,
        Of.INTERRUPTED,
        "count",
    ),
    _count("iterations", "Completed iterations, including failed ones.", _FLOW, Of.FLOWS, "done"),
    _count("iterations_failed", "Iterations with a failed request.", _FLOW, Of.FLOWS, "failed"),
    _count("iterations_interrupted", "Iterations cut off by the end of the run.", _FLOW, Of.FLOWS, "interrupted"),
    _count(
        "dropped_iterations",
        "Iterations that could not be started when they were due, by the label `reason`: no_free_vu (all max_vus "
        "were busy) or generator_late (the load generator was more than 0.1 s late). Open models only.",
        (*_FLOW, "reason"),
        Of.FLOWS,
        "dropped",
        by="reason",
    ),
    _time(
        "iteration_delay",
        "From the scheduled start of an iteration to its actual start: the delay of the load generator. Open models "
        "only.",
        _FLOW,
        Of.FLOWS,
        "delay",
    ),
    _time(
        "iteration_response_time",
        "From the scheduled start of an iteration to its end: the response time for the user, corrected for "
        "coordinated omission. For an iteration ended by a failure it is a lower bound. Open models only.",
        _FLOW,
        Of.FLOWS,
        "response_time",
    ),
    _time(
        "iteration_duration",
        "A whole iteration with its think times. For one ended by a failure it is a lower bound.",
        _FLOW,
        Of.FLOWS,
        "duration",
    ),
    _time(
        "group_duration",
        "One execution of a `group`, including think times. For one ended by a failure it is a lower bound.",
        (*_FLOW, "group"),
        Of.FLOWS,
        "groups",
        by="group",
    ),
    Metric(
        "checks",
        MetricKind.RATE,
        Dimension.RATIO,
        ("The share of expectations that were met."),
        (*_SENT, "check"),
        Of.CONNECTIONS,
        "checks",
    ),
    _time(
        "step_duration",
        "A step with `retry`, `poll` or `paginate`, from the start of its first request to the end of its last, "
        "including waits; an `upload`, an `hls` and a `parallel` with a name, until all of it has ended. For a failed "
        "one it is a lower bound.",
        IDENTITY,
        Of.STEPS,
        "duration",
    ),
    Metric(
        "step_failed",
        MetricKind.RATE,
        Dimension.RATIO,
        "The share of failed steps with `retry`, `poll` or `paginate`, and of `upload` steps, `hls` steps and "
        "named `parallel` steps in which something failed.",
        IDENTITY,
        Of.STEPS,
        "failed",
        out_of="done",
    ),
    _count("http_req_retries", "Requests sent again by `retry`.", IDENTITY, Of.STEPS, "retries"),
    _count(
        "backpressure_obeyed",
        "Delays requested by the server (`Retry-After` with 429 or 503) that `retry` respected.",
        IDENTITY,
        Of.STEPS,
        "obeyed",
    ),
    _count(
        "backpressure_ignored",
        "Delays requested by the server that were not respected: the request was sent again sooner.",
        IDENTITY,
        Of.STEPS,
        "ignored",
    ),
    _count(
        "hls_sessions", "Sessions of `hls` steps that played, or failed to start.", IDENTITY, Of.LISTENING, "sessions"
    ),
    _time(
        "hls_startup",
        "From the start of an `hls` step to the moment when its first segment can be played. Only sessions that "
        "played.",
        IDENTITY,
        Of.LISTENING,
        "startup",
    ),
    Metric(
        "hls_startup_failed",
        MetricKind.RATE,
        Dimension.RATIO,
        "The share of sessions that ended before they played anything.",
        IDENTITY,
        Of.LISTENING,
        "not_started",
        out_of="sessions",
    ),
    Metric(
        "hls_rebuffer_ratio",
        MetricKind.RATE,
        Dimension.RATIO,
        "The share of the time, of all sessions together, in which playback stood still: rebuffering / (playing + "
        "rebuffering), as in CTA-2066. Starting up is not in it. Its `count` is the milliseconds of rebuffering.",
        IDENTITY,
        Of.LISTENING,
        "stalled_ms",
        out_of="lasted_ms",
    ),
    _time(
        "hls_rebuffer_time",
        "How long playback stood still in a session, all its stalls together; 0 without a stall. Only sessions that "
        "played.",
        IDENTITY,
        Of.LISTENING,
        "rebuffering",
    ),
    _count(
        "hls_stalls", "How often playback stood still because the buffer was empty.", IDENTITY, Of.LISTENING, "stalls"
    ),
    _time(
        "hls_segment_duration",
        "From asking for a segment to its last byte, including the time to open a connection.",
        IDENTITY,
        Of.LISTENING,
        "segments",
    ),
    Metric(
        "hls_bitrate",
        MetricKind.TREND,
        None,
        "The bandwidth of the variant that a segment belongs to, in kbit/s: one sample per segment.",
        IDENTITY,
        Of.LISTENING,
        "bitrates",
        scale=1000.0,
    ),
    _count("hls_variant_switches", "Changes from one variant to another.", IDENTITY, Of.LISTENING, "switches"),
    _count(
        "hls_segments_abandoned",
        "Segments that the player gave up while they came, because they would have emptied the buffer. Their requests "
        "are in `http_reqs_interrupted`, and in no other metric.",
        IDENTITY,
        Of.LISTENING,
        "abandoned",
    ),
    _time(
        "hls_live_latency",
        "How far playback is behind the end of a live playlist, taken with each segment. Needs no synchronised clocks.",
        IDENTITY,
        Of.LISTENING,
        "latency",
    ),
    _time(
        "ws_connecting",
        "Opening a WebSocket: DNS, TCP, TLS and the upgrade. Only those that were opened.",
        _CHANNEL,
        Of.CHANNELS,
        "connecting",
    ),
    _count("ws_sessions", "WebSockets that were opened.", _CHANNEL, Of.CHANNELS, "sessions"),
    _time(
        "ws_session_duration",
        "From the start of the connection to the end of the WebSocket. For one that the end of the run cut off it "
        "is a lower bound.",
        _CHANNEL,
        Of.CHANNELS,
        "session_duration",
    ),
    _count("ws_msgs_sent", "Messages sent over WebSockets.", _CHANNEL, Of.CHANNELS, "sent"),
    _count("ws_msgs_received", "Messages received over WebSockets.", _CHANNEL, Of.CHANNELS, "received"),
    _count(
        "ws_msgs_dropped",
        "Messages that no `receive` read before 1024 others, or 1 MiB, had come behind them.",
        _CHANNEL,
        Of.CHANNELS,
        "dropped",
    ),
    _time("ws_ping", "From a `ping` to its pong.", _CHANNEL, Of.CHANNELS, "ping"),
    _share(
        "ws_connection_failures",
        "The share of WebSockets that could not be opened; the label `error` is the kind of failure.",
        "refused",
        "dials",
        "error",
    ),
    _share(
        "ws_message_failures",
        "The share of messages that failed, of all that were sent or waited for: could not be sent, had no ack in time "
        "(`error:not_acked`), did not come in time, or were not as expected.",
        "failures",
        "messages",
        "error",
    ),
    _share(
        "ws_delivered",
        "The share of messages with an `ack` that were acknowledged in time. Those under way at the end of the run are "
        "not counted.",
        "delivered",
        "expected",
    ),
    _share("ws_late", "The share of them that were acknowledged too late.", "late", "expected"),
    _share("ws_lost", "The share of them that were never acknowledged.", "lost", "expected"),
    _share("ws_duplicated", "Acknowledgements that came once more, per message.", "duplicated", "expected"),
    _share(
        "ws_reordered",
        "The share of them that were acknowledged after one that was sent later.",
        "reordered",
        "expected",
    ),
    _time(
        "ws_message_latency",
        "From a message sent (handed to the kernel) to its `ack`, late ones included; lost ones are in `ws_lost`.",
        _CHANNEL,
        Of.CHANNELS,
        "latency",
    ),
    _count(
        "ws_unexpected_closes",
        "WebSockets that the server or the network ended, by the label `code`: that of the close frame, 1005 for a "
        "close frame without one, 1006 without a close frame.",
        (*_CHANNEL, "code"),
        Of.CHANNELS,
        "closes",
        by="code",
    ),
    _time(
        "sse_connecting",
        "Opening an event stream: DNS, TCP, TLS and the head of the response. Only those that were opened.",
        _CHANNEL,
        Of.STREAMS,
        "connecting",
    ),
    _count("sse_streams", "Event streams that were opened.", _CHANNEL, Of.STREAMS, "opened"),
    _time(
        "sse_stream_duration",
        "From the start of the connection to the end of the event stream. For one that the end of the run cut off it "
        "is a lower bound.",
        _CHANNEL,
        Of.STREAMS,
        "duration",
    ),
    _count("sse_events", "Events received over event streams.", _CHANNEL, Of.STREAMS, "events"),
    _count(
        "sse_events_dropped",
        "Events that no `receive` read before 1024 others, or 1 MiB, had come behind them.",
        _CHANNEL,
        Of.STREAMS,
        "dropped",
    ),
    _time(
        "sse_event_latency",
        "From the time at which an event was sent, as it says itself (`sent`), to when it came. It compares the clocks "
        "of two machines.",
        _CHANNEL,
        Of.STREAMS,
        "latency",
    ),
    _share(
        "sse_connection_failures",
        "The share of event streams that could not be opened; the label `error` is the kind of failure.",
        "refused",
        "dials",
        "error",
        Of.STREAMS,
    ),
    _share(
        "sse_event_failures",
        "The share of events waited for that did not come in time, or were not as expected.",
        "failures",
        "awaited",
        "error",
        Of.STREAMS,
    ),
    _count(
        "sse_unexpected_ends",
        "Event streams that the server or the network ended, by the label `error`: `closed` where the server did.",
        (*_CHANNEL, "error"),
        Of.STREAMS,
        "ends",
        by="error",
    ),
    _time(
        "recovery_time",
        "The longest time without a successful request that touches an event and its `window`: one sample for each "
        "flow and each time that the event happened. Known to 0.1 s.",
        ("flow", "event"),
        Of.EVENTS,
        "slots",
    ),
    Metric("vus", MetricKind.GAUGE, None, "Running VUs.", _FLOW, Of.VUS, "value"),
    Metric("vus_max", MetricKind.GAUGE, None, "Requested VUs.", _FLOW, Of.VUS, "asked"),
    _count(
        "data_sent",
        "Bytes sent, including headers, before TLS encryption; those over WebSockets too.",
        _FAILURE,
        Of.REQUESTS,
        "bytes_sent",
        dimension=Dimension.SIZE,
    ),
    _count(
        "data_received",
        "Bytes received, including headers, after TLS decryption; those over WebSockets and event streams too.",
        _FAILURE,
        Of.REQUESTS,
        "bytes_received",
        dimension=Dimension.SIZE,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}

_CUT = {
    Of.FLOWS: "iterations failed",
    Of.STEPS: "steps failed",
    Of.CHANNELS: "sessions were cut off",
    Of.STREAMS: "streams were cut off",
}


def cut_by(metric: str) -> str:
    """Why some of a metric's times are only known to be at least so long."""
    known = METRICS.get(metric)
    return "requests timed out" if known is None else _CUT.get(known.of, "requests timed out")
