"""OTLP, InfluxDB, StatsD, CSV and a webhook: what they send, read back by other people's parsers or the standard
library's."""

import csv
import gzip
import io
import json
import math
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from listener import Answer, listener
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from told_run import PLAN, RUN_ID, ToldRun

from vezaflow.gates import Outcome
from vezaflow.metrics import Phase, Trend
from vezaflow.outputs import OutputError, Tick, output_of
from vezaflow.outputs.csv_rows import CsvRows
from vezaflow.outputs.influx import Influx
from vezaflow.outputs.otlp import HEADERS, Otlp
from vezaflow.outputs.statsd import MOST, StatsD
from vezaflow.plan import PlannedOutput, Secrets, Targets


def planned(name: str, **settings: Any) -> PlannedOutput:
    return PlannedOutput(name, f"--out {name}", "x", **settings)


async def ran(output: PlannedOutput, ticks: list[Tick]) -> None:
    send, receive = trio.open_memory_channel[Tick](len(ticks))
    async with send:
        for tick in ticks:
            send.send_nowait(tick)
    await output_of(output, PLAN, print).run(receive)


def exported(run: ToldRun, seconds: int = 4, **settings: Any) -> list[dict[str, Any]]:
    """The metrics by name that each payload has."""
    encoder = Otlp(planned("otlp", **settings), PLAN)
    found = []
    for tick in run.ticks(seconds):
        for body in encoder.encode(tick):
            request = ExportMetricsServiceRequest.FromString(gzip.decompress(body))
            (resource,) = request.resource_metrics
            about = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert about["service.name"] == "vezaflow"
            assert about["vezaflow.run.id"] == RUN_ID
            (scope,) = resource.scope_metrics
            found.append({metric.name: metric for metric in scope.metrics})
    return found


def attributes(point: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in point.attributes}


def quantile(point: Any, share: float) -> float:
    """Of an exponential histogram without zeros, as the specification of its buckets has it."""
    base = 2 ** (2**-point.scale)
    rank, seen = math.ceil(share * point.count), point.zero_count
    for number, count in enumerate(point.positive.bucket_counts):
        seen += count
        if seen >= rank:
            return float(base ** (point.positive.offset + number + 0.5))
    raise AssertionError("fewer samples than its count says")


def test_exponential_histograms_have_the_results_percentiles() -> None:
    run = ToldRun(requests=300)
    last = exported(run)[-1]["http_req_duration"]
    assert last.unit == "s"
    assert last.exponential_histogram.aggregation_temporality == 2
    summary = run.recorder.snapshot()
    points = [each for each in last.exponential_histogram.data_points if attributes(each)["name"] == "search"]
    (point,) = points
    ours = summary.select("http_req_duration", labels=(("step", "search"),))
    assert point.count == ours.samples
    assert point.sum / point.count == pytest.approx(ours.aggregate("avg"))
    for share in (0.5, 0.95, 0.99):
        assert quantile(point, share) == pytest.approx(ours.aggregate("p", share * 100), rel=0.022)
    assert isinstance(ours, Trend)
    assert (point.min, point.max) == (ours.aggregate("min"), ours.aggregate("max"))


def test_delta_points_add_up_to_the_cumulative_ones() -> None:
    whole, parts = exported(ToldRun()), exported(ToldRun(), delta=True)

    def total(payload: dict[str, Any], name: str) -> int:
        return sum(point.as_int for point in payload[name].sum.data_points)

    assert sum(total(part, "http_reqs") for part in parts) == total(whole[-1], "http_reqs")
    assert {part["http_reqs"].sum.aggregation_temporality for part in parts} == {1}
    counts = [
        sum(point.count for point in part["http_req_duration"].exponential_histogram.data_points)
        for part in parts
        if "http_req_duration" in part
    ]
    held = whole[-1]["http_req_duration"].exponential_histogram.data_points
    assert sum(counts) == sum(point.count for point in held)


def test_points_say_since_when_and_delta_points_follow_each_other() -> None:
    for delta in (False, True):
        before = None
        for payload in exported(ToldRun(), delta=delta):
            (point, *_) = payload["iterations"].sum.data_points
            assert point.start_time_unix_nano < point.time_unix_nano
            if before is not None:
                assert point.start_time_unix_nano == (before.time_unix_nano if delta else before.start_time_unix_nano)
            before = point


def test_points_begin_with_the_load_also_where_the_first_tick_is_late() -> None:
    run, request = ToldRun(), ExportMetricsServiceRequest()
    (sent,) = Otlp(planned("otlp"), PLAN).encode(replace(next(run.ticks(1)), elapsed=0.6))
    request.ParseFromString(gzip.decompress(sent))
    metrics = request.resource_metrics[0].scope_metrics[0].metrics
    (counter,) = (each for each in metrics if each.name == "http_reqs")
    begins = [point.start_time_unix_nano / 1e9 for point in counter.sum.data_points]
    assert begins == pytest.approx([run.began.timestamp()] * len(begins), abs=0.001)


def test_a_rate_is_a_counter_apart_by_its_condition() -> None:
    last = exported(ToldRun())[-1]["http_req_failed"].sum
    found = {
        attributes(each)["condition"]: each.as_int for each in last.data_points if attributes(each)["name"] == "order"
    }
    assert found == {"nonzero": 4, "zero": 200}


@pytest.mark.trio
async def test_otlp_is_posted_gzipped() -> None:
    with listener() as server:
        target = Targets(server.url, ()).resolve("/v1/metrics")
        await ran(planned("otlp", target=target, headers=(("Authorization", "Bearer t"),)), list(ToldRun().ticks(2)))
    assert len(server.asked) == 3
    for asked in server.asked:
        assert asked.headers["content-type"] == "application/x-protobuf"
        assert asked.headers["content-encoding"] == HEADERS["Content-Encoding"]
        assert asked.headers["authorization"] == "Bearer t"
        assert ExportMetricsServiceRequest.FromString(gzip.decompress(asked.body)).resource_metrics


@pytest.mark.trio
async def test_points_that_a_collector_refuses_are_counted_as_lost() -> None:
    answer = ExportMetricsServiceResponse()
    answer.partial_success.rejected_data_points = 7
    answer.partial_success.error_message = "too old"
    with listener(write=[Answer(body=answer.SerializeToString())]) as server:
        target = Targets(server.url, ()).resolve("/write")
        with pytest.raises(OutputError, match="lost 2 of 2 payloads: 7 points of a payload refused: too old"):
            await ran(planned("otlp", target=target), list(ToldRun().ticks(1)))


_VALUE = r"(?:[^\s,=\\]|\\[,= ])+"
_FIELD = r"\w+=[\d.e+-]+"
LINE = re.compile(rf"\w+(?:,\w+={_VALUE})* {_FIELD}(?:,{_FIELD})* \d{{19}}")


def test_influx_lines_keep_the_protocol() -> None:
    encoder = Influx(planned("influx", labels=(("team", "a b,c=d"),)), PLAN)
    (body,) = encoder.encode(next(iter(ToldRun().ticks(1))))
    lines = body.decode().splitlines()
    assert all(LINE.fullmatch(line) for line in lines), next(line for line in lines if not LINE.fullmatch(line))
    (duration,) = (line for line in lines if line.startswith("http_req_duration,") and "name=search" in line)
    assert all(field in duration for field in ("min=", "p95=", "count=50.0"))
    assert any(r"team=a\ b\,c\=d" in line for line in lines)


@pytest.mark.trio
async def test_influx_is_posted_to_the_url_as_it_is_written() -> None:
    with listener() as server:
        target = Targets(server.url, ()).resolve("/write?db=load")
        await ran(planned("influx", target=target), list(ToldRun().ticks(1)))
    assert {each.path for each in server.asked} == {"/write?db=load"}


def datagrams(**settings: Any) -> list[bytes]:
    encoder = StatsD(planned("statsd", **settings), PLAN)
    return [body for tick in ToldRun().ticks(2) for body in encoder.encode(tick)]


def test_statsd_lines_are_whole_and_datagrams_small() -> None:
    bodies = datagrams()
    assert max(map(len, bodies)) <= MOST
    lines = [line for body in bodies for line in body.decode().split("\n")]
    assert all(re.fullmatch(r"vezaflow\.[\w.-]+:-?\d+(\.\d+)?\|(c|g)", line) for line in lines)
    counted = [line for line in lines if line.startswith("vezaflow.browse.search.GET.200.http_reqs:")]
    assert counted == ["vezaflow.browse.search.GET.200.http_reqs:50|c"] * 2
    assert any(line.startswith("vezaflow.browse.search.GET.200.http_req_duration.p95:") for line in lines)


def test_statsd_has_labels_as_tags_where_they_are_switched_on() -> None:
    lines = [line for body in datagrams(tags=True, prefix="load.") for line in body.decode().split("\n")]
    assert any(re.match(r"load\.http_reqs:50\|c\|#.*name:search.*status:200", line) for line in lines)


def test_a_gauge_of_statsd_has_one_value_a_tick_and_none_is_taken_for_a_change() -> None:
    encoder = StatsD(planned("statsd"), PLAN)
    first, *others = ToldRun().ticks(2)
    (flow,) = first.flows
    unsure = [replace(verdict, outcome=Outcome.INCONCLUSIVE) for verdict in flow.gates]
    unclear = replace(first, flows=(replace(flow, gates=tuple(unsure)),))
    assert unsure
    for tick in (unclear, *others):
        gauges: dict[str, float] = {}
        for line in b"\n".join(encoder.encode(tick)).decode().split("\n"):
            name, value, kind = re.split("[:|]", line)
            if kind == "g":
                assert name not in gauges or (value.startswith("-") and gauges[name] == 0), line
                gauges[name] = float(value)
        if not tick.last:
            assert "vezaflow.browse.order.POST.http_req_waiting.p95" in gauges
            assert "vezaflow.browse.order.POST.failed.http_req_waiting.p95" in gauges
        assert min(gauges.values()) == (-1 if tick is unclear else 0)
    assert "vezaflow.red.vezaflow_run_info" in gauges


@pytest.mark.trio
async def test_nothing_of_a_tick_of_many_datagrams_is_lost() -> None:
    many = planned("statsd", tags=True, prefix="a." * 700)  # a line each
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        receiver.bind(("127.0.0.1", 0))
        host, port = receiver.getsockname()
        ticks = list(ToldRun().ticks(1))
        assert len(StatsD(many, PLAN).encode(ticks[0])) > 60
        await ran(replace(many, host=host, port=port), ticks)  # an OutputError says what was lost


@pytest.mark.trio
async def test_statsd_is_sent_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        host, port = receiver.getsockname()
        await ran(planned("statsd", host=host, port=port), list(ToldRun().ticks(1)))
        receiver.setblocking(False)
        assert receiver.recv(65536).startswith(b"vezaflow.")


def test_csv_has_a_row_for_the_run_each_flow_and_each_step() -> None:
    encoder = CsvRows("-", PLAN.secrets)
    text = b"".join(encoder.encode(tick) for tick in ToldRun().ticks(3)).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    first = [row for row in rows if row["elapsed"] == "1.000"]
    assert [(row["flow"], row["step"]) for row in first] == [
        ("", ""), ("browse", ""), ("browse", "order"), ("browse", "search"),
    ]  # fmt: skip
    whole, flow, order, search = first
    assert (whole["http_reqs"], whole["failed"], flow["vus"], order["vus"]) == ("101", "1", "20", "")
    assert float(search["min"]) <= float(search["med"]) <= float(search["p95"]) <= float(search["max"])
    assert sum(int(row["http_reqs"]) for row in rows if row["step"] == "search") == 150
    quiet = [row for row in rows if row["step"] == "search"][-1]
    assert (quiet["http_reqs"], quiet["p95"]) == ("0", "")


def test_a_request_of_setup_is_in_the_csv_s_row_of_the_run_once() -> None:
    run = ToldRun()
    run.recorder.step("", "seed", "POST", phase=Phase.SETUP).answered(201, 0.1, 0.001, 0.02, 500, 300)
    text = CsvRows("-", PLAN.secrets).encode(next(run.ticks(1))).decode()
    rows = {(row["flow"], row["step"]): row for row in csv.DictReader(io.StringIO(text))}
    assert rows["", "seed"]["http_reqs"] == "1"
    assert rows["", ""]["http_reqs"] == "102"


@pytest.mark.trio
async def test_csv_is_written_as_the_run_goes(tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    await ran(replace(planned("csv"), aim=str(file)), list(ToldRun().ticks(2)))
    assert len(file.read_text().splitlines()) == 1 + 3 * 4


@pytest.mark.trio
async def test_a_webhook_gets_the_object_of_each_second_without_secrets() -> None:
    plan = replace(PLAN, secrets=Secrets.among(("T",), {"T": "search-secret"}, set()))
    with listener() as server:
        target = Targets(server.url, ()).resolve("/hooks/1")
        send, receive = trio.open_memory_channel[Tick](3)
        async with send:
            for tick in ToldRun().ticks(2):
                send.send_nowait(replace(tick, manual_changes=("paused with search-secret",)))
        await output_of(planned("webhook", target=target), plan, print).run(receive)
    assert [each.json["last"] for each in server.asked] == [False, False, True]
    assert [each.json["elapsed"] for each in server.asked] == [1.0, 2.0, 2.0]
    assert "search-secret" not in json.dumps([each.json for each in server.asked])
