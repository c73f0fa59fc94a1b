"""A run says how it stands: which green night in a row it is, and what changed from the baseline."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from listener import listener
from program import Write, vezaflow

pytestmark = pytest.mark.slow

FLOW = """
load: {vus: 2, duration: 1s}
steps:
  - get: /api/v1/health
    name: health
think: 20ms
gates: {http_req_failed: rate < 1 %}
"""


def test_the_night_that_completes_the_count_is_announced_and_counted(suite: Write, tmp_path: Path) -> None:
    with listener() as server:
        env = {"XDG_STATE_HOME": str(tmp_path / "state"), "CHAT": f"{server.url}/hook"}
        page, summary = tmp_path / "page.md", tmp_path / "summary.json"
        notify = (
            'notify: [{webhook: "${env.CHAT}", on: [accepted], json: {text: "${verdict.headline}; ${night.text}"}}]'
        )
        folder = suite(FLOW, f"secrets: [CHAT]\n{notify}\naccept: {{nights: 2}}")
        first = vezaflow("run", folder, "--summary", summary, env=env)
        if first.code != 0:
            pytest.skip("the machine is too busy for a green run")
        record = json.loads(summary.read_text())
        assert record["standing"] == {"night": "night 1 of 2", "baseline": "", "accepted": ""}
        assert server.asked == []
        record["started"] = str(datetime.fromisoformat(record["started"]) - timedelta(days=1))
        record["run_id"] = "20260101T000000Z-before"
        (tmp_path / "before.json").write_text(json.dumps(record))
        taken = vezaflow("history", "import", tmp_path / "before.json", env=env)
        assert taken.code == 0, taken.text
        second = vezaflow("run", folder, "--summary", summary, env=env | {"GITHUB_STEP_SUMMARY": str(page)})
    found = json.loads(summary.read_text())["standing"]
    if second.code != 0:
        pytest.skip("the machine is too busy for a green run")
    # the first run of tonight completed the count when the night before came in: the second brings nothing new
    assert found == {"night": "night 2 of 2: accepted", "baseline": "", "accepted": ""}
    assert "**Acceptance: night 2 of 2: accepted**" in page.read_text()
    assert "night 2 of 2: accepted" in second.out
    decided = vezaflow("accept", folder, env=env)
    assert decided.code == 0, decided.text


def test_the_run_that_brings_the_acceptance_is_announced(suite: Write, tmp_path: Path) -> None:
    with listener() as server:
        env = {"XDG_STATE_HOME": str(tmp_path / "state"), "CHAT": f"{server.url}/hook"}
        notify = (
            'notify: [{webhook: "${env.CHAT}", on: [accepted], json: {text: "${verdict.headline}; ${night.text}"}}]'
        )
        done = vezaflow("run", suite(FLOW, f"secrets: [CHAT]\n{notify}\naccept: {{nights: 1}}"), env=env)
    if done.code != 0:
        pytest.skip("the machine is too busy for a green run")
    (asked,) = server.asked
    assert asked.json["text"].startswith("accepted: the night of ")
    assert asked.json["text"].endswith(" is green; night 1 of 1: accepted")
    assert "accepted: the night of " in done.out


def test_without_a_history_nothing_is_said_of_nights(suite: Write, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    vezaflow("run", suite(FLOW), "--no-history", "--summary", summary)
    assert json.loads(summary.read_text())["standing"] == {"night": "", "baseline": "", "accepted": ""}
