"""A run's seconds as matrices: for each step, how many samples each second has in each bucket.

Requests that timed out are in the bucket of the time that they had waited, the least that it can have been: what is
computed of them is a lower bound, and `known` says from which rank on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vezaflow.metrics import Histogram, Seconds, StepName, middle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counts:
    """A step: a row for each second of the run."""

    values: "Floats"  # seconds, rising: the times of the buckets
    samples: "NDArray[np.float32]"  # of each second (row) in each bucket (column)
    known: "Floats"  # by second: samples whose time is known
    requests: "Floats"  # by second
    failed: "Floats"  # by second


@dataclass(frozen=True, slots=True)
class RunCounts:
    """A run: what `compare` resamples. `lengths`: of its intervals, in seconds."""

    run_id: str
    lengths: "Floats"
    steps: Mapping[StepName, Counts]


def counts_of(run_id: str, seconds: Seconds) -> RunCounts:
    """The matrices of all steps of a run."""
    import numpy as np

    lengths = np.array([interval.length for interval in seconds.intervals])
    return RunCounts(run_id, lengths, {name: _counts(seconds, name) for name in seconds.steps})


def _counts(seconds: Seconds, name: StepName) -> Counts:
    import numpy as np

    many = len(seconds.intervals)
    known, requests, failed = np.zeros(many), np.zeros(many), np.zeros(many)
    rows: list[tuple[int, Histogram]] = []
    for at, interval in enumerate(seconds.intervals):
        step = interval.steps.get(name)
        if step is None:
            continue
        duration = step.duration
        known[at], requests[at], failed[at] = duration.count, step.requests, step.failed
        rows.append((at, duration))
        if duration.cut is not None:
            rows.append((at, duration.cut))
    held = [(at, *histogram.buckets()) for at, histogram in rows]
    none = np.zeros(0, np.int64)
    numbers = np.unique(np.concatenate([none, *[numbers for _, numbers, _ in held]]))
    samples = np.zeros((many, len(numbers)), np.float32)
    for at, found, counts in held:
        samples[at, np.searchsorted(numbers, found)] += counts
    return Counts(np.array([middle(int(number)) for number in numbers]), samples, known, requests, failed)
