"""Which percentiles the tables of reports show: `p50,p90,p99.9`, as `--percentiles` says it.

k6's `p(99.9)` and a bare `99.9` are read as well. The maximum is no percentile: tables have it anyway.
"""

import re
from dataclasses import dataclass

MOST = 8
_FORM = re.compile(r"p?\(?([0-9]{1,2}(?:\.[0-9]{1,6})?)\)?")


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Names as columns have them (`p99.9`) and the shares that they stand for (0.999), in the order asked for.
    `chosen`: somebody asked for them, so that other columns go first where there is no room."""

    names: tuple[str, ...]
    shares: tuple[float, ...]
    chosen: bool = True

    @property
    def by_name(self) -> dict[str, float]:
        return dict(zip(self.names, self.shares, strict=True))

    def spare(self, first: tuple[str, ...], last: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The columns that go where there is no room, in this order: usual percentiles between others, chosen ones
        after them all."""
        return (*first, *last, *reversed(self.names)) if self.chosen else (*first, *_USUAL_SPARE, *last)


_USUAL_SPARE = ("p50", "p99")
USUAL = Percentiles(("p50", "p95", "p99"), (0.5, 0.95, 0.99), chosen=False)


def read_percentiles(text: str) -> Percentiles:
    """What the text asks for, each once. Raises ValueError with what is wrong."""
    found: dict[str, float] = {}
    for word in text.split(","):
        match = _FORM.fullmatch(word.strip().lower())
        number = float(match[1]) if match else 0.0
        if not number:
            raise ValueError(f"'{word.strip()}' is not a percentile: write p50,p90,p99.9, each above 0 and below 100")
        found[f"p{number:.10g}"] = round(number / 100, 10)
    if len(found) > MOST:
        raise ValueError(f"{len(found)} percentiles are too many for a table: at most {MOST}")
    return Percentiles(tuple(found), tuple(found.values()))
