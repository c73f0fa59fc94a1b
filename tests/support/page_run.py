"""A run with seconds, files and failures, made by a recorder: what the page's tests look at."""

from dataclasses import replace
from math import inf

from sample_run import GREEN, RED, p95, run

from vezaflow.audit import AuditRecord, PageAudit
from vezaflow.gates import Outcome, Verdict
from vezaflow.metrics import Reading, Recorder, SecondsKeeper, SecondsRecorder
from vezaflow.model import ActionKind, ObservedKind
from vezaflow.observe import Observed, ObservedEndpoint, ObservedFigures, ObservedSeries, Period, classic
from vezaflow.plan import SentPath
from vezaflow.results import MASK, EventWindow, Happened, RequestedLoad, RunResult

EVIL = "</script><b onclick='x()'>\"&amp;"
FLOW = f"flow: browse\nvars: {{token: {MASK}}}\nsteps:\n  - get: /a?<b>&c\n"


def page_run(seconds: int = 10, flows: int = 2, steps: int = 2, *, red: bool = False, each: int = 40) -> RunResult:
    """`each` responses of each step in each second, 20 ms to 0.4 s, the later the slower; 1 in 50 fails."""
    recorder, cutter, keeper = Recorder(100.0), SecondsRecorder(), SecondsKeeper()
    names = ["browse", "streaming", *(f"flow {number}" for number in range(2, flows))][:flows]
    rows = []
    for flow in names:
        load = recorder.flow(flow)
        load.vus, load.vus_max = 50, 50
        rows += [(load, recorder.step(flow, f"step {n}" if n else f"first {EVIL}", "GET")) for n in range(steps)]
    for second in range(seconds):
        for load, step in rows:
            for number in range(each):
                took = 0.02 + (number * 7919 + second * 31) % 997 / 2700 * (1 + second / seconds)
                if number % 50 == 49:
                    step.answered(503, took, 0.001, 0.01, 200, 100, "status", 100.5 + second, "503 <i>Unavailable</i>")
                else:
                    step.answered(200, took, 0.001, 0.01, 200, 2000)
            load.iteration(0.3)
        recorder.fold(101.0 + second)
        interval = cutter.take(recorder.snapshot(), 1.0 + second)
        assert interval is not None
        keeper.put(interval)
    return replace(
        run(RED if red else GREEN, recorder=recorder),
        duration=float(seconds),
        seconds=keeper.seconds(),
        flows=tuple(RequestedLoad(flow, "constant-vus", 50, float(seconds)) for flow in names),
        texts=(("flows/suite.yml", "gates:\n  http_req_duration: p(95) < 500 ms\n"), ("flows/browse.yml", FLOW)),
    )


def eventful_run(seconds: int = 40) -> RunResult:
    """A red run with a failover, a mark by hand, gates on both, a server's figures, audited pages and readings."""
    result = page_run(seconds, red=True, each=50)
    began = result.started.timestamp()
    failover, mark = 10.0, 25.0
    events = (
        Happened("failover", ActionKind.HAPROXY, failover, failover + 8, f"state maint {EVIL}", undone=failover + 8.1),
        Happened("deployed by hand", ActionKind.MARK, mark, mark, manual=True),
        Happened("chaos", ActionKind.STEPS, mark + 1, None, "POST /toxics: 200", error="connection refused"),
    )
    during = (
        Verdict(p95(300, "browse", (("during", "failover"),)), Outcome.RED, 0.41, 2000, "p(95) = 410 ms"),
        Verdict(p95(500, None, (("during", "none"),)), Outcome.GREEN, 0.3, 9000),
        Verdict(p95(500, None, (("during", "chaos"),)), Outcome.INCONCLUSIVE, None, 0, "it did not end"),
    )
    readings = tuple(
        Reading(
            second + 1.0, 1.0, 0.5, 0.01 * second / seconds, 0.002, {"browse": {"status 503": second, "timeout": 1}}
        )
        for second in range(seconds)
    )
    buckets = classic(zip((0.1, 0.5, 1.0, inf), (100, 3900, 3990, 3990), strict=True))
    path = (("path", "/a"),)
    held = ObservedSeries(path, began - 1, began + seconds, 3990, 400.0, buckets=buckets)
    heap = ObservedSeries((("instance", "api-1"),), began, began + seconds, 4, 4 * 2**30, 2**29, 2**31, 2**30)
    period = Period(began, began + seconds)
    figures = (
        ObservedFigures("latency", ObservedKind.HISTOGRAM, "http_request_duration_seconds", None, period, (held,)),
        ObservedFigures("heap", ObservedKind.GAUGE, "heap_bytes", None, period, (heap,)),
        ObservedFigures(
            "gc", ObservedKind.HISTOGRAM, "gc_seconds", None, period, problem="there is no series of gc_seconds"
        ),
    )
    endpoints = (
        ObservedEndpoint("GET", "/a", path, (SentPath("browse", "step 1", "GET", "/a"),)),
        ObservedEndpoint("GET", "/b", (), (SentPath("streaming", "step 1", "GET", "/b"),)),
    )
    pages = (
        PageAudit("login", "http://127.0.0.1/login", 5, {"performance": 97.0}, {"lcp": 1.2}, report="reports/a b.html"),
        PageAudit("search", "http://127.0.0.1/search", 5, {"performance": 48.0, "accessibility": 81.0}, {"cls": 0.31}),
        PageAudit("profile", "http://127.0.0.1/profile", 0, {}, {}, problem=f"it led to {EVIL}", report="/abs/c.html"),
    )
    audit = AuditRecord("pages", "during", result.started, 42.5, "desktop", 5, "12.2.3", "156.0", pages)
    return replace(
        result,
        verdicts=(*result.verdicts, *during),
        events=events,
        event_windows=(EventWindow("failover", failover, failover + 10),),
        readings=readings,
        observed=Observed("http://127.0.0.1:9090/", figures, latency="latency", endpoints=endpoints),
        audits=(audit,),
    )
