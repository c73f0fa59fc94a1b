"""The HTTP API of Prometheus, as far as it is asked here: queries, and which version answers.

Laws: every request has a time limit, and nothing of it is retried. What does not answer, answers otherwise or says no
raises UnreadError with the reason in words; nothing else leaves this file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from vezaflow import __version__
from vezaflow.diagnostics import printable
from vezaflow.observe.histograms import Bucket
from vezaflow.observe.window import NativeSample, Value
from vezaflow.plan import PlannedPrometheus
from vezaflow.protocols import Exchange, RequestOptions, Transport, Want

MOST = 64 << 20  # bytes of a response
_SHOWN = 160  # characters of a response that explains itself


class UnreadError(Exception):
    """Why there are no figures, in words."""


@dataclass(frozen=True, slots=True)
class RawSeries:
    """A series with its samples, as they were scraped. `labels` are without the name."""

    name: str
    labels: Mapping[str, str]
    samples: tuple[tuple[float, Value], ...]


class PrometheusApi:
    """One Prometheus. The transport is its caller's."""

    def __init__(self, prometheus: PlannedPrometheus, transport: Transport) -> None:
        self._prometheus = prometheus
        self._client = transport.client(prometheus.client)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    async def query(self, promql: str, at: float | None = None) -> tuple[RawSeries, ...]:
        """The series at a moment (None: now, by the server's clock); of a range vector with all samples."""
        asked = {"query": promql} if at is None else {"query": promql, "time": f"{at:.3f}"}
        return _series(await self._post("/api/v1/query", asked))

    async def query_range(self, promql: str, begin: float, end: float, step: float) -> tuple[RawSeries, ...]:
        """The expression's values every `step` seconds."""
        asked = {"query": promql, "start": f"{begin:.3f}", "end": f"{end:.3f}", "step": f"{max(step, 0.001):.3f}"}
        return _series(await self._post("/api/v1/query_range", asked))

    async def now(self) -> float:
        """The time by the server's clock."""
        found = await self.query("time()")
        value = found[0].samples[0][1] if found and found[0].samples else None
        if not isinstance(value, float):
            raise UnreadError("the response to `time()` has no value")
        return value

    async def version(self) -> str:
        """The version, as far as it says one; empty otherwise."""
        try:
            found = await self._send("GET", "/api/v1/status/buildinfo", b"")
        except UnreadError:
            return ""
        return str(found.get("version", "")) if isinstance(found, dict) else ""

    async def _post(self, path: str, fields: Mapping[str, str]) -> Any:
        return await self._send("POST", path, urlencode(fields).encode())

    async def _send(self, method: str, path: str, body: bytes) -> Any:
        target = self._prometheus.targets.resolve(path)
        lines = {
            "host": f"Host: {target.origin.authority}",
            "user-agent": f"User-Agent: vezaflow/{__version__}",
            "accept": "Accept: application/json",
            **{name.lower(): f"{name}: {value}" for name, value in self._prometheus.headers},
            "content-type": "Content-Type: application/x-www-form-urlencoded",
            "content-length": f"Content-Length: {len(body)}",
        }
        head = "\r\n".join((f"{method} {target.target} HTTP/1.1", *lines.values(), "", "")).encode()
        options = RequestOptions(Want.HEADERS | Want.BODY | Want.SHOWN, self._prometheus.timeout)
        return _data(await self._client.send(target.origin, head, body, options))


def selector(name: str, match: tuple[tuple[str, str], ...], *, pattern: str = "") -> str:
    """The PromQL of a metric's series. `pattern`: a regular expression for the name instead."""
    parts = [f"{label}={quoted(value)}" for label, value in match]
    if pattern:
        parts.insert(0, f"__name__=~{quoted(pattern)}")
    inner = f"{{{','.join(parts)}}}" if parts else ""
    return inner if pattern else f"{name}{inner}"


def quoted(text: str) -> str:
    """A text as PromQL writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def duration(seconds: float) -> str:
    """A duration as PromQL writes it."""
    return f"{max(1, round(seconds * 1000))}ms"


def _data(exchange: Exchange) -> Any:
    """The `data` of a response that says yes."""
    import orjson

    if exchange.error is not None:
        detail = f": {exchange.detail}" if exchange.detail else ""
        raise UnreadError(printable(f"{exchange.error.value}{detail}"))
    try:
        answer = orjson.loads(exchange.body)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.get("status") == "success" and 200 <= exchange.status < 300:
        return answer.get("data")
    said = answer.get("error") if isinstance(answer, dict) else exchange.body[:1000].decode("utf-8", "replace")
    words = " ".join(str(said or "").split())
    words = words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…"
    status = f"status {exchange.status}"
    if 200 <= exchange.status < 300:
        raise UnreadError("the response is not one of Prometheus")
    raise UnreadError(printable(f"{status}: {words}" if words else status))


def _series(data: Any) -> tuple[RawSeries, ...]:
    try:
        if data["resultType"] == "scalar":
            return (RawSeries("", {}, (_sample(data["result"]),)),)
        return tuple(_one(each) for each in data["result"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise UnreadError("the response is not one of Prometheus") from None


def _one(record: Any) -> RawSeries:
    labels = {str(name): str(value) for name, value in record["metric"].items()}
    return RawSeries(labels.pop("__name__", ""), labels, tuple(_samples(record)))


def _samples(record: Any) -> Iterator[tuple[float, Value]]:
    for key, read in (("value", _sample), ("histogram", _native)):
        if key in record:
            yield read(record[key])
    for pair in record.get("values", ()):
        yield _sample(pair)
    for pair in record.get("histograms", ()):
        yield _native(pair)


def _sample(pair: Any) -> tuple[float, float]:
    at, value = pair
    return float(at), float(value)


def _native(pair: Any) -> tuple[float, NativeSample]:
    at, found = pair
    buckets = tuple(Bucket(float(low), float(high), float(count)) for _, low, high, count in found.get("buckets") or ())
    return float(at), NativeSample(float(found["count"]), float(found["sum"]), tuple(sorted(buckets)))
