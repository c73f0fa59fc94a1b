"""A run tells Grafana and the chat of itself: the whole program against real servers."""

import json
import ssl
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from listener import Answer, Listener, listener
from program import Done, Write, interrupted, vezaflow

pytestmark = pytest.mark.slow

FLOW = """
load: {{vus: 1, duration: {duration}}}
steps: [{{get: /api/v1/health, expect: {expect}}}]
think: 50ms
gates: {{{gates}}}
"""
SUITE = """
secrets: [GRAFANA_TOKEN, CHAT_WEBHOOK]
grafana:
  url: ${env.GRAFANA_URL}
  dashboard: uid1/k6
  variables: {testid: nightly}
  token: ${env.GRAFANA_TOKEN ?? ""}
notify:
  - webhook: ${env.CHAT_WEBHOOK}
    on: [red, green, inconclusive]
    json:
      text: ${verdict.headline} ${run.url}
      verdict: ${verdict}
      run: ${run}
  - webhook: ${env.CHAT_WEBHOOK}
    on: [red]
    template: slack
  - webhook: ${env.CHAT_WEBHOOK}
    on: [accepted]
    template: matrix
"""
TOKEN, KEY = "glsa_v5uYVQ7YF3LmN9qZ", "T024BE7LD-9qZ3LmN"
MADE = Answer(body=b'{"id": 17}')
HOOK, ANNOTATIONS, ANNOTATION = f"hooks/{KEY}", "api/annotations", "api/annotations/17"
HELD, BROKEN = "http_req_failed: rate < 1 %", "http_req_failed: rate < 1 %, iterations: count > 100000"
CI = {"GITHUB_SERVER_URL": "https://git.example.org", "GITHUB_REPOSITORY": "veza/load", "GITHUB_RUN_ID": "42"}


def flow(gates: str = HELD, *, duration: str = "1s", expect: int = 200) -> str:
    return FLOW.format(gates=gates, duration=duration, expect=expect)


def environment(server: Listener) -> dict[str, str]:
    return {"GRAFANA_URL": server.url, "GRAFANA_TOKEN": TOKEN, "CHAT_WEBHOOK": f"{server.url}/{HOOK}"}


def run(server: Listener, folder: Path, *words: str, **more: str) -> Done:
    done = vezaflow("run", folder, *words, env={**environment(server), **more})
    assert TOKEN not in done.text
    assert KEY not in done.text
    return done


def test_a_green_run_is_linked_annotated_and_announced(suite: Write, tmp_path: Path) -> None:
    summary, page = tmp_path / "summary.json", tmp_path / "page.md"
    with listener(**{ANNOTATIONS: [MADE]}) as server:
        done = run(server, suite(flow(), SUITE), "--summary", str(summary), GITHUB_STEP_SUMMARY=str(page))
    assert done.code == 0, done.text
    record = json.loads(summary.read_text())
    (link,) = record["links"]
    assert link["name"] == "Grafana dashboard"
    query = parse_qs(urlsplit(link["url"]).query)
    assert query["var-testid"] == ["nightly"]
    assert f"Grafana dashboard: {link['url']}\n" in done.out
    assert f"[Grafana dashboard](<{link['url']}>)" in page.read_text()
    assert record["notes"] == []
    (begin,), (end,), (message,) = (server.to(f"/{path}") for path in (ANNOTATIONS, ANNOTATION, HOOK))
    assert [str(begin.json["time"])] == query["from"]
    assert [str(end.json["timeEnd"])] == query["to"]
    assert record["run_id"] in begin.json["text"]
    assert record["headline"] in end.json["text"]
    assert message.json["text"] == f"{record['headline']} {link['url']}"
    assert message.json["verdict"] == {"headline": record["headline"], "outcome": "green", "broken": ""}
    assert message.json["run"]["id"] == record["run_id"]
    assert message.json["run"]["suite"] == "test"
    assert TOKEN not in summary.read_text()
    assert KEY not in summary.read_text()


def test_a_red_run_is_announced_with_its_broken_gates_and_the_page_of_its_job(suite: Write) -> None:
    with listener(**{ANNOTATIONS: [MADE]}) as server:
        assert run(server, suite(flow(BROKEN), SUITE), **CI).code == 99
    first, second = sorted((each.json for each in server.to(f"/{HOOK}")), key=lambda body: "blocks" in body)
    assert first["verdict"]["outcome"] == "red"
    assert "iterations: count > 100000" in first["verdict"]["broken"]
    assert first["run"]["url"] == "https://git.example.org/veza/load/actions/runs/42"
    assert "RED: 1 gate broke" in second["text"]
    assert "iterations: count" in json.dumps(second["blocks"])


def test_an_inconclusive_run_is_announced(suite: Write) -> None:
    with listener(**{ANNOTATIONS: [MADE]}) as server:
        assert run(server, suite(flow(""), SUITE)).code == 98
    (message,) = server.to(f"/{HOOK}")
    assert message.json["verdict"]["outcome"] == "inconclusive"
    assert server.to(f"/{ANNOTATION}")[0].json["tags"][-1] == "inconclusive"


@pytest.mark.parametrize(("gates", "code"), [(HELD, 0), (BROKEN, 99)], ids=["green", "red"])
def test_what_fails_is_told_and_changes_neither_verdict_nor_exit_code(
    suite: Write, tmp_path: Path, gates: str, code: int
) -> None:
    summary = tmp_path / "summary.json"
    said = f"no channel for /{HOOK}, token {TOKEN}".encode()
    with listener(**{ANNOTATIONS: [Answer(500, said)], HOOK: [Answer(404, said)]}) as server:
        done = run(server, suite(flow(gates), SUITE), "--summary", str(summary))
    assert done.code == code
    for line in ("Grafana: the annotation could not be created: status 500", "notification 1 could not be sent"):
        assert line in done.err
        assert [line in note for note in json.loads(summary.read_text())["notes"]].count(True) == 1
    assert TOKEN not in summary.read_text()
    assert KEY not in summary.read_text()


def test_certificates_are_verified_by_the_authorities_of_the_system(suite: Write, tmp_path: Path) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    folder = suite(flow(), SUITE)
    with listener(tls, **{ANNOTATIONS: [MADE]}) as server:
        done = run(server, folder, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
        assert "load finished" in done.err.splitlines()
        assert [each.method for each in server.asked if each.path != f"/{HOOK}"] == ["POST", "PATCH"]
        assert len(server.to(f"/{HOOK}")) == 1
        refused = run(server, folder)
    assert (done.code, refused.code) == (0, 0), done.text + refused.text
    assert "notification 1 could not be sent: tls: " in refused.err
    assert "Grafana: the annotation could not be created: tls: " in refused.err


def test_no_notify_leaves_both_out(suite: Write, tmp_path: Path) -> None:
    folder, summary = suite(flow(), SUITE), tmp_path / "summary.json"
    done = vezaflow("run", folder, "--no-notify", "--summary", summary)  # not even the variables are needed
    assert done.code == 0, done.text
    assert json.loads(summary.read_text())["links"] == []


def test_several_workers_announce_once(suite: Write) -> None:
    with listener(**{ANNOTATIONS: [MADE]}) as server:
        run(server, suite(flow(), SUITE), "--workers", "2")
    assert [each.path for each in server.asked].count(f"/{HOOK}") == 1
    assert len(server.to(f"/{ANNOTATIONS}")) == 1


def test_a_segment_announces_nothing_for_it_has_no_verdict(suite: Write, tmp_path: Path) -> None:
    folder = suite(flow(), SUITE)
    with listener() as server:
        done = run(server, folder, "--segment", "1/1", "--summary", str(tmp_path / "one.json"))
    assert done.code == 98
    assert server.asked == []
    merged = vezaflow("merge", tmp_path / "one.json")
    assert merged.code == 0, merged.text


def test_a_host_that_is_not_allowed_is_refused_before_the_load(suite: Write) -> None:
    with listener() as server:
        done = run(server, suite(flow(), SUITE), "-e", f"CHAT_WEBHOOK=https://chat.example.org/{HOOK}")
    assert done.code == 97
    assert "refused: `webhook`: chat.example.org is not loopback and not in `guard: allow`" in done.err
    assert server.asked == []


def test_try_announces_nothing_and_needs_nothing_for_it(suite: Write) -> None:
    assert vezaflow("try", suite(flow(), SUITE)).code == 0


def test_explain_says_who_will_hear_of_it(suite: Write) -> None:
    folder = suite(flow(), SUITE)
    with listener() as server:
        text = vezaflow("explain", folder, env=environment(server))
        form = vezaflow("explain", folder, "--format", "json", env=environment(server))
    assert text.code == form.code == 0, text.text
    assert f"grafana {server.url} (uid1): annotation" in text.out
    assert f"notification {server.url} (slack): red" in text.out
    assert KEY not in text.text + form.text
    assert [told["of"] for told in json.loads(form.out)["reports_to"]] == [
        ["annotation"],
        ["green", "red", "inconclusive"],
        ["red"],
        ["accepted"],
    ]
    assert server.asked == []


def test_ctrl_c_ends_the_waiting_for_a_chat_and_the_result_stays(suite: Write) -> None:
    with listener(**{ANNOTATIONS: [MADE], HOOK: [Answer(503, headers={"Retry-After": "9"})]}) as server:
        done = interrupted("run", suite(flow(duration="1s"), SUITE), when="load finished", env=environment(server))
    assert done.code == 0, done.text
    assert "note: notifications: aborted manually" in done.out
