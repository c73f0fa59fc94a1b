"""What is known of a run from elsewhere: the server's own figures, read from its Prometheus."""

from vezaflow.observe.endpoints import endpoints_of
from vezaflow.observe.histograms import Bucket, Quantile, classic, quantile, since, united
from vezaflow.observe.live import EVERY, ServerNow, server_now
from vezaflow.observe.observed import Observed, ObservedEndpoint, ObservedFigures, ObservedSeries, unobserved
from vezaflow.observe.observed_json import OBSERVED, observed_from_json, observed_to_json
from vezaflow.observe.profiled import ProfileFigures, named_functions
from vezaflow.observe.prometheus import MOST, PrometheusApi, RawSeries, UnreadError, duration, selector
from vezaflow.observe.reading import Periods, read
from vezaflow.observe.window import Increase, NativeSample, Period

__all__ = [
    "EVERY",
    "MOST",
    "OBSERVED",
    "Bucket",
    "Increase",
    "NativeSample",
    "Observed",
    "ObservedEndpoint",
    "ObservedFigures",
    "ObservedSeries",
    "Period",
    "Periods",
    "ProfileFigures",
    "PrometheusApi",
    "Quantile",
    "RawSeries",
    "ServerNow",
    "UnreadError",
    "classic",
    "duration",
    "endpoints_of",
    "named_functions",
    "observed_from_json",
    "observed_to_json",
    "quantile",
    "read",
    "selector",
    "server_now",
    "since",
    "united",
    "unobserved",
]
