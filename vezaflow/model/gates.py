"""A condition on a metric that must hold, as written."""

from dataclasses import dataclass

from vezaflow.diagnostics import Span
from vezaflow.syntax import Condition, Expression


@dataclass(frozen=True, slots=True)
class Gate:
    metric: str
    labels: tuple[tuple[str, str], ...]  # sorted by name: step, method, status, group, error, …
    condition: Condition
    span: Span  # of the whole gate's key
    abort: bool = False
    delay: Expression | None = None  # TIME before an abort may happen
    window: Expression | None = None  # TIME: judge only the last so much (for abort)
    samples: int | None = None  # fewer than this is inconclusive
