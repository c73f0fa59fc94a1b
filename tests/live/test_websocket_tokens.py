"""Tokens that expire while a WebSocket is open: the server closes it, and only a new token opens another."""

from pathlib import Path

import pytest
from shipped import played

from vezaflow.gates import Outcome
from vezaflow.sandbox import SandboxSettings

pytestmark = pytest.mark.slow

SUITE = "suite: tokens\nbase_url: ${env.BASE_URL}\n"
LOGIN = "{post: /api/v1/auth/login, json: {email: listener@veza.fr, password: sandbox}, extract: {token: $.token}}"
FLOW = f"""flow: talk
load: {{vus: 4, duration: 3s, graceful_stop: 1s}}
login:
  - {LOGIN}
steps:
  - websocket: /api/v1/ws
    name: chat
    auth: {{bearer: "${{token}}"}}
    reconnect: {{max: 2, wait: 20ms}}
    do:
      - repeat: 100
        do:
          - send: {{json: {{id: "${{uuid()}}"}}}}
            ack: {{where: json("$.id") == sent.id, within: 1s}}
          - think: 100ms
          - {LOGIN}
gates:
  ws_connection_failures: rate < 1 %
  ws_unexpected_closes: count < 1
"""
FAILURES, CLOSES = ("talk", "ws_connection_failures: rate < 1 %"), ("talk", "ws_unexpected_closes: count < 1")


def written(folder: Path, flow: str) -> Path:
    (folder / "suite.yml").write_text(SUITE)
    (folder / "talk.yml").write_text(flow)
    return folder


def test_a_token_that_lasts_keeps_its_websocket(tmp_path: Path) -> None:
    found, summary = played(written(tmp_path, FLOW), SandboxSettings(ws_auth=True), scale=1.0)
    assert (found[FAILURES], found[CLOSES]) == (Outcome.GREEN, Outcome.GREEN)
    assert summary.select("ws_sessions").aggregate("count") == 4


def test_one_that_expires_is_red_and_a_new_one_opens_it_again(tmp_path: Path) -> None:
    found, summary = played(written(tmp_path, FLOW), SandboxSettings(ws_token_lifetime=0.6), scale=1.0)
    assert (found[FAILURES], found[CLOSES]) == (Outcome.GREEN, Outcome.RED)
    closes = summary.select("ws_unexpected_closes", labels=[("code", "4401")]).aggregate("count") or 0
    assert (summary.select("ws_sessions").aggregate("count") or 0) >= closes >= 4
    assert not summary.select("iterations_failed").aggregate("count")


def test_the_old_one_opens_nothing(tmp_path: Path) -> None:
    again = f"          - think: 100ms\n          - {LOGIN}\n"
    assert again in FLOW
    flow = FLOW.replace(again, "          - think: 100ms\n")
    found, summary = played(written(tmp_path, flow), SandboxSettings(ws_token_lifetime=0.6), scale=1.0)
    assert (found[FAILURES], found[CLOSES]) == (Outcome.RED, Outcome.RED)
    refused = summary.select("ws_connection_failures", labels=[("error", "upgrade")])
    assert refused.aggregate("rate")
