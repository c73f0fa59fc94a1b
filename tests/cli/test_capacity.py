"""`vezaflow capacity` by the program itself, against a target whose limit is known."""

import json
from pathlib import Path
from textwrap import dedent

import pytest
from program import vezaflow
from queue_server import QueueServer, queue_server

pytestmark = pytest.mark.slow

WORKERS, SERVICE = 4, 0.04  # so 100 requests per second
FLOW = """
flow: browse
load: {executor: constant-arrival-rate, rate: 50/s, duration: 10m, pre_allocated_vus: 60}
steps: [{get: /, name: tracks}]
gates:
  http_req_duration: p(95) < 60 ms
  iterations: count >= 10000
"""
QUICK = ("--settle", "500ms", "--measure", "1500ms")


def suite(folder: Path, server: QueueServer, flow: str = FLOW, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "suite.yml").write_text(f"suite: shop\nbase_url: http://127.0.0.1:{server.port}\n{dedent(more)}")
    (folder / "browse.yml").write_text(dedent(flow))
    return folder


def test_the_limit_of_a_queue_is_found_within_five_percent(tmp_path: Path) -> None:
    with queue_server(WORKERS, SERVICE) as server:
        folder = suite(tmp_path / "suite", server)
        words = ("--from", "1.4", "--to", "2.8", "--steps", "3", "--expect", ">= 1.5", "--history", tmp_path / "h.db")
        page = tmp_path / "page.md"
        done = vezaflow(
            "capacity", folder, *words, *QUICK, "--json", tmp_path / "c.json", env={"GITHUB_STEP_SUMMARY": str(page)}
        )
        assert done.code == 0, done.text
    document = json.loads((tmp_path / "c.json").read_text())
    limit = server.limit / 50
    assert limit * 0.95 <= document["holds"] <= limit * 1.05, done.text
    assert document["holds"] < document["ends"] <= limit * 1.05 * 1.05
    assert document["first"] == ["browse p(95) of http_req_duration"]
    assert document["unjudged"] == ["iterations: count >= 10000"]
    assert document["sentence"] in page.read_text()
    assert "browse p(95) of http_req_duration breaks first" in done.out
    assert any(level["aborted"] for level in document["levels"])
