"""`/metrics`: what the sandbox served, as Prometheus scrapes it (text format 0.0.4).

A classic histogram of the responses' times and a counter of responses, each by method and path template; the memory and
the CPU of the process. `DELETE /__stats` sets them back, as a restart would.
"""

import resource
import time
from collections.abc import Iterator

from vezaflow.sandbox.stats import EDGES, Tally

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
PATH = "/metrics"
HISTOGRAM = "http_request_duration_seconds"


class ProcessUse:
    """The CPU that the process took since it was asked last."""

    def __init__(self) -> None:
        self._at, self._used = time.monotonic(), time.process_time()

    def share(self) -> float:
        """The share of one core; of the last moment where that is all there is."""
        now, used = time.monotonic(), time.process_time()
        passed, spent = now - self._at, used - self._used
        self._at, self._used = now, used
        return spent / passed if passed > 0 else 0.0


def exposition(tallies: dict[str, Tally], use: ProcessUse) -> bytes:
    """The whole page."""
    return "".join(f"{line}\n" for line in _lines(tallies, use)).encode()


def _lines(tallies: dict[str, Tally], use: ProcessUse) -> Iterator[str]:
    served = [(*split_route(route), tally) for route, tally in sorted(tallies.items())]
    yield f"# HELP {HISTOGRAM} From a request's first byte to its last byte handed over."
    yield f"# TYPE {HISTOGRAM} histogram"
    for method, path, tally in served:
        labels = _labels(method=method, path=path)
        seen = 0
        for edge, count in zip((*map(str, EDGES), "+Inf"), tally.edges, strict=True):
            seen += count
            yield f'{HISTOGRAM}_bucket{{{labels},le="{edge}"}} {seen}'
        yield f"{HISTOGRAM}_sum{{{labels}}} {tally.seconds!r}"
        yield f"{HISTOGRAM}_count{{{labels}}} {seen}"
    yield "# HELP http_requests_total Responses sent."
    yield "# TYPE http_requests_total counter"
    for method, path, tally in served:
        for status, count in sorted(tally.statuses.items()):
            yield f"http_requests_total{{{_labels(method=method, path=path, status=str(status))}}} {count}"
    yield "# HELP process_cpu_seconds_total CPU time of the process."
    yield "# TYPE process_cpu_seconds_total counter"
    yield f"process_cpu_seconds_total {time.process_time()!r}"
    yield "# HELP process_cpu_ratio Share of one core since the last scrape."
    yield "# TYPE process_cpu_ratio gauge"
    yield f"process_cpu_ratio {use.share():.6f}"
    yield "# HELP process_max_resident_memory_bytes The most memory that the process has had."
    yield "# TYPE process_max_resident_memory_bytes gauge"
    yield f"process_max_resident_memory_bytes {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}"


def split_route(route: str) -> tuple[str, str]:
    """The method and the path's template of a route as it is counted; unknown paths are one."""
    method, space, path = route.partition(" ")
    return (method, path) if space and path.startswith("/") else ("", "unknown")


def _labels(**labels: str) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
