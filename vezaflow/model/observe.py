"""What is known of a run from elsewhere, as written: the server's own figures, in its Prometheus.

Each of them is a metric for gates, `server.<name>`, with the aggregates and the unit of its kind.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from vezaflow.diagnostics import Span
from vezaflow.metrics import METRICS, Metric, MetricKind, Of
from vezaflow.model.events import ProfileAction, SuiteEvent
from vezaflow.model.profiles import profile_metric
from vezaflow.model.requests import Pairs, RequestDefaults, Use, plain
from vezaflow.syntax import Expression
from vezaflow.units import Dimension

SERVER = "server."  # what gates write before the name


class ObservedKind(Enum):
    """What a metric of the server is, by the key that says so."""

    HISTOGRAM = "histogram"
    COUNTER = "counter"
    GAUGE = "gauge"
    QUERY = "query"


class ObservedUnit(Enum):
    """What its values are in."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    BYTES = "bytes"
    RATIO = "ratio"
    PERCENT = "percent"
    PER_SECOND = "per_second"
    NUMBER = "number"

    @property
    def dimension(self) -> Dimension | None:
        return _UNITS[self][0]

    @property
    def scale(self) -> float:
        """One of it in base units."""
        return _UNITS[self][1]


_UNITS: dict[ObservedUnit, tuple[Dimension | None, float]] = {
    ObservedUnit.SECONDS: (Dimension.TIME, 1.0),
    ObservedUnit.MILLISECONDS: (Dimension.TIME, 1e-3),
    ObservedUnit.BYTES: (Dimension.SIZE, 1.0),
    ObservedUnit.RATIO: (Dimension.RATIO, 1.0),
    ObservedUnit.PERCENT: (Dimension.RATIO, 1e-2),
    ObservedUnit.PER_SECOND: (Dimension.RATE, 1.0),
    ObservedUnit.NUMBER: (None, 1.0),
}
_BY_NAME = {
    "_seconds": ObservedUnit.SECONDS,
    "_milliseconds": ObservedUnit.MILLISECONDS,
    "_bytes": ObservedUnit.BYTES,
    "_ratio": ObservedUnit.RATIO,
    "_percent": ObservedUnit.PERCENT,
}
_METRICS: dict[ObservedKind, tuple[MetricKind, tuple[str, ...]]] = {
    ObservedKind.HISTOGRAM: (MetricKind.TREND, ("p", "med", "avg", "count", "rate")),
    ObservedKind.COUNTER: (MetricKind.COUNTER, ("count", "rate")),
    ObservedKind.GAUGE: (MetricKind.GAUGE, ("avg", "min", "max", "value")),
    ObservedKind.QUERY: (MetricKind.GAUGE, ("avg", "min", "max", "value")),
}


@dataclass(frozen=True, slots=True)
class Observation:
    """One metric of the server. `of`: its name there, or a PromQL expression."""

    name: str
    kind: ObservedKind
    of: str
    match: Pairs
    by: tuple[str, ...]
    unit: ObservedUnit
    span: Span  # of the name

    @property
    def metric(self) -> Metric:
        """What gates see of it."""
        kind, aggregates = _METRICS[self.kind]
        doc = f"{self.of}, read from the server's Prometheus."
        return Metric(SERVER + self.name, kind, self.unit.dimension, doc, self.by, Of.ELSEWHERE, "", only=aggregates)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where the server's figures are, and which are read. `options`: headers, auth, tls and timeout."""

    url: Expression
    options: RequestDefaults
    wait: Expression | None
    metrics: tuple[Observation, ...]
    span: Span

    def uses(self) -> Iterator[Use]:
        yield from plain(self.url, self.wait, *(value for each in self.metrics for _, value in each.match))
        yield from self.options.uses()

    def credentials(self) -> Iterator[Expression]:
        """What may be known to nobody else."""
        auth = self.options.auth
        if auth is not None:
            yield from (each for each in (auth.bearer, auth.password) if each is not None)


def unit_by_name(name: str) -> ObservedUnit:
    """The unit that the name of a metric says it has."""
    plain_name = name.removesuffix("_total")
    return next((unit for end, unit in _BY_NAME.items() if plain_name.endswith(end)), ObservedUnit.NUMBER)


def gate_metrics(observed: Prometheus | None, events: Iterable[SuiteEvent] = ()) -> Mapping[str, Metric]:
    """All metrics that a suite's gates can name: the catalog's, and its own from elsewhere."""
    own = (each.metric for each in observed.metrics) if observed is not None else ()
    profiles = (profile_metric(each.name) for each in events if isinstance(each.action, ProfileAction))
    return {**METRICS, **{metric.name: metric for metric in (*own, *profiles)}}
