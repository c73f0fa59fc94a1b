"""All that a summary has of one step in one phase: how its requests ended, what they cost, its checks and retries.

Judged or not, and without the requests that the end of the run interrupted, as in `Summary.step_rows`, whose rows these
are, in its order. Nothing is pooled over steps here.
"""

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass, field

from vezaflow.metrics.attempts import Attempts
from vezaflow.metrics.catalog import INTERRUPTED, Phase
from vezaflow.metrics.figures import Connections, Requests, StepKey
from vezaflow.metrics.histogram import Histogram
from vezaflow.metrics.summary import StepRow, Summary

_Place = tuple[str, Phase, str, str]
_CONNECTING = ("blocked", "connecting", "tls")
_SENDING = ("sending", "waiting", "receiving")


@dataclass(slots=True)
class _Held:
    """What was found of one step so far."""

    statuses: Tally[int] = field(default_factory=Tally)
    errors: Tally[str] = field(default_factory=Tally)
    requests: Requests = field(default_factory=Requests)
    phases: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in _CONNECTING})
    checks: dict[str, tuple[int, int]] = field(default_factory=dict)
    attempts: Attempts = field(default_factory=Attempts)

    def connections(self, row: Connections) -> None:
        for name in _CONNECTING:
            self.phases[name].add(row.times(name))
        for check in sorted({*row.checks, *row.failed_checks}):
            evaluated, failed = self.checks.get(check, (0, 0))
            self.checks[check] = (evaluated + row.answered, failed + row.failed_checks[check])


@dataclass(frozen=True, slots=True)
class StepBreakdown:
    """One step in one phase. `statuses`: requests by status, the last one 0: no response; `errors`: failed ones by
    kind; `phases`: the parts of a request's time by name, `blocked` to `receiving`; `checks`: how often each was
    evaluated, and failed; `attempts`: of a step that may send its request more than once."""

    row: StepRow
    statuses: Mapping[int, int]
    errors: Mapping[str, int]
    bytes_sent: int
    bytes_received: int
    phases: Mapping[str, Histogram]
    checks: Mapping[str, tuple[int, int]]
    attempts: Attempts


def step_breakdowns(summary: Summary) -> tuple[StepBreakdown, ...]:
    """One for each row of `summary.step_rows()`."""
    held: dict[_Place, _Held] = {}
    for key, requests in summary.requests.items():
        if key.error != INTERRUPTED:
            found = held.setdefault(_place(key.at), _Held())
            found.requests.add(requests)
            if requests.count:
                found.statuses[key.status] += requests.count
            if requests.count and key.error:
                found.errors[key.error] += requests.count
    for at, connections in summary.steps.items():
        held.setdefault(_place(at), _Held()).connections(connections)
    for at, attempts in summary.attempts.items():
        held.setdefault(_place(at), _Held()).attempts.add(attempts)
    return tuple(_figures(row, held[row.flow, row.phase, row.step, row.method]) for row in summary.step_rows())


def _place(key: StepKey) -> _Place:
    return key.flow, key.phase, key.step, key.method


def _figures(row: StepRow, held: _Held) -> StepBreakdown:
    requests = held.requests
    return StepBreakdown(
        row=row,
        statuses=dict(sorted(held.statuses.items(), key=lambda pair: (not pair[0], pair[0]))),  # 0 last
        errors=dict(held.errors.most_common()),
        bytes_sent=requests.bytes_sent,
        bytes_received=requests.bytes_received,
        phases={**held.phases, **{name: getattr(requests, name) for name in _SENDING}},
        checks=held.checks,
        attempts=held.attempts,
    )
