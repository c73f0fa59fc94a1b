"""Runs with figures by the second, as a RunResult has them: what the tests of comparing look at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
from sample_run import GREEN, run

from vezaflow.metrics import Histogram, Interval, Seconds, StepName, StepSecond
from vezaflow.model import Identity
from vezaflow.results import Commit, Host, Profile, Provenance, RunResult

LIST: StepName = ("browse", "list", "GET")
SEARCH: StepName = ("browse", "search", "GET")
HOST = Host("runner", 4, "Linux 6.1")
START = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)


def provenance(parts: dict[str, str] | None = None, host: Host = HOST, commit: str = "a" * 40) -> Provenance:
    parts = parts or {"browse: load": "1"}
    return Provenance(Identity(str(parts), parts), Profile(()), host, Commit(commit, False))


@cache
def timed_run(
    run_id: str,
    *,
    seconds: int = 120,
    requests: int = 100,
    slower: float = 1.0,
    failed: int = 0,
    cut: int = 0,
    seed: int = 1,
    night: int = 0,
    level: float = 1.0,
) -> RunResult:
    """Two steps of log-normal times about 80 ms; `list` is `slower` times as slow, `failed` of its requests in each
    second fail, and `cut` of them time out after a second."""
    random = np.random.default_rng(seed)
    intervals = []
    for second in range(seconds):
        steps = {}
        for name in (LIST, SEARCH):
            factor = slower if name is LIST else 1.0
            histogram = Histogram()
            lost = cut if name is LIST else 0
            histogram.record_many(0.08 * level * factor * np.exp(0.4 * random.standard_normal(requests - lost)))
            histogram.record_cut(np.full(lost, 1.0))
            steps[name] = StepSecond(requests, failed if name is LIST else 0, histogram.to_json())
        intervals.append(Interval(second + 1.0, 1.0, steps))
    return replace(
        run(GREEN),
        run_id=run_id,
        started=START + timedelta(days=night),
        seconds=Seconds(tuple(intervals)),
        provenance=provenance(),
        concerns=(),
    )
