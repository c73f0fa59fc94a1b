"""Load from several processes: segments that are exact, clocks that agree, figures that merge without loss."""

from vezaflow.scale.cores import sensible_workers, usable_cores
from vezaflow.scale.local import LocalWorker, Workers
from vezaflow.scale.processes import WorkerProcesses
from vezaflow.scale.report import Report, WorkerState
from vezaflow.scale.segment import SegmentResult, differences, merged_segments

__all__ = [
    "LocalWorker",
    "Report",
    "SegmentResult",
    "WorkerProcesses",
    "WorkerState",
    "Workers",
    "differences",
    "merged_segments",
    "sensible_workers",
    "usable_cores",
]
