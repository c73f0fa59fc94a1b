"""What the labels of a gate can select, in a flow or in all of them together.

A scope holds a series for each set of labels that the files' requests carry: a gate whose labels agree with none of
them would judge nothing, and a gate on a count of nothing would hold in every run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vezaflow.metrics import PAGE, Metric, Of, Phase
from vezaflow.model import (
    Beside,
    Block,
    Flow,
    Loop,
    Request,
    RequestDefaults,
    Sends,
    Step,
    Suite,
    all_steps,
    event_steps,
    inner,
    lacks_fragments,
)

OF_STEPS = ("step_duration", "step_failed")  # which `hls` steps, and `parallel` steps with a name, have as well
NESTED = "::"  # between the names of groups within groups


@dataclass(frozen=True, slots=True)
class Series:
    """What a request's samples carry beside what came of it. `whole`: the figures of a `parallel` or an
    `hls`, and no request's; `plays`: of those who listen; `channel`: those of a WebSocket, which none of these have;
    `stream`: those of an event stream."""

    labels: Mapping[str, str]
    checks: frozenset[str] = frozenset()
    whole: bool = False
    plays: bool = False
    channel: bool = False
    stream: bool = False

    def is_of(self, metric: Metric) -> bool:
        """Whether the metric is of requests, WebSockets or event streams, as this is."""
        return self.channel is (metric.of is Of.CHANNELS) and self.stream is (metric.of is Of.STREAMS)

    def has(self, label: str, value: str) -> bool:
        return value in self.checks if label == "check" else self.labels.get(label) == value


@dataclass(frozen=True, slots=True)
class GateScope:
    """The samples that a gate judges, as far as the files tell."""

    what: str  # for messages: "the suite", "the flow 'browse'"
    flows: frozenset[str]
    phases: Mapping[str, tuple[Step, ...]]  # the steps of each; a gate that names no phase judges `iteration`
    series: tuple[Series, ...]
    groups: frozenset[str]  # by their whole names, those around others included
    tags: frozenset[str] = field(default_factory=frozenset)

    def lacks_fragments(self) -> bool:
        return any(lacks_fragments(steps) for steps in self.phases.values())

    def known(self, phase: str) -> bool:
        """Whether the files say all that the requests of a phase carry."""
        return not lacks_fragments(self.phases.get(phase, ()))

    def of(self, metric: Metric, phase: str) -> list[Series]:
        """The series that a metric has in a phase."""
        return [each for each in self.series if each.labels["phase"] == phase and _has(each, metric)]

    def values(self, label: str, metric: Metric, phase: str) -> frozenset[str] | None:
        """The values that a label can have; None if the files don't say."""
        if label == "flow":
            return self.flows
        if label == "phase":
            return frozenset(name for name, steps in self.phases.items() if steps)
        if label == "group" and metric.name == "group_duration":
            return None if self.lacks_fragments() else self.groups
        if not self.known(phase):
            return None
        series = self.of(metric, phase)
        if label == "check":
            return frozenset[str]().union(*(each.checks for each in series))
        return frozenset(each.labels[label] for each in series if each.labels.get(label))

    def pages(self, phase: str, step: str | None) -> float | None:
        """How many pages there can be, of one step or of any; None if the files don't say."""
        steps = self.phases.get(phase, ())
        if PAGE in self.tags or lacks_fragments(steps):
            return None
        sent = (each.shape for each in all_steps(steps) if isinstance(each.shape, Sends) and each.shape.by_page)
        most = [sends.most for sends in sent if step in (None, sends.request.name)]
        return None if None in most else max((pages for pages in most if pages is not None), default=0)


def _has(series: Series, metric: Metric) -> bool:
    match metric.of:
        case Of.LISTENING:
            return series.plays
        case Of.CHANNELS:
            return series.channel
        case Of.STREAMS:
            return series.stream
        case _:
            return not (series.channel or series.stream) and (metric.name in OF_STEPS or not series.whole)


def flow_scope(suite: Suite, flow: Flow) -> GateScope:
    """What a gate of one flow judges."""
    phases = {
        Phase.ITERATION.value: flow.steps,
        Phase.LOGIN.value: flow.login,
        Phase.FINALLY.value: flow.final,
    }
    return _scope(f"the flow '{flow.name}'", flow.name, phases, suite.defaults, flow.defaults)


def pooled(suite: Suite, scopes: list[GateScope]) -> GateScope:
    """What a gate over all flows judges."""
    phases: dict[str, tuple[Step, ...]] = {
        Phase.PREFLIGHT.value: suite.preflight,
        Phase.SETUP.value: suite.setup,
        Phase.EVENT.value: event_steps(suite),
        Phase.TEARDOWN.value: suite.teardown,
    }
    parts = [_scope("", "", phases, suite.defaults), *scopes]
    for phase in (Phase.ITERATION.value, Phase.LOGIN.value, Phase.FINALLY.value):
        phases[phase] = tuple(step for scope in scopes for step in scope.phases[phase])
    return GateScope(
        "the suite",
        frozenset(flow.name for flow in suite.flows),
        phases,
        tuple(each for part in parts for each in part.series),
        frozenset(name for scope in scopes for name in scope.groups),
        frozenset(name for part in parts for name in part.tags),
    )


def _scope(what: str, flow: str, phases: Mapping[str, tuple[Step, ...]], *layers: RequestDefaults) -> GateScope:
    """`layers`: what is said of all requests, the nearest word last."""
    shared = {name: value for layer in layers for name, value in layer.tags}
    series = tuple(
        each
        for phase, steps in phases.items()
        for each in _series(steps, {**shared, "flow": flow, "phase": phase}, shared, "")
    )
    groups = frozenset(name for steps in phases.values() for name in _groups(steps, ""))
    own = (name for steps in phases.values() for step in all_steps(steps) for name in _own_tags(step))
    return GateScope(what, frozenset({flow}), phases, series, groups, frozenset((*shared, *own)))


def _own_tags(step: Step) -> Iterator[str]:
    return (name for name, _ in step.options.tags) if isinstance(step, Request) else iter(())


def _series(steps: tuple[Step, ...], at: Mapping[str, str], tags: Mapping[str, str], group: str) -> Iterator[Series]:
    for step in steps:
        if isinstance(step, Request):
            method = "" if step.upgrades or step.streams else step.method
            labels = {**dict(step.options.tags), "step": step.name, "method": method, "group": group}
            checks = step.expect.expectations if step.expect is not None else ()
            yield Series(
                {**at, **labels}, frozenset(check.name for check in checks), channel=step.upgrades, stream=step.streams
            )
        elif isinstance(step.shape, Beside | Loop) and step.name:
            bare = {label: value for label, value in at.items() if label not in tags}
            plays = isinstance(step.shape, Loop) and step.shape.plays
            yield Series({**bare, "step": step.name, "method": "", "group": group}, whole=True, plays=plays)
        for part in inner(step):
            yield from _series(part, at, tags, _within(group, step))


def _groups(steps: tuple[Step, ...], group: str) -> Iterator[str]:
    for step in steps:
        within = _within(group, step)
        if within != group:
            yield within
        for part in inner(step):
            yield from _groups(part, within)


def _within(outer: str, step: Step) -> str:
    """The group that the steps within a step belong to."""
    group = step.shape.group if isinstance(step.shape, Block) else ""
    return f"{outer}{NESTED}{group}" if outer and group else outer or group
