"""The server's own figures, from a real Prometheus that scrapes the sandbox each second."""

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from math import isclose
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import trio
from listener import Answer, listener
from native_histograms import NativeHistogram, push
from program import Done, interrupted, vezaflow
from prometheus import Prometheus, needs_prometheus, prometheus

from vezaflow.metrics import Metric, MetricKind, Of
from vezaflow.model import ObservedKind
from vezaflow.observe import Observed, ObservedFigures, Period, PrometheusApi, ServerNow, read, server_now
from vezaflow.plan import ObservedMetric, PlannedPrometheus, Targets
from vezaflow.protocols import ClientOptions, Transport
from vezaflow.reports import from_json, summary_json, to_json
from vezaflow.sandbox import Sandbox, SandboxSettings, start
from vezaflow.units import Dimension

pytestmark = pytest.mark.slow

LATENCY = "http_request_duration_seconds"
SUITE = """
suite: observed
base_url: ${env.BASE_URL}
secrets: [PROMETHEUS_TOKEN]
observe:
  prometheus:
    url: ${env.PROMETHEUS_URL ?? ""}
    auth: {bearer: "${env.PROMETHEUS_TOKEN ?? 'none'}"}
    timeout: 2s
    metrics:
      latency: {histogram: http_request_duration_seconds, by: [method, path], match: {job: test}}
      requests: {counter: http_requests_total, by: [status]}
      cpu: {gauge: process_cpu_ratio}
      burnt: {query: "sum(increase(process_cpu_seconds_total[$__range]))", unit: seconds}
gates:
"""
FLOW = """
load: {vus: 2, duration: %s}
vars: {track: "${env.STREAM_TRACK_ID}"}
steps:
  - get: /api/v1/tracks
    name: list
  - get: /api/v1/tracks/${track}
  - think: 20ms
gates: {http_req_failed: rate < 1 %%}
"""
T = TypeVar("T")
TOKEN = "glpt-5uYVQ7YF3LmN9qZ"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with start(SandboxSettings(latency=0.012)) as running:
        yield running


@pytest.fixture(scope="module")
def scraping(sandbox: Sandbox) -> Iterator[Prometheus]:
    with prometheus(targets=[sandbox.base_url.removeprefix("http://")]) as running:
        running.until('up{job="test"} == 1')
        yield running


def written(folder: Path, *gates: str, duration: str = "3s") -> Path:
    (folder / "suite.yml").write_text(SUITE + "".join(f"  {gate}\n" for gate in gates))
    (folder / "browse.yml").write_text(FLOW % duration)
    return folder


def run(sandbox: Sandbox, url: str, folder: Path, *gates: str, duration: str = "3s") -> tuple[Done, dict[str, Any]]:
    written(folder, *gates, duration=duration)
    summary = folder / "summary.json"
    env = {**sandbox.environment, "PROMETHEUS_URL": url, "PROMETHEUS_TOKEN": TOKEN}
    done = vezaflow("run", folder, "--summary", summary, "--no-history", env=env)
    assert TOKEN not in done.text
    return done, json.loads(summary.read_text())


def planned(url: str, *metrics: ObservedMetric, wait: float = 20.0) -> PlannedPrometheus:
    return PlannedPrometheus(Targets(url, ()), ClientOptions(cookies=False), (), 5.0, wait, metrics)


def histogram(of: str, *by: str) -> ObservedMetric:
    metric = Metric("server.latency", MetricKind.TREND, Dimension.TIME, "", by, Of.ELSEWHERE, "")
    return ObservedMetric("latency", ObservedKind.HISTOGRAM, of, (), by, metric, 1.0)


def asking(plan: PlannedPrometheus, ask: Callable[[PrometheusApi], Awaitable[T]]) -> T:
    found: list[T] = []

    async def main() -> None:
        transport = Transport()
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.run)
            api = PrometheusApi(plan, transport)
            found.append(await ask(api))
            api.close()
            nursery.cancel_scope.cancel()

    trio.run(main)
    return found[0]


def reading(plan: PlannedPrometheus, period: Period) -> Observed:
    return asking(plan, lambda api: read(plan, api, {None: period}, 0.0))


def figures(observed: Observed) -> ObservedFigures:
    assert observed.problem == ""
    (found,) = observed.figures
    assert found.problem == ""
    return found


@needs_prometheus
def test_quantiles_are_those_of_prometheus_over_the_same_scrapes(sandbox: Sandbox, scraping: Prometheus) -> None:
    with httpx.Client(base_url=sandbox.base_url, trust_env=False) as client:
        client.get("/api/v1/tracks")
        scraping.until(f'{LATENCY}_count{{path="/api/v1/tracks"}} > 0')
        begin = time.time()
        while time.time() < begin + 2.5:
            client.get("/api/v1/tracks")
            client.get(f"/api/v1/tracks/{sandbox.track_id}")
        period = Period(begin, time.time())
    found = figures(reading(planned(scraping.url, histogram(LATENCY, "path")), period))
    paths = {dict(each.labels)["path"]: each for each in found.series}
    series = paths["/api/v1/tracks"]
    assert series.begin <= period.begin
    assert series.end >= period.end
    assert series.seconds < period.seconds + 2.5
    chosen = f'{LATENCY}_bucket{{path="/api/v1/tracks"}}[{round(series.seconds * 1000)}ms]'
    for share in (0.1, 0.5, 0.9, 0.95, 0.99, 1.0):
        theirs = scraping.value(f"histogram_quantile({share}, sum by (le) (increase({chosen})))", series.end)
        ours = found.quantile((series,), share)
        assert ours is not None
        assert theirs is not None
        assert isclose(ours.value, theirs, rel_tol=1e-9)
        assert ours.low < theirs <= ours.high


@needs_prometheus
def test_figures_of_another_time_are_none(scraping: Prometheus, sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.base_url, trust_env=False) as client:
        client.get("/api/v1/tracks")
    scraping.until(f'count_over_time({LATENCY}_count{{path="/api/v1/tracks"}}[1m]) > 2')
    now = time.time()
    observed = reading(planned(scraping.url, histogram(LATENCY, "path")), Period(now - 900, now - 0.5))
    (found,) = observed.figures
    assert f"Prometheus has samples of {LATENCY} for only" in found.problem


@needs_prometheus
def test_what_is_waited_for_is_bounded(scraping: Prometheus) -> None:
    begin = time.monotonic()
    observed = reading(planned(scraping.url, histogram(LATENCY), wait=1.0), Period(time.time(), time.time() + 600))
    (figures_until_then,) = observed.figures
    assert figures_until_then.problem.startswith("Prometheus has ")
    assert time.monotonic() - begin < 60


@needs_prometheus
def test_native_histograms_have_the_quantiles_of_prometheus() -> None:
    with prometheus() as running:
        labels = {"__name__": "rpc_seconds", "job": "pushed"}
        base = round(time.time(), 3) - 8
        counts = [3, 1, 4, 1, 5]
        for second in range(9):
            counts = [count + step for count, step in zip(counts, (2, 7, 1, 8, 2), strict=True)]
            push(running, labels, NativeHistogram(base + second, second * 3.0, -20, counts))
        running.until("histogram_count(rpc_seconds) > 0")
        found = figures(
            reading(planned(running.url, histogram("rpc_seconds"), wait=5.0), Period(base + 1.5, base + 6.5))
        )
        (series,) = found.series
        assert (round(series.begin - base, 3), round(series.end - base, 3)) == (1.0, 7.0)
        assert series.count == 20 * 6
        assert isclose(series.total, 18.0)
        for share in (0.1, 0.5, 0.95, 0.99):
            chosen = f"rpc_seconds[{round(series.seconds * 1000)}ms]"
            theirs = running.value(f"histogram_quantile({share}, sum(increase({chosen})))", series.end)
            ours = found.quantile((series,), share)
            assert ours is not None
            assert theirs is not None
            assert isclose(ours.value, theirs, rel_tol=1e-9)
            assert isclose(ours.high / ours.low, 2 ** (1 / 8))


@needs_prometheus
def test_a_run_is_judged_by_the_servers_figures(sandbox: Sandbox, scraping: Prometheus, tmp_path: Path) -> None:
    done, record = run(
        sandbox,
        scraping.url,
        tmp_path,
        "server.latency{path:/api/v1/tracks}: [p(95) < 200 ms, avg < 200 ms, count > 10]",
        "server.latency: p(95) > 1 ms",
        "server.requests{status:200}: [rate > 5/s, count > 10]",
        "server.cpu: max < 1000 %",
        "server.burnt: value < 1 m",
    )
    assert done.code in (0, 98), done.text  # 98: a busy machine that is short of the load
    assert {gate["outcome"] for gate in record["gates"] if gate["metric"] != "http_req_failed"} == {"green"}
    observed = record["observed"]
    assert isinstance(observed, dict)
    rows = {row["path"]: row for row in observed["paths"]}
    listed, one = rows["/api/v1/tracks"], rows["/api/v1/tracks/{id}"]
    assert (listed["steps"], one["steps"]) == (["browse › list"], ["browse › GET /api/v1/tracks/${track}"])
    for row in (listed, one):
        assert row["client_requests"] == row["server_requests"] > 10
        assert row["missing"] == ""
        assert row["p95"]["server"]["low"] < row["p95"]["client"]
    assert "Client and server" in done.out
    assert abs(observed["clock_offset"]) < 1.0
    assert summary_json(from_json(record)) == summary_json(from_json(json.loads(summary_json(from_json(record)))))
    assert to_json(from_json(record))["observed"] == observed
    assert to_json(from_json(record))["gates"] == record["gates"]


@needs_prometheus
def test_the_display_gets_the_servers_p95_while_the_load_goes_on(sandbox: Sandbox, scraping: Prometheus) -> None:
    def once() -> tuple[ServerNow, ...]:
        with httpx.Client(base_url=sandbox.base_url, trust_env=False) as client:
            for _ in range(10):
                client.get("/api/v1/tracks")
        plan = planned(scraping.url, histogram(LATENCY, "path"))
        return asking(plan, lambda api: server_now(plan, api, 10.0))

    scraping.when(once, "a p95")
    (now,) = once()
    assert now.name == "latency"
    assert 0.01 < now.p95 <= 0.025


@needs_prometheus
def test_a_bound_within_the_bucket_is_inconclusive_and_says_which(
    sandbox: Sandbox, scraping: Prometheus, tmp_path: Path
) -> None:
    done, record = run(sandbox, scraping.url, tmp_path, "server.latency: [p(50) < 24 ms, p(50) < 5 ms]", duration="2s")
    assert done.code == 99, done.text
    within, broken = (gate for gate in record["gates"] if gate["metric"] == "server.latency")
    assert (within["outcome"], within["between"]) == ("inconclusive", [0.01, 0.025])
    assert "between 10 ms and 25 ms" in within["reason"]
    assert "24 ms lies within" in within["reason"]
    assert broken["outcome"] == "red"


@needs_prometheus
def test_a_series_that_prometheus_lacks_makes_its_gates_inconclusive(
    sandbox: Sandbox, scraping: Prometheus, tmp_path: Path
) -> None:
    done, record = run(sandbox, scraping.url, tmp_path, "server.latency{path:/nowhere}: p(95) < 1 s", duration="1s")
    assert done.code == 98
    reasons = [gate["reason"] for gate in record["gates"]]
    assert f"Prometheus has no series of {LATENCY} with path:/nowhere" in reasons


GATE = "server.latency: p(95) < 1 s"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([Answer(hangs=True)], "timeout_wait"),
        ([Answer(503, b"<html>no backend")], "status 503: <html>no backend"),
        ([Answer(403, f'{{"status":"error","error":"{TOKEN} may not"}}'.encode())], "status 403: ••• may not"),
        ([Answer(200, b"<html>welcome")], "the response is not one of Prometheus"),
        ([Answer(200, b'{"status":"success","data":{"resultType":"scalar","result":[1]}}')], "not one of Prometheus"),
    ],
    ids=["hangs", "down", "forbidden", "no Prometheus", "nonsense"],
)
def test_a_prometheus_that_fails_leaves_the_load_alone(
    sandbox: Sandbox, tmp_path: Path, answers: list[Answer], reason: str
) -> None:
    with listener(**{"api/v1/query": answers}) as server:
        done, record = run(sandbox, server.url, tmp_path, GATE, duration="1s")
        (first, *_) = server.to("/api/v1/query")
        assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert done.code == 98, done.text
    held, other = record["gates"]
    assert {held["outcome"], other["outcome"]} == {"green", "inconclusive"}
    (said,) = [gate["reason"] for gate in record["gates"] if gate["outcome"] == "inconclusive"]
    assert reason in said
    assert "the server's figures could not be read" in said
    assert record["duration"] < 2.0
    assert record["observed"]["problem"] in said


def test_nobody_listens(sandbox: Sandbox, tmp_path: Path) -> None:
    done, record = run(sandbox, "http://127.0.0.1:9", tmp_path, GATE, duration="1s")
    assert done.code == 98
    assert "refused" in record["observed"]["problem"]


def test_without_a_url_nothing_is_read(sandbox: Sandbox, tmp_path: Path) -> None:
    done, record = run(sandbox, "", tmp_path, GATE, duration="1s")
    assert done.code == 98
    assert record["observed"] is None
    assert "`observe` has no URL here" in done.out


def test_ctrl_c_ends_the_reading(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = written(tmp_path, GATE, duration="30s")
    text = (folder / "suite.yml").read_text().replace("timeout: 2s", "timeout: 60s")
    (folder / "suite.yml").write_text(text)
    with listener(**{"api/v1/query": [Answer(hangs=True)]}) as server:
        env = {**sandbox.environment, "PROMETHEUS_URL": server.url}
        done = interrupted("run", folder, "--no-history", when="1 flow", times=2, env=env)
    assert done.code == 130, done.text
    assert done.seconds < 15
    assert "aborted manually" in done.out


def test_the_guard_refuses_a_host_that_is_not_listed(sandbox: Sandbox, tmp_path: Path) -> None:
    env = {**sandbox.environment, "PROMETHEUS_URL": "http://prometheus.example.org:9090"}
    done = vezaflow("run", written(tmp_path, GATE), "--no-history", env=env)
    assert done.code == 97
    assert "`observe`: prometheus.example.org is not loopback and not in `guard: allow`" in done.text
