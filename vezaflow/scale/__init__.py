"""Load from several processes: segments that are exact, clocks that agree, figures that merge without loss."""

from vezaflow.scale.cores import sensible_workers, usable_cores
from vezaflow.scale.crew import Crew, LocalCrew
from vezaflow.scale.report import Report, WorkerState
from vezaflow.scale.segment import SegmentResult, differences, merged_segments
from vezaflow.scale.workers import WorkerCrew

__all__ = [
    "Crew",
    "LocalCrew",
    "Report",
    "SegmentResult",
    "WorkerCrew",
    "WorkerState",
    "differences",
    "merged_segments",
    "sensible_workers",
    "usable_cores",
]
