"""What the labels of a gate can select, in a flow or in all of them together."""

from dataclasses import dataclass

from vezaflow.metrics import PAGE, Phase
from vezaflow.model.constants import constant
from vezaflow.model.steps import Group, Paginate, Parallel, RequestDefaults, Step
from vezaflow.model.suite import Flow, Suite
from vezaflow.model.walks import all_steps, flow_steps, lacks_fragments, requests, suite_steps


@dataclass(frozen=True, slots=True)
class Scope:
    """The samples that a gate judges, as far as the files tell."""

    what: str  # for messages: "the suite", "the flow 'browse'"
    flows: set[str]
    phases: dict[str, tuple[Step, ...]]  # the steps of each; a gate that names no phase judges `iteration`
    tags: set[str]

    def lacks_fragments(self) -> bool:
        return any(lacks_fragments(steps) for steps in self.phases.values())

    def values(self, label: str, phase: str) -> set[str] | None:
        """The values that a label can have; None if the files don't say."""
        steps = self.phases.get(phase, ())
        if label in ("step", "group") and lacks_fragments(steps):
            return None
        match label:
            case "flow":
                return self.flows
            case "phase":
                return {each.value for each in Phase}
            case "method":
                return {request.method for request in requests(steps)}
            case "step":
                named = (step.name for step in all_steps(steps) if isinstance(step, Parallel) and step.name)
                return {*(request.name for request in requests(steps)), *named}
            case "group":
                return {step.name for step in all_steps(steps) if isinstance(step, Group)}
            case _:
                return None

    def pages(self, phase: str, step: str | None) -> float | None:
        """How many pages there can be, of one step or of any; None if the files don't say."""
        steps = self.phases.get(phase, ())
        if PAGE in self.tags or lacks_fragments(steps):
            return None
        walks = (each for each in all_steps(steps) if isinstance(each, Paginate))
        most = [constant(walk.pages) for walk in walks if step in (None, walk.request.name)]
        return None if None in most else max((pages for pages in most if pages is not None), default=0)


def flow_scope(suite: Suite, flow: Flow) -> Scope:
    """What a gate of one flow judges."""
    phases = {
        Phase.ITERATION.value: flow.steps,
        Phase.LOGIN.value: flow.login,
        Phase.FINALLY.value: flow.final,
    }
    tags = _tags(flow_steps(flow), suite.defaults, flow.defaults)
    return Scope(f"the flow '{flow.name}'", {flow.name}, phases, tags)


def pooled(suite: Suite, scopes: list[Scope]) -> Scope:
    """What a gate over all flows judges."""
    phases: dict[str, tuple[Step, ...]] = {
        Phase.PREFLIGHT.value: suite.preflight,
        Phase.SETUP.value: suite.setup,
        Phase.TEARDOWN.value: suite.teardown,
    }
    for phase in (Phase.ITERATION.value, Phase.LOGIN.value, Phase.FINALLY.value):
        phases[phase] = tuple(step for scope in scopes for step in scope.phases[phase])
    tags = set[str]().union(_tags(suite_steps(suite), suite.defaults), *(scope.tags for scope in scopes))
    return Scope("the suite", {flow.name for flow in suite.flows}, phases, tags)


def _tags(steps: tuple[Step, ...], *layers: RequestDefaults) -> set[str]:
    found = [*layers, *(request.options for request in requests(steps))]
    return {name for defaults in found for name, _ in defaults.tags}
