"""Ways through a suite: its steps in order, and every expression with the place that it stands in."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vezaflow.diagnostics import Span
from vezaflow.model.gates import Gate
from vezaflow.model.load import Load
from vezaflow.model.notify import Grafana, Notification
from vezaflow.model.observe import Prometheus
from vezaflow.model.outputs import SuiteOutput
from vezaflow.model.requests import (
    PART_FIELDS,
    Place,
    RequestDefaults,
    Use,
    in_trees,
)
from vezaflow.model.shapes import Block, lists_within
from vezaflow.model.steps import Binding, Fragment, Include, Request, Step, Upload
from vezaflow.model.suite import Flow, Measure, Suite, Variable
from vezaflow.syntax import Binary, Expression, Member, Name, Template, children, walk


class EnvironmentUse(NamedTuple):
    """`env.NAME` somewhere in a suite, and whether a `??` gives it a default there."""

    name: str
    has_default: bool
    span: Span


def inner(step: Step) -> tuple[tuple[Step, ...], ...]:
    """The lists of steps within a step."""
    return lists_within(step, step.shape)


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Steps and all within them, as written."""
    for step in steps:
        yield step
        for part in inner(step):
            yield from all_steps(part)


def own_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Steps and all within them but for what stands in fragments: those that share their names."""
    for step in steps:
        yield step
        shape = step.shape
        if not (isinstance(shape, Block) and shape.own_names):
            for part in inner(step):
                yield from own_steps(part)


def lacks_fragments(steps: Iterable[Step]) -> bool:
    """Whether a fragment is missing, so that what the steps do is not all known."""
    return any(isinstance(step, Include) and step.fragment is None for step in all_steps(steps))


def requests(steps: tuple[Step, ...]) -> Iterator[Request]:
    return (step for step in all_steps(steps) if isinstance(step, Request))


def flow_steps(flow: Flow) -> tuple[Step, ...]:
    """All of a flow's steps, in the order in which a VU meets them."""
    return flow.login + flow.steps + flow.final


def suite_steps(suite: Suite) -> tuple[Step, ...]:
    """The steps that the suite itself runs."""
    return suite.preflight + suite.setup + event_steps(suite) + suite.teardown


def event_steps(suite: Suite) -> tuple[Step, ...]:
    """The steps of its events, and those that undo them."""
    return tuple(step for event in suite.events for step in event.steps)


def option_layers(suite: Suite) -> Iterator[RequestDefaults]:
    """Wherever request options are written: in the suite, in its flows, in each request."""
    yield suite.defaults
    yield from (flow.defaults for flow in suite.flows)
    for steps in (suite_steps(suite), *(flow_steps(flow) for flow in suite.flows)):
        yield from (request.options for request in requests(steps))


def extract_uses(request: Request) -> Iterator[Use]:
    """The expressions of a request's extractions."""
    return (use for extract in request.extract for use in extract.uses())


def expect_uses(request: Request) -> Iterator[Use]:
    """The expressions of a request's expectations."""
    return (
        (use for expectation in request.expect.expectations for use in expectation.uses())
        if request.expect
        else iter(())
    )


def load_uses(load: Load) -> Iterator[Use]:
    """The expressions of a load, in the order of its keys."""
    own = (load.vus, load.duration, load.iterations, load.start_vus, load.rate, load.start_rate)
    ramps = (value for stage in load.stages for value in (stage.duration, stage.target))
    pool = (load.pre_allocated_vus, load.max_vus, load.start_time, load.graceful_ramp_down, load.graceful_stop)
    return (Use(value) for value in (*own, *ramps, *pool) if value is not None)


def gate_uses(gates: tuple[Gate, ...]) -> Iterator[Use]:
    return (Use(value) for gate in gates for value in (gate.delay, gate.window) if value is not None)


def settings_uses(flow: Flow) -> Iterator[Use]:
    """The expressions of a flow that are known before its first step."""
    yield from load_uses(flow.load)
    yield from gate_uses(flow.gates)
    yield from _measure_uses(flow.measure)
    if flow.trace is not None:
        yield from flow.trace.uses()
    if flow.failure_backoff is not None:
        yield Use(flow.failure_backoff)
    if flow.base_url is not None:
        yield Use(flow.base_url, Place.URL)


def suite_settings_uses(suite: Suite) -> Iterator[Use]:
    """The expressions of a suite that stand in no step, no variable and no request option."""
    if suite.base_url is not None:
        yield Use(suite.base_url, Place.URL)
    if suite.guard.max_vus is not None:
        yield Use(suite.guard.max_vus)
    if suite.preflight_retry is not None:
        yield from (Use(suite.preflight_retry.total), Use(suite.preflight_retry.every))
    yield from gate_uses(suite.gates + suite.each_flow)
    yield from (use for event in suite.events for use in event.settings())
    yield from _measure_uses(suite.measure)
    if suite.trace is not None:
        yield from suite.trace.uses()
    for told in told_by(suite):
        yield from told.uses()


def told_by(suite: Suite) -> tuple[Grafana | Notification | Prometheus | SuiteOutput, ...]:
    """Whatever hears of a run, or is asked about it."""
    single = (each for each in (suite.grafana, suite.observe) if each is not None)
    return (*single, *suite.notify, *suite.outputs)


def all_uses(suite: Suite) -> Iterator[Use]:
    """Every expression of a suite."""
    yield from suite_settings_uses(suite)
    yield from suite.defaults.uses()
    yield from in_trees(variable.value for variable in suite.vars)
    yield from _steps_uses(suite_steps(suite))
    yield from (use for event in suite.events for use in event.uses())
    for flow in (*suite.flows, *(audit.flow for audit in suite.audit_files)):
        yield from settings_uses(flow)
        yield from flow.defaults.uses()
        yield from in_trees(variable.value for variable in flow.vars)
        yield from _steps_uses(flow_steps(flow))
        yield from (Use(pause) for pause in (flow.think, flow.pace) if pause is not None)
    for fragment in suite.fragments:
        yield from inputs_uses(fragment)


def inputs_uses(fragment: Fragment) -> Iterator[Use]:
    """The expressions of the inputs' defaults."""
    return in_trees(one.default for one in fragment.inputs if one.default is not None)


def environment(suite: Suite) -> list[EnvironmentUse]:
    """Every environment value that the suite reads, in the order of its files."""
    found = [use for each in all_uses(suite) for use in environment_of(each.expression)]
    return sorted(found, key=lambda use: (use.span.source.path, use.span.start))


def environment_of(expression: Expression, *, default: bool = False) -> Iterator[EnvironmentUse]:
    """The environment values that one expression reads."""
    match expression:
        case Member(target=Name(name="env"), name=name, span=span):
            yield EnvironmentUse(name, default, span)
        case Binary(operator="??", left=left, right=right):
            yield from environment_of(left, default=True)
            yield from environment_of(right, default=default)
        case _:
            for child in children(expression):
                yield from environment_of(child, default=default)


def set_in(variables: tuple[Variable, ...], steps: tuple[Step, ...]) -> Iterator[tuple[str, Span]]:
    """Every name that is given a value, but those of loops and those in fragments, and where."""
    return ((each.name, each.span) for each in _given(variables, steps))


def chosen_names(variables: tuple[Variable, ...], steps: tuple[Step, ...]) -> Iterator[tuple[str, Span]]:
    """The same but for outputs that keep their names: nobody has to use all of them."""
    return ((each.name, each.span) for each in _given(variables, steps) if each.written)


def _given(variables: tuple[Variable, ...], steps: tuple[Step, ...]) -> Iterator[Binding]:
    yield from (Binding(variable.name, variable.span) for variable in variables)
    yield from (given for step in own_steps(steps) for given in step.sets())


def assigned(steps: Iterable[Step]) -> Iterator[str]:
    """The names of all values that change while the steps run: what they set, and what they lend to those within."""
    for step in own_steps(steps):
        yield from step.lends()
        yield from (given.name for given in step.sets())


def secret_names(suite: Suite) -> tuple[str, ...]:
    """The environment values that are secret: the suite's own, a proxy's credentials, a key's password, webhooks."""
    found = list(suite.secrets)
    for defaults in option_layers(suite):
        proxy = defaults.http.proxy if defaults.http is not None else None
        within = list(proxy.parts[1:]) if isinstance(proxy, Template) else []
        if defaults.tls is not None and defaults.tls.password is not None:
            within.append(defaults.tls.password)
        found += [use.name for part in within for use in environment_of(part)]
    told = (expression for each in told_by(suite) for expression in each.credentials())
    found += [use.name for expression in told for use in environment_of(expression)]
    return tuple(dict.fromkeys(found))


def names_of(expression: Expression, optional: bool = False) -> Iterator[tuple[Name, bool]]:
    """Names with whether a `??` behind them gives a default."""
    if isinstance(expression, Name):
        yield expression, optional
    elif isinstance(expression, Binary) and expression.operator == "??":
        yield from names_of(expression.left, True)
        yield from names_of(expression.right, optional)
    else:
        for child in children(expression):
            yield from names_of(child, optional)


def part_fields(upload: Upload) -> frozenset[str]:
    """The fields of `part` that an upload's requests ask for; all of them where one asks for `part` itself."""
    request, found = upload.request, set[str]()
    for use in (*request.uses(), *extract_uses(request), *expect_uses(request)):
        within = list(walk(use.expression))
        fields = [each.name for each in within if isinstance(each, Member) and _is_part(each.target)]
        found.update(PART_FIELDS if sum(map(_is_part, within)) > len(fields) else fields)
    return frozenset(found)


def _is_part(expression: Expression) -> bool:
    return isinstance(expression, Name) and expression.name == "part"


def file_paths(suite: Suite) -> Iterator[Expression]:
    """The paths of all files that a suite reads beside its own."""
    for data_sources in (suite.data, *(flow.data for flow in suite.flows)):
        yield from (data_source.file.path for data_source in data_sources if data_source.file is not None)
    yield from (use.expression for use in all_uses(suite) if use.place is Place.FILE)


def _steps_uses(steps: tuple[Step, ...]) -> Iterator[Use]:
    for step in all_steps(steps):
        yield from step.uses()
        if isinstance(step, Request):
            yield from extract_uses(step)
            yield from expect_uses(step)


def _measure_uses(measure: Measure | None) -> Iterator[Use]:
    if measure is not None and measure.skip is not None:
        yield Use(measure.skip)
