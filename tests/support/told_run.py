"""A run as outputs are told of it: a plan, and the ticks of a load with successes, failures, checks and events."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from planned import plan_of

from vezaflow.engine import Vitals
from vezaflow.gates import Outcome, judge
from vezaflow.metrics import Histogram, Recorder
from vezaflow.model import ActionKind
from vezaflow.observe import ServerNow
from vezaflow.outputs import Tick, tick_of
from vezaflow.plan import Plan, Surroundings
from vezaflow.results import Happened, Health
from vezaflow.scale import WorkerState

PLAN = plan_of(
    """
flow: browse
load: {vus: 20, duration: 10m}
steps:
  - {get: /search, name: search, expect: {that: 'len(json("$.data")) > 0'}, tags: {team: media}}
  - {post: /orders, name: order}
gates:
  http_req_duration: [p(95) < 500 ms, p(99) < 20 ms]
  http_req_failed: rate < 50 %
""",
    suite="""
suite: test
base_url: http://127.0.0.1:1
observe:
  prometheus:
    url: http://127.0.0.1:2
    metrics: {latency: {histogram: http_request_duration_seconds}}
events:
  - {name: failover, at: 2s, for: 3s}
""",
    around=Surroundings(observes=True),
)
CHECK = 'len(json("$.data")) > 0'
RUN_ID = "20261130T150000Z-abc123"
HEALTH = Health((WorkerState("1", Vitals(0.4, 0.42, 0.61, 0.0021, 0.014, 84 << 20)),), vus_started=20)


def happened(second: float) -> Iterator[Happened]:
    """What has happened by a second of the load: the plan's failover, and a mark that somebody set."""
    if second >= 2:
        yield Happened("failover", ActionKind.MARK, 2.0, 5.0 if second >= 5 else None)
    if second >= 3:
        yield Happened("deployed", ActionKind.MARK, 2.5, 2.5, manual=True)


class ToldRun:
    """One tick a second, `requests` of each step in it."""

    def __init__(self, plan: Plan = PLAN, *, requests: int = 50, seed: int = 1) -> None:
        self.plan = plan
        self.recorder = Recorder(0.0)
        self.began = datetime.now(UTC) - timedelta(minutes=5)
        self._requests = requests
        self._random = Random(seed)
        self._flow = self.recorder.flow("browse")
        self._search = self.recorder.step("browse", "search", "GET", checks=(CHECK,), tags=(("team", "media"),))
        self._order = self.recorder.step("browse", "order", "POST")

    def ticks(self, seconds: int, *, every: int = 1) -> Iterator[Tick]:
        """The ticks of so many seconds, the last one marked."""
        for second in range(every, seconds + 1, every):
            self._go(second)
            yield self.tick(second)
        yield self.tick(seconds, last=True)

    def tick(self, second: float, *, last: bool = False) -> Tick:
        summary = self.recorder.snapshot()
        tick = tick_of(
            self.plan,
            summary,
            self.recorder.timeline(),
            judge(self.plan.gates, summary),
            elapsed=float(second),
            health=HEALTH,
            last=last,
        )
        at = self.began + timedelta(seconds=second)
        return replace(
            tick,
            at=at,
            began=self.began,
            suite="test",
            run_id=RUN_ID,
            commit="0123abc",
            server=(ServerNow("latency", 0.04),),
            events=tuple(happened(second)),
            outcome=Outcome.RED if last else None,
        )

    def duration(self) -> Histogram:
        """The times of all requests."""
        trend = self.recorder.snapshot().select("http_req_duration")
        return trend.histogram  # type: ignore[union-attr]

    def _go(self, second: float) -> None:
        flow, search, order = self._flow, self._search, self._order
        flow.vus, flow.vus_max = 20, 20
        for _ in range(self._requests):
            search.answered(200, self._random.lognormvariate(-3, 0.6), 0.001, 0.01, 200, 2000)
            order.answered(201, self._random.lognormvariate(-2, 0.4), 0.001, 0.02, 500, 300)
            flow.iteration(1.0)
        search.connected(0.001, 0.002, 0.01)
        order.answered(503, 0.5, 0.001, 0.01, 200, 100, "status", second, "503 Service Unavailable")
        flow.iteration(0.6, failed=True)
        self.recorder.fold(second)
