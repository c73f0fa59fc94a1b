"""`/metrics` of the sandbox, read by Prometheus' own tool and held against what the sandbox counts otherwise."""

import re
import shutil
import subprocess

import httpx
import pytest

TRACKS = 'method="GET",path="/api/v1/tracks"'


def test_a_histogram_counts_each_route_by_its_template(visitor: httpx.Client) -> None:
    before = _count(visitor)
    for _ in range(3):
        visitor.get("/api/v1/tracks")
    page = visitor.get("/metrics")
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert _count(visitor) == before + 3
    ends = re.findall(rf'_bucket{{{re.escape(TRACKS)},le="([^"]+)"}} (\d+)', page.text)
    assert [end for end, _ in ends] == [
        "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf",
    ]  # fmt: skip
    counts = [int(count) for _, count in ends]
    assert counts == sorted(counts)
    assert counts[-1] == _count(visitor)
    assert f'http_requests_total{{{TRACKS},status="200"}} {counts[-1]}\n' in page.text


def test_scrapes_are_no_requests_of_their_own(visitor: httpx.Client) -> None:
    visitor.get("/metrics")
    assert "/metrics" not in visitor.get("/metrics").text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
def test_promtool_finds_nothing_wrong(visitor: httpx.Client) -> None:
    for path in ("/api/v1/tracks", "/health", "/nowhere"):
        visitor.get(path)
    text = visitor.get("/metrics").text
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _count(visitor: httpx.Client) -> int:
    found = re.search(rf"_count{{{re.escape(TRACKS)}}} (\d+)", visitor.get("/metrics").text)
    return int(found[1]) if found else 0
