"""`--out NAME[=ARG]` of `run`: what it writes, refuses and survives."""

import json
from pathlib import Path

import pytest
from program import Write, vezaflow

FLOW = """
load: {vus: 1, duration: 2s}
steps: [{get: /api/v1/health, name: a}, {think: 100ms}]
gates: {http_req_failed: rate < 50 %}
"""


@pytest.mark.slow
def test_json_lines_end_with_the_figures_of_the_result(suite: Write, tmp_path: Path) -> None:
    lines, whole = tmp_path / "deep" / "run.jsonl", tmp_path / "run.json"
    done = vezaflow("run", suite(FLOW), "--quiet", "--out", f"json={lines}", "--summary", whole)
    assert done.code in (0, 98), done.text
    ticks = [json.loads(line) for line in lines.read_text().splitlines()]
    result = json.loads(whole.read_text())
    assert [tick["last"] for tick in ticks] == [False] * (len(ticks) - 1) + [True]
    assert ticks[-1]["pooled"]["http_reqs"] == result["pooled"]["http_reqs"] > 0
    assert ticks[-1]["pooled"]["http_req_duration"]["p95"] == result["pooled"]["http_req_duration"]["p95"]
    assert result["notes"] == []


@pytest.mark.slow
def test_json_lines_on_standard_output_stand_there_alone(suite: Write) -> None:
    done = vezaflow("run", suite(FLOW), "--quiet", "-o", "json")
    assert json.loads(done.out.splitlines()[-1])["last"] is True
    assert "may go live" in done.err or "INCONCLUSIVE" in done.err


@pytest.mark.slow
def test_a_full_disk_is_reported_and_the_verdict_stays(suite: Write, tmp_path: Path) -> None:
    whole = tmp_path / "run.json"
    done = vezaflow("run", suite(FLOW), "--quiet", "--out", "json=/dev/full", "--summary", whole)
    assert done.code in (0, 98), done.text
    said = "output json=/dev/full failed after 1 tick and got no more: No space left on device"
    assert said in done.err
    assert json.loads(whole.read_text())["notes"] == [said]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--out", "jsn=x"), "there is no output 'jsn': did you mean 'json'?"),
        (("--out", "graphite"), "there is no output 'graphite': there is json, csv, prometheus"),
        (("--out", "json=" + "a" * 5000), "can't be a path"),
        (("--out", "json=same", "--summary", "same"), "--summary and --out json=same both write same"),
        (("--out", "json", "--junit", "-"), "--junit and --out json both write to standard output"),
        (("--out", "json=flow.yml"), "is a YAML file like a flow, and would be overwritten"),
    ],
)
def test_what_can_t_be_is_refused_before_the_load(suite: Write, words: tuple[str, ...], told: str) -> None:
    folder = suite(FLOW)
    done = vezaflow("run", ".", *words, cwd=folder)
    assert done.code == 2
    assert told in " ".join(done.err.split())
    assert (folder / "flow.yml").read_text().startswith("\nload")
