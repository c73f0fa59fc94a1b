"""What the sandbox served and how long it took by its own clock, for whoever checks a load tool's figures.

A request's time runs from its first parsed byte until its last byte was handed to the transport. Kept in
log-linear buckets of at most 0.2 % width, so a run of any length costs the same memory.
"""

from bisect import bisect_left
from collections import Counter

EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # of Prometheus' client libraries, in seconds
EXACT = 1024  # below so many microseconds each has a bucket of its own
HALF = EXACT // 2
BUCKETS = EXACT + HALF * 22  # up to an hour


class Tally:
    """The requests of one route: how many with which status, and their times."""

    __slots__ = ("buckets", "edges", "seconds", "statuses")

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.buckets = [0] * BUCKETS
        self.edges = [0] * (len(EDGES) + 1)  # below each edge and above the one before; then above them all
        self.seconds = 0.0

    def record(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.buckets[bucket_of(int(seconds * 1e6))] += 1
        self.edges[bisect_left(EDGES, seconds)] += 1
        self.seconds += seconds


class Stats:
    """Tallies by route."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    @property
    def tallies(self) -> dict[str, Tally]:
        return self._tallies

    def record(self, route: str, status: int, seconds: float) -> None:
        tally = self._tallies.get(route)
        if tally is None:
            tally = self._tallies[route] = Tally()
        tally.record(status, seconds)

    def clear(self) -> None:
        self._tallies.clear()

    def report(self) -> dict[str, object]:
        """Counts and times (seconds) by route, and of everything together."""
        routes = sorted(self._tallies.items())
        together = [sum(column) for column in zip(*(t.buckets for _, t in routes), strict=True)]
        return {
            "requests": {route: sum(tally.statuses.values()) for route, tally in routes},
            "statuses": {route: {str(s): n for s, n in sorted(t.statuses.items())} for route, t in routes},
            "seconds": {route: quantiles(tally.buckets) for route, tally in routes},
            "total": {"requests": sum(together), "seconds": quantiles(together)},
        }


def bucket_of(microseconds: int) -> int:
    if microseconds < EXACT:
        return microseconds
    shift = microseconds.bit_length() - 10
    return min(EXACT + (shift - 1) * HALF + (microseconds >> shift) - HALF, BUCKETS - 1)


def middle_of(bucket: int) -> float:
    """The middle of a bucket, in seconds."""
    if bucket < EXACT:
        return (bucket + 0.5) / 1e6
    shift, place = divmod(bucket - EXACT, HALF)
    return (place + HALF + 0.5) * (1 << (shift + 1)) / 1e6


def quantiles(buckets: list[int]) -> dict[str, float]:
    """p50, p95, p99 and the largest, in seconds; empty when nothing was counted."""
    total = sum(buckets)
    if not total:
        return {}
    wanted = {"p50": 0.50 * total, "p95": 0.95 * total, "p99": 0.99 * total, "max": total}
    found: dict[str, float] = {}
    seen = 0
    for bucket, count in enumerate(buckets):
        if count:
            seen += count
            for name, rank in wanted.items():
                if name not in found and seen >= rank:
                    found[name] = middle_of(bucket)
    return found
