"""What happens beside the load is in the explanation: every part that a command can ask for, and every field of a plan.

Who adds a part to `Surroundings`, or a field to `Plan`, says here where it is shown.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from asked import ROOMY
from program import vezaflow

from vezaflow.audit import Tool, Tools
from vezaflow.errors import ExitCode
from vezaflow.explain import Explanation, explain, page, to_json
from vezaflow.plan import Division, Inputs, Outs, Plan, Surroundings
from vezaflow.session import prepare, read

SUITE = """
suite: whole
base_url: ${env.BASE_URL}
secrets: [TOKEN, HOOK]
guard: {allow: [grafana.test, hooks.test, prometheus.test, otlp.test]}
grafana: {url: "https://grafana.test", dashboard: uid9/load, token: "${env.TOKEN}"}
notify: [{webhook: "${env.HOOK}", on: [red], template: slack}]
observe:
  prometheus:
    url: https://prometheus.test
    metrics: {cpu: {gauge: process_cpu}}
audit: {during: audit/pages.yml, after: audit/pages.yml}
outputs:
  otlp: {url: "https://otlp.test/v1/metrics", every: 20s}
  json: {file: figures.jsonl}
  webhook: {url: "${env.HOOK}"}
events:
  - {name: failover, at: 10s, haproxy: {socket: /run/haproxy.sock, command: set server be/s1 state maint}}
profile: {url: /debug/pprof/profile, seconds: 7, every: 20s, name: cpu}
trace: {every: 50}
"""
FLOW = "load: {vus: 1, duration: 1m}\nsteps: [{get: /}]\nthink: 1s\ngates: {http_req_failed: rate < 1 %}\n"
PAGES = """
login: [{post: /login, json: {user: a}}]
pages: {home: /home, search: "/search?q=jazz"}
runs: 3
form_factor: desktop
timeout: 40s
gates: {lighthouse.performance: score >= 90}
"""
ENVIRONMENT = {"BASE_URL": "http://127.0.0.1:9", "TOKEN": "gl-token-7", "HOOK": "https://hooks.test/T0/s3cr3t"}
TOOLS = Tools(
    Tool("Node.js", "/usr/bin/node", "20.1.0"),
    Tool("Lighthouse", "/usr/bin/npx", "12.2.3"),
    Tool("Chromium", problem="there is no Chromium or Chrome on PATH", remedy="install Chromium"),
    ("npx",),
)

# Of each part of the surroundings: what asks for it, its titles on the page, its keys in the document.
PARTS: dict[str, tuple[Any, tuple[str, ...], tuple[str, ...]]] = {
    "announces": (True, ("Reports to",), ("reports_to",)),
    "observes": (True, ("Reads the server's figures from",), ("reads_from",)),
    "audits": (Inputs(ENVIRONMENT), ("Pages audited",), ("audits",)),
    "outs": (Outs(suites=True), ("Sends its figures to",), ("sends_to",)),
}
# Of each field of a plan: the key of the document that it is in.
FIELDS = {
    "suite": "suite", "description": "description", "targets": "hosts", "variables": "around", "client": "flows",
    "preflight": "around", "setup": "around", "teardown": "around", "flows": "flows", "gates": "gates",
    "inputs": "inputs", "shown_inputs": "inputs", "secrets": "inputs", "guard_vus": "refused",
    "announcements": "reports_to", "observe": "reads_from", "events": "events", "audits": "audits",
    "outputs": "sends_to",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audit").mkdir()
    (tmp_path / "suite.yml").write_text(SUITE)
    (tmp_path / "flow.yml").write_text(FLOW)
    (tmp_path / "audit" / "pages.yml").write_text(PAGES)
    return tmp_path


def planned(folder: Path, around: Surroundings) -> Plan:
    return prepare(read([folder]), Inputs(ENVIRONMENT), around)


def explained(folder: Path, tools: Tools | None = None) -> Explanation:
    everything = Surroundings(**{name: asked for name, (asked, _, _) in PARTS.items()})
    return explain(planned(folder, everything), ROOMY, Division(), tools)


def test_every_part_of_the_surroundings_is_told() -> None:
    assert PARTS.keys() == {field.name for field in fields(Surroundings)}


def test_every_field_of_a_plan_is_told(folder: Path) -> None:
    assert FIELDS.keys() == {field.name for field in fields(Plan)}
    assert set(FIELDS.values()) <= to_json(explained(folder)).keys()


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_shown_where_it_is_asked_for_and_only_there(folder: Path, name: str) -> None:
    asked, titles, keys = PARTS[name]
    alone = explain(planned(folder, Surroundings(**{name: asked})), ROOMY, Division())
    without = explain(planned(folder, Surroundings()), ROOMY, Division())
    assert all(f"\n{title}\n" in page(alone) for title in titles)
    assert not any(title in page(without) for title in titles)
    assert all(to_json(alone)[key] and not to_json(without)[key] for key in keys)


@pytest.mark.slow
def test_the_command_asks_for_all_of_it_and_is_refused_as_run_would_be(folder: Path) -> None:
    nothing = {**ENVIRONMENT, "PATH": str(folder / "empty")}
    done = vezaflow("explain", folder, env=nothing)
    assert done.code == ExitCode.REFUSED, done.text
    assert [title for _, titles, _ in PARTS.values() for title in titles if f"\n{title}\n" not in done.out] == []
    assert "would be refused: pages can't be audited, see below" in done.out
    assert "there is no `node` on PATH" in done.out
    assert "pages can't be audited: there is no `node` on PATH" in done.err
    assert "s3cr3t" not in done.text
    document = json.loads(vezaflow("explain", folder, "--format", "json", env=nothing).out)
    assert document["exit_code"] == 97
    assert [key for _, _, keys in PARTS.values() for key in keys if not document[key]] == []


@pytest.mark.slow
@pytest.mark.parametrize(("segment", "reads"), [("1/2", {"Reads the server's figures from"}), ("2/2", set())])
def test_a_segment_sends_its_figures_and_the_first_reads_the_servers(
    folder: Path, segment: str, reads: set[str]
) -> None:
    done = vezaflow("explain", folder, "--segment", segment, env=ENVIRONMENT)
    assert done.code == ExitCode.GREEN, done.text
    shown = {title for _, titles, _ in PARTS.values() for title in titles if f"\n{title}\n" in done.out}
    assert shown == {"Sends its figures to"} | reads


def test_audits_are_shown_with_their_pages_their_gates_and_what_they_take(folder: Path) -> None:
    text = page(explained(folder, TOOLS), width=120)
    lines = [line.strip() for line in text.partition("Pages audited\n")[2].partition("\n\n")[0].splitlines()]
    assert lines == [
        "pages: during the load, from its start on, 2 pages, 3 runs of each (desktop, at most 40 s a run)",
        "login: 1 request, once, at least",
        "home: /home",
        "search: /search?q=jazz",
        "gate lighthouse.performance: score >= 90",
        "pages: after the load, 2 pages, 3 runs of each (desktop, at most 40 s a run)",
        *lines[1:5],
        "needs Node.js 20.1.0: /usr/bin/node",
        "needs Lighthouse 12.2.3: /usr/bin/npx",
        "needs Chromium, but there is no Chromium or Chrome on PATH",
        "to fix: install Chromium",
    ]
    assert "flow, event cpu, audit pages" in text


def test_what_audits_take_is_in_the_document_and_refuses(folder: Path) -> None:
    document = to_json(explained(folder, TOOLS))
    during, after = document["audits"]
    assert (during["when"], after["when"], during["runs"], during["timeout"]) == ("during", "after", 3, 40)
    assert during["pages"][1] == {"page": "search", "url": "/search?q=jazz"}
    assert during["login_requests"] == 1
    assert [tool["problem"] == "" for tool in document["audit_needs"]] == [True, True, False]
    assert document["exit_code"] == 97
    assert document["refused"]["message"] == "pages can't be audited: there is no Chromium or Chrome on PATH"


def test_events_profiles_outputs_and_traces_say_where_and_how_often(folder: Path) -> None:
    found = explained(folder)
    text, document = page(found, width=160), to_json(found)
    assert "failover: at 10 s, haproxy at /run/haproxy.sock" in text
    assert "cpu: every 20 s, for 7 s, profile" in text
    assert "prometheus https://prometheus.test/, after the load, and every 5 s for the display: server.cpu" in text
    assert "otlp https://otlp.test, every 20 s" in text
    assert "json figures.jsonl, every 1 s" in text
    assert "webhook https://hooks.test, every 1 s" in text
    assert "one of 50 requests" in text
    events = {event["name"]: event for event in document["events"]}
    assert events["failover"]["address"] == "/run/haproxy.sock"
    assert (events["cpu"]["kind"], events["cpu"]["profile_seconds"]) == ("profile", 7)
    assert document["sends_to"][0] == {
        "output": "otlp", "file": None, "scheme": "https", "host": "otlp.test", "port": 443, "every": 20,
        "samples": False,
    }  # fmt: skip
    assert document["flows"][0]["traced"] == 50
    assert "s3cr3t" not in text + json.dumps(document)
