"""Remote write, held against a real Prometheus: k6's dashboards, quantiles, timestamps, gates and the run itself."""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import cramjam
import httpx
import pytest
from prometheus import Prometheus, prometheus
from told_run import CHECK, PLAN, RUN_ID, ToldRun

from vezaflow.metrics import Trend
from vezaflow.outputs import Tick
from vezaflow.outputs.prometheus import HEADERS, RemoteWrite, write_request
from vezaflow.plan import PlannedOutput

DASHBOARDS = Path(__file__).parent / "dashboards"
SECONDS, EVERY = 60, 5


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    with prometheus() as running:
        yield running


def planned(**settings: object) -> PlannedOutput:
    return PlannedOutput("prometheus", "--out prometheus", "http://127.0.0.1:9090", **settings)  # type: ignore[arg-type]


def wrote(server: Prometheus, run: ToldRun, output: PlannedOutput) -> float:
    """Write a whole run to the server; the moment of its last sample."""
    encoder = RemoteWrite(output, run.plan)
    end = 0.0
    for tick in run.ticks(SECONDS, every=EVERY):
        for body in encoder.encode(tick):
            answer = httpx.post(server.write_url, content=body, headers=HEADERS, trust_env=False)
            assert answer.status_code == 204, answer.text
        end = tick.at.timestamp()
    return end + 0.002


def queries(name: str) -> Mapping[str, str]:
    lines = (DASHBOARDS / f"{name}.txt").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if not line.startswith("#"))


def told(ticks: list[Tick], **settings: object) -> list[object]:
    """The messages that are made of ticks."""
    encoder = RemoteWrite(planned(**settings), PLAN)
    found = []
    for tick in ticks:
        for body in encoder.encode(tick):
            found.append(write_request()())
            found[-1].ParseFromString(bytes(cramjam.snappy.decompress_raw(body)))
    return found


def names(message: object) -> list[dict[str, str]]:
    return [{label.name: label.value for label in each.labels} for each in message.timeseries]  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("stat", ["p95", "avg"])
def test_every_panel_of_k6s_dashboard_has_data(server: Prometheus, stat: str) -> None:
    end = wrote(server, ToldRun(), planned(labels=(("testid", f"gauges-{stat}"),)))
    empty = []
    for panel, query in queries("gauges").items():
        if panel == "label_values":
            assert any(each.get("testid") == f"gauges-{stat}" for each in server.series("k6_vus"))
            continue
        asked = query.replace("ID", f"gauges-{stat}").replace("STAT", stat).replace("RANGE", "1m")
        found = server.query(asked, end)
        if not found or any(math.isnan(float(each["value"][1])) for each in found):
            empty.append(panel)
    assert empty == []


@pytest.mark.slow
def test_every_panel_of_k6s_native_dashboard_has_data(server: Prometheus) -> None:
    end = wrote(server, ToldRun(), planned(labels=(("testid", "native"),), native=True))
    empty = []
    for panel, query in queries("native").items():
        if panel == "label_values":
            continue
        asked = query.replace("ID", "native").replace("QUANTILE", "0.99").replace("RANGE", "1m")
        found = server.query(asked, end)
        if not found or any(math.isnan(float(each["value"][1])) for each in found):
            empty.append(panel)
    assert empty == []


@pytest.mark.slow
def test_prometheus_agrees_with_the_result_within_the_schemas_error(server: Prometheus) -> None:
    run = ToldRun(requests=400)
    end = wrote(server, run, planned(labels=(("testid", "agrees"),), native=True))
    series = 'k6_http_req_duration_seconds{testid="agrees"}'
    for share in (0.5, 0.9, 0.95, 0.99):
        ours = Trend(run.duration()).aggregate("p", share * 100)
        theirs = server.value(f"histogram_quantile({share}, sum(increase({series}[2m])))", end)
        assert theirs == pytest.approx(ours, rel=2 ** (1 / 32) - 1), share
    requests = run.recorder.snapshot().select("http_reqs").aggregate("count")
    assert server.value(f"sum(histogram_count({series}))", end) == requests
    total = server.value(f"sum(histogram_sum({series}))", end)
    assert total / (requests or 1) == pytest.approx(Trend(run.duration()).aggregate("avg"), rel=1e-6)


@pytest.mark.slow
def test_gates_and_the_run_are_there_to_be_drawn_and_alerted_on(server: Prometheus) -> None:
    end = wrote(server, ToldRun(), planned(labels=(("testid", "gates"),)))
    broken = 'gate="http_req_duration: p(99) < 20 ms",scenario="browse",testid="gates"'
    assert server.value(f"vezaflow_gate_ok{{{broken}}}", end) == 0
    assert server.value(f"vezaflow_gate_bound{{{broken}}}", end) == 0.02
    assert server.value(f"vezaflow_gate_value{{{broken}}}", end) > 0.02
    assert server.value('sum(vezaflow_gate_ok{testid="gates"})', end) == 2
    (info,) = server.query('vezaflow_run_info{testid="gates"} == 1', end)
    assert info["metric"] | {"run_id": RUN_ID, "suite": "test", "commit": "0123abc", "verdict": "red"} == info["metric"]
    assert server.value('vezaflow_generator_lag_p99_seconds{testid="gates",instance="1"}', end) == 0.0021


@pytest.mark.slow
def test_a_rate_counts_the_first_samples_of_a_series_too(server: Prometheus) -> None:
    run = ToldRun()
    end = wrote(server, run, planned(labels=(("testid", "first"),)))
    requests = run.recorder.snapshot().select("http_reqs").aggregate("count")
    last = 'last_over_time(k6_http_reqs_total{testid="first"}[2m])'
    assert server.value(f"sum({last})", end) == requests
    begin = 'min_over_time(k6_http_reqs_total{testid="first"}[2m])'
    assert server.value(f"sum({begin})", end) == 0


@pytest.mark.slow
def test_series_can_end_with_the_run(server: Prometheus) -> None:
    end = wrote(server, ToldRun(), planned(labels=(("testid", "stale"),), stale_markers=True, native=True))
    assert server.query('{testid="stale"}', end) == []
    assert server.query('k6_vus{testid="stale"}', end - 2) != []
    assert server.query('last_over_time(k6_http_reqs_total{testid="stale"}[5m])', end) != []


def test_the_request_is_what_k6_sends() -> None:
    from vezaflow.outputs.prometheus import STALE

    assert HEADERS["Content-Encoding"] == "snappy"
    assert HEADERS["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    assert struct.pack("<d", STALE) == bytes.fromhex("0200000000 00f07f".replace(" ", ""))
    assert urlsplit("http://localhost:9090/api/v1/write").path == "/api/v1/write"


def test_failures_are_apart_by_step_and_not_by_status() -> None:
    run = ToldRun()
    first, *_ = told(list(run.ticks(10, every=5)))
    rates = [each for each in names(first) if each["__name__"] == "k6_http_req_failed_rate"]
    assert sorted(each["name"] for each in rates) == ["order", "search"]
    assert not any({"status", "error", "expected_response"} & each.keys() for each in rates)


def test_labels_are_k6s_and_sorted() -> None:
    run = ToldRun()
    first, *_ = told(list(run.ticks(2)))
    (found,) = (
        each for each in names(first) if each["__name__"] == "k6_http_req_duration_p95" and each["name"] == "search"
    )
    assert found == {
        "__name__": "k6_http_req_duration_p95",
        "scenario": "browse",
        "name": "search",
        "url": "search",
        "method": "GET",
        "status": "200",
        "expected_response": "true",
        "team": "media",
        "testid": RUN_ID,
    }
    assert any(each.get("check") == CHECK for each in names(first))
    for series in first.timeseries:  # type: ignore[attr-defined]
        written = [label.name for label in series.labels]
        assert written == sorted(written)


def test_timestamps_rise_even_where_the_clock_does_not() -> None:
    run = ToldRun()
    ticks = list(run.ticks(3))
    stuck = [ticks[0], ticks[0], ticks[0]]
    stamps = [message.timeseries[-1].samples[-1].timestamp for message in told(stuck)]  # type: ignore[attr-defined]
    assert stamps == sorted(set(stamps))


def test_statistics_are_chosen_and_named_as_k6_does() -> None:
    run = ToldRun()
    first, *_ = told(list(run.ticks(2)), stats=("count", "sum", "p99.9"))
    found = {each["__name__"] for each in names(first) if each["__name__"].startswith("k6_http_req_duration")}
    assert found == {f"k6_http_req_duration_{stat}" for stat in ("count", "sum", "p999")}


def test_gauges_are_of_the_last_interval_and_counters_of_the_run() -> None:
    run = ToldRun(requests=10)
    messages = told(list(run.ticks(10, every=5)), stats=("count",))
    counts, totals = [], []
    for message in messages[:2]:
        for series, labels in zip(message.timeseries, names(message), strict=True):  # type: ignore[attr-defined]
            if labels["__name__"] == "k6_http_req_duration_count" and labels["name"] == "search":
                counts.append(series.samples[-1].value)
            if labels["__name__"] == "k6_http_reqs_total" and labels["name"] == "search":
                totals.append(series.samples[-1].value)
    assert (counts, totals) == ([10, 10], [10, 20])


@pytest.mark.parametrize("native", [False, True])
def test_payloads_are_the_bytes_that_their_messages_have(native: bool) -> None:
    run = ToldRun()
    encoder = RemoteWrite(planned(native=native, stale_markers=True, labels=(("Zone", "a"),)), PLAN)
    for tick in run.ticks(4):
        for body in encoder.encode(tick):
            written = bytes(cramjam.snappy.decompress_raw(body))
            assert write_request().FromString(written).SerializeToString() == written


def test_a_payload_is_whole_though_its_time_takes_more_bytes_than_that_of_the_one_before() -> None:
    encoder = RemoteWrite(planned(), PLAN)
    for second, tick in enumerate(ToldRun().ticks(4)):
        (body,) = encoder.encode(replace(tick, at=datetime.fromtimestamp(0.2 + second**8, UTC)))
        message = write_request().FromString(bytes(cramjam.snappy.decompress_raw(body)))
        stamps = {each.samples[-1].timestamp for each in message.timeseries}
        assert stamps == {200 + second**8 * 1000}
