"""What a capacity search found as JSON, for programs. `schema` goes up when a field changes its meaning or goes away.

Times are seconds, shares fractions of one, factors multiples of the suite's load; no data is null.
"""

from typing import Any

from vezaflow.capacity.capacity import Capacity
from vezaflow.capacity.level import LevelRun

Json = dict[str, Any]
SCHEMA = 1


def to_json(found: Capacity) -> Json:
    """All of it; the levels in the order in which they were run."""
    return {
        "schema": SCHEMA,
        "suite": found.suite,
        "outcome": found.outcome.value,
        "exit_code": int(found.exit_code),
        "sentence": found.sentence,
        "remedy": found.remedy,
        "holds": found.holds,
        "ends": found.ends,
        "end": None if found.end is None else found.end.value,
        "first": list(found.first),
        "expected": found.expected,
        "interrupted": found.interrupted,
        "unjudged": list(found.unjudged),
        "levels": [_level(run) for run in found.levels],
    }


def _level(run: LevelRun) -> Json:
    return {
        "factor": run.factor,
        "outcome": run.outcome.value,
        "vus": run.vus,
        "rate": run.rate,
        "http_reqs_per_second": run.requests_per_second,
        "p95": None if run.p95 is None else float(run.p95),
        "http_req_failed": run.failed,
        "why": run.why,
        "remedy": run.remedy,
        "generator": run.generator,
        "broken": list(run.broken),
        "aborted": run.aborted,
        "interrupted": run.interrupted,
        "seconds": run.seconds,
        "run_id": run.run_id or None,
    }
