"""Runs with much to tell: of a suite with `observe`, `events` and `audit`, and one with all kinds of steps."""

from dataclasses import replace
from datetime import UTC, datetime
from math import inf

from sample_run import GREEN, RED, run

from vezaflow.audit import AuditRecord, PageAudit
from vezaflow.metrics import Recorder
from vezaflow.model import ActionKind, ObservedKind
from vezaflow.observe import Observed, ObservedEndpoint, ObservedFigures, ObservedSeries, Period, classic
from vezaflow.plan import SentPath
from vezaflow.results import EventWindow, Happened, RequestedLoad, RunResult
from vezaflow.syntax import Labels

BEGAN = run(()).started.timestamp()
SEARCH: Labels = (("path", "/search"),)
HEALTH: Labels = (("path", "/health"),)
LONG = "search with all facets, three filters deep, sorted by the number of plays of the last week"
CHECKS = ('len(json("$.data")) > 0', 'json("$.total") == 240')


def observed() -> Observed:
    """Of two paths by the server's figures, and one that it does not count."""
    held = (_series(SEARCH, 100, 1000, 1000, 1000), _series(HEALTH, 12, 12, 12, 12))
    figures = ObservedFigures("latency", ObservedKind.HISTOGRAM, "x_seconds", None, Period(BEGAN, BEGAN + 10.4), held)
    search = SentPath("browse", "search", "GET", "/search")
    segment = SentPath("streaming", "segment", "GET", "/segment")
    endpoints = (
        ObservedEndpoint("GET", "/search", SEARCH, (search,)),
        ObservedEndpoint("", "/health", HEALTH, ()),
        ObservedEndpoint("GET", "/segment", (), (segment,)),
    )
    return Observed("http://127.0.0.1:9090/", (figures,), latency="latency", endpoints=endpoints)


def _series(labels: Labels, *counts: float) -> ObservedSeries:
    buckets = classic(zip((0.1, 0.5, 1.0, inf), counts, strict=True))
    return ObservedSeries(labels, BEGAN - 1, BEGAN + 11, counts[-1], 100.0, buckets=buckets)


def watched() -> RunResult:
    """A red run of a suite that uses all that there is around a load."""
    pages = (
        PageAudit(
            "search", "http://127.0.0.1/search", 3, {"performance": 88.0, "accessibility": 100.0},
            {"fcp": 0.4, "lcp": 2.25, "tbt": 0.0, "cls": 0.01, "speed-index": 0.9}, report="reports/pages-search.html",
        ),
        PageAudit("profile", "http://127.0.0.1/profile", 0, {}, {}, problem="it led to http://127.0.0.1/login"),
    )  # fmt: skip
    began = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
    events = (
        Happened("failover", ActionKind.HAPROXY, 3.2, 6.3, "set server be/s1 state maint", undone=6.3),
        Happened("deployed 4f2a", ActionKind.MARK, 8.0, 8.0, manual=True),
    )
    return replace(
        run(RED),
        observed=observed(),
        events=events,
        event_windows=(EventWindow("failover", 3.2, 6.3),),
        audits=(AuditRecord("pages", "during", began, 42.5, "desktop", 3, "12.2.3", "156.0", pages),),
    )


def many_steps() -> RunResult:
    """Eight steps: one that is down, one that times out, one with retries, one with checks that fail, names of
    all kinds."""
    recorder = Recorder(100.0)
    recorder.begin(100.0)
    browse, other = recorder.flow("browse"), recorder.flow("ストリーミング")
    browse.vus = browse.vus_max = other.vus = other.vus_max = 10
    for number in range(4):
        step = recorder.step("browse", f"detail {number}", "GET")
        for _ in range(100):
            step.answered(200, 0.05 + number * 0.01, 0.001, 0.01, 200, 2000)
    search = recorder.step("browse", LONG, "GET", checks=CHECKS)
    order = recorder.step("browse", "order", "POST")
    for number in range(100):
        search.answered(200, 0.2, 0.001, 0.01, 200, 2000, *(("expectation", 101.0, "no rows") if number < 7 else ()))
        order.answered(*((201, 0.08) if number % 4 else (429, 0.01)), 0.001, 0.01, 500, 100)
        order.attempts().ended(0.3, failed=number == 50)
    for _ in range(7):
        search.check_failed(CHECKS[0])
    for _ in range(25):
        order.attempts().retried()
    down, slow = recorder.step("ストリーミング", "🎵 再生", "GET"), recorder.step("browse", "slow", "GET")
    for _ in range(20):
        down.unanswered("refused", 101.0, "connection refused")
        slow.unanswered("timeout_wait", 102.0, "no response within 100 ms (timeout)", waited=0.1, waiting=0.1)
    recorder.fold(110.0)
    flows = tuple(RequestedLoad(flow, "constant-vus", 10, 10.0) for flow in ("browse", "ストリーミング"))
    return replace(run(GREEN[:2], recorder=recorder), flows=flows)
