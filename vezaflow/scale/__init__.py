"""Load from several processes: segments that are exact, clocks that agree, figures that merge without loss."""

from vezaflow.scale.cores import LEAST_VUS, sensible_workers, usable_cores
from vezaflow.scale.frames import FRAME_HEAD
from vezaflow.scale.link import WorkerLink, worker_process
from vezaflow.scale.local import LocalWorker, Workers
from vezaflow.scale.losses import losses
from vezaflow.scale.machines import MACHINE, MachineFigures, MachinePart, machine_differences, machine_figures
from vezaflow.scale.processes import Crew, LocalCrew, WorkerProcesses
from vezaflow.scale.report import Json, Report, WorkerState
from vezaflow.scale.segment import SegmentResult, differences, merged_segments

__all__ = [
    "FRAME_HEAD",
    "LEAST_VUS",
    "MACHINE",
    "Crew",
    "Json",
    "LocalCrew",
    "LocalWorker",
    "MachineFigures",
    "MachinePart",
    "Report",
    "SegmentResult",
    "WorkerLink",
    "WorkerProcesses",
    "WorkerState",
    "Workers",
    "differences",
    "losses",
    "machine_differences",
    "machine_figures",
    "merged_segments",
    "sensible_workers",
    "usable_cores",
    "worker_process",
]
