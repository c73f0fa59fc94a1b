"""Paths → a Suite: which files belong together, and what their keys become."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vezaflow.diagnostics import Diagnostics, render_text
from vezaflow.lint import lint
from vezaflow.model import (
    Choose,
    Executor,
    FileBytes,
    For,
    FormBody,
    GeneratedBytes,
    If,
    JsonBody,
    MultipartBody,
    OnFailure,
    Pick,
    Request,
    Suite,
    TextBody,
)
from vezaflow.model.steps import Think
from vezaflow.read import read_suite
from vezaflow.syntax import Literal, Range
from vezaflow.units import Dimension, Quantity

ROOT = Path("suites/demo")
FLOW = """
flow: home
base_url: http://127.0.0.1:8080
steps:
  - get: /
gates: {http_req_failed: rate < 1 %}
"""
DESIGN_SUITE = """
suite: veza-capacity
base_url: ${env.BASE_URL}
secrets: [USER_TOKEN]                  # values that never appear in any output
guard:
  allow: [staging.veza.fr, "*.lxd"]    # loopback is always allowed; every other host is refused unless listed
  max_vus: 2000                        # and no more than this, whatever an override says
preflight:
  - get: /api/v1/health
    expect: 200
headers: {authorization: "Bearer ${env.USER_TOKEN}"}
gates:                                 # pooled over all flows
  http_req_duration: [p(95) < 500 ms, p(99) < 1500 ms]
  http_req_failed: rate < 0.5 %
each_flow:                             # inherited by every flow
  iterations: count >= 100
"""
DESIGN_STREAMING = """
flow: streaming
description: A listener plays a track at 256 kbit/s.
load:
  executor: constant-vus               # k6's executor names; this one may be left out
  vus: ${env.STREAM_VUS ?? 500}
  duration: ${env.DURATION ?? 5m}
vars:
  track: ${env.STREAM_TRACK_ID}
steps:
  - get: /api/v1/tracks/${track}/hls/master.m3u8
    name: master playlist              # the metric's `step` label; the URL as written if left out
    expect: 200
    extract:
      variant: {m3u8: variants, where: bandwidth <= 256000, pick: last}
  - get: ${variant.uri}                # URIs of a playlist come out absolute
    name: media playlist
    extract:
      segments: {m3u8: segments, take: 4}
  - for: segment
    in: ${segments}
    do:
      - get: ${segment.uri}
        name: segment
  - think: 0.5s..1.5s
gates:
  http_req_duration: p(95) < 300 ms    # this flow's samples only
  http_req_duration{step:segment}: p(99) < 1 s
"""
DESIGN_BROWSE = """
load: {vus: 100, duration: 5m}
vars: {terms: [rock, jazz], ids: [1, 2]}
steps:
  - choose:
      - weight: 60
        do:
          - get: /api/v1/tracks/search
            name: search
            query: {q: "${pick(terms)}", limit: 20}
            expect: {status: 200, that: len(json("$.data")) > 0}
      - weight: 30
        do: [{get: /api/v1/tracks, name: list, query: {limit: 20}}]
      - weight: 10
        do: [{get: "/api/v1/tracks/${pick(ids)}", name: detail}]
"""


def suite_of(**files: str) -> Suite:
    """The suite that the texts write; `suite` is suite.yml. No diagnostic may come."""
    overlay = {ROOT / f"{name}.yml": text for name, text in files.items()}
    suite, diagnostics = lint([ROOT], overlay=overlay)
    assert render_text(diagnostics) == ""
    assert suite is not None
    return suite


def only_step(text: str) -> object:
    """The first step of a flow with these steps, whatever the rules think of it."""
    diagnostics = Diagnostics()
    suite = read_suite([ROOT], diagnostics, overlay={ROOT / "a.yml": f"steps:\n{text}"})
    assert render_text(diagnostics) == ""
    assert suite is not None
    return suite.flows[0].steps[0]


def only_request(text: str) -> Request:
    step = only_step(text)
    assert isinstance(step, Request)
    return step


def test_the_flows_of_the_design_are_right() -> None:
    suite = suite_of(suite=DESIGN_SUITE, streaming=DESIGN_STREAMING, browse=DESIGN_BROWSE)
    assert [flow.name for flow in suite.flows] == ["browse", "streaming"]
    assert suite.secrets == ("USER_TOKEN",)
    assert suite.guard.allow == ("staging.veza.fr", "*.lxd")
    assert [gate.condition.text for gate in suite.gates] == ["p(95) < 500 ms", "p(99) < 1500 ms", "rate < 0.5 %"]
    streaming = suite.flows[1]
    assert streaming.gates[1].labels == (("step", "segment"),)
    assert isinstance(streaming.steps[2], For)
    browse = suite.flows[0]
    assert isinstance(browse.steps[0], Choose)
    assert [branch.name for branch in browse.steps[0].branches] == ["1", "2", "3"]


def test_a_flow_file_runs_with_the_suite_beside_it() -> None:
    overlay = {ROOT / "suite.yml": DESIGN_SUITE, ROOT / "a.yml": FLOW, ROOT / "b.yml": FLOW}
    suite, diagnostics = lint([ROOT / "a.yml"], overlay=overlay)
    assert suite is not None, render_text(diagnostics)
    assert [flow.source.path for flow in suite.flows] == [str(ROOT / "a.yml")]
    assert suite.name == "veza-capacity"
    assert not suite.whole


def test_naming_the_suite_file_means_its_folder() -> None:
    overlay = {ROOT / "suite.yml": "suite: x", ROOT / "a.yml": FLOW}
    suite, _ = lint([ROOT / "suite.yml"], overlay=overlay)
    assert suite is not None
    assert [flow.name for flow in suite.flows] == ["home"]


def test_a_folder_without_suite_file_is_named_after_itself() -> None:
    suite = suite_of(a=FLOW)
    assert suite.name == "demo"
    assert suite.root == ROOT
    assert set(suite.sources) == {str(ROOT / "a.yml")}


def test_several_flow_files_of_one_folder_are_one_suite() -> None:
    overlay = {ROOT / "a.yml": FLOW.replace("home", "one"), ROOT / "b.yml": FLOW}
    suite, _ = lint([ROOT / "b.yml", ROOT / "a.yml"], overlay=overlay)
    assert suite is not None
    assert [flow.name for flow in suite.flows] == ["home", "one"]
    assert suite.whole


def test_two_folders_are_two_suites() -> None:
    suite, diagnostics = lint([Path("x"), Path("y")], overlay={Path("x/a.yml"): FLOW, Path("y/a.yml"): FLOW})
    assert suite is None
    assert [d.code for d in diagnostics] == ["VF131"]


def test_files_on_disk_are_read_in_order_and_hidden_ones_left_alone(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", ".hidden.yml", "notes.txt"):
        (tmp_path / name).write_text(FLOW.replace("home", name))
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "c.yml").write_text("steps: [{get: /}]")
    suite, diagnostics = lint([tmp_path])
    assert suite is not None, render_text(diagnostics)
    assert [flow.name for flow in suite.flows] == ["a.yml", "b.yaml"]


def test_a_path_that_is_not_there_is_a_diagnostic(tmp_path: Path) -> None:
    suite, diagnostics = lint([tmp_path / "nowhere.yml"])
    assert suite is None
    assert [(d.code, d.span) for d in diagnostics] == [("VF132", None)]


def test_no_paths_at_all_is_a_diagnostic() -> None:
    assert [d.code for d in lint([])[1]] == ["VF132"]


@pytest.mark.parametrize("what", [os.mkfifo, lambda path: path.symlink_to("/dev/null")])
def test_what_is_neither_a_file_nor_a_folder_is_not_said_to_be_missing(
    what: Callable[[Path], None], tmp_path: Path
) -> None:
    what(tmp_path / "odd.yml")
    assert [d.message for d in lint([tmp_path / "odd.yml"])[1]] == [
        f"{tmp_path}/odd.yml is neither a file nor a folder"
    ]


def test_bytes_that_are_no_text_are_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"flow: \xff\n")
    assert [d.code for d in lint([tmp_path])[1]] == ["VF110"]


def test_a_given_base_url_stands_in_for_the_files() -> None:
    overlay = {ROOT / "a.yml": FLOW.replace("base_url: http://127.0.0.1:8080\n", "")}
    assert [d.code for d in lint([ROOT], overlay=overlay)[1]] == ["VF406"]
    suite, diagnostics = lint([ROOT], overlay=overlay, base_url=True)
    assert suite is not None
    assert len(diagnostics) == 0


def test_a_flow_without_load_runs_once() -> None:
    load = suite_of(a=FLOW).flows[0].load
    assert load.executor is Executor.SHARED_ITERATIONS
    assert isinstance(load.vus, Literal)
    assert isinstance(load.iterations, Literal)
    assert (load.vus.value, load.iterations.value) == (1, 1)


@pytest.mark.parametrize("executor", ["per-vu-iterations", "shared-iterations"])
def test_iteration_executors_read_max_duration_as_their_limit(executor: str) -> None:
    load = suite_of(a=f"load: {{executor: {executor}, vus: 2, max_duration: 1m30s}}\n{FLOW}").flows[0].load
    assert load.executor.value == executor
    assert isinstance(load.duration, Literal)
    assert load.duration.value == Quantity(90.0, Dimension.TIME, "1m30s")


def test_a_request_is_named_by_its_method_and_url_as_written() -> None:
    request = only_request('  - post: "/tracks/${vu}?a=1"')
    assert (request.name, request.named, request.method) == ("POST /tracks/${vu}?a=1", False, "POST")
    assert request.span.text == "post"


def test_numbers_stay_as_written_where_text_is_meant() -> None:
    request = only_request("  - get: /\n    headers: {x-version: 1.10}\n    query: {v: 1.10, on: no}")
    assert [value.value for _, value in request.options.headers if isinstance(value, Literal)] == ["1.10"]
    assert [value.value for _, value in request.query if isinstance(value, Literal)] == ["1.10", "no"]


def test_numbers_in_json_are_numbers() -> None:
    request = only_request('  - post: /\n    json: {a: 1.10, b: "1", c: [true, null]}')
    assert isinstance(request.body, JsonBody)
    tree = request.body.value
    assert isinstance(tree, dict)
    assert isinstance(tree["a"], Literal)
    assert tree["a"].value == 1.1
    assert isinstance(tree["b"], Literal)
    assert tree["b"].value == "1"
    assert isinstance(tree["c"], tuple)
    assert [leaf.value for leaf in tree["c"] if isinstance(leaf, Literal)] == [True, None]


def test_think_reads_a_range() -> None:
    step = only_step("  - think: 0.5s..1.5s")
    assert isinstance(step, Think)
    assert isinstance(step.duration, Range)
    assert isinstance(step.duration.high, Literal)
    assert step.duration.high.value == Quantity(1.5, Dimension.TIME, "1.5s")


def test_think_reads_one_duration() -> None:
    step = only_step("  - think: 300 ms")
    assert isinstance(step, Think)
    assert isinstance(step.duration, Literal)
    assert step.duration.value == Quantity(0.3, Dimension.TIME, "300 ms")


def test_bodies_of_all_kinds() -> None:
    def kind(text: str) -> type:
        return type(only_request(f"  - post: /\n    {text}").body)

    assert kind("body: hello ${vu}") is TextBody
    assert kind("body: {bytes: 1 MiB}") is GeneratedBytes
    assert kind("body: {file: a.bin}") is FileBytes
    assert kind("form: {user: ann}") is FormBody
    assert kind("json: [1]") is JsonBody
    assert kind("multipart: {a: 1}") is MultipartBody


def test_parts_of_a_multipart_body() -> None:
    request = only_request(
        "  - post: /\n    multipart:\n      id: ${vu}\n      chunk: {bytes: 1 MiB, filename: a.flac}\n"
        "      cover: {file: c.png, content_type: image/png}\n      note: {value: hi}"
    )
    assert isinstance(request.body, MultipartBody)
    contents = [type(part.content) for part in request.body.parts]
    assert contents[1:] == [GeneratedBytes, FileBytes, Literal]


def test_extractions_in_their_forms() -> None:
    request = only_request(
        "  - get: /\n    extract:\n      a: $.id\n      b: {regex: 'id=(\\d+)', pick: -1, default: null}\n"
        "      c: {header: location}\n      d: {cookie: session}\n      e: {json: '$.d[*]', where: it > 3, all: true}\n"
        "      f: {m3u8: variants, pick: random}"
    )
    sources = [extract.source for extract in request.extract]
    assert sources == ["json", "regex", "header", "cookie", "json", "m3u8"]
    assert [extract.pick for extract in request.extract] == [None, -1, None, None, None, Pick.RANDOM]
    assert isinstance(request.extract[1].default, Literal)  # null is a default, too
    assert request.extract[0].default is None
    assert request.extract[4].all


def test_expectations_in_their_forms() -> None:
    request = only_request(
        "  - get: /\n    expect:\n      status: [200, 204, 3xx]\n      headers: {content-type: {contains: json}, "
        "etag: {exists: true}}\n"
        '      json: {$.status: ok, $.n: 3}\n      body: {matches: "^x"}\n      that: [status() == 200]'
    )
    assert request.expect is not None
    assert request.expect.status is not None
    assert (request.expect.status.exact, request.expect.status.classes) == ((200, 204), (3,))
    assert [e.name for e in request.expect.expectations] == [
        "header content-type contains json",
        "header etag exists",
        "$.status == ok",
        "$.n == 3",
        "body matches ^x",
        "status() == 200",
    ]


def test_one_status_is_a_whole_expectation() -> None:
    expect = only_request("  - get: /\n    expect: 2xx").expect
    assert expect is not None
    assert expect.status is not None
    assert (expect.status.exact, expect.status.classes, expect.status.text) == ((), (2,), "2xx")


def test_options_of_a_request() -> None:
    request = only_request(
        "  - get: /\n    on_failure: continue\n    auth: none\n    tags: {team: media}\n    follow: 3"
    )
    assert request.options.on_failure is OnFailure.CONTINUE
    assert request.options.auth is not None
    assert request.options.auth.bearer is None
    assert request.options.tags == (("team", "media"),)


def test_an_if_has_an_else() -> None:
    step = only_step("  - if: ${vu == 1}\n    do: [{get: /a}]\n    else: [{get: /b}, {skip: no}]")
    assert isinstance(step, If)
    assert (len(step.then), len(step.otherwise)) == (1, 2)


def test_a_preflight_may_be_tried_again() -> None:
    preflight = "preflight: {steps: [{get: http://127.0.0.1/}], retry: {for: 1m, every: 5s}}"
    suite = suite_of(suite=preflight, a=FLOW)
    assert suite.preflight_retry is not None
    assert isinstance(suite.preflight_retry.total, Literal)
    assert suite.preflight_retry.total.value == Quantity(60.0, Dimension.TIME, "1m")


def test_a_gate_in_its_long_form() -> None:
    gates = "gates: {'http_req_failed{step:GET /}': {condition: rate < 1 %, abort: true, delay: 30s, samples: 1}}"
    (gate,) = suite_of(a=FLOW.replace("gates: {http_req_failed: rate < 1 %}", gates)).flows[0].gates
    assert (gate.metric, gate.labels) == ("http_req_failed", (("step", "GET /"),))
    assert (gate.abort, gate.samples) == (True, 1)
    assert isinstance(gate.delay, Literal)


def test_a_path_that_does_not_exist_names_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "listen.yml").write_text("steps: [{get: /}]")
    diagnostics = Diagnostics()
    read_suite([tmp_path / "listen.yaml"], diagnostics)
    assert diagnostics.items[0].help == f"did you mean {tmp_path / 'listen.yml'}?"
    read_suite([tmp_path / "no" / "where.yml"], diagnostics)
    assert diagnostics.items[-1].help == ""
