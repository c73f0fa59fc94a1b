"""What a server's Prometheus said of a run: each metric over the time that each scope's gates judge.

Frozen, and enough to judge every gate again: histograms are kept with their buckets. Times are seconds since 1970 by
the load generator's clock; values are in base units, but for the bounds of a plain number.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from vezaflow.gates import JudgedFigure
from vezaflow.model import SERVER, ObservedKind
from vezaflow.observe.histograms import Buckets, Quantile, quantile, united
from vezaflow.observe.window import Period
from vezaflow.plan import PlannedGate, SentPath
from vezaflow.syntax import Labels


@dataclass(frozen=True, slots=True)
class ObservedSeries:
    """One set of labels. `begin` and `end`: the scrapes that it is of. `count`: observations, samples of a gauge;
    `total`: their sum, the increase of a counter; `buckets`: of a histogram."""

    labels: Labels
    begin: float
    end: float
    count: float
    total: float
    least: float | None = None
    most: float | None = None
    last: float | None = None
    buckets: Buckets = ()

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class ObservedFigures:
    """A metric in one scope. `flow`: whose time it is over; None: all flows'. `problem`: why there is nothing to judge
    by."""

    name: str
    kind: ObservedKind
    of: str
    flow: str | None
    period: Period
    series: tuple[ObservedSeries, ...] = ()
    problem: str = ""
    exponential: bool = False  # how quantiles are interpolated: native histograms, of Prometheus 3

    def select(self, labels: Labels) -> tuple[ObservedSeries, ...]:
        """The series that have these labels."""
        wanted = set(labels)
        return tuple(each for each in self.series if wanted <= set(each.labels))

    def quantile(self, series: Iterable[ObservedSeries], share: float) -> Quantile | None:
        """Of the observations of several series together."""
        return quantile(united(each.buckets for each in series), share, exponential=self.exponential)


@dataclass(frozen=True, slots=True)
class ObservedEndpoint:
    """A path that the server counts, and the steps of the load that go there. Either may be empty."""

    method: str
    path: str
    labels: Labels  # of the server's series; empty: it has none
    steps: tuple[SentPath, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """All of it. `problem`: why nothing could be read; `clock_offset`: how far Prometheus' clock is ahead of the load
    generator's, in seconds; `latency`: the metric whose paths `endpoints` are."""

    source: str
    figures: tuple[ObservedFigures, ...] = ()
    problem: str = ""
    clock_offset: float = 0.0
    latency: str = ""
    endpoints: tuple[ObservedEndpoint, ...] = ()

    def of(self, name: str, flow: str | None) -> ObservedFigures | None:
        """A metric in the scope of a flow."""
        return next((each for each in self.figures if each.name == name and each.flow == flow), None)

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be read, a line each."""
        if self.problem:
            return (f"the server's figures could not be read: {self.problem}",)
        found = (f"{SERVER}{each.name}: {each.problem}" for each in self.figures if each.problem)
        return tuple(dict.fromkeys(found))

    def masked(self, mask: Callable[[str], str]) -> "Observed":
        """The same with no secret in what Prometheus said."""
        figures = tuple(replace(each, problem=mask(each.problem)) for each in self.figures)
        return replace(self, source=mask(self.source), problem=mask(self.problem), figures=figures)

    def figure(self, gate: PlannedGate, labels: Labels, aggregate: str, argument: float | None) -> JudgedFigure:
        """What a gate is judged by (gates.FigureSource)."""
        if self.problem:
            return JudgedFigure(None, missing=f"the server's figures could not be read: {self.problem}")
        figures = self.of(gate.metric.removeprefix(SERVER), gate.flow)
        if figures is None:
            return JudgedFigure(None, missing="no request was evaluated, so there is no time to read it of")
        if figures.problem:
            return JudgedFigure(None, missing=figures.problem)
        found = figures.select(labels)
        if not found:
            where = ", ".join(f"{name}:{value}" for name, value in labels)
            return JudgedFigure(None, missing=f"Prometheus has no series of {figures.of} with {where}")
        match figures.kind:
            case ObservedKind.HISTOGRAM:
                return _of_histogram(figures, found, aggregate, argument)
            case ObservedKind.COUNTER:
                total = sum(each.total for each in found)
                value = total if aggregate == "count" else _per_second((each.total, each) for each in found)
                return JudgedFigure(value, max(1, round(total)))
            case ObservedKind.GAUGE | ObservedKind.QUERY:
                return _of_gauge(found, aggregate)


def unobserved(problem: str) -> Observed:
    """Nothing, for this reason."""
    return Observed("", problem=problem)


def _of_histogram(
    figures: ObservedFigures, found: tuple[ObservedSeries, ...], aggregate: str, argument: float | None
) -> JudgedFigure:
    count = sum(each.count for each in found)
    samples = round(count)
    match aggregate:
        case "count":
            return JudgedFigure(count, samples)
        case "rate":
            return JudgedFigure(_per_second((each.count, each) for each in found), samples)
        case _ if not samples:
            return JudgedFigure(None, missing=f"{figures.of} counted nothing in this time")
        case "avg":
            return JudgedFigure(sum(each.total for each in found) / count, samples)
    share = 0.5 if aggregate == "med" else (95.0 if argument is None else argument) / 100
    at = figures.quantile(found, share)
    if at is None:
        return JudgedFigure(None, missing=f"{figures.of} has no buckets")
    return JudgedFigure(at.value, samples, (at.low, at.high))


def _of_gauge(found: tuple[ObservedSeries, ...], aggregate: str) -> JudgedFigure:
    samples = round(sum(each.count for each in found))
    values = {
        "max": max((each.most for each in found if each.most is not None), default=None),
        "min": min((each.least for each in found if each.least is not None), default=None),
    }
    if aggregate in values:
        return JudgedFigure(values[aggregate], samples)
    if len(found) > 1:
        return JudgedFigure(None, missing=f"{len(found)} series have these labels: select one, or use max or min")
    (only,) = found
    return JudgedFigure(only.last if aggregate == "value" else only.total / only.count, samples)


def _per_second(parts: Iterable[tuple[float, ObservedSeries]]) -> float | None:
    rates = [amount / series.seconds for amount, series in parts if series.seconds > 0]
    return sum(rates) if rates else None
