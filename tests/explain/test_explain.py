"""What an explanation says and shows. The golden texts, and the example in docs/explain.md, are read by eye when they
change: `PYTHONPATH=tests/support python tests/explain/test_explain.py` writes them anew.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from asked import ROOMY, SMALL, evening, explained
from planned import plan_of

from vezaflow.diagnostics import Diagnostics
from vezaflow.explain import explain, page, to_json
from vezaflow.explain.chart import axis, bars
from vezaflow.explain.load_curve import LoadCurve
from vezaflow.limits import Machine
from vezaflow.plan import Division, Inputs, Segment, build
from vezaflow.read import read_suite

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
DOCS = ROOT / "docs" / "explain.md"
LAPTOP = Machine(open_files=1024, ports=28_232, memory=8 << 30, cores=2)
GATES = "gates: {http_req_failed: rate < 1 %}\n"
ONE = "load: {vus: 10, duration: 1m}\nsteps: [{get: /}]\n" + GATES


def drawn(there: Machine, division: Division, width: int) -> str:
    plan = evening()
    return plan.secrets.mask(page(explain(plan, there, division), width=width))


TEXTS: dict[str, Callable[[], str]] = {
    "evening_120.txt": lambda: drawn(ROOMY, Division(), 120),
    "evening_80.txt": lambda: drawn(ROOMY, Division(8), 80),
    "refused_80.txt": lambda: drawn(SMALL, Division(), 80),
    "share_60.txt": lambda: drawn(ROOMY, Division(2, Segment(1, 4)), 60),
    "one_100.txt": lambda: page(explained(ONE)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_page_reads_as_its_golden_text(name: str) -> None:
    assert TEXTS[name]() == (GOLDEN / name).read_text(encoding="utf-8")


def of_docs() -> str:
    """The page of the suite that docs/explain.md shows."""
    root = Path("night")
    texts = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    diagnostics = Diagnostics()
    suite = read_suite([root], diagnostics, overlay={root / name: text for name, text in texts})
    assert suite is not None
    plan = build(suite, Inputs({}), diagnostics)
    assert plan is not None
    return page(explain(plan, LAPTOP, Division()), width=100)


def test_the_example_of_the_docs_is_what_is_shown() -> None:
    assert f"$ vezaflow explain night\n{of_docs()}```\n" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for there in (ROOMY, SMALL):
        assert max(map(len, drawn(there, Division(), width).splitlines())) <= width


def test_colours_come_only_when_asked_for() -> None:
    assert "\x1b" not in page(explained(ONE))
    assert "\x1b[1;32m" in page(explained(ONE), colour=True)


def test_no_secret_is_shown_in_any_form() -> None:
    found = explain(evening(), ROOMY, Division())
    assert "tok-3n" not in page(found)
    assert "tok-3n" not in json.dumps(to_json(found))


def test_the_document_has_the_same_figures() -> None:
    record = orjson.loads(orjson.dumps(to_json(explain(evening(), SMALL, Division(2)))))
    assert (record["schema"], record["exit_code"], record["workers"], record["segment"]) == (2, 97, 2, None)
    assert "150 local ports" in record["refused"]["message"]
    flows = {flow["flow"]: flow for flow in record["flows"]}
    listen, rush, once = flows["listen"], flows["rush"], flows["once"]
    assert (rush["iterations_least"], rush["rate"], rush["vus_most"]) == (3900, 50, 100)
    assert once["iteration"]["requests_least"] == once["iteration"]["requests_most"] == 1
    assert listen["iteration"]["requests_most"] is None
    assert listen["login_requests"] == 1
    assert (max(listen["load"]), len(listen["load"])) == (300, 60)
    assert record["totals"]["requests_least"] == sum(flow["requests_least"] for flow in flows.values())
    assert record["led_by_run"][0] == {"step": "listen › variant", "url": "${variant.uri}"}
    short = ["too little", "too little", "too little", "close to the limit"]
    assert [limit["verdict"] for limit in record["limits"]] == [*short, "enough"]


def test_every_key_of_the_document_is_documented() -> None:
    record = to_json(explain(evening(), ROOMY, Division()))
    for text in (sys.modules[to_json.__module__].__doc__ or "", DOCS.read_text(encoding="utf-8")):
        assert [key for key in sorted(_keys(record)) if key not in text] == []


def _keys(tree: object) -> set[str]:
    if isinstance(tree, dict):
        return {key for name, value in tree.items() for key in (name, *(_keys(value) if name != "inputs" else ()))}
    return {key for item in tree for key in _keys(item)} if isinstance(tree, list) else set()


@pytest.mark.parametrize(
    ("step", "what", "why"),
    [
        ("{get: /, extract: {a: $.a}}", "body", ("extract a",)),
        ("{get: /, extract: {a: {header: x-a}, b: {cookie: c}}}", "headers", ("extract a",)),
        (
            '{get: /, expect: {that: [json("$.a") == 1, header("b") == "2"]}}',
            "body and headers",
            ('expect json("$.a") == 1', 'expect header("b") == "2"'),
        ),
        ("{get: /, expect: {size: < 1 kB}, retry: {max: 2}}", "body and headers", ("retry", "expect size < 1 kB")),
        ('{poll: {get: /}, until: json("$.a") == 1, within: 5s}', "body", ("until",)),
    ],
)
def test_what_is_kept_is_told_with_its_reason(step: str, what: str, why: tuple[str, ...]) -> None:
    flow = f"load: {{vus: 1, duration: 1m}}\nvars: {{a: 1, b: 1}}\nsteps: [{step}, {{log: '${{a}}${{b}}'}}]\n{GATES}"
    (kept,) = explained(flow).flows[0].kept
    assert (kept.what, kept.why) == (what, why)


@pytest.mark.parametrize("step", ["{get: /}", "{get: /, expect: {status: 200, that: status() == 200}}"])
def test_what_is_dropped_is_not_kept(step: str) -> None:
    assert explained(f"load: {{vus: 1, duration: 1m}}\nsteps: [{step}]\n{GATES}").flows[0].kept == ()


def test_hosts_are_named_with_why_they_are_allowed() -> None:
    found = explain(evening(), ROOMY, Division())
    assert [(host.origin.host, host.allowed, host.by) for host in found.hosts] == [
        ("staging.veza.fr", "*.veza.fr", ("listen", "once", "preflight", "setup")),
        ("cdn.veza.fr", "*.veza.fr", ("rush",)),
    ]
    (loopback,) = explained(ONE).hosts
    assert (loopback.origin.port, loopback.allowed) == (1, "loopback")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("/a/${vu}", "127.0.0.1"),
        ("${cdn}/a/${vu}", "cdn.localhost"),
        ("http://${name}.localhost/${vu}", "x.localhost"),
        ("http://cdn.localhost:99/${vu}", "cdn.localhost"),
        ("http://cdn${vu}.localhost/", None),
        ("${pick(ids)}", None),
    ],
)
def test_a_host_is_known_as_far_as_its_url_is(url: str, host: str | None) -> None:
    names = "vars: {cdn: 'http://cdn.localhost', name: x, ids: ['${vu}']}"
    found = explained(f"load: {{vus: 1, duration: 1m}}\n{names}\nsteps: [{{get: '{url}'}}]\n{GATES}")
    assert [known.origin.host for known in found.hosts] == ([host] if host else [])
    assert [led for _, led in found.led] == ([] if host else [url])


def test_steps_that_connect_otherwise_than_their_flow_are_told_with_how() -> None:
    flow = """
    http: {local_address: 127.0.0.2}
    load: {vus: 10, duration: 1m}
    steps:
      - {get: /, name: usual}
      - {get: "https://127.0.0.1:2", name: new, http: {version: 2}, tls: {insecure: true}}
      - {get: /, name: far, http: {proxy: "http://ann:hunter22@127.0.0.1:3128", local_address: 127.0.0.3}}
      - {get: /, name: far, http: {proxy: "http://ann:hunter22@127.0.0.1:3128", local_address: 127.0.0.3}}
    gates: {http_req_failed: rate < 1 %}
    """
    found = explained(flow)
    shown = page(found)
    assert (
        """
    connects   up to 3 connections per VU at the same time
               new: over HTTP/2, trusting any certificate
               far: through the proxy 127.0.0.1:3128, from 127.0.0.3
"""
        in shown
    )
    assert to_json(found)["flows"][0]["connects"][1] == {
        "step": "far",
        "http_version": "1.1",
        "proxy": "127.0.0.1:3128",
        "local_addresses": ["127.0.0.3"],
        "certificate": None,
    }
    assert "hunter22" not in shown + json.dumps(to_json(found))


def test_steps_that_hold_a_connection_open_are_counted() -> None:
    flow = """
    load: {vus: 10, duration: 1m}
    steps:
      - sse: /events
        name: feed
        do:
          - {websocket: /ws, name: chat, do: [{send: hello}]}
          - {sse: /others, name: others, do: [{receive: {}}]}
          - {sse: /others, name: others, do: [{receive: {}}]}
    gates: {sse_connection_failures: rate < 1 %}
    """
    found = explained(flow)
    assert "    opens      2 event streams: feed, others\n               1 WebSocket: chat\n" in page(found)
    assert to_json(found)["flows"][0]["opens"][0] == {"step": "feed", "what": "event stream"}
    assert found.flows[0].connections.most == 2


def test_what_a_listener_plays_is_told_in_words() -> None:
    flow = """
    load: {vus: 10, duration: 1m}
    steps:
      - {hls: /a.m3u8, name: some, play: 30s, buffer: 1m}
      - {hls: /a.m3u8, name: four, segments: 4, pace: none}
      - {hls: /a.m3u8, name: all}
    gates: {hls_stalls: count < 1}
    """
    found = explained(flow)
    told = {each["step"]: each["what"] for each in to_json(found)["flows"][0]["listens"]}
    assert told == {
        "some": "plays 30 s in real time, fetched up to 1m ahead; how many requests that takes depends on the stream",
        "four": "fetches 4 segments, one segment after another; how many requests that takes depends on the stream",
        "all": "plays the whole stream in real time, fetched up to 30 s ahead; how many requests that takes depends on "
        "the stream",
    }
    assert "listens    some: plays 30 s in real time" in page(found)
    assert found.flows[0].iteration.requests == 3
    assert found.flows[0].iteration.sent > 100


def test_steps_around_the_load_that_connect_otherwise_than_the_suite_are_told_too() -> None:
    suite = """
    base_url: https://127.0.0.1:1
    http: {version: 2}
    preflight: [{get: /up, name: up, http: {version: 1.1}}]
    """
    found = explain(plan_of(ONE, suite=suite), ROOMY, Division())
    assert "Setup, login, teardown (once; lower bounds)\n  preflight 1 request\n  up: over HTTP/1.1\n" in page(found)
    assert [way["step"] for way in to_json(found)["around"]["connects"]] == ["up"]


def test_gates_say_that_they_abort_and_what_they_judge() -> None:
    gates = "gates: {http_req_failed: {condition: rate < 1 %, abort: true, delay: 10s}}\n"
    gates += "measure: {skip: 5s, drain: false}\n"
    flow = explained("load: {vus: 1, duration: 1m}\nsteps: [{get: /}]\n" + gates).flows[0]
    assert flow.gates == ("http_req_failed: rate < 1 %, aborts the run (from 10 s on)",)
    assert flow.judged == "from 5 s on, without the graceful stop"


def test_bars_show_what_is_not_nothing_and_fill_what_is_most() -> None:
    assert bars([0, 1, 500, 1000], 1) == [" ▁▄█"]
    assert bars([0, 500, 1000], 2) == ["  █", " ██"]
    assert bars([0, 0], 2) == ["  ", "  "]


@pytest.mark.parametrize("width", [20, 40, 83])
def test_an_axis_begins_and_ends_with_its_times(width: int) -> None:
    line, times = axis(width, 300)
    assert (line[0], line[-1], len(line)) == ("┬", "┬", width)
    assert times.startswith("0 s")
    assert times.endswith("5m")
    assert len(times) == width


def test_a_stair_and_a_slope_are_read_between_their_corners() -> None:
    stair = LoadCurve((10.0, 20.0, 30.0), (5.0, 9.0, 0.0), False)
    assert [stair.most(*span) for span in ((0, 10), (5, 11), (20, 30), (25, 40), (30, 40))] == [0, 5, 9, 9, 0]
    assert stair.area == 140
    slope = LoadCurve((0.0, 10.0, 10.0), (0.0, 100.0, 0.0), True)
    assert [round(slope.most(*span)) for span in ((0, 5), (5, 10), (9.9, 12), (11, 12))] == [50, 100, 100, 0]


@pytest.mark.parametrize(
    ("walk", "kept", "led"),
    [
        ("next: $.next, into: query.cursor", (True, False), ()),
        ("next: {link: next}", (False, True), (("flow › list", "the pages after /a"),)),
    ],
)
def test_of_pages_is_told_what_leads_on_and_where_only_the_run_knows(
    walk: str, kept: tuple[bool, bool], led: tuple[tuple[str, str], ...]
) -> None:
    found = explained(f"steps: [{{paginate: {{get: /a, name: list}}, {walk}, pages: 3}}]")
    ((step,),) = (flow.kept for flow in found.flows)
    assert (step.step, (step.body, step.headers), step.why) == ("list", kept, ("next",))
    assert found.led == led


SILENT = """
import sys
sys.addaudithook(lambda event, _: sys.exit(f"opened a socket: {event}") if event.startswith("socket.") else None)
sys.argv = ["vezaflow", "explain", "--sandbox", *sys.argv[1:]]
from vezaflow.cli import main
main()
"""


@pytest.mark.slow
def test_no_socket_is_opened() -> None:
    words = [sys.executable, "-c", SILENT, str(ROOT / "flows"), "--only", "browse", "--format", "json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hosts"][0]["host"] == "sandbox.localhost"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in TEXTS.items():
        (GOLDEN / name).write_text(text(), encoding="utf-8")
    written = DOCS.read_text(encoding="utf-8")
    begin = written.index("$ vezaflow explain night\n") + len("$ vezaflow explain night\n")
    DOCS.write_text(written[:begin] + of_docs() + written[written.index("```\n", begin) :], encoding="utf-8")


def test_a_rate_whose_pauses_need_more_vus_than_there_are_is_told() -> None:
    load = "{executor: constant-arrival-rate, rate: 100/s, duration: 1m, pre_allocated_vus: 10, max_vus: MOST}"
    flow = f"load: {load}\nsteps: [{{get: /}}, {{think: 1s..3s}}]\n{GATES}"
    told = "too few    150 VUs at most: pauses alone need 200, so iterations will be dropped"
    assert told in page(explained(flow.replace("MOST", "150")))
    assert "too few" not in page(explained(flow.replace("MOST", "200")))
    assert to_json(explained(flow.replace("MOST", "150")))["flows"][0]["vus_resting"] == 200
