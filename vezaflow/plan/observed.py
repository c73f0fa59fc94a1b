"""What is read of the server when the load is over, as planned. Data only; observe.py plans it."""

from dataclasses import dataclass, field

from vezaflow.metrics import Metric
from vezaflow.model import ObservedKind
from vezaflow.plan.connections import hidden
from vezaflow.plan.heads import is_credential
from vezaflow.plan.targets import Target, Targets
from vezaflow.protocols import ClientOptions


@dataclass(frozen=True, slots=True)
class ObservedMetric:
    """A metric of the server. `of`: its name there, or PromQL; `metric`: what gates see of it; `scale`: one of its
    units in base units."""

    name: str
    kind: ObservedKind
    of: str
    match: tuple[tuple[str, str], ...]
    by: tuple[str, ...]
    metric: Metric
    scale: float


@dataclass(frozen=True, slots=True)
class SentPath:
    """A step that sends requests: its method and the path as written, from the server's root, without a query."""

    flow: str
    step: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class PlannedPrometheus:
    """Whom to ask, and for what. Times in seconds. `headers` may hold credentials, so no `repr` shows them."""

    targets: Targets
    client: ClientOptions
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    timeout: float
    wait: float
    metrics: tuple[ObservedMetric, ...]
    sent: tuple[SentPath, ...] = ()

    @property
    def base(self) -> Target:
        assert self.targets.base is not None
        return self.targets.base

    def hidden(self) -> tuple[str, ...]:
        """What of it no output may show."""
        found = [value.rpartition(" ")[2] for name, value in self.headers if is_credential(name)]
        return tuple(text for text in (*found, *hidden(self.client)) if text)
