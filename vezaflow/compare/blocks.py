"""The circular block bootstrap of whole seconds: what a run might have been, had its seconds come in another order.

Seconds follow each other in moods: neighbours resemble each other, so single seconds are no independent draws (drawn
one by one they raise 23 % false alarms where 5 % are meant). Blocks of neighbours are drawn instead, over the end
into the beginning. Length of a block: Politis and White, "Automatic block-length selection for the dependent
bootstrap" (2004), with the correction of Patton, Politis and White (2009).
"""

from math import cbrt, ceil, log10, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_SECONDS = 32  # below, blocks are either too short for moods or too few to draw from
FEWEST_BLOCKS = 8


def block_length(series: "Floats") -> int:
    """How many neighbours a block of this series has: at least the cube root of its length, at most an eighth."""
    n = len(series)
    least, most = shortest_block(n), max(n // FEWEST_BLOCKS, 1)
    return min(max(ceil(_best_length(series)), least), most)


def shortest_block(n: int) -> int:
    """The least length of a block of `n` seconds."""
    return ceil(round(cbrt(n), 9))


def _best_length(series: "Floats") -> float:
    n = len(series)
    covariances = _covariances(series)
    if covariances[0] <= 0:
        return 1.0
    slope, spectrum = _spectrum(covariances, n)
    if spectrum <= 0:
        return 1.0
    return float((2 * slope**2 / (4 / 3 * spectrum**2)) ** (1 / 3) * n ** (1 / 3))


def _patience(n: int) -> int:
    return max(5, ceil(sqrt(log10(n))))


def _covariances(series: "Floats") -> "Floats":
    """By lag, for as many lags as may matter."""
    import numpy as np

    n = len(series)
    centred = series - series.mean()
    most = min(ceil(sqrt(n)) + _patience(n), n - 1)
    return np.array([float(centred[lag:] @ centred[: n - lag]) / n for lag in range(most + 1)])


def _spectrum(covariances: "Floats", n: int) -> tuple[float, float]:
    """The slope of the spectrum at zero, and the spectrum there, with the flat-top window."""
    import numpy as np

    patience, most = _patience(n), len(covariances) - 1
    small = np.abs(covariances[1:] / covariances[0]) < 2 * sqrt(log10(n) / n)
    runs = (lag for lag in range(len(small) - patience + 1) if small[lag : lag + patience].all())
    lags = min(2 * max(next(runs, most), 1), most)
    k = np.arange(1, lags + 1)
    window = np.clip(2 * (1 - k / lags), 0, 1)  # the flat-top lag window
    slope = 2 * float((window * k * covariances[1 : lags + 1]).sum())
    spectrum = float(covariances[0] + 2 * (window * covariances[1 : lags + 1]).sum())
    return slope, spectrum


def severed(series: "Floats", length: int) -> float:
    """How much larger the variance of a mean is than blocks of this length show, which cut neighbours apart: by the
    spectrum with the flat-top window, which forgets none of their resemblance. Between 1 and 2."""
    covariances = _covariances(series)
    if covariances[0] <= 0:
        return 1.0
    _, whole = _spectrum(covariances, len(series))
    held = covariances[1:length]
    seen = float(covariances[0] + 2 * sum((1 - lag / length) * c for lag, c in enumerate(held, 1)))
    ratio = whole / seen if seen > 0 else 1.0
    return min(max(ratio, 1.0) / (1 - length / len(series)), 2.0)


def weights(seconds: int, length: int, resamples: int, random: "np.random.Generator") -> "NDArray[np.float32]":
    """How often each second (a column) is in each resample (a row)."""
    import numpy as np

    starts = random.integers(seconds, size=(resamples, ceil(seconds / length)))
    drawn = (starts[:, :, None] + np.arange(length)).reshape(resamples, -1)[:, :seconds] % seconds
    places = drawn + np.arange(resamples)[:, None] * seconds
    counts = np.bincount(places.ravel(), minlength=resamples * seconds)
    return counts.reshape(resamples, seconds).astype(np.float32)
