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
from vezaflow.metrics.channels import NOT_ACKED, ChannelRecorder, Channels
from vezaflow.metrics.figures import FlowKey, Iterations, RequestKey, Requests, StepKey, Vus
from vezaflow.metrics.flow_recorder import FlowRecorder
from vezaflow.metrics.histogram import BUCKETS, RELATIVE_ERROR, Histogram, merged, middle
from vezaflow.metrics.histogram import PARTS as OCTAVE_PARTS
from vezaflow.metrics.lighthouse import LIGHTHOUSE, PageMetric
from vezaflow.metrics.listening import MEGABIT, ListenerRecorder
from vezaflow.metrics.measurement import Counter, Gauge, Measurement, Rate, Trend
from vezaflow.metrics.merger import Merger, timeline_of
from vezaflow.metrics.moments import SHAPE as MOMENT
from vezaflow.metrics.moments import Moment
from vezaflow.metrics.readings import (
    OTHERS,
    READING,
    Reading,
    ReadingsKeeper,
    fewest_kinds,
    in_turn,
    side_by_side,
)
from vezaflow.metrics.recorder import Recorder
from vezaflow.metrics.request_recorder import RequestRecorder
from vezaflow.metrics.samples import RequestSample, TakeSamples
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
from vezaflow.metrics.slices import SLICE, LoadSlice, Slicer, slices_from
from vezaflow.metrics.step_breakdown import StepBreakdown, step_breakdowns
from vezaflow.metrics.streams import StreamRecorder
from vezaflow.metrics.summary import SHAPE as SUMMARY
from vezaflow.metrics.summary import ChannelRow, ErrorRow, ListenerRow, StepRow, StreamRow, Summary, TraceRow, merge_all
from vezaflow.metrics.timeline import Point, Timeline, as_numbers, per_second, recent
from vezaflow.metrics.window import Window
from vezaflow.metrics.windows import DURING, OUTSIDE, EventWindows, Extent, KeptSegment, windowed

__all__ = [
    "AGGREGATES",
    "BUCKETS",
    "DURING",
    "ERRORS",
    "ERROR_CLASSES",
    "INTERRUPTED",
    "INTERVAL",
    "LIGHTHOUSE",
    "MEGABIT",
    "METRICS",
    "MOMENT",
    "NOT_ACKED",
    "OCTAVE_PARTS",
    "OTHERS",
    "OUTSIDE",
    "PAGE",
    "READING",
    "RELATIVE_ERROR",
    "SLICE",
    "SUMMARY",
    "Aged",
    "ChannelRecorder",
    "ChannelRow",
    "Channels",
    "Counter",
    "Dropped",
    "ErrorRow",
    "EventWindows",
    "Extent",
    "FlowKey",
    "FlowRecorder",
    "Gauge",
    "Histogram",
    "Interval",
    "Iterations",
    "KeptSegment",
    "ListenerRecorder",
    "ListenerRow",
    "LoadSlice",
    "Measurement",
    "Merger",
    "Metric",
    "MetricKind",
    "Moment",
    "Of",
    "PageMetric",
    "Phase",
    "Point",
    "Rate",
    "Reading",
    "ReadingsKeeper",
    "Recorder",
    "Records",
    "RequestKey",
    "RequestRecorder",
    "RequestSample",
    "Requests",
    "Seconds",
    "SecondsKeeper",
    "SecondsRecorder",
    "Slicer",
    "StepBreakdown",
    "StepKey",
    "StepName",
    "StepRecorder",
    "StepRow",
    "StepSecond",
    "StreamRecorder",
    "StreamRow",
    "Summary",
    "TakeSamples",
    "Timeline",
    "TraceRow",
    "Trend",
    "Vus",
    "Window",
    "as_numbers",
    "cut_by",
    "fewest_kinds",
    "in_turn",
    "merge_all",
    "merged",
    "middle",
    "per_second",
    "recent",
    "seconds_together",
    "side_by_side",
    "slices_from",
    "step_breakdowns",
    "timeline_of",
    "windowed",
]
