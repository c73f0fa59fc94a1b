"""A run as a table: per second one row for the run, one for each flow and one for each step with requests.

Laws: figures are of that second; times in seconds, a cell without data is empty. A row of a flow has no step, the row
of the run no flow. `vus` stands in rows of the run and of flows. No secret is in it.
"""

import csv
import io
from collections.abc import AsyncIterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from vezaflow.metrics import INTERRUPTED, Histogram, Summary, Trend
from vezaflow.outputs.line_file import write_lines
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Secrets

COLUMNS = (
    "time", "elapsed", "flow", "step", "method", "vus", "http_reqs", "failed", "data_sent", "data_received",
    "min", "avg", "med", "p90", "p95", "p99", "max",
)  # fmt: skip
_Place = tuple[str, str, str]  # flow, step, method


@dataclass(slots=True)
class _Row:
    requests: int = 0
    failed: int = 0
    sent: int = 0
    received: int = 0
    times: Histogram = field(default_factory=Histogram)


class CsvRows:
    """An Output that writes to a file; `-` is standard output."""

    def __init__(self, file: str, secrets: Secrets) -> None:
        self.name = f"csv={file}"
        self._file = file
        self._secrets = secrets
        self._before: dict[_Place, _Row] = {}
        self._headed = False

    async def run(self, ticks: AsyncIterable[Tick]) -> None:
        await write_lines(self._file, ticks, self.encode)

    def encode(self, tick: Tick) -> bytes:
        """The rows of a tick, behind the head of the table with the first."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._headed:
            self._headed = True
            writer.writerow(COLUMNS)
        now = _rows(tick.summary)
        vus = {"": tick.pooled.vus, **{flow.flow: flow.vus for flow in tick.flows}}
        for flow in ("", *(each.flow for each in tick.flows)):
            now.setdefault((flow, "", ""), _Row())
        for place, row in sorted(now.items()):
            running = "" if place[1] else vus.get(place[0], "")
            cells = self._cells(row, self._before.get(place, _Row()))
            names = [self._secrets.mask(name) for name in place]
            writer.writerow((tick.at.isoformat(), f"{tick.elapsed:.3f}", *names, running, *cells))
        self._before = now
        return text.getvalue().encode()

    @staticmethod
    def _cells(now: _Row, before: _Row) -> Iterator[Any]:
        yield now.requests - before.requests
        yield now.failed - before.failed
        yield now.sent - before.sent
        yield now.received - before.received
        trend = Trend(now.times.minus(before.times))
        for name, argument in (
            ("min", None), ("avg", None), ("med", None), ("p", 90.0), ("p", 95.0), ("p", 99.0), ("max", None),
        ):  # fmt: skip
            value = trend.aggregate(name, argument)
            yield "" if value is None else f"{float(value):.6f}"


def _rows(summary: Summary) -> dict[_Place, _Row]:
    found: dict[_Place, _Row] = {}
    for key, held in summary.requests.items():
        if key.error == INTERRUPTED:
            continue
        at = key.at  # setup, teardown and events have no flow: its row is the run's
        for place in {(at.flow, at.step, at.method), (at.flow, "", ""), ("", "", "")}:
            row = found.setdefault(place, _Row())
            row.requests += held.count
            row.failed += held.count if key.error else 0
            row.sent += held.bytes_sent
            row.received += held.bytes_received
            row.times.add(held.duration)
    return found
