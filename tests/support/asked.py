"""Suites to explain, and machines to explain them for."""

from pathlib import Path

from planned import plan_of

from vezaflow.diagnostics import Diagnostics
from vezaflow.explain import Explanation, explain
from vezaflow.limits import Machine
from vezaflow.plan import Division, Inputs, Plan, build
from vezaflow.read import read_suite

ROOMY = Machine(open_files=1_000_000, ports=28_232, memory=8 << 30, cores=4)
SMALL = Machine(open_files=256, ports=150, memory=80 << 20, cores=1)

SUITE = """
suite: evening
description: What a Friday evening looks like on staging, from the first listeners to the last.
base_url: ${env.BASE_URL}
secrets: [TOKEN]
guard: {allow: ["*.veza.fr"]}
preflight: [{get: /health}]
setup: [{get: /tracks, extract: {tracks: {json: "$.data[*].id", all: true}}}]
gates: {http_req_failed: rate < 0.5 %}
"""
FLOWS = {
    "listen": """
load:
  executor: ramping-vus
  start_vus: 0
  stages: [{duration: 2m, target: 300}, {duration: 5m, target: 300}, {duration: 1m, target: 0}]
auth: {bearer: "${env.TOKEN}"}
login: [{post: /login, json: {user: "${vu}"}}]
steps:
  - get: /tracks/${pick(tracks)}/master.m3u8
    name: playlist
    extract: {variant: {m3u8: variants, pick: last}}
  - get: ${variant.uri}
    name: variant
    extract: {segments: {m3u8: segments, take: 4}}
  - for: segment
    in: ${segments}
    do: [{get: "${segment.uri}", name: segment}]
think: 4s..8s
gates: {http_req_duration: [p(95) < 300 ms, p(99) < 1 s]}
""",
    "rush": """
load:
  executor: ramping-arrival-rate
  start_rate: 5/s
  stages: [{duration: 1m, target: 50/s}, {duration: 30s, target: 50/s}, {duration: 30s, target: 0/s}]
  pre_allocated_vus: 20
  max_vus: 100
  start_time: 3m
steps:
  - get: https://cdn.veza.fr/hit.json
    expect: {that: len(json("$.data")) > 0, headers: {etag: {exists: true}}}
gates: {dropped_iterations: count < 10}
""",
    "once": """
load: {executor: per-vu-iterations, vus: 5, iterations: 20}
steps:
  - post: /upload
    multipart: {index: "${iteration}", chunk: {bytes: 1 MiB, filename: a.bin}}
""",
}


def evening() -> Plan:
    """A suite of three flows of different kinds."""
    root = Path("evening")
    texts = {root / "suite.yml": SUITE} | {root / f"{name}.yml": f"flow: {name}{text}" for name, text in FLOWS.items()}
    diagnostics = Diagnostics()
    suite = read_suite([root], diagnostics, overlay=texts)
    assert suite is not None, diagnostics.items
    environment = {"BASE_URL": "https://staging.veza.fr", "TOKEN": "tok-3n/+secret=42"}
    plan = build(suite, Inputs(environment), diagnostics)
    assert plan is not None, diagnostics.items
    return plan


def explained(flow: str, division: Division | None = None, there: Machine = ROOMY) -> Explanation:
    """A suite of one flow, explained."""
    return explain(plan_of(flow), there, division or Division())
