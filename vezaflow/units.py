"""Quantities as people write them: `300 ms`, `5m`, `10 MiB`, `0.5 %`, `500/s`.

The one place that parses a unit and the one place that formats a number for a person. Amounts are kept in
base units: seconds, bytes, a fraction of one, starts per second.
"""

from dataclasses import dataclass
from enum import Enum


class Dimension(Enum):
    """What a quantity measures; quantities of two dimensions are never compared."""

    TIME = "time"  # seconds
    SIZE = "size"  # bytes
    RATIO = "ratio"  # 1.0 is 100 %
    RATE = "rate"  # per second


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount in base units, with the text that the author wrote (for messages)."""

    amount: float
    dimension: Dimension
    text: str = ""
