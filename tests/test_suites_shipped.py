"""The mission's other suites, each in a folder of its own: their numbers, that they run, and that they can be red."""

from pathlib import Path

import pytest
from shipped import FLOWS, GIVEN, gates_of, hurried, played, shipped

from vezaflow.diagnostics import render_text
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.gates import Outcome
from vezaflow.lint import lint
from vezaflow.metrics import Summary
from vezaflow.model import Executor
from vezaflow.plan import requests_of
from vezaflow.sandbox import SandboxSettings

SUITES = ("baseline", "chat", "stress", "uploads", "pagination", "listen", "search", "feed", "failover")
TENTH = "< 500 ms -> < 50 ms"


def test_these_are_all_the_suites_that_ship() -> None:
    assert {path.parent.name for path in FLOWS.glob("*/suite.yml")} == set(SUITES)


@pytest.mark.parametrize("suite", SUITES)
def test_lint_has_nothing_to_say(suite: str) -> None:
    assert render_text(tuple(lint((FLOWS / suite,))[1])) == ""


@pytest.mark.parametrize("suite", SUITES)
def test_production_is_refused(suite: str) -> None:
    with pytest.raises(VezaflowError) as refused:
        shipped(FLOWS / suite, {**GIVEN, "BASE_URL": "https://veza.fr"})
    assert refused.value.code == ExitCode.REFUSED


def test_the_baseline_asks_each_critical_endpoint_under_a_name_of_its_own() -> None:
    (flow,) = shipped(FLOWS / "baseline", GIVEN).flows
    assert [(request.name, request.method, request.forecast.url) for request in requests_of(flow.steps)] == [
        ("health", "GET", "/health"),
        ("register", "POST", "/api/v1/auth/register"),
        ("login", "POST", "/api/v1/auth/login"),
        ("tracks", "GET", "/api/v1/tracks"),
        ("search", "GET", "/api/v1/tracks/search"),
        ("me", "GET", "/api/v1/users/me"),
        ("order", "POST", "/api/v1/marketplace/orders"),
        ("notifications", "GET", "/api/v1/notifications"),
        ("conversations", "GET", "/api/v1/conversations"),
        ("analytics", "GET", "/api/v1/analytics/me"),
    ]


def test_stress_is_500_requests_a_second_by_up_to_500_vus() -> None:
    plan = shipped(FLOWS / "stress", GIVEN)
    (flow,) = plan.flows
    assert (flow.load.executor, flow.load.peak_rate, flow.load.max_vus) == (Executor.CONSTANT_ARRIVAL_RATE, 500.0, 500)
    assert gates_of(plan) >= {
        ("stress", f"http_req_duration{{step:{step}}}: p(99) < 500 ms")
        for step in ("login", "tracks", "search", "products")
    }


def test_a_thousand_websockets_stay_open_for_five_minutes() -> None:
    plan = shipped(FLOWS / "chat", GIVEN)
    (flow,) = plan.flows
    assert [(stage.duration, stage.target) for stage in flow.load.stages] == [(30.0, 1000), (300.0, 1000)]
    assert [(request.forecast.url, request.upgrades) for request in requests_of(flow.steps)] == [("/api/v1/ws", True)]
    assert gates_of(plan) >= {
        ("talk", "ws_connection_failures: rate < 1 %"),
        ("talk", "ws_message_failures: rate < 1 %"),
        ("talk", "ws_delivered: rate > 99 %"),
    }


def test_five_hundred_event_streams_have_gates_on_what_they_bring() -> None:
    plan = shipped(FLOWS / "feed", GIVEN)
    (flow,) = plan.flows
    assert [(stage.duration, stage.target) for stage in flow.load.stages] == [(30.0, 500), (300.0, 500)]
    assert {gate.metric for gate in plan.gates} >= {"sse_connecting", "sse_event_latency", "sse_event_failures"}


def test_fifty_uploads_at_once_all_succeed_and_wait_when_they_are_told() -> None:
    plan = shipped(FLOWS / "uploads", GIVEN)
    assert sum(flow.load.vus for flow in plan.flows) == 50
    assert gates_of(plan) >= {
        ("simple", "step_duration{step:simple}: p(95) < 5 s"),
        ("chunked", "group_duration{group:upload}: p(95) < 8 s"),
        *((flow, "step_failed: rate == 0 %") for flow in ("simple", "chunked")),
        *((flow, "backpressure_ignored: count == 0") for flow in ("simple", "chunked")),
    }


def test_five_hundred_listeners_have_gates_on_what_they_feel() -> None:
    plan = shipped(FLOWS / "listen", GIVEN)
    (flow,) = plan.flows
    assert (flow.load.vus, flow.load.duration) == (500, 300.0)
    assert {gate.metric for gate in plan.gates} >= {"hls_startup", "hls_startup_failed", "hls_rebuffer_ratio"}


def test_the_inputs_dial_them_down() -> None:
    given = {**GIVEN, "SIMPLE_VUS": "2", "CHUNKED_VUS": "3", "STRESS_RATE": "50/s", "PAGING_VUS": "4", "DURATION": "1m"}
    uploads, stress, paging = (shipped(FLOWS / suite, given).flows for suite in ("uploads", "stress", "pagination"))
    assert {flow.name: (flow.load.vus, flow.load.duration) for flow in uploads} == {
        "simple": (2, 60.0),
        "chunked": (3, 60.0),
    }
    assert stress[0].load.peak_rate == 50.0
    assert paging[0].load.vus == 4


# --- against the sandbox


def count(summary: Summary, metric: str) -> float:
    return summary.select(metric).aggregate("count") or 0.0


@pytest.mark.slow
def test_the_baseline_is_green(tmp_path: Path) -> None:
    found, summary = played(hurried(FLOWS / "baseline", tmp_path / "suite"), SandboxSettings(), scale=0.3)
    assert set(found.values()) == {Outcome.GREEN}, found
    assert {row.step for row in summary.step_rows() if row.flow} >= {"register", "login", "order", "analytics"}


@pytest.mark.slow
def test_the_baseline_is_red_when_endpoints_are_slow_or_fail(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "baseline", tmp_path / "suite", bound=TENTH)
    slow, _ = played(suite, SandboxSettings(latency=0.06), scale=0.3)
    assert slow["endpoints", "http_req_duration{step:me}: p(95) < 50 ms"] is Outcome.RED
    failing, _ = played(suite, SandboxSettings(error_rate=0.1), scale=0.3, seconds=1.0)
    assert failing["endpoints", "http_req_failed: rate < 0.5 %"] is Outcome.RED


@pytest.mark.slow
def test_stress_is_green(tmp_path: Path) -> None:
    found, summary = played(hurried(FLOWS / "stress", tmp_path / "suite"), SandboxSettings(), scale=0.2)
    assert set(found.values()) == {Outcome.GREEN}, found
    assert count(summary, "http_reqs") == pytest.approx(200, abs=10)


@pytest.mark.slow
def test_stress_is_red_when_endpoints_are_slow_or_turn_people_away(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "stress", tmp_path / "suite", bound=TENTH)
    slow, _ = played(suite, SandboxSettings(latency=0.06), scale=0.1, seconds=1.0)
    assert slow["stress", "http_req_duration{step:search}: p(99) < 50 ms"] is Outcome.RED
    limited, _ = played(suite, SandboxSettings(rate_limit=10.0), scale=0.1)
    assert limited["stress", "http_req_failed: rate < 0.5 %"] is Outcome.RED


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    words = {"size": "5 MiB -> 1 MiB", "enough": ">= 10 -> >= 1"}
    return hurried(FLOWS / "uploads", tmp_path / "suite", think="50ms..100ms", **words)


@pytest.mark.slow
def test_uploads_are_green(uploads: Path) -> None:
    found, _ = played(uploads, SandboxSettings(), scale=0.1)
    assert set(found.values()) == {Outcome.GREEN}, found


LIMITED, OVERLOADED = SandboxSettings(rate_limit=80.0), SandboxSettings(error_rate=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("busy", "scale"), [(LIMITED, 0.1), (OVERLOADED, 0.3)], ids=["429", "503"])
def test_uploads_are_green_when_the_server_asks_to_come_later(
    uploads: Path, busy: SandboxSettings, scale: float
) -> None:
    found, summary = played(uploads, busy, scale=scale, seconds=3.0)
    assert set(found.values()) == {Outcome.GREEN}, found
    assert count(summary, "backpressure_obeyed") > 0


@pytest.mark.slow
def test_uploads_are_red_when_the_server_loses_some(uploads: Path) -> None:
    found, _ = played(uploads, SandboxSettings(upload_error_rate=0.2), scale=0.1, seconds=1.0)
    assert found["simple", "step_failed: rate == 0 %"] is Outcome.RED
    assert found["chunked", "iterations_failed: count == 0"] is Outcome.RED


@pytest.mark.slow
def test_uploads_are_red_when_they_take_too_long(tmp_path: Path) -> None:
    hundredth = {"simple": "< 5 s -> < 50 ms", "chunked": "< 8 s -> < 80 ms"}
    suite = hurried(FLOWS / "uploads", tmp_path / "suite", **hundredth)
    found, _ = played(suite, SandboxSettings(latency=0.06), scale=0.1, seconds=1.0)
    assert found["simple", "step_duration{step:simple}: p(95) < 50 ms"] is Outcome.RED
    assert found["chunked", "group_duration{group:upload}: p(95) < 80 ms"] is Outcome.RED


@pytest.mark.slow
def test_uploads_are_red_when_they_come_again_too_soon(tmp_path: Path) -> None:
    """The server's part is to ask for a wait; these are clients that don't listen."""
    deaf = {"simple": "{retry_after: 1s, max: 1m} -> 100ms", "chunked": "retry: {max: 10} -> retry: {wait: 100ms}"}
    suite = hurried(FLOWS / "uploads", tmp_path / "suite", think="50ms..100ms", **deaf)
    found, _ = played(suite, SandboxSettings(rate_limit=20.0), scale=0.1)
    assert found["chunked", "backpressure_ignored: count == 0"] is Outcome.RED


EARLY_AND_LATE = "http_req_duration{page:16..20,step:list}: p(95) < 1.5 * p(95){page:1..5} + "


@pytest.mark.slow
def test_pages_of_equal_cost_are_green(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "pagination", tmp_path / "suite", slack="+ 10 ms -> + 50 ms")  # this machine may be busy
    found, summary = played(suite, SandboxSettings(), scale=0.5)
    assert set(found.values()) == {Outcome.GREEN}, found
    assert summary.select("http_reqs", labels=[("page", "20")]).samples > 0


@pytest.mark.slow
def test_pages_that_cost_more_the_deeper_they_lie_are_red(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "pagination", tmp_path / "suite")
    found, _ = played(suite, SandboxSettings(page_latency=0.006), scale=1.0)
    assert found["walk", EARLY_AND_LATE + "10 ms"] is Outcome.RED
    assert found["walk", "http_req_failed: rate < 0.5 %"] is Outcome.GREEN


@pytest.mark.slow
def test_facets_that_are_consistent_are_green(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "search", tmp_path / "suite", slack="+ 20 ms -> + 150 ms")  # this machine may be busy
    found, summary = played(suite, SandboxSettings(), scale=0.1)
    assert set(found.values()) == {Outcome.GREEN}, found
    assert summary.select("http_reqs", labels=[("step", "depth 3")]).samples > 0


@pytest.mark.slow
def test_facets_with_wrong_counts_are_red(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "search", tmp_path / "suite")
    found, summary = played(suite, SandboxSettings(wrong_facets=0.05), scale=0.1)
    assert found["facets", "http_req_failed: rate < 0.5 %"] is Outcome.RED
    assert {key.error for key in summary.requests if key.error} == {"expectation"}


@pytest.mark.slow
def test_filters_that_cost_time_are_red_at_depth(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "search", tmp_path / "suite")
    found, _ = played(suite, SandboxSettings(filter_latency=0.06), scale=0.1)
    assert found["facets", "http_req_duration{step:depth 3}: p(95) < 1.5 * p(95){step:depth 0} + 20 ms"] is Outcome.RED
    assert found["facets", "http_req_failed: rate < 0.5 %"] is Outcome.GREEN


@pytest.fixture
def listen(tmp_path: Path) -> Path:
    """Listeners who begin at once and hear 4 s."""
    return hurried(
        FLOWS / "listen", tmp_path / "suite", begin="think: 0s..6s -> think: 0s..0.2s", play="?? 30s -> ?? 4s"
    )


@pytest.mark.slow
def test_listening_is_green(listen: Path) -> None:
    found, summary = played(listen, SandboxSettings())
    assert set(found.values()) == {Outcome.GREEN}, found
    assert count(summary, "hls_sessions") >= 5
    assert count(summary, "hls_stalls") == 0


@pytest.mark.slow
def test_listening_is_red_when_a_segment_is_missing(listen: Path) -> None:
    found, _ = played(listen, SandboxSettings(broken_segment=1), seconds=0.5)
    assert found["listen", "hls_startup_failed: rate < 0.5 %"] is Outcome.RED


@pytest.mark.long
@pytest.mark.slow
def test_listening_is_red_when_a_rendition_is_slow(listen: Path) -> None:
    found, _ = played(listen, SandboxSettings(slow_rendition=320), seconds=0.5)
    assert found["listen", "hls_startup: p(95) < 1 s"] is Outcome.RED
    assert found["listen", "http_req_duration{step:listen segment}: p(95) < 1 s"] is Outcome.RED


@pytest.mark.long
@pytest.mark.slow
def test_listening_is_red_when_links_are_narrower_than_the_lowest_rendition(tmp_path: Path) -> None:
    words = {"begin": "0s..6s -> 0s..0.2s", "play": "?? 30s -> ?? 8s", "quality": "variant: abr -> variant: lowest"}
    suite = hurried(FLOWS / "listen", tmp_path / "suite", **words)  # else the first segment alone takes 40 s
    found, summary = played(suite, SandboxSettings(bandwidth=6000.0), seconds=0.5)
    assert found["listen", "hls_startup: p(95) < 1 s"] is Outcome.RED
    assert found["listen", "hls_rebuffer_ratio: rate < 0.5 %"] is Outcome.RED
    assert count(summary, "hls_stalls") >= 5


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    sooner = {
        "ack": "within: 2s -> within: 300ms",
        "beat": "each: 20s..30s -> each: 150ms",
        "rooms": "mod(vu, 100) -> mod(vu, 2)",
    }
    return hurried(FLOWS / "chat", tmp_path / "suite", think="50ms..100ms", **sooner, few="count < 10 -> count < 1")


@pytest.mark.slow
@pytest.mark.parametrize("settings", [SandboxSettings(), SandboxSettings(ws_idle=0.5)], ids=["plain", "idle timeout"])
def test_the_chat_is_green(chat: Path, settings: SandboxSettings) -> None:
    found, summary = played(chat, settings, scale=0.02)
    assert set(found.values()) == {Outcome.GREEN}, found
    assert count(summary, "ws_sessions") == 20
    assert count(summary, "ws_msgs_received") > count(summary, "ws_msgs_sent") > 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "gate"),
    [
        (SandboxSettings(ws_drop=0.05), "ws_delivered: rate > 99 %"),
        (SandboxSettings(ws_drop=0.05), "ws_message_failures: rate < 1 %"),
        (SandboxSettings(ws_delay=0.4), "ws_delivered: rate > 99 %"),
        (SandboxSettings(ws_duplicate=0.05), "ws_duplicated: rate < 0.1 %"),
        (SandboxSettings(ws_reorder=0.05), "ws_reordered: rate < 0.1 %"),
        (SandboxSettings(ws_close_after=0.5), "ws_unexpected_closes: count < 1"),
        (SandboxSettings(ws_close_messages=5), "ws_unexpected_closes: count < 1"),
        (SandboxSettings(ws_token_lifetime=0.5), "ws_unexpected_closes: count < 1"),
        (SandboxSettings(ws_token_lifetime=0.5), "ws_connection_failures: rate < 1 %"),
    ],
    ids=lambda value: "" if isinstance(value, SandboxSettings) else value,
)
def test_the_chat_is_red_by_each_fault(chat: Path, settings: SandboxSettings, gate: str) -> None:
    found, _ = played(chat, settings, scale=0.02, seconds=1.5)
    assert found["talk", gate] is Outcome.RED


@pytest.mark.slow
def test_the_chat_is_red_when_its_users_are_refused(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "chat", tmp_path / "suite", token='"${env.USER_TOKEN}" -> none-of-theirs')
    found, summary = played(suite, SandboxSettings(ws_auth=True), scale=0.01, seconds=1.0)
    assert found["talk", "ws_connection_failures: rate < 1 %"] is Outcome.RED
    assert count(summary, "ws_sessions") == 0


@pytest.mark.slow
def test_the_chat_is_red_when_silence_ends_it(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "chat", tmp_path / "suite", think="30s..60s", few="count < 10 -> count < 1")
    found, summary = played(suite, SandboxSettings(ws_idle=0.3), scale=0.01, seconds=1.0)
    assert found["talk", "ws_unexpected_closes: count < 1"] is Outcome.RED
    assert summary.select("ws_unexpected_closes", labels=[("code", "4408")]).aggregate("count")


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    words = {"every": "{every: 1} -> {every: 0.05}", "few": "count < 10 -> count < 1"}
    return hurried(FLOWS / "feed", tmp_path / "suite", **words)


@pytest.mark.slow
def test_the_feed_is_green(feed: Path) -> None:
    found, summary = played(feed, SandboxSettings(), scale=0.04)
    assert set(found.values()) == {Outcome.GREEN}, found
    assert count(summary, "sse_streams") == 20
    assert count(summary, "sse_events") > 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "gate"),
    [
        (SandboxSettings(sse_delay=1.2), "sse_event_latency: p(95) < 500 ms"),
        (SandboxSettings(sse_delay=1.2), "sse_event_latency: p(99) < 1 s"),
        (SandboxSettings(sse_close_events=5), "sse_unexpected_ends: count < 1"),
    ],
    ids=lambda value: "" if isinstance(value, SandboxSettings) else value,
)
def test_the_feed_is_red_by_each_fault(feed: Path, settings: SandboxSettings, gate: str) -> None:
    found, _ = played(feed, settings, scale=0.04, seconds=2.5)
    assert found["feed", gate] is Outcome.RED


@pytest.mark.slow
def test_the_feed_is_red_when_nothing_serves_it(tmp_path: Path) -> None:
    suite = hurried(FLOWS / "feed", tmp_path / "suite", path="sse: /api/v1/events -> sse: /api/v1/tracks")
    found, summary = played(suite, SandboxSettings(), scale=0.02, seconds=1.0)
    assert found["feed", "sse_connection_failures: rate < 1 %"] is Outcome.RED
    assert count(summary, "sse_streams") == 0
