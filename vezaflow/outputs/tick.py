"""What an output gets once a second: the run as it stands. A value, made here and only shown or sent elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vezaflow.gates import Outcome, Verdict
from vezaflow.metrics import Summary, Timeline, Trend, per_second, recent
from vezaflow.observe import ServerNow
from vezaflow.plan import WHOLE, Plan, Segment
from vezaflow.results import Happened, Health

_NEVER = datetime.fromtimestamp(0, UTC)
RECENT = 3.0  # seconds that "requests per second, now" looks back


@dataclass(frozen=True, slots=True)
class FlowNow:
    """A flow at this moment. Percentile and failure rate are of the whole run so far; None: nothing to say."""

    flow: str
    vus: int
    vus_requested: int
    iterations: int
    requests_per_second: float
    p95: float | None
    failure_rate: float | None
    gates: tuple[Verdict, ...]  # as they would stand if the run ended now
    dropped: int = 0  # iterations of an open model that were due and not started


@dataclass(frozen=True, slots=True)
class Tick:
    """The run at this moment, in seconds. `pooled` is all flows together, with the gates over all of them; `grace` is
    how much longer iterations that run may go on; `manual_changes` what was paused or scaled, a line each. `summary`
    has all figures so far (frozen); `server`: what the server itself says; the `last` tick comes when the load has
    finished.
    """

    elapsed: float
    remaining: float
    flows: tuple[FlowNow, ...]
    pooled: FlowNow
    health: Health
    grace: float = 0.0
    manual_changes: tuple[str, ...] = ()
    summary: Summary = field(default_factory=Summary)
    at: datetime = _NEVER  # the moment itself
    last: bool = False
    server: tuple[ServerNow, ...] = ()
    events: tuple[Happened, ...] = ()  # so far, in the order of their begin
    began: datetime = _NEVER  # when the load began: the same in all ticks of a run
    suite: str = ""
    run_id: str = ""
    commit: str = ""  # the suite's; empty where it is in no git repository
    outcome: Outcome | None = None  # of the whole run: in the last tick, or later (session/late_verdict.py)


def tick_of(
    plan: Plan,
    summary: Summary,
    timeline: Timeline,
    verdicts: Sequence[Verdict],
    *,
    elapsed: float,
    health: Health,
    segment: Segment = WHOLE,
    manual_changes: Iterable[str] = (),
    server: tuple[ServerNow, ...] = (),
    events: tuple[Happened, ...] = (),
    last: bool = False,
) -> Tick:
    """The tick that says how a plan's run stands. `segment`: the segment of the load that it is."""
    flows = tuple(
        [
            _flow_now(flow.name, segment.share(flow.load.vus), summary, timeline, _of(verdicts, flow.name))
            for flow in plan.flows
        ]
    )
    figures = _figures(summary, None)
    pooled = FlowNow(
        "all",
        sum(flow.vus for flow in flows),
        sum(flow.vus_requested for flow in flows),
        sum(flow.iterations for flow in flows),
        sum(flow.requests_per_second for flow in flows),
        *figures,
        _of(verdicts, None),
        sum(flow.dropped for flow in flows),
    )
    remaining, grace = (max(0.0, end - elapsed) for end in (plan.seconds, plan.cut_off))
    changes, at = tuple(manual_changes), datetime.now(UTC)
    return Tick(elapsed, remaining, flows, pooled, health, grace, changes, summary, at, last, server, events)


def first_trouble(gates: Sequence[Verdict]) -> Verdict | None:
    """The gate to show: the first that is red."""
    return next((verdict for verdict in gates if verdict.outcome is Outcome.RED), None)


def _of(verdicts: Sequence[Verdict], flow: str | None) -> tuple[Verdict, ...]:
    return tuple([verdict for verdict in verdicts if verdict.gate.flow == flow])


def _flow_now(name: str, asked: int, summary: Summary, timeline: Timeline, gates: tuple[Verdict, ...]) -> FlowNow:
    vus, iterations, dropped = (
        int(summary.select(metric, name, judged=None).aggregate(how) or 0)
        for metric, how in (("vus", "value"), ("iterations", "count"), ("dropped_iterations", "count"))
    )
    rate = per_second(recent(timeline.points, name, RECENT))
    return FlowNow(name, vus, asked, iterations, rate, *_figures(summary, name), gates, dropped)


def _figures(summary: Summary, flow: str | None) -> tuple[float | None, float | None]:
    duration = summary.select("http_req_duration", flow, judged=None)
    assert isinstance(duration, Trend)
    failed = summary.select("http_req_failed", flow, judged=None)
    return duration.aggregate("p", 95), failed.aggregate("rate")
