"""Times in a few bins of a log scale, for drawings. numpy is loaded with the first, not with this file."""

from math import log10

from vezaflow.metrics import OCTAVE_PARTS, Histogram


def binned(times: Histogram, low: float, high: float, bins: int) -> list[int]:
    """How many of the times are in each bin from `low` to `high` seconds; those beyond are in the first and last."""
    import numpy as np

    numbers, counts = times.buckets()
    octaves, parts = np.divmod(np.maximum(numbers, 0), OCTAVE_PARTS)
    seconds = np.exp2(octaves) * (1 + (parts + 0.5) / OCTAVE_PARTS) * 1e-6
    places = (np.log10(seconds / low) / log10(high / low) * bins).astype(np.int64)
    found = np.bincount(np.clip(places, 0, bins - 1), weights=counts, minlength=bins)
    return [int(count) for count in found]
