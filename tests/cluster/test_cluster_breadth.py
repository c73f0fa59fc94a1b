"""What a run can have beside its load it has with a cluster as with `--workers`: the server's figures, profiles,
events, outputs, messages, channels, traces, baselines, audits; the same suite is run both ways."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lighthouse import path_with_lighthouse
from listener import Answer, Listener, listener
from program import Done, vezaflow
from prometheus import Prometheus, needs_prometheus, prometheus

from vezaflow.sandbox import Sandbox, SandboxSettings, start

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
LONG = 120  # seconds for a run on a machine with much else to do
SUITE = """
suite: broad
base_url: ${env.BASE_URL}
secrets: [GRAFANA_TOKEN]
trace: {every: 1}
observe:
  prometheus:
    url: ${env.PROMETHEUS_URL}
    metrics:
      latency: {histogram: http_request_duration_seconds, by: [method, path], match: {job: test}}
      requests: {counter: http_requests_total, by: [status]}
profile: {url: /debug/pprof/goroutine, at: 1s}
events:
  - name: flush
    at: 1s
    for: 1s
    do: [{get: /api/v1/health}]
    finally: [{get: /api/v1/health}]
outputs:
  prometheus: {url: "${env.PROMETHEUS_URL}/api/v1/write", native: true, every: 1s}
  otlp: {url: "${env.HOOK}/v1/metrics", every: 1s}
  json: run.jsonl
grafana: {url: "${env.HOOK}", dashboard: abc/def, token: "${env.GRAFANA_TOKEN}"}
notify: [{webhook: "${env.HOOK}/chat", on: [green, red, inconclusive], json: {text: "${verdict.outcome}"}}]
gates:
  server.latency: p(95) < 5 s
  server.requests: count > 5
  http_req_failed{during:flush}: rate < 50 %
  recovery_time{event:flush}: max < 5 s
"""
BROWSE = """
load: {vus: 4, duration: 4s}
data: {who: {csv: people.csv, pick: unique, each: iteration}}
steps: [{get: /api/v1/tracks, name: list, query: {q: "${who.name}"}}]
think: 40ms
gates: {http_req_failed: rate < 1 %}
"""
LISTEN = """
load: {executor: per-vu-iterations, vus: 2, iterations: 1, max_duration: 4s}
steps: [{hls: "/api/v1/tracks/${env.STREAM_TRACK_ID}/hls/master.m3u8", name: listen, variant: abr, play: 2s}]
gates: {hls_startup_failed: rate < 1 %}
"""
CHAT = """
load: {executor: per-vu-iterations, vus: 2, iterations: 1, max_duration: 4s}
steps:
  - websocket: /api/v1/ws
    name: chat
    do:
      - repeat: 5
        do: [{send: {json: {id: "${uuid()}"}}, ack: {where: json("$.id") == sent.id, within: 2s}}]
  - sse: /api/v1/events
    name: feed
    query: {every: 0.1}
    do: [{repeat: 3, do: [{receive: {where: message.event == "tick", within: 2s}}]}]
gates: {ws_delivered: rate > 99 %, sse_event_failures: rate < 1 %}
"""
PEOPLE = 2000
GATES = 8


@dataclass
class Peers:
    """Whom a run speaks to. `folder`: where it is started."""

    sandbox: Sandbox
    server: Prometheus
    hook: Listener
    folder: Path

    def run(self, *words: str | Path) -> tuple[Done, dict[str, Any]]:
        """What it said, and its summary."""
        file = self.folder / "summary.json"
        file.unlink(missing_ok=True)
        self.hook.asked.clear()
        env = {
            **self.sandbox.environment,
            "PROMETHEUS_URL": self.server.url,
            "HOOK": self.hook.url,
            "GRAFANA_TOKEN": "glsa-5uYVQ7YF3LmN9qZ",
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        done = vezaflow(*words, "--summary", file, env=env, cwd=self.folder, limit=LONG)
        return done, json.loads(file.read_text()) if file.exists() else {}


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    folder = tmp_path_factory.mktemp("broad")
    suite = folder / "suite"
    suite.mkdir()
    for name, text in (("suite", SUITE), ("browse", BROWSE), ("listen", LISTEN), ("chat", CHAT)):
        (suite / f"{name}.yml").write_text(text)
    (suite / "people.csv").write_text("name\n" + "".join(f"p{number}\n" for number in range(PEOPLE)))
    annotation = Answer(200, b'{"id": 7, "message": "Annotation added"}')
    with (
        start(SandboxSettings(latency=0.005)) as sandbox,
        prometheus(targets=[sandbox.base_url.removeprefix("http://")]) as server,
        listener(**{"api/annotations": [annotation]}) as hook,
    ):
        server.until('up{job="test"} == 1')
        yield Peers(sandbox, server, hook, folder)


def alike(told: dict[str, Any]) -> dict[str, object]:
    """What both ways have alike, however busy the machine is."""
    return {
        "keys": sorted(told),
        "gates": [(each["gate"], each["outcome"]) for each in told["gates"]],
        "events": sorted((each["name"], each["kind"], each["error"]) for each in told["events"]),
        "profiles": [(each["name"], each["kind"], each["problem"]) for each in told["profiles"]],
        "observed": [(each["name"], each["problem"]) for each in told["observed"]["figures"]],
        "vus": [(each["flow"], each["vus_max"]) for each in told["flows"]],
        "notes": told["notes"],
    }


@needs_prometheus
def test_a_cluster_has_all_that_workers_have(peers: Peers) -> None:
    done, alone = peers.run("run", "suite", "--workers", "2", "--no-history")
    assert alone, done.text
    first = Counter((each.method, each.path) for each in peers.hook.asked)
    done, told = peers.run("run", "suite", "--cluster", "local:2", "--no-history")
    assert told, done.text
    assert len(told["gates"]) == GATES
    assert alike(told) == alike(alone)
    assert told["traces"]
    second = Counter((each.method, each.path) for each in peers.hook.asked)
    assert second.keys() == first.keys(), "annotations, the chat, OTLP"
    assert second["POST", "/chat"] == first["POST", "/chat"] == 1
    lines = [json.loads(line) for line in (peers.folder / "run.jsonl").read_text().splitlines()]
    assert lines[-1]["last"]
    requests = told["pooled"]["http_reqs"]
    assert lines[-1]["pooled"]["http_reqs"] == requests
    counted = peers.server.value(f'sum(k6_http_reqs_total{{testid="{told["run_id"]}",phase!="event"}})')
    assert counted == requests, "what Prometheus got is what the result has"
    assert sum(machine["requests"] for machine in told["machines"]) == requests


def test_a_kept_run_is_run_again_by_a_cluster(peers: Peers) -> None:
    """With a file whose name begins with a dot, and one behind a link: a suite may use both."""
    suite = peers.folder / "hidden"
    (suite / "rows").mkdir(parents=True)
    (suite / "link").symlink_to("rows")
    (suite / ".people.csv").write_text("name\nanna\nbert\n")
    (suite / "rows" / "body.json").write_text("{}")
    (suite / "suite.yml").write_text("suite: hidden\nbase_url: ${env.BASE_URL}\n")
    (suite / "flow.yml").write_text("""
load: {executor: per-vu-iterations, vus: 2, iterations: 1}
data: {who: {csv: .people.csv, pick: unique}}
steps: [{get: "/api/v1/tracks?q=${who.name}", body: {file: link/body.json}, name: list}]
gates: {http_req_failed: rate < 1 %}
""")
    done, told = peers.run("run", "hidden", "--workers", "2")
    assert done.code == 0, done.text
    done, again = peers.run("rerun", "last", "--cluster", "local:2")
    assert done.code == 0, done.text
    assert [machine["requests"] for machine in again["machines"]] == [1, 1]
    assert told["run_id"] != again["run_id"]
    done = vezaflow("merge", "summary.json", cwd=peers.folder)
    assert done.code == 2
    assert "is the result of a whole run, not of a segment" in done.err


@pytest.mark.parametrize(("words", "said"), [(("--workers", "2"), "--workers"), (("--segment", "1/2"), "--segment")])
def test_a_load_is_divided_in_one_way(peers: Peers, words: tuple[str, ...], said: str) -> None:
    done, _ = peers.run("run", "suite", "--cluster", "local:2", *words)
    assert done.code == 2
    assert f"{said} does not go with --cluster" in done.err


@pytest.mark.long
def test_pages_are_audited_after_the_load_of_a_cluster(tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    (suite / "audit").mkdir(parents=True)
    (suite / "suite.yml").write_text("suite: web\nbase_url: ${env.BASE_URL}\naudit: {after: audit/pages.yml}\n")
    (suite / "flow.yml").write_text("""
load: {vus: 2, duration: 1s}
steps: [{get: /api/v1/health}]
think: 100ms
gates: {http_req_failed: rate < 1 %}
""")
    (suite / "audit" / "pages.yml").write_text("""
runs: 1
form_factor: desktop
login: [{post: /login, form: {email: listener@veza.fr, password: sandbox}, expect: 303, follow: false}]
pages: {dashboard: /dashboard}
gates: {lighthouse.accessibility: score >= 50}
""")
    file = tmp_path / "s.json"
    words = ("run", "suite", "--sandbox", "--cluster", "local:2", "--summary", file, "--no-history")
    done = vezaflow(*words, cwd=tmp_path, env={"PATH": path_with_lighthouse()}, limit=2 * LONG)
    assert done.code == 0, done.text
    told = json.loads(file.read_text())
    assert [page["page"] for record in told["audits"] for page in record["pages"]] == ["dashboard"]
    assert len(told["gates"]) == 2


@pytest.mark.long
def test_a_gate_on_the_baseline_judges_a_cluster(tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "suite.yml").write_text("suite: based\nbase_url: ${env.BASE_URL}\n")
    (suite / "flow.yml").write_text("""
load: {executor: constant-arrival-rate, rate: 80/s, pre_allocated_vus: 20, duration: 34s}
steps: [{get: /api/v1/tracks, name: list}]
gates: {"http_req_duration{step:list}": p(95) < 9000 % of baseline}
""")
    shared, env = ("--sandbox", "--no-history", "--summary"), {"XDG_STATE_HOME": str(tmp_path / "state")}
    done = vezaflow("run", "suite", "--workers", "2", *shared, "first.json", cwd=tmp_path, env=env, limit=LONG)
    assert done.code == 98, done.text
    assert vezaflow("baseline", "set", "first.json", "--file", "based.json", cwd=tmp_path, env=env).code == 0
    words = ("run", "suite", "--cluster", "local:2", "--baseline", "based.json", *shared, "second.json")
    done = vezaflow(*words, cwd=tmp_path, env=env, limit=LONG)
    assert done.code == 0, done.text
