"""StatsD over UDP: counters as what came since the last payload, everything else as gauges.

Laws: labels are parts of the name (`vezaflow.browse.search.http_req_duration.p95`), or tags where those are switched on
(DogStatsD's `|#name:value`); what only failed responses have is named `failed`. A gauge below zero is set to 0 first:
StatsD takes a sign for a change. A datagram has whole lines and at most `MOST` bytes, which no network on the way cuts.
UDP tells of hardly any loss: what was lost is what could not be sent from here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import trio

from vezaflow.aside import patiently
from vezaflow.metrics import MetricKind
from vezaflow.outputs.posting import PostError
from vezaflow.outputs.prometheus import statistics
from vezaflow.outputs.series import SentSeries, SeriesBuilder
from vezaflow.outputs.sink import LIMITS, Say, Sink, SinkLimits
from vezaflow.outputs.tick import Tick
from vezaflow.plan import STATS, Plan, PlannedOutput

DATAGRAMS = replace(LIMITS, queue=10_000)  # 14 MB: a tick is one for about every 25 series
MOST = 1432  # bytes: an Ethernet frame's, without the heads of IP and UDP
_PARTS = (
    "scenario", "phase", "name", "method", "status", "error", "check", "group", "code", "gate", "instance", "verdict",
)  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_TAG = re.compile(r"[|#,:@\s]+")


class StatsD:
    """Makes datagrams of ticks."""

    def __init__(self, planned: PlannedOutput, plan: Plan) -> None:
        self._planned = planned
        self._builder = SeriesBuilder(plan)
        self._heads: dict[int, tuple[str, str]] = {}  # the name, and tags behind the line, by a series' number

    def encode(self, tick: Tick) -> Sequence[bytes]:
        """The tick as datagrams."""
        found: list[bytes] = []
        held = b""
        for line in self._lines(tick):
            if held and len(held) + 1 + len(line) > MOST:
                found.append(held)
                held = b""
            held = held + b"\n" + line if held else line
        return [*found, held] if held else found

    def _lines(self, tick: Tick) -> Iterator[bytes]:
        for series in patiently(self._builder.build(tick)):
            for end, value, kind in _values(series):
                line = self._line(series, end, value, kind)
                yield line if value >= 0 or kind != "g" else self._line(series, end, 0.0, kind) + b"\n" + line

    def _line(self, series: SentSeries, end: str, value: float, kind: str) -> bytes:
        head = self._heads.get(series.number)
        if head is None:
            head = self._heads[series.number] = self._head(series)
        return f"{head[0]}{end}:{_written(value)}|{kind}{head[1]}".encode()

    def _head(self, series: SentSeries) -> tuple[str, str]:
        labels = dict(series.labels)
        if self._planned.tags:
            tags = ",".join(f"{name}:{_TAG.sub('_', text)}" for name, text in labels.items())
            return f"{self._planned.prefix}{series.name}", f"|#{tags}"
        parts = [_UNSAFE.sub("_", labels[name]).strip("_") for name in _PARTS if name in labels]
        if labels.get("expected_response") == "false":
            parts.append("failed")
        return f"{self._planned.prefix}{'.'.join((*parts, series.name))}", ""


class UdpCarrier:
    """Sends datagrams to an address."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: trio.socket.SocketType | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            if self._socket is not None:
                self._socket.close()

    async def send(self, body: bytes) -> None:
        try:
            if self._socket is None:
                self._socket = await self._connected()
            await self._socket.send(body)
        except OSError as e:
            raise PostError(e.strerror or str(e)) from None

    async def _connected(self) -> trio.socket.SocketType:
        host, port = self._address
        (family, kind, protocol, _, address), *_ = await trio.socket.getaddrinfo(
            host, port, type=trio.socket.SOCK_DGRAM
        )
        found = trio.socket.socket(family, kind, protocol)
        await found.connect(address)
        return found


def statsd(planned: PlannedOutput, plan: Plan, say: Say, limits: SinkLimits = DATAGRAMS) -> Sink:
    """The output of a run."""
    carrier = UdpCarrier(planned.host, planned.port)
    return Sink(f"statsd ({planned.aim})", StatsD(planned, plan).encode, carrier, planned.every, say, limits)


def _values(series: SentSeries) -> Iterator[tuple[str, float, str]]:
    since = series.since
    match series.kind:
        case MetricKind.GAUGE:
            yield "", series.whole.value, "g"
        case MetricKind.COUNTER:
            if since.value:
                yield "", since.value, "c"
        case MetricKind.RATE:
            if since.total > 0:
                yield "", since.value / since.total, "g"
        case MetricKind.TREND:
            for stat, value in statistics(series, STATS):
                yield f".{stat}", value, "g"


def _written(value: float) -> str:
    """Without an exponent, which not every server reads."""
    return f"{value:.9f}".rstrip("0").rstrip(".") or "0"
