"""`vezaflow try` as its user sees it."""

import time
from pathlib import Path

import pytest
from program import Write, vezaflow

from vezaflow.sandbox import Sandbox

pytestmark = pytest.mark.slow

FLOW = """
steps:
  - get: /api/v1/tracks
    name: list
    query: {limit: 2}
    extract: {track: "$.data[0].id"}
  - think: 10ms
  - get: /api/v1/tracks/${track}
    name: detail
  - get: /api/v1/health
    name: after
finally: [{get: /api/v1/health, name: goodbye}]
gates: {http_req_failed: rate < 1 %}
"""


def headings(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith(("▶", "▷", "─"))]


def test_a_flow_that_lasts_ends_in_order_when_its_time_is_up(suite: Write, box: Sandbox) -> None:
    flow = suite(
        f"""
steps:
  - parallel:
      - websocket: /api/v1/ws
        name: chat
        auth: {{bearer: {box.token}}}
        do: [{{receive: {{where: json("$.type") == "never", within: 10m}}}}]
      - {{hls: /api/v1/tracks/{box.track_id}/hls/live.m3u8, name: listen}}
finally: [{{get: /api/v1/health, name: goodbye}}]
gates: {{http_req_failed: rate < 1 %}}
"""
    )
    begun = time.monotonic()
    done = vezaflow("try", flow, "--for", "1500ms")
    assert done.code == 0, done.text
    assert 1.4 < time.monotonic() - begun < 60  # it would be ten minutes
    assert "the iteration has lasted 1.5 s: it ends here" in done.out
    assert "left in the buffer" in done.out
    assert "vezaflow closed the WebSocket (code 1000)" in done.out
    assert "goodbye" in done.out


def test_every_step_is_shown_with_its_place(suite: Write) -> None:
    done = vezaflow("try", suite(FLOW))
    assert done.code == 0, done.text
    flow = suite(FLOW) / "flow.yml"
    assert headings(done.out) == [
        f"▶ list  {flow}:3",
        "▶ think 10 ms",
        f"▶ detail  {flow}:8",
        f"▶ after  {flow}:10",
        "── finally " + "─" * 49,
        f"▶ goodbye  {flow}:12",
    ]
    assert done.out.endswith("4 requests, all as expected\n")


def test_only_shows_one_step_and_what_it_needs_in_a_line_each(suite: Write) -> None:
    done = vezaflow("try", suite(FLOW), "--only", "detail")
    assert done.code == 0, done.text
    first, second, *_ = headings(done.out)
    assert first.startswith("▷ list  200 OK")
    assert len(first) <= 100
    assert second.startswith("▶ detail")
    assert "\n  think 10 ms\n\n▶ detail" in done.out
    assert "▶ after" not in done.out
    assert done.out.count('"title"') == 1


def test_only_of_an_unknown_step_says_which_was_meant(suite: Write) -> None:
    done = vezaflow("try", suite(FLOW), "--only", "detial")
    assert done.code == 2
    assert "unknown step 'detial' in the flow flow" in done.err
    assert "did you mean 'detail'?" in done.err


def test_only_that_is_not_reached_is_no_success(suite: Write) -> None:
    done = vezaflow("try", suite("steps: [{if: 1 > 2, do: [{get: /api/v1/health, name: never}]}]"), "--only", "never")
    assert done.code == 99
    assert done.out.endswith("0 requests; not reached: never\n")


def test_of_several_flows_the_step_says_which(suite: Write) -> None:
    folder = suite(FLOW)
    (folder / "other.yml").write_text("steps: [{get: /api/v1/health, name: other}]\n")
    asked = vezaflow("try", folder)
    assert "several flows: flow, other" in asked.err
    assert "add --flow flow" in asked.err
    assert vezaflow("try", folder, "--only", "other").code == 0
    assert vezaflow("try", folder, "--flow", "other").code == 0
    wrong = vezaflow("try", folder, "--only", "other", "--only", "list")
    assert "no flow has all of other, list" in wrong.err
    mixed = vezaflow("try", folder, "--only", "other", "--flow", "flow")
    assert "--flow 'other' is a flow: select it with --flow" in mixed.err
    assert "did you mean 'other'?" in vezaflow("try", folder, "--flow", "othre").err


def test_bodies_are_cut_but_with_full(suite: Write) -> None:
    folder = suite("steps: [{get: /api/v1/tracks, query: {limit: 20}}]")
    cut, full = vezaflow("try", folder), vezaflow("try", folder, "--full")
    assert "in all" in cut.out
    assert "in all" not in full.out
    assert full.out.count('"title"') == 20


def test_what_can_not_be_computed_is_shown_at_its_place(suite: Write) -> None:
    folder = suite('steps: [{set: {a: "${[1]}"}}, {get: "/${a[5]}", name: beyond}]')
    done = vezaflow("try", folder)
    assert done.code == 99
    assert "▶ beyond" in done.out
    assert "error[VF605]" in done.out
    assert done.out.endswith("0 requests, 1 step failed\n")


def test_what_a_users_variables_can_not_be_is_shown_too(suite: Write) -> None:
    done = vezaflow("try", suite('vars: {list: "${[vu]}", a: "${list[3]}"}\nsteps: [{get: "/${a}"}]'))
    assert done.code == 99
    assert "error[VF605]" in done.out


def test_redirects_retries_and_polls_are_told_apart(suite: Write, tmp_path: Path) -> None:
    flow = """
    vars: {count: 0}
    steps:
      - get: /api/v1/nothing
        name: gone
        expect: 200
        retry: {on: [404], max: 1, wait: 10ms}
        on_failure: continue
      - poll: {get: /api/v1/health}
        until: 1 > 2
        every: 600ms
        within: 1s
    """
    done = vezaflow("try", suite(flow))
    assert [line.partition("  ")[0] for line in headings(done.out)] == [
        "▶ gone",
        "▶ attempt 2 follows in 10 ms",
        "▶ gone (2)",
        "▶ GET /api/v1/health",
        "▶ not yet: 1 > 2 is false (got 1)",
        "▶ GET /api/v1/health (2)",
    ], done.out


def test_the_trace_is_kept_as_a_page_however_it_ends(suite: Write, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    assert vezaflow("try", suite(FLOW), "--html", page).code == 0
    good = page.read_text()
    assert '<p class="verdict good">4 requests, all as expected</p>' in good
    assert good.count('<details class="card') == 4
    refused = "preflight: [{get: /api/v1/nothing, name: first}]"
    assert vezaflow("try", suite(FLOW, refused), "--html", page).code == 97
    assert '<p class="verdict bad">preflight failed: no load was sent' in page.read_text()


def test_a_page_that_can_not_be_written_is_said_before_anything_is_sent(suite: Write, tmp_path: Path) -> None:
    done = vezaflow("try", suite(FLOW), "--html", tmp_path)
    assert done.code == 2
    assert "▶" not in done.out


# -- replay ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_replay_needs_no_target_and_no_environment(tmp_path: Path, state: dict[str, str]) -> None:
    (tmp_path / "suite.yml").write_text("base_url: ${env.BASE_URL}\nsecrets: [USER_TOKEN]\n")
    flow = tmp_path / "flow.yml"
    step = "get: '/api/v1/tracks/${env.STREAM_TRACK_ID}', name: track, auth: {bearer: '${env.USER_TOKEN}'}"
    flow.write_text(f"steps: [{{{step}}}]")
    live = vezaflow("try", flow, "--sandbox", env=state)
    assert live.code == 0, live.text
    flow.write_text(f"steps: [{{{step}, extract: {{title: $.title}}}}, {{think: 1h}}]")
    offline = vezaflow("try", flow, "--replay", env=state, limit=30)
    assert "did you mean `$.data.title`?" in offline.out
    flow.write_text(f"steps: [{{{step}, extract: {{title: $.data.title}}}}, {{think: 1h}}]")
    mended = vezaflow("try", flow, "--replay", env=state, limit=30)
    assert mended.code == 0, mended.text
    assert 'title = "Midnight River 1"' in mended.out
    assert "1 request, all as expected; nothing was sent: the responses were recorded on " in mended.out


def test_replay_says_what_differs_and_what_is_missing(suite: Write, state: dict[str, str]) -> None:
    assert vezaflow("try", suite(FLOW), env=state).code == 0
    changed = FLOW.replace("limit: 2", "limit: 3").replace("name: after", "name: health")
    done = vezaflow("try", suite(changed), "--replay", env=state)
    assert done.code == 0, done.text
    assert "for GET /api/v1/tracks?limit=2, and this is GET /api/v1/tracks?limit=3" in done.out
    assert "no recording of 'health'; using the response of 'after'" in done.out
    assert done.out.endswith("; 1 request not as recorded\n")
    new = vezaflow("try", suite("steps: [{get: /api/v1/new, name: new}]"), "--replay", env=state)
    assert new.code == 99
    assert "no response is recorded for 'new'; `vezaflow try` without --replay records one" in new.out


def test_only_replaces_what_it_ran(suite: Write, state: dict[str, str]) -> None:
    assert vezaflow("try", suite(FLOW), env=state).code == 0
    assert vezaflow("try", suite(FLOW), "--only", "list", env=state).code == 0
    assert vezaflow("try", suite(FLOW), "--replay", env=state).code == 0


def test_replay_without_a_recording_says_what_to_do(suite: Write, state: dict[str, str]) -> None:
    done = vezaflow("try", suite(FLOW), "--replay", env=state)
    assert done.code == 97
    assert "there is no recording of the flow flow" in done.err
    assert "without --replay once" in done.err


def test_a_recording_that_is_damaged_is_told_and_then_replaced(
    suite: Write, state: dict[str, str], tmp_path: Path
) -> None:
    vezaflow("try", suite(FLOW), env=state)
    (tape,) = (tmp_path / "state" / "vezaflow" / "try").iterdir()
    tape.write_text("{")
    assert "can't be read" in vezaflow("try", suite(FLOW), "--replay", env=state).err
    vezaflow("try", suite(FLOW), env=state)
    assert vezaflow("try", suite(FLOW), "--replay", env=state).code == 0


def test_where_nothing_can_be_recorded_trying_goes_on(suite: Write, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    done = vezaflow("try", suite(FLOW), env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert done.code == 0
    assert "not recorded for --replay" in done.err


def test_a_target_that_is_not_there_says_what_to_look_at(suite: Write) -> None:
    done = vezaflow("try", suite("steps: [{get: /}]"), "--base-url", "http://127.0.0.1:1")
    assert "help: nothing listens at 127.0.0.1:1" in done.out


def test_of_a_proxy_that_is_not_there_the_target_is_not_suspected(suite: Write) -> None:
    done = vezaflow("try", suite("steps: [{get: /, http: {proxy: 'http://127.0.0.1:1'}}]"))
    assert "the proxy 127.0.0.1:1: connection refused" in done.out
    assert "help: see `http: {proxy: …}`" in done.out
    assert "nothing listens" not in done.out


def test_a_base_url_without_its_scheme_is_the_only_fault(tmp_path: Path) -> None:
    (tmp_path / "suite.yml").write_text("base_url: ${env.BASE_URL}\n")
    (tmp_path / "flow.yml").write_text("steps: [{get: /a}, {get: /b}]\n")
    done = vezaflow("try", tmp_path, env={"BASE_URL": "127.0.0.1:8080"})
    assert done.err.count("error[") == 1
    assert "for instance http://127.0.0.1:8080" in done.err


def test_a_listener_says_what_it_hears(suite: Write, box: Sandbox) -> None:
    flow = f"""
    steps:
      - hls: /api/v1/tracks/{box.track_id}/hls/master.m3u8
        name: listen
        play: 1s
        buffer: 1s
    gates: {{http_req_failed: rate < 1 %}}
    """
    done = vezaflow("try", suite(flow))
    assert done.code == 0, done.text
    lines = headings(done.out)
    assert [line.split("  ")[0] for line in lines[:3]] == ["▶ listen master", "▶ listen playlist", "▶ listen segment"]
    assert lines[3].startswith("▶ plays after ")
    assert lines[3].endswith(", 320 kbit/s")
    assert lines[4] == "▶ played 1 s, no stall, 5 s left in the buffer"
    assert 'playlist = "4 variants: 64, 128, 256, 320 kbit/s"' in done.out
