"""A generator that gets no CPU says so: a real run that is stopped and continued from outside."""

import json
from pathlib import Path

import pytest
from program import Write, starved

pytestmark = pytest.mark.slow

FLOW = """
load: {vus: 5, duration: 4s}
steps: [{get: /api/v1/health, expect: 200}]
think: 20ms
gates:
  http_req_duration: p(95) < 10 s
  http_req_failed: rate < 1 %
"""


def test_a_starved_run_is_inconclusive_with_its_reason_and_remedy(suite: Write, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    done = starved("run", suite(FLOW), "--summary", summary, when="VUs", pulses=6, pulse=0.2)
    assert done.code == 98, done.text
    assert "INCONCLUSIVE" in done.out
    said = json.loads(summary.read_text())
    assert said["outcome"] == "inconclusive"
    kinds = {concern["kind"] for concern in said["concerns"]}
    assert {"saturated", "load_not_reached"} <= kinds
    assert all("--workers 2" in concern["remedy"] for concern in said["concerns"])
    assert said["health"]["lag_max"] > 0.1
    assert said["health"]["load_missing"] > 0.05
    by_gate = {gate["metric"]: gate["outcome"] for gate in said["gates"]}
    assert by_gate == {"http_req_duration": "inconclusive", "http_req_failed": "green"}
