"""What a run says of itself beside the catalog's metrics: begin, end and verdict, events, and the server's own p95.

Laws: series of the verdict come with the tick that has one, the last, so that a chart of many nights has one point for
each of them. Begins are moments in Unix time, and of an event that of its last occurrence. The number of series is
bounded by the plan: marks by hand, whose names people choose, have room for `MOST_MARKS` and then count as `other`.
"""

from collections.abc import Iterator

from vezaflow.gates import Outcome, Verdict
from vezaflow.outputs.tick import Tick
from vezaflow.plan import Plan
from vezaflow.results import Happened
from vezaflow.units import Dimension

Labels = tuple[tuple[str, str], ...]
OwnFigure = tuple[str, float, Labels]  # name, value
MOST_MARKS = 8
OTHER = "other"
RUNNING = "running"  # the verdict of a run that is in progress
OK = {Outcome.GREEN: 1.0, Outcome.RED: 0.0, Outcome.INCONCLUSIVE: -1.0}
GATE = 6  # series of a gate
_RUN = 7  # of the run itself: the info of two verdicts at most, begin, end, outcome
_EVENT = 2  # of an event
_UNITS = {Dimension.TIME: "_seconds", Dimension.SIZE: "_bytes"}


class AboutRun:
    """One run's figures about itself."""

    def __init__(self, plan: Plan) -> None:
        self._mask = plan.secrets.mask
        self._planned = {event.name for event in plan.events}
        self._marks: set[str] = set()
        self._server = {each.name: each.metric for each in plan.observe.metrics} if plan.observe else {}
        self._looked = 0.0  # second of the load

    def figures(self, tick: Tick) -> Iterator[OwnFigure]:
        """Those of a tick."""
        yield from _run(tick)
        yield from self._events(tick)
        for server in tick.server:
            metric = self._server[server.name]
            unit = _UNITS.get(metric.dimension, "") if metric.dimension else ""
            yield f"server_p95{unit}", server.p95, (("metric", metric.name),)
        for now in (tick.pooled, *tick.flows):
            for verdict in now.gates:
                yield from self._gate(tick, verdict)
        self._looked = tick.elapsed

    def _events(self, tick: Tick) -> Iterator[OwnFigure]:
        """Each event once: whether it goes on, or did so for a moment since the last look; and when it began."""
        found: dict[tuple[str, str], list[Happened]] = {}
        for happened in tick.events:
            found.setdefault((self._event(happened), happened.kind.value), []).append(happened)
        for (name, kind), times in found.items():
            labels = (("event", name), ("kind", kind))
            active = any(each.end is None or each.begin >= self._looked for each in times)
            yield "event_active", float(active), labels
            yield "event_start_timestamp_seconds", tick.began.timestamp() + times[-1].begin, labels

    def _event(self, happened: Happened) -> str:
        if happened.name in self._planned:
            return self._mask(happened.name)
        if happened.name not in self._marks:
            if len(self._marks) >= MOST_MARKS:
                return OTHER
            self._marks.add(happened.name)
        return self._mask(happened.name)

    def _gate(self, tick: Tick, verdict: Verdict) -> Iterator[OwnFigure]:
        gate = verdict.gate
        labels = (("gate", self._mask(gate.text)), ("metric", gate.metric), ("scenario", gate.flow or ""))
        yield from _judged("gate", verdict, labels)
        if tick.outcome is not None:
            yield from _judged("run_gate", verdict, (*labels, ("run_id", tick.run_id), ("suite", tick.suite)))


def most_about(plan: Plan) -> int:
    """How many series these can be."""
    server = len(plan.observe.metrics) if plan.observe else 0
    return _RUN + len(plan.gates) * GATE + (len(plan.events) + MOST_MARKS + 1) * _EVENT + server


def _run(tick: Tick) -> Iterator[OwnFigure]:
    """The run with its verdict: the series that says `running` falls to 0 when there is one."""
    about = (("run_id", tick.run_id), ("suite", tick.suite), ("commit", tick.commit))
    yield "run_info", float(tick.outcome is None), (*about, ("verdict", RUNNING))
    yield "run_start_timestamp_seconds", tick.began.timestamp(), about
    if tick.last:
        yield "run_end_timestamp_seconds", tick.at.timestamp(), about
    if tick.outcome is not None:
        yield "run_info", 1.0, (*about, ("verdict", tick.outcome.value))
        yield "run_outcome", OK[tick.outcome], about


def _judged(name: str, verdict: Verdict, labels: Labels) -> Iterator[OwnFigure]:
    if verdict.value is not None:
        yield f"{name}_value", float(verdict.value), labels
    if verdict.bound is not None:
        yield f"{name}_bound", float(verdict.bound), labels
    yield f"{name}_ok", OK[verdict.outcome], labels
