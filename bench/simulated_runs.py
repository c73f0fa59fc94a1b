"""Runs whose truth is known: times of some steps by the second, autocorrelated as those of real servers are.

A second's times are log-normal about a level that follows an AR(1) process (a share of it common to all steps), and
about the level of the whole run. Nothing is random but by the generator that is given.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vezaflow.compare import Counts, RunCounts
from vezaflow.metrics import Histogram, StepName, middle

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What a simulated run is drawn from."""

    seconds: int = 300
    steps: int = 4
    rate: float = 60.0  # requests per second and step, Poisson
    median: float = 0.08  # seconds
    sigma: float = 0.5  # of the log times in a second
    phi: float = 0.8  # how much of its level a second hands on to the next
    mood: float = 0.08  # sd of the level of the seconds
    common: float = 0.5  # share of that variance that all steps have in common
    between: float = 0.0  # sd of the level of whole runs, of each step for itself
    slower: float = 0.0  # of the first step: 0.1 is 10 %
    failed: float = 0.002  # of the requests


def moods(truth: Truth, random: np.random.Generator) -> Floats:
    """The level of each second (row) for each step (column): stationary AR(1), sd `mood`."""
    drawn = random.standard_normal((truth.seconds, truth.steps + 1))
    drawn[1:] *= np.sqrt(1 - truth.phi**2)
    for second in range(1, truth.seconds):
        drawn[second] += truth.phi * drawn[second - 1]
    shared, own = drawn[:, :1], drawn[:, 1:]
    levels: Floats = truth.mood * (np.sqrt(truth.common) * shared + np.sqrt(1 - truth.common) * own)
    return levels


def simulated(truth: Truth, run_id: str, random: np.random.Generator) -> RunCounts:
    """A run as `vezaflow.compare` resamples it."""
    levels = moods(truth, random) + random.standard_normal(truth.steps) * truth.between
    levels[:, 0] += np.log1p(truth.slower)
    steps: dict[StepName, Counts] = {}
    for step in range(truth.steps):
        steps["flow", f"step {step}", "GET"] = _step(truth, levels[:, step], random)
    return RunCounts(run_id, np.ones(truth.seconds), steps)


def _step(truth: Truth, levels: Floats, random: np.random.Generator) -> Counts:
    requests: NDArray[np.int64] = random.poisson(truth.rate, truth.seconds)
    second = np.repeat(np.arange(truth.seconds), requests)
    times = truth.median * np.exp(levels[second] + truth.sigma * random.standard_normal(len(second)))
    numbers, places = np.unique(bucket_numbers(times), return_inverse=True)
    flat = np.bincount(second * len(numbers) + places, minlength=truth.seconds * len(numbers))
    samples = flat.reshape(truth.seconds, -1).astype(np.float32)
    many = requests.astype(np.float64)
    failed = random.binomial(requests, truth.failed).astype(np.float64)
    return Counts(np.array([middle(int(number)) for number in numbers]), samples, many, many, failed)


def bucket_numbers(times: Floats) -> NDArray[np.int64]:
    """The histogram's bucket of each time."""
    mantissa, exponent = np.frexp(times * 1e6)
    numbers: NDArray[np.int64] = ((exponent - 1) * 512 + np.floor((mantissa * 2 - 1) * 512)).astype(np.int64)
    return numbers


def as_histogram(times: Floats) -> Histogram:
    """The same by the program's own code."""
    whole = Histogram()
    whole.record_many(times)
    return whole
