"""What people see while it runs: the live display, plain lines for a log, the trace of `vezaflow try`."""

from vezaflow.outputs.plain import Plain
from vezaflow.outputs.terminal import Terminal
from vezaflow.outputs.tick import FlowNow, Output, Tick, tick_of
from vezaflow.outputs.trace import Trace
from vezaflow.outputs.trace_lines import TraceLines

__all__ = ["FlowNow", "Output", "Plain", "Terminal", "Tick", "Trace", "TraceLines", "tick_of"]
