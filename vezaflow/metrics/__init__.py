"""What was measured: the metrics' table, the recorder that takes samples in, and the summary that responses."""

from vezaflow.metrics.ages import Aged, Records
from vezaflow.metrics.attempts import StepRecorder
from vezaflow.metrics.catalog import (
    AGGREGATES,
    ERROR_CLASSES,
    ERRORS,
    INTERRUPTED,
    METRICS,
    PAGE,
    Dropped,
    Metric,
    MetricKind,
    Of,
    Phase,
    cut_by,
)
from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.listening import MEGABIT, ListenerRecorder
from vezaflow.metrics.measurement import Counter, Gauge, Measurement, Rate, Trend
from vezaflow.metrics.merger import Merger, timeline_of
from vezaflow.metrics.moments import SHAPE as MOMENT
from vezaflow.metrics.moments import Moment
from vezaflow.metrics.recorder import FlowRecorder, Recorder, RequestRecorder
from vezaflow.metrics.seconds import (
    INTERVAL,
    Interval,
    Seconds,
    SecondsKeeper,
    SecondsRecorder,
    StepName,
    StepSecond,
    seconds_together,
)
from vezaflow.metrics.summary import ErrorRow, ListenerRow, StepRow, Summary, merge_all
from vezaflow.metrics.summary_json import SHAPE as SUMMARY
from vezaflow.metrics.timeline import Point, Timeline, as_numbers, per_second, recent
from vezaflow.metrics.window import Window

__all__ = [
    "AGGREGATES",
    "ERRORS",
    "ERROR_CLASSES",
    "INTERRUPTED",
    "INTERVAL",
    "MEGABIT",
    "METRICS",
    "MOMENT",
    "PAGE",
    "SUMMARY",
    "Aged",
    "Counter",
    "Dropped",
    "ErrorRow",
    "FlowRecorder",
    "Gauge",
    "Histogram",
    "Interval",
    "ListenerRecorder",
    "ListenerRow",
    "Measurement",
    "Merger",
    "Metric",
    "MetricKind",
    "Moment",
    "Of",
    "Phase",
    "Point",
    "Rate",
    "Recorder",
    "Records",
    "RequestRecorder",
    "Seconds",
    "SecondsKeeper",
    "SecondsRecorder",
    "StepName",
    "StepRecorder",
    "StepRow",
    "StepSecond",
    "Summary",
    "Timeline",
    "Trend",
    "Window",
    "as_numbers",
    "cut_by",
    "merge_all",
    "per_second",
    "recent",
    "seconds_together",
    "timeline_of",
]
