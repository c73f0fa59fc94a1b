"""What a gate or a report asks of a metric: one small value for each kind, each with the same question.

`aggregate(name, argument)` responses with a number, or None when there is nothing to response from: no data is
never a good figure. `samples` is how much there was to judge, for a counter the population that it counts in:
a count of 0 errors out of 0 requests is no response either.
"""

from dataclasses import dataclass

from vezaflow.metrics.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Trend:
    """A distribution of times in seconds; of something else where one unit of its histogram is not one of its own."""

    histogram: Histogram
    scale: float = 1.0

    @property
    def samples(self) -> int:
        return self.histogram.samples

    def aggregate(self, name: str, argument: float | None = None) -> float | None:
        """p (of 0 to 100), med, avg, min, max in seconds; count. An AtLeast where requests that timed out leave only
        a lower bound."""
        found = self._aggregate(name, argument)
        return found if self.scale == 1.0 or found is None or name == "count" else found * self.scale

    def _aggregate(self, name: str, argument: float | None) -> float | None:
        held = self.histogram
        if not held.samples:
            return None
        match name:
            case "p":
                return held.quantile((95.0 if argument is None else argument) / 100)
            case "med":
                return held.quantile(0.5)
            case "avg":
                return held.mean
            case "min":
                return held.least
            case "max":
                return held.most
            case "count":
                return float(held.samples)
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Rate:
    """Hits out of a total."""

    hits: int
    total: int

    @property
    def samples(self) -> int:
        return self.total

    def aggregate(self, name: str, argument: float | None = None) -> float | None:
        """rate (0.0 to 1.0); count of the hits."""
        if not self.total:
            return None
        match name:
            case "rate":
                return self.hits / self.total
            case "count":
                return float(self.hits)
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Counter:
    """A sum, the population that it was counted in, and the seconds that it took."""

    total: int
    population: int
    seconds: float

    @property
    def samples(self) -> int:
        return self.population

    def aggregate(self, name: str, argument: float | None = None) -> float | None:
        """count; rate (per second)."""
        if not self.population:
            return None
        match name:
            case "count":
                return float(self.total)
            case "rate":
                return self.total / self.seconds if self.seconds > 0 else None
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Gauge:
    """The last value with the least and the most; pooled over flows or workers each is the sum of theirs."""

    value: int
    minimum: int
    maximum: int
    samples: int

    def aggregate(self, name: str, argument: float | None = None) -> float | None:
        """value, min, max."""
        if not self.samples:
            return None
        match name:
            case "value":
                return float(self.value)
            case "min":
                return float(self.minimum)
            case "max":
                return float(self.maximum)
        raise KeyError(name)


Measurement = Trend | Rate | Counter | Gauge
