"""The metrics that exist: k6's names with k6's meanings, and a few of our own.

One table for the recorder, the gates, lint and the reference pages. Pure data: this file never needs numpy,
so that linting stays fast. Trends are of times in seconds; sizes are in bytes.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from vezaflow.units import Dimension


class Kind(Enum):
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
    PREFLIGHT = "preflight"


class Dropped(StrEnum):
    """Why an iteration that was due could not be started."""

    NO_FREE_VU = "no_free_vu"
    GENERATOR_LATE = "generator_late"


INTERRUPTED = "interrupted"  # the error kind of what the end of the run cut off: neither success nor failure

ERRORS = (
    "dns", "refused", "unreachable", "proxy", "reset", "closed_early", "timeout_connect", "timeout_tls",
    "timeout_send", "timeout_wait", "timeout_receive", "tls", "malformed", "too_large", "too_many_redirects", "guard",
    "url", "expression", "status", "expectation", "extraction",
)  # fmt: skip
"""The kinds of failure, as `protocols.ErrorKind` has them."""

ERROR_CLASSES: dict[str, tuple[str, ...]] = {
    "timeout": ("timeout_connect", "timeout_tls", "timeout_send", "timeout_wait", "timeout_receive"),
    "connection": ("dns", "refused", "unreachable", "proxy", "reset", "closed_early"),
}
"""A word that stands for these kinds of errors, in a gate's label `error` as in `retry: {on: …}`."""

AGGREGATES: dict[Kind, tuple[str, ...]] = {
    Kind.TREND: ("p", "avg", "min", "max", "med", "count"),  # p takes an argument: p(95), p(99.9)
    Kind.RATE: ("rate", "count"),
    Kind.COUNTER: ("count", "rate"),
    Kind.GAUGE: ("value", "min", "max"),
}


class Of(Enum):
    """Which rows of a summary a metric's figures come from."""

    REQUESTS = "requests"  # all but those that the end of the run cut off
    FAILURES = "failures"  # those of them that failed
    INTERRUPTED = "interrupted"  # those that it cut off
    CONNECTIONS = "connections"
    STEPS = "steps"
    FLOWS = "flows"
    VUS = "vus"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name, what it measures (None: a plain number), and the labels that a gate may select by. `value` is
    the field of the rows that it is `of`; where that holds several by name, the label `by` chooses."""

    name: str
    kind: Kind
    dimension: Dimension | None
    doc: str
    labels: tuple[str, ...]
    of: Of
    value: str
    by: str = ""

    @property
    def aggregates(self) -> tuple[str, ...]:
        return AGGREGATES[self.kind]

    def dimension_of(self, aggregate: str) -> Dimension | None:
        """What a bound on this aggregate must be written in."""
        match self.kind, aggregate:
            case (Kind.TREND, "count") | (Kind.RATE, "count"):
                return None
            case Kind.RATE, _:
                return Dimension.RATIO
            case Kind.COUNTER, "rate":
                return self.dimension or Dimension.RATE
            case _:
                return self.dimension


IDENTITY = ("flow", "step", "method", "group", "phase")
PAGE = "page"  # which one of a `paginate` it was, from 1; a gate may give a range: `page:1..5`
OUTCOME = ("status", "expected_response")
_SENT = (*IDENTITY, PAGE)
_REQUEST = (*_SENT, *OUTCOME)
_FAILURE = (*_REQUEST, "error")
_FLOW = ("flow",)


def _time(name: str, doc: str, labels: tuple[str, ...], of: Of, value: str, by: str = "") -> Metric:
    return Metric(name, Kind.TREND, Dimension.TIME, doc, labels, of, value, by)


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
    return Metric(name, Kind.COUNTER, dimension, doc, labels, of, value, by)


_ALL = (
    _count("http_reqs", "Requests, answered or not.", _FAILURE, Of.REQUESTS, "count"),
    _time(
        "http_req_duration",
        "From the first byte handed to the kernel to the last byte of the answer: sending + waiting + "
        "receiving. Of responses that came, and of requests that timed out: those took at least that long.",
        _FAILURE,
        Of.REQUESTS,
        "duration",
    ),
    _time(
        "http_req_blocked",
        "What came before a connection could be opened: DNS; 0 on a reused one.",
        _SENT,
        Of.CONNECTIONS,
        "blocked",
    ),
    _time("http_req_connecting", "Opening the TCP connection; 0 on a reused one.", _SENT, Of.CONNECTIONS, "connecting"),
    _time("http_req_tls_handshaking", "The TLS handshake; 0 on a reused connection.", _SENT, Of.CONNECTIONS, "tls"),
    _time(
        "http_req_sending",
        "Handing the request's bytes to the kernel. Of answers that came.",
        _FAILURE,
        Of.REQUESTS,
        "sending",
    ),
    _time(
        "http_req_waiting",
        "From the request's last byte to the response's first. Of responses that came, and of requests that timed out "
        "before: those waited at least that long.",
        _FAILURE,
        Of.REQUESTS,
        "waiting",
    ),
    _time(
        "http_req_receiving",
        "From the answer's first byte to its last. Of answers that came.",
        _FAILURE,
        Of.REQUESTS,
        "receiving",
    ),
    Metric(
        "http_req_failed",
        Kind.RATE,
        Dimension.RATIO,
        "The share of requests that failed: no answer, a status that was not expected, or an expectation "
        "or an extraction that did not hold.",
        _FAILURE,
        Of.FAILURES,
        "count",
    ),
    _count(
        "http_req_errors", "Failed requests, by the label `error`, the kind of failure.", _FAILURE, Of.FAILURES, "count"
    ),
    _count(
        "http_reqs_interrupted",
        "Requests cut off by the end of the run; in no other metric.",
        _SENT,
        Of.INTERRUPTED,
        "count",
    ),
    _count("iterations", "Iterations that came to their end, failed ones too.", _FLOW, Of.FLOWS, "done"),
    _count("iterations_failed", "Iterations that a failed request ended or marked.", _FLOW, Of.FLOWS, "failed"),
    _count("iterations_interrupted", "Iterations cut off by the end of the run.", _FLOW, Of.FLOWS, "interrupted"),
    _count(
        "dropped_iterations",
        "Iterations that were due and could not be started, by the label `reason`: no_free_vu (none was free, and "
        "max_vus were there) or generator_late (this machine came over 0.1 s too late). Open models only.",
        (*_FLOW, "reason"),
        Of.FLOWS,
        "dropped",
        by="reason",
    ),
    _time(
        "iteration_delay",
        "From when an iteration was due to its start: the generator's lateness. Open models only.",
        _FLOW,
        Of.FLOWS,
        "delay",
    ),
    _time(
        "iteration_response_time",
        "From when an iteration was due to its end: what the user who came then felt, corrected for coordinated "
        "omission. One that a failure cut short took at least so long. Open models only.",
        _FLOW,
        Of.FLOWS,
        "response_time",
    ),
    _time(
        "iteration_duration",
        "A whole iteration with its think times. One that a failure cut short took at least so long.",
        _FLOW,
        Of.FLOWS,
        "duration",
    ),
    _time(
        "group_duration",
        "One pass through a `group`, think times included. One that a failure cut short took at least so long.",
        (*_FLOW, "group"),
        Of.FLOWS,
        "groups",
        by="group",
    ),
    Metric(
        "checks", Kind.RATE, Dimension.RATIO, "Expectations that held.", (*_SENT, "check"), Of.CONNECTIONS, "checks"
    ),
    _time(
        "step_duration",
        "A step with `retry`, `poll` or `paginate`, from its first request to the end of its last, waits included; an "
        "`upload` and a `parallel` with a name, until all in it has ended. One that failed took at least so long.",
        IDENTITY,
        Of.STEPS,
        "duration",
    ),
    Metric(
        "step_failed",
        Kind.RATE,
        Dimension.RATIO,
        "The share of the steps with `retry`, `poll` or `paginate` that failed in the end, and of the `upload` steps "
        "and the `parallel` steps with a name in which something failed.",
        IDENTITY,
        Of.STEPS,
        "failed",
    ),
    _count("http_req_retries", "Requests sent again by `retry`.", IDENTITY, Of.STEPS, "retries"),
    _count(
        "backpressure_obeyed",
        "Waits that the server asked for (`Retry-After` with 429 or 503) and got before `retry` sent again.",
        IDENTITY,
        Of.STEPS,
        "obeyed",
    ),
    _count(
        "backpressure_ignored",
        "The same, but the request was sent again sooner than asked.",
        IDENTITY,
        Of.STEPS,
        "ignored",
    ),
    Metric("vus", Kind.GAUGE, None, "VUs that are running.", _FLOW, Of.VUS, "value"),
    Metric("vus_max", Kind.GAUGE, None, "VUs that were asked for.", _FLOW, Of.VUS, "asked"),
    _count(
        "data_sent",
        "Bytes sent, heads included, before TLS.",
        _FAILURE,
        Of.REQUESTS,
        "bytes_sent",
        dimension=Dimension.SIZE,
    ),
    _count(
        "data_received",
        "Bytes received, heads included, after TLS.",
        _FAILURE,
        Of.REQUESTS,
        "bytes_received",
        dimension=Dimension.SIZE,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}

_CUT = {Of.FLOWS: "iterations failed", Of.STEPS: "steps failed"}


def cut_by(metric: str) -> str:
    """Why some of a metric's times are only known to be at least so long."""
    return _CUT.get(METRICS[metric].of, "requests timed out")
