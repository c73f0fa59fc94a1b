"""Which flow of a suite is tried, and which of its steps."""

from collections.abc import Iterator, Sequence

from vezaflow.diagnostics import unknown
from vezaflow.errors import VezaflowError
from vezaflow.model import Flow, Step, Suite, all_steps


def chosen(suite: Suite, flow: str | None, only: Sequence[str]) -> Flow:
    """The flow of that name; without one the only flow, or the only one that has all the steps of `only`.

    Raises VezaflowError for a name that is none, with the nearest that is.
    """
    if not suite.flows:
        raise VezaflowError("there is no flow to try", hint="a flow is a YAML file with `steps` next to suite.yml")
    if flow is not None:
        found = _named(suite, flow)
    else:
        having = [each for each in suite.flows if set(only) <= set(_names(suite, each))]
        if len(having) > 1:
            raise VezaflowError(f"several flows: {_list(having)}", hint=f"add --flow {having[0].name}")
        if not having and len(suite.flows) > 1:
            raise _unknown(suite, suite.flows, only)
        found = (having or suite.flows)[0]
    if not set(only) <= set(_names(suite, found)):
        raise _unknown(suite, (found,), only)
    return found


def _named(suite: Suite, name: str) -> Flow:
    names = [flow.name for flow in suite.flows]
    if name in names:
        return suite.flows[names.index(name)]
    message, hint = unknown("flow", name, names)
    raise VezaflowError(f"--flow: {message}", hint=hint)


def _unknown(suite: Suite, flows: Sequence[Flow], only: Sequence[str]) -> VezaflowError:
    """What to say of step names of which no flow has all."""
    known = list(dict.fromkeys(name for flow in flows for name in _names(suite, flow)))
    strange = [name for name in only if name not in known]
    if not strange:
        return VezaflowError(f"--only: no flow has all of {', '.join(only)}", hint="name the flow with --flow")
    name = strange[0]
    where = f"the flow {flows[0].name}" if len(flows) == 1 else "any flow"
    message, hint = unknown("step", name, known)
    if name in (flow.name for flow in suite.flows):
        hint = f"--flow '{name}' is a flow: select it with --flow"
    return VezaflowError(f"--only: {message} in {where}", hint=hint)


def _names(suite: Suite, flow: Flow) -> Iterator[str]:
    """The names of all steps that a try of this flow runs, in their order."""
    steps: tuple[Step, ...] = (*suite.preflight, *suite.setup, *flow.login, *flow.steps, *flow.final, *suite.teardown)
    return (step.name for step in all_steps(steps) if step.name)


def _list(flows: Sequence[Flow]) -> str:
    return ", ".join(flow.name for flow in flows)
