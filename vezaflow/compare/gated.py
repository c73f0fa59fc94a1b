"""What gates on the baseline are judged by: the baseline's figures of steps, and how sure a run's own are.

Law: only what a baseline keeps of a step can be named: percentiles 50, 95 and 99, failure rates, requests per second.
"""

from functools import cached_property
from math import exp, inf
from typing import TYPE_CHECKING

from vezaflow.compare.baseline import Baseline, without
from vezaflow.compare.counts import counts_of
from vezaflow.compare.resampled import Figure, FigureKind, resampled
from vezaflow.compare.student import quantile
from vezaflow.metrics import Seconds, StepName
from vezaflow.plan import PlannedGate

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESAMPLES = 1000
_SIDE = 0.975  # 95 % between both
_PERCENTILES = {50.0: FigureKind.P50, 95.0: FigureKind.P95, 99.0: FigureKind.P99}


class GateBaseline:
    """A baseline beside one run's seconds. The run's own figures are resampled when a gate first asks for them."""

    def __init__(self, baseline: Baseline, run_id: str, seconds: Seconds) -> None:
        self._baseline = without(baseline, run_id)
        self._run_id = run_id
        self._seconds = seconds

    def centre(self, gate: PlannedGate) -> float | None:
        """In the middle of the baseline's runs: seconds, a share, or requests per second; None where none has it."""
        key = self._key(gate)
        return None if key is None else self._baseline.centre(key)

    def interval(self, gate: PlannedGate) -> tuple[float, float] | None:
        """Between which values the run's figure is in 95 of 100 resamples; None: it has too few samples."""
        key = self._key(gate)
        figure = self._figures.get(key) if key is not None else None
        if figure is None or figure.lacking or not len(figure.draws):
            return None
        half = quantile(_SIDE, inf) * max(float(figure.draws.std()), figure.least)
        low, high = figure.point - half, figure.point + half
        return (max(low, 0.0), high) if key is not None and key[1] is FigureKind.FAILED else (exp(low), exp(high))

    @cached_property
    def _figures(self) -> "Mapping[tuple[StepName, FigureKind], Figure]":
        return resampled(counts_of(self._run_id, self._seconds), "gates", _RESAMPLES).figures

    def _key(self, gate: PlannedGate) -> tuple[StepName, FigureKind] | None:
        """Which of the baseline's figures a gate is about; None: not one of them."""
        metric, labels = metric_of(gate.metric, gate.condition.aggregate, gate.condition.argument), dict(gate.labels)
        flow, step, method = labels.pop("flow", gate.flow), labels.pop("step", None), labels.pop("method", None)
        if metric is None or flow is None or step is None or labels:
            return None
        found = [
            name
            for name, kind in self._baseline.figures
            if kind is metric and name[:2] == (flow, step) and method in (None, name[2])
        ]
        return (found[0], metric) if len(found) == 1 else None


def metric_of(name: str, aggregate: str, argument: float | None) -> FigureKind | None:
    """The kept figure that a gate's condition names; None: none is."""
    match name, aggregate:
        case "http_req_duration", "p" if argument is not None:
            return _PERCENTILES.get(argument)
        case "http_req_duration", "med":
            return FigureKind.P50
        case "http_req_failed", "rate":
            return FigureKind.FAILED
        case "http_reqs", "rate":
            return FigureKind.RATE
    return None
