"""Profiles of a real Go program, Prometheus: fetched by a run, read as `pprof-format` reads them."""

import json
from pathlib import Path

import pytest
from pprof_format import decoded
from processes import write_suite
from program import vezaflow
from prometheus import needs_prometheus, prometheus

from vezaflow.errors import ExitCode

pytestmark = [pytest.mark.slow, needs_prometheus]
FLOW = """
load: {vus: 4, duration: 4s}
steps: [{get: "/api/v1/query?query=vector(1)"}]
"""
SUITE = """
profile:
  - {url: /debug/pprof/profile, seconds: 2, at: 500ms}
  - {url: /debug/pprof/profile, seconds: 1, at: 1s, name: second}
  - {url: /debug/pprof/heap, at: 1s}
  - {url: /debug/pprof/goroutine, at: 1s}
  - {url: /debug/pprof/block, on: red}
  - {url: /debug/pprof/nothing, at: 1s}
gates:
  http_reqs: count < 5
  profile.cpu{function:net/http.(*conn).serve}: [share > 1 %, flat < 50 %]
  profile.second{function:net/http.(*conn).serve}: share > 1 %
  http_req_failed{during:cpu}: rate < 1 %
"""
KINDS = {"cpu": "cpu", "heap": "inuse_space", "goroutine": "goroutine"}


def test_profiles_of_a_go_program_are_what_pprof_format_reads(tmp_path: Path) -> None:
    summary = tmp_path / "out" / "summary.json"
    suite = write_suite(tmp_path / "suite", FLOW, SUITE)
    with prometheus() as server:
        done = vezaflow(
            "run", suite, "--summary", summary, env={"BASE_URL": server.url, "XDG_STATE_HOME": str(tmp_path)}
        )
    assert done.code == ExitCode.RED, done.text
    record = json.loads(summary.read_text())
    profiles = {each["name"]: each for each in record["profiles"]}
    assert set(profiles) == {"cpu", "second", "heap", "goroutine", "block", "nothing"}
    for name, kind in KINDS.items():
        profile = profiles[name]
        assert (profile["problem"], profile["kind"]) == ("", kind)
        (theirs,) = decoded(kind, [Path(profile["file"])])
        assert profile["total"] == theirs["total"]
        for share in ("flat", "cum"):
            mine = sorted((each[share] for each in profile["top"]), reverse=True)[:10]
            top = sorted((amount / theirs["total"] for amount in theirs[share].values()), reverse=True)[:10]
            assert mine == pytest.approx(top + [0.0] * (len(mine) - len(top)))
        for each in profile["top"]:
            assert each["cum"] == pytest.approx(theirs["cum"][each["function"]] / theirs["total"])
    assert "already in use" in profiles["second"]["problem"]
    assert profiles["nothing"]["problem"].startswith("status 404")
    assert profiles["block"]["problem"] in ("", "it has no samples")
    verdicts = {each["gate"]: each["outcome"] for each in record["gates"]}
    assert verdicts["profile.cpu{function:net/http.(*conn).serve}: share > 1 %"] == "green", done.text
    assert verdicts["profile.cpu{function:net/http.(*conn).serve}: flat < 50 %"] == "green"
    assert verdicts["profile.second{function:net/http.(*conn).serve}: share > 1 %"] == "inconclusive"
    assert verdicts["http_req_failed{during:cpu}: rate < 1 %"] == "green"
