"""Load from several processes: shares that are exact, clocks that agree, figures that merge without loss."""

from vezaflow.scale.cores import sensible_workers, usable_cores
from vezaflow.scale.crew import Crew, LocalCrew
from vezaflow.scale.report import Report, WorkerState
from vezaflow.scale.share import Share, differences, merged_shares
from vezaflow.scale.workers import WorkerCrew

__all__ = [
    "Crew",
    "LocalCrew",
    "Report",
    "Share",
    "WorkerCrew",
    "WorkerState",
    "differences",
    "merged_shares",
    "sensible_workers",
    "usable_cores",
]
