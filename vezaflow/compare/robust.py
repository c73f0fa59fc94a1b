"""Centre and spread of a few nights of which one may be off.

Centre: Hodges and Lehmann (the median of the means of all pairs). Spread: Qn of Rousseeuw and Croux (1993), about the
lower quartile of the differences of all pairs, with their factors for small numbers.
"""

from collections.abc import Sequence
from itertools import combinations
from math import comb
from statistics import median

_CONSTANT = 2.2219
_FEW = {2: 0.399, 3: 0.994, 4: 0.512, 5: 0.844, 6: 0.611, 7: 0.857, 8: 0.669, 9: 0.872}


def centre(values: Sequence[float]) -> float:
    """The Hodges–Lehmann estimate; of one value that value."""
    return median([*values, *((a + b) / 2 for a, b in combinations(values, 2))])


def deviation(values: Sequence[float]) -> float:
    """The Qn estimate of the standard deviation; of fewer than two values 0."""
    n = len(values)
    if n < 2:
        return 0.0
    differences = sorted(abs(a - b) for a, b in combinations(values, 2))
    factor = _FEW.get(n) or (n / (n + 1.4) if n % 2 else n / (n + 3.8))
    return _CONSTANT * factor * differences[comb(n // 2 + 1, 2) - 1]
