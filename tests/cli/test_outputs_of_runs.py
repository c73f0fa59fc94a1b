"""Whole runs that send their figures to a real Prometheus, and to receivers that are no use."""

import json
import socket
from datetime import datetime
from pathlib import Path

import pytest
from listener import Answer, listener
from program import Write, vezaflow
from prometheus import prometheus

pytestmark = pytest.mark.slow

FLOW = """
load: {vus: 2, duration: 2s}
steps: [{get: /api/v1/health, name: health, expect: 200}, {think: 20ms}]
gates: {http_req_failed: rate < 50 %}
"""


def suite_with(url: str) -> str:
    return f"outputs: {{prometheus: {{url: '{url}', every: 1s, native: true, labels: {{testid: e2e}}}}}}\n"


def test_a_run_is_in_prometheus_with_its_verdict(suite: Write, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    with prometheus() as server:
        done = vezaflow("run", suite(FLOW, suite_with(server.write_url)), "--quiet", "--summary", summary)
        record = json.loads(summary.read_text())
        assert done.code in (0, 98), done.text
        last = "last_over_time(k6_http_reqs_total{testid='e2e'}[5m])"
        assert server.value(f"sum({last})") == record["pooled"]["http_reqs"]
        (info,) = server.query("last_over_time(vezaflow_run_info{testid='e2e'}[5m]) == 1")
        assert info["metric"]["verdict"] == record["outcome"]
        assert info["metric"]["run_id"] == record["run_id"]
        held = "sum(histogram_count(k6_http_req_duration_seconds{testid='e2e'}))"
        assert server.value(held) == record["pooled"]["http_reqs"]
    assert record["notes"] == []


@pytest.mark.parametrize("stale", [False, True])
def test_a_verdict_that_figures_of_elsewhere_decide_follows(suite: Write, tmp_path: Path, stale: bool) -> None:
    summary = tmp_path / "summary.json"
    with prometheus() as server:
        observe = f"observe: {{prometheus: {{url: '{server.url}', wait: 1s, metrics: {{up: {{gauge: up}}}}}}}}\n"
        outputs = suite_with(server.write_url).replace("every:", f"stale_markers: {str(stale).lower()}, every:")
        gates = "gates: {server.up: value < 2}\n"
        done = vezaflow("run", suite(FLOW, outputs + observe + gates), "--quiet", "--summary", summary)
        record = json.loads(summary.read_text())
        assert done.code == 98, done.text
        outcomes = server.query("last_over_time(vezaflow_run_outcome{testid='e2e'}[5m])")
        assert [(each["metric"]["run_id"], each["value"][1]) for each in outcomes] == [(record["run_id"], "-1")]
        judged = server.query("last_over_time(vezaflow_run_gate_ok{testid='e2e'}[5m])")
        assert {each["metric"]["metric"] for each in judged} == {"server.up", "http_req_failed"}
        (info,) = server.query("last_over_time(vezaflow_run_info{testid='e2e'}[5m]) == 1")
        assert info["metric"]["verdict"] == "inconclusive"
        assert (server.query("vezaflow_run_outcome{testid='e2e'}") == []) is stale
        start = "vezaflow_run_start_timestamp_seconds{testid='e2e'}[5m]"
        begins = [server.value(f"{each}_over_time({start})") for each in ("min", "max")]
        assert begins == [datetime.fromisoformat(record["started"]).timestamp()] * 2
        last = "last_over_time(k6_http_reqs_total{testid='e2e'}[5m])"
        assert server.value(f"sum({last})") == record["pooled"]["http_reqs"]
    assert not [note for note in record["notes"] if note.startswith("output")]


@pytest.mark.parametrize("answer", [Answer(500), Answer(400, b"no"), Answer(429), Answer(hangs=True), None])
def test_a_receiver_that_is_no_use_changes_no_verdict(suite: Write, tmp_path: Path, answer: Answer | None) -> None:
    summary = tmp_path / "summary.json"
    with listener(write=[answer or Answer()]) as server:
        url = f"{server.url}/write"
        if answer is None:
            with socket.create_server(("127.0.0.1", 0)) as taken:
                url = f"http://127.0.0.1:{taken.getsockname()[1]}/write"
        done = vezaflow("run", suite(FLOW, suite_with(url)), "--quiet", "--summary", summary)
    record = json.loads(summary.read_text())
    assert done.code == {"green": 0, "inconclusive": 98}[record["outcome"]], done.text
    assert record["pooled"]["http_req_failed"] == 0
    (note,) = record["notes"]
    assert note.startswith("output prometheus (127.0.0.1:")
    assert " lost " in note
    assert note in done.err


def test_outputs_of_the_suite_can_be_turned_off(suite: Write) -> None:
    with listener() as server:
        done = vezaflow("run", suite(FLOW, suite_with(f"{server.url}/write")), "--quiet", "--no-outputs")
    assert done.code in (0, 98)
    assert server.asked == []


def test_an_option_adds_an_output(suite: Write) -> None:
    with listener() as server:
        done = vezaflow("run", suite(FLOW), "--quiet", "--out", f"webhook={server.url}/hook")
    assert done.code in (0, 98), done.text
    assert [each.json["last"] for each in server.asked][-1] is True
    assert "/hook" not in done.text


@pytest.mark.parametrize("workers", [1, 2])
def test_every_request_of_a_run_is_a_line(suite: Write, tmp_path: Path, workers: int) -> None:
    summary = tmp_path / "summary.json"
    outputs = f"outputs: {{json: {{file: '{tmp_path}/run.jsonl', samples: all}}, csv: {tmp_path}/seconds.csv}}\n"
    done = vezaflow("run", suite(FLOW, outputs), "--quiet", "--summary", summary, "--workers", str(workers))
    record = json.loads(summary.read_text())
    names = ["run.jsonl"] if workers == 1 else ["run.1.jsonl", "run.2.jsonl"]
    assert sorted(path.name for path in tmp_path.glob("run*")) == names, done.text
    rows = [json.loads(line) for name in names for line in (tmp_path / name).read_text().splitlines()]
    assert len(rows) == record["pooled"]["http_reqs"]
    assert {(row["flow"], row["step"], row["status"], row["error"]) for row in rows} == {("flow", "health", 200, "")}
    longest = max(row["duration"] for row in rows)
    assert longest == pytest.approx(record["pooled"]["http_req_duration"]["max"], rel=0.001)
    assert all(0 <= row["elapsed"] < 4 for row in rows)
    assert record["notes"] == []
    assert (tmp_path / "seconds.csv").read_text().startswith("time,elapsed,flow,step,method,vus,")


def test_samples_are_not_written_to_standard_output(suite: Write) -> None:
    done = vezaflow("run", suite(FLOW, "outputs: {json: {file: '-', samples: all}}\n"), "--quiet")
    assert done.code == 2
    assert "outputs: json: `samples: all` is written to files, not to standard output" in done.err
