"""One run with something of everything, made by a recorder: what the reports' tests look at."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from vezaflow.diagnostics import Source, Span
from vezaflow.engine import Vitals
from vezaflow.gates import Concern, Verdict, concerns_of, judge, overall
from vezaflow.metrics import LIGHTHOUSE, Phase, Recorder
from vezaflow.plan import PlannedGate
from vezaflow.profiles import FunctionShare, Growth, ProfileRecord
from vezaflow.results import MASK, Health, RequestedLoad, RunResult, Versions, exit_code_of
from vezaflow.scale import WorkerState
from vezaflow.syntax import Condition, Reference
from vezaflow.units import Dimension, Quantity

VITALS = Vitals(0.4, 0.42, 0.61, 0.0021, 0.014, 84 << 20, "kernel", 1234, 0.0125)
SUITE = Source("flows/suite.yml", "gates:\n  http_req_duration: p(95) < 500 ms\n")
MS, PERCENT = 1e-3, 1e-2
PROFILES = (
    ProfileRecord(
        "cpu",
        120.0,
        150.1,
        "cpu",
        "nanoseconds",
        21.4e9,
        2140,
        30.1,
        120,
        (
            FunctionShare("main.(*Index).rank", 0.24, 0.38),
            FunctionShare("runtime.mallocgc", 0.11, 0.14),
            FunctionShare("net/http.(*conn).serve", 0.0, 0.97),
        ),
        0.02,
        file="results/20261126T013203Z-5c1e0a-cpu.pb.gz",
        against="20261125T013203Z-93b2d1",
        grown=(Growth("main.(*Index).rank", 0.08, 0.24, 0.21, 0.38),),
    ),
    ProfileRecord("heap", 150.0, 150.2, "inuse_space", "bytes", 3 << 20, functions=1, top=(FunctionShare("f", 1, 1),)),
    ProfileRecord("mutex", 150.0, 150.2, problem="status 404: <there> is nothing"),
)


def gate(
    metric: str,
    aggregate: str,
    operator: str,
    bound: float | Quantity | Reference,
    text: str,
    *,
    argument: float | None = None,
    flow: str | None = None,
    labels: tuple[tuple[str, str], ...] = (),
    samples: int = 1,
) -> PlannedGate:
    span = Span(SUITE, 9, 26)
    condition = Condition(aggregate, argument, operator, bound, text, span)  # type: ignore[arg-type]
    own = LIGHTHOUSE[metric].metric if metric in LIGHTHOUSE else None
    return PlannedGate(flow, metric, labels, condition, span, samples=samples, own=own)


def p95(bound_ms: float, flow: str | None = None, labels: tuple[tuple[str, str], ...] = ()) -> PlannedGate:
    bound = Quantity(bound_ms * MS, Dimension.TIME)
    text = f"p(95) < {bound_ms:g} ms"
    return gate("http_req_duration", "p", "<", bound, text, argument=95.0, flow=flow, labels=labels)


def failed(percent: float, flow: str | None = None) -> PlannedGate:
    bound = Quantity(percent * PERCENT, Dimension.RATIO)
    return gate("http_req_failed", "rate", "<", bound, f"rate < {percent:g} %", flow=flow)


def recorded() -> Recorder:
    """Ten seconds of browsing and streaming: 100 to 400 ms, two kinds of errors, a login before it all."""
    recorder = Recorder(100.0)
    browse, streaming = recorder.flow("browse"), recorder.flow("streaming")
    browse.vus, browse.vus_max, streaming.vus, streaming.vus_max = 1000, 1000, 500, 500
    login = recorder.step("browse", "login", "POST", phase=Phase.LOGIN)
    search = recorder.step("browse", "search", "GET", checks=('len(json("$.data")) > 0',))
    segment = recorder.step("streaming", "segment", "GET")
    login.answered(200, 0.8, 0.001, 0.002, 300, 500)
    for second in range(10):
        now = 100.0 + second + 0.5
        for number in range(100):
            search.answered(200, 0.1 + number * 0.003, 0.001, 0.01, 200, 2000)
            segment.answered(200, 0.02 + number * 0.001, 0.001, 0.015, 100, 65536)
        search.answered(503, 0.5, 0.001, 0.01, 200, 100, "status", now, "503 Service Unavailable")
        for _ in range(100):
            browse.iteration(1.2)
        browse.iteration(0.6, failed=True)
        streaming.iteration(2.0)
        recorder.fold(101.0 + second)
    segment.unanswered("timeout_wait", 107.25, "no first byte within 10 s", 100, 0)
    segment.connected(0.0, 0.002, 0.01)
    recorder.fold(110.5)
    return recorder


def run(gates: Sequence[PlannedGate], concerns: Sequence[Concern] = (), recorder: Recorder | None = None) -> RunResult:
    recorder = recorder or recorded()
    summary = recorder.snapshot()
    every = (*concerns, *concerns_of(gates, summary))
    verdicts: tuple[Verdict, ...] = judge(gates, summary, concerns=every)
    outcome = overall(verdicts, every)
    return RunResult(
        suite="veza-capacity",
        run_id="20261124T023000Z-abc123",
        started=datetime(2026, 11, 24, 2, 30, tzinfo=UTC),
        duration=10.4,
        outcome=outcome,
        exit_code=exit_code_of(outcome),
        interrupted=False,
        verdicts=verdicts,
        concerns=every,
        summary=summary,
        timeline=recorder.timeline(),
        flows=(
            RequestedLoad("browse", "constant-vus", 1000, 10.0),
            RequestedLoad("streaming", "constant-vus", 500, 10.0),
        ),
        health=Health((WorkerState("1", VITALS),), vus_started=1500),
        inputs=(("BASE_URL", "https://staging.veza.fr"), ("USER_TOKEN", MASK)),
        seed=7,
        versions=Versions("0.1.0", "3.11.7", "linux x86_64"),
        base_url="https://staging.veza.fr",
        files=("summary.json",),
    )


GREEN = (p95(500.0), failed(5), p95(450.0, "browse"))
RED = (p95(500.0), failed(0.5), p95(300.0, "browse"), p95(300.0, "streaming", (("step", "playlist"),)))


def arriving() -> RunResult:
    """A run of one open flow: 200 were due, each of those that were started took 50 ms from 2 ms after it was due."""
    recorder = Recorder(100.0)
    recorder.begin(100.0)
    flow = recorder.flow("arriving")
    step = recorder.step("arriving", "/", "GET")
    for _ in range(180):
        step.answered(200, 0.05, 0.0, 0.0, 100, 100)
        flow.delayed(0.002)
        flow.iteration(0.05)
        flow.responded(0.052)
    flow.dropped("no_free_vu", 15)
    flow.dropped("generator_late", 5)
    recorder.fold(110.0)
    requested = RequestedLoad("arriving", "constant-arrival-rate", 5, 10.0, rate=20.0)
    return replace(run(GREEN[:1], recorder=recorder), flows=(requested,))


def streaming() -> RunResult:
    """A run with a listener, who heard 4 s of music with one stall, and a WebSocket, which broke off."""
    recorder = Recorder(100.0)
    listener = recorder.step("streaming", "listen", "").listeners()
    listener.started(0.2)
    listener.fetched(0.1)
    listener.plays(128_000.0)
    listener.stall()
    listener.lasted(4.0, 0.5)
    listener.over(0.5)
    channel = recorder.step("streaming", "chat", "").channels()
    channel.opened(0.01)
    channel.sent()
    channel.reached()
    channel.delivered(0.02, reordered=False)
    channel.received()
    channel.ended(3.0, 1006)
    stream = recorder.step("streaming", "feed", "").streams()
    stream.opened(0.02)
    stream.received()
    stream.ended(4.0, "closed_early")
    recorder.fold(105.0)
    return run(GREEN[:1], recorder=recorder)
