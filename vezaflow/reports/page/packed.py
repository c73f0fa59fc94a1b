"""Histograms in a page, so that its reader may choose percentiles: small enough to be there, whole enough to be right.

Laws: the script's percentiles are the program's (nearest rank, a bucket's middle), to the last digit that is shown. A
flow's histogram is the sum of its steps' where gates judge all of it, else its own. Where all buckets together are more
than MOST, neighbours become one, and the error that the page names doubles with each halving.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from vezaflow.metrics import Histogram
from vezaflow.reports.page.tables import step_rows
from vezaflow.reports.rows import ALL, has_unjudged, trend
from vezaflow.results import RunResult

MOST = 24_000  # buckets: some 35 KB of a page


def packed_times(result: RunResult) -> dict[str, Any]:
    """`shift`: how many bits of the bucket numbers are gone; `times`: by key, a histogram or the keys of its parts."""
    rows = step_rows(result)
    whole = {f"step {number}": row.duration for number, row in enumerate(rows)}
    sums: dict[str, list[str]] = {}
    flows = (*result.flow_names, *([ALL] if len(result.flow_names) > 1 else ()))
    for flow in flows:
        if has_unjudged(result):
            held = trend(result.summary, "http_req_duration", None if flow == ALL else flow, judged=True)
            whole[f"flow {flow}"] = held
        else:
            sums[f"flow {flow}"] = [f"step {at}" for at, row in enumerate(rows) if flow in (ALL, row.flow)]
    buckets = {key: [_buckets(part) for part in _parts(times)] for key, times in whole.items()}
    shift = _shift([each for parts in buckets.values() for each in parts])
    times = {key: [_json(part, shift) for part in _parts(times)] for key, times in whole.items()}
    return {"shift": shift, "times": times, "sums": sums}


def _parts(times: Histogram) -> Iterator[Histogram]:
    """The times that are known, and the lower bounds of those that are not."""
    yield times
    if times.cut is not None:
        yield times.cut


def _buckets(times: Histogram) -> Mapping[int, int]:
    numbers, counts = times.buckets()
    return {number: many for number, many in zip(numbers.tolist(), counts.tolist(), strict=True) if number >= 0}


def _shift(parts: Sequence[Mapping[int, int]]) -> int:
    shift = 0
    while sum(len({number >> shift for number in part}) for part in parts) > MOST:
        shift += 1
    return shift


def _json(times: Histogram, shift: int) -> list[Any]:
    """Count, zeros, least and most in seconds, and the buckets: differences of their numbers, and counts."""
    if not times.count:
        return [0, 0, 0, 0, [], []]
    held: dict[int, int] = {}
    for number, many in _buckets(times).items():
        held[number >> shift] = held.get(number >> shift, 0) + many
    steps = [number - last for last, number in pairwise([0, *held])]
    return [times.count, times.zeros, times.minimum, times.maximum, steps, list(held.values())]
