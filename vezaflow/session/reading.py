"""A load's reports, each of the whole so far → what came since the one before: the generator's health, and what failed.

Law: it costs a walk over the rows of the summary a second, and no look at any of its times.
"""

from collections import Counter

from vezaflow.metrics import INTERRUPTED, Phase, Reading, Summary, fewest_kinds
from vezaflow.scale import Report


class Reader:
    """Reads one run."""

    def __init__(self) -> None:
        self._second = 0.0
        self._late: dict[str, float] = {}  # by worker, seconds in which its loop was late
        self._lived = self._lost = 0.0
        self._failed: Counter[tuple[str, str]] = Counter()

    def take(self, report: Report) -> Reading | None:
        """What came since the last call; None where no time has passed."""
        length = report.seconds - self._second
        if length <= 0:
            return None
        late = {worker.name: worker.vitals.lag_share * report.seconds for worker in report.workers}
        lived = sum(each.lived for each in report.delivered.values())
        lost = sum(each.time_lost for each in report.delivered.values())
        failed = _failed(report.summary)
        reading = Reading(
            report.seconds,
            length,
            cpu=max((worker.vitals.cpu for worker in report.workers), default=0.0),
            late=max((_share(now - self._late.get(name, 0.0), length) for name, now in late.items()), default=0.0),
            missing=_share(lost - self._lost, lived - self._lived) if lived > self._lived else None,
            failures=_by_flow(failed - self._failed),
        )
        self._second, self._late, self._lived, self._lost, self._failed = report.seconds, late, lived, lost, failed
        return reading


def _share(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole))


def _failed(summary: Summary) -> Counter[tuple[str, str]]:
    """By flow and kind, the requests of iterations that failed so far."""
    found: Counter[tuple[str, str]] = Counter()
    for key, row in summary.requests.items():
        if key.error and key.error != INTERRUPTED and key.at.phase is Phase.ITERATION:
            found[key.at.flow, f"{key.error} {key.status}" if key.status else key.error] += row.count
    return found


def _by_flow(failed: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    flows: dict[str, Counter[str]] = {}
    for (flow, kind), count in failed.items():
        flows.setdefault(flow, Counter())[kind] = count
    return {flow: fewest_kinds(kinds) for flow, kinds in flows.items()}
