"""A gate with its scope, ready to be judged."""

from dataclasses import dataclass

from vezaflow.diagnostics import Span
from vezaflow.metrics import METRICS, Metric, Of
from vezaflow.syntax import Condition, Labels


@dataclass(frozen=True, slots=True)
class PlannedGate:
    """One condition on one metric of one scope. Times in seconds."""

    flow: str | None  # None: pooled over all flows
    metric: str
    labels: Labels
    condition: Condition
    span: Span
    abort: bool = False
    delay: float = 0.0
    window: float | None = None
    samples: int = 1  # with fewer the verdict is inconclusive
    own: Metric | None = None  # of a metric that is none of the catalog's: what it is

    @property
    def known(self) -> Metric:
        """What its metric is."""
        return METRICS[self.metric] if self.own is None else self.own

    @property
    def is_elsewhere(self) -> bool:
        """Whether its figure is not the load's: somebody else is asked for it when the load is over."""
        return self.known.of is Of.ELSEWHERE

    @property
    def text(self) -> str:
        """As an author would write it: `http_req_duration{step:segment}: p(99) < 1 s`."""
        inner = ",".join(f"{name}:{value}" for name, value in self.labels)
        return f"{self.metric}{{{inner}}}: {self.condition.text}" if inner else f"{self.metric}: {self.condition.text}"
