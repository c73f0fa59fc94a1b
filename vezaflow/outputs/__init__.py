"""What leaves a run while it goes on: the live display, plain lines, JSON lines; the trace of `vezaflow try`."""

from vezaflow.outputs.lines import missing
from vezaflow.outputs.offers import OUTPUTS, output_of
from vezaflow.outputs.output import Output, OutputError
from vezaflow.outputs.plain import Plain
from vezaflow.outputs.posting import MOST_BYTES, POST_OPTIONS, PostError, post, taken
from vezaflow.outputs.terminal import Terminal
from vezaflow.outputs.tick import FlowNow, Tick, tick_of
from vezaflow.outputs.trace import Trace
from vezaflow.outputs.trace_lines import TraceLines
from vezaflow.outputs.trace_page import Tried, trace_page
from vezaflow.outputs.traced import Traced, TracedRequest, place_of

__all__ = [
    "MOST_BYTES",
    "OUTPUTS",
    "POST_OPTIONS",
    "FlowNow",
    "Output",
    "OutputError",
    "Plain",
    "PostError",
    "Terminal",
    "Tick",
    "Trace",
    "TraceLines",
    "Traced",
    "TracedRequest",
    "Tried",
    "missing",
    "output_of",
    "place_of",
    "post",
    "taken",
    "tick_of",
    "trace_page",
]  # fmt: skip
