"""Ways through a suite: its steps in order, and every expression with the place that it stands in."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, assert_never, cast

from vezaflow.diagnostics import Span
from vezaflow.model.gates import Gate
from vezaflow.model.load import Load
from vezaflow.model.steps import (
    PART_FIELDS,
    Body,
    BodyKind,
    Choose,
    Extract,
    FileBytes,
    For,
    Fragment,
    GeneratedBytes,
    Group,
    If,
    Include,
    Log,
    Paginate,
    Parallel,
    Parameters,
    Part,
    Poll,
    Repeat,
    Request,
    RequestDefaults,
    Set,
    Skip,
    Slice,
    Step,
    Stop,
    Think,
    Tree,
    Upload,
    While,
)
from vezaflow.model.suite import Flow, Measure, Suite, Variable
from vezaflow.syntax import Binary, Expression, Field, Name, Template, children, walk


class Place(Enum):
    """What an expression can see beside the values that are set."""

    PLAIN = "plain"
    URL = "url"  # as PLAIN, and it will stand in servers' logs
    EXPECT = "expect"  # the answer as well
    WHERE = "where"  # the fields of the item as well
    PIPE = "pipe"  # the value that is piped as well


@dataclass(frozen=True, slots=True)
class Use:
    """An expression where it stands; `extract` is the extraction that a `where` or a `pipe` belongs to."""

    expression: Expression
    place: Place = Place.PLAIN
    extract: Extract | None = None


class EnvironmentUse(NamedTuple):
    """`env.NAME` somewhere in a suite, and whether a `??` gives it a default there."""

    name: str
    has_default: bool
    span: Span


def leaves(tree: Tree) -> Iterator[Expression]:
    """Every expression of a tree of values."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, tuple):
        for item in tree:
            yield from leaves(item)
    else:
        yield tree


def inner(step: Step) -> tuple[tuple[Step, ...], ...]:
    """The lists of steps within a step."""
    match step:
        case Choose(branches=branches):
            return tuple(branch.steps for branch in branches)
        case If(then=then, otherwise=otherwise):
            return (then, otherwise)
        case Poll(request=request) | Paginate(request=request) | Upload(request=request):
            return ((request,),)
        case Parallel(branches=steps):
            return tuple((branch,) for branch in steps)
        case Repeat() | For() | While() | Group() | Include():
            return (step.steps,)
        case Request() | Think() | Set() | Log() | Skip() | Stop():
            return ()
    assert_never(step)


def all_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Steps and all within them, as written."""
    for step in steps:
        yield step
        for part in inner(step):
            yield from all_steps(part)


def own_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Steps and all within them but for what stands in fragments: those that share their names."""
    for step in steps:
        yield step
        if not isinstance(step, Include):
            for part in inner(step):
                yield from own_steps(part)


def lacks_fragments(steps: tuple[Step, ...]) -> bool:
    """Whether a fragment is missing, so that what the steps do is not all known."""
    return any(isinstance(step, Include) and step.fragment is None for step in all_steps(steps))


def requests(steps: tuple[Step, ...]) -> Iterator[Request]:
    return (step for step in all_steps(steps) if isinstance(step, Request))


def flow_steps(flow: Flow) -> tuple[Step, ...]:
    """All of a flow's steps, in the order in which a VU meets them."""
    return flow.login + flow.steps + flow.final


def suite_steps(suite: Suite) -> tuple[Step, ...]:
    """The steps that the suite itself runs."""
    return suite.preflight + suite.setup + suite.teardown


def option_layers(suite: Suite) -> Iterator[RequestDefaults]:
    """Wherever request options are written: in the suite, in its flows, in each request."""
    yield suite.defaults
    yield from (flow.defaults for flow in suite.flows)
    for steps in (suite_steps(suite), *(flow_steps(flow) for flow in suite.flows)):
        yield from (request.options for request in requests(steps))


def own_uses(step: Step) -> Iterator[Use]:
    """The expressions of a step itself, not of the steps within it; a request's `expect` comes last."""
    match step:
        case Request():
            yield from _request_uses(step)
        case Poll(until=until, every=every, within=within):
            yield Use(until, Place.EXPECT)
            yield from (Use(found) for found in (every, within) if found is not None)
        case Paginate(next=extract, pages=pages):
            yield Use(pages)
            yield from _extract_uses(extract)
        case Upload(source=source, part=part, at_once=at_once):
            yield Use(source.size if isinstance(source, GeneratedBytes) else source.path)
            yield from (Use(found) for found in (part, at_once) if found is not None)
        case Think(duration=found) | Repeat(times=found):
            yield Use(found)
        case For(items=items, at_once=at_once):
            yield from (Use(found) for found in (items, at_once) if found is not None)
        case Parallel(per_host=per_host):
            yield from (Use(found) for found in (per_host,) if found is not None)
        case If(condition=found) | Log(message=found) | Skip(reason=found):
            yield Use(found)
        case While(condition=condition, max=most):
            yield from (Use(condition), Use(most))
        case Choose(branches=branches):
            yield from (Use(branch.weight) for branch in branches)
        case Set(values=values):
            yield from (Use(leaf) for _, tree, _ in values for leaf in leaves(tree))
        case Include(values=values):
            yield from (Use(leaf) for _, tree, _ in values for leaf in leaves(tree))
        case Group() | Stop():
            return
        case _:
            assert_never(step)


def extract_uses(request: Request) -> Iterator[Use]:
    """The expressions of a request's extractions."""
    return (use for extract in request.extract for use in _extract_uses(extract))


def _extract_uses(extract: Extract) -> Iterator[Use]:
    if extract.pipe is not None:
        yield Use(extract.pipe, Place.PIPE, extract)
    if extract.where is not None:
        yield Use(extract.where, Place.WHERE, extract)
    if extract.take is not None:
        yield Use(extract.take)
    if extract.default is not None:
        yield from (Use(leaf) for leaf in leaves(extract.default))


def expect_uses(request: Request) -> Iterator[Use]:
    """The expressions of a request's expectations."""
    for expectation in request.expect.expectations if request.expect else ():
        for found in (expectation.expected, expectation.contains):
            if found is not None:
                yield Use(found, Place.EXPECT)
        if expectation.schema is not None and expectation.schema.path is not None:
            yield Use(expectation.schema.path)


def defaults_uses(defaults: RequestDefaults) -> Iterator[Use]:
    """The expressions of request options."""
    auth, http, tls = defaults.auth, defaults.http, defaults.tls
    found: list[Expression | None] = [value for _, value in defaults.headers]
    found += [auth.bearer, auth.user, auth.password] if auth else []
    found += [defaults.timeout, defaults.follow]
    found += [http.proxy, *(http.local_addresses or ())] if http else []
    found += [tls.ca, tls.cert, tls.key, tls.password] if tls else []
    return (Use(value) for value in found if value is not None)


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
    yield from _measure_uses(suite.measure)


def all_uses(suite: Suite) -> Iterator[Use]:
    """Every expression of a suite."""
    yield from suite_settings_uses(suite)
    yield from defaults_uses(suite.defaults)
    yield from (Use(leaf) for variable in suite.vars for leaf in leaves(variable.value))
    yield from _steps_uses(suite_steps(suite))
    for flow in suite.flows:
        yield from settings_uses(flow)
        yield from defaults_uses(flow.defaults)
        yield from (Use(leaf) for variable in flow.vars for leaf in leaves(variable.value))
        yield from _steps_uses(flow_steps(flow))
        yield from (Use(pause) for pause in (flow.think, flow.pace) if pause is not None)
    for fragment in suite.fragments:
        yield from inputs_uses(fragment)


def inputs_uses(fragment: Fragment) -> Iterator[Use]:
    """The expressions of the inputs' defaults."""
    return (Use(leaf) for one in fragment.inputs if one.default is not None for leaf in leaves(one.default))


def environment(suite: Suite) -> list[EnvironmentUse]:
    """Every environment value that the suite reads, in the order of its files."""
    found = [use for each in all_uses(suite) for use in environment_of(each.expression)]
    return sorted(found, key=lambda use: (use.span.source.path, use.span.start))


def environment_of(expression: Expression, *, default: bool = False) -> Iterator[EnvironmentUse]:
    """The environment values that one expression reads."""
    match expression:
        case Field(target=Name(name="env"), name=name, span=span):
            yield EnvironmentUse(name, default, span)
        case Binary(operator="??", left=left, right=right):
            yield from environment_of(left, default=True)
            yield from environment_of(right, default=default)
        case _:
            for child in children(expression):
                yield from environment_of(child, default=default)


def set_in(variables: tuple[Variable, ...], steps: tuple[Step, ...]) -> Iterator[tuple[str, Span]]:
    """Every name that is given a value, but those of loops and those in fragments, and where."""
    yield from chosen_names(variables, steps)
    for step in own_steps(steps):
        if isinstance(step, Include):
            yield from ((name, step.path_span) for _, name in step.outputs)


def chosen_names(variables: tuple[Variable, ...], steps: tuple[Step, ...]) -> Iterator[tuple[str, Span]]:
    """The same but for outputs that keep their names: nobody has to use all of them."""
    yield from ((variable.name, variable.span) for variable in variables)
    for step in own_steps(steps):
        if isinstance(step, Request):
            yield from ((extract.name, extract.span) for extract in step.extract)
        elif isinstance(step, Set):
            yield from ((name, span) for name, _, span in step.values)
        elif isinstance(step, Include):
            yield from ((name, span) for _, name, span in step.into)


def secret_names(suite: Suite) -> tuple[str, ...]:
    """The environment values that are secret: the suite's own, a proxy's credentials, a key's password."""
    found = list(suite.secrets)
    for defaults in option_layers(suite):
        proxy = defaults.http.proxy if defaults.http is not None else None
        within = list(proxy.parts[1:]) if isinstance(proxy, Template) else []
        if defaults.tls is not None and defaults.tls.password is not None:
            within.append(defaults.tls.password)
        found += [use.name for part in within for use in environment_of(part)]
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
    for use in (*own_uses(request), *extract_uses(request), *expect_uses(request)):
        within = list(walk(use.expression))
        fields = [each.name for each in within if isinstance(each, Field) and _is_part(each.target)]
        found.update(PART_FIELDS if sum(map(_is_part, within)) > len(fields) else fields)
    return frozenset(found)


def _is_part(expression: Expression) -> bool:
    return isinstance(expression, Name) and expression.name == "part"


def file_paths(suite: Suite) -> Iterator[Expression]:
    """The paths of all files that a suite reads beside its own."""
    for feeds in (suite.data, *(flow.data for flow in suite.flows)):
        yield from (feed.file.path for feed in feeds if feed.file is not None)
    for defaults in option_layers(suite):
        tls = defaults.tls
        yield from (path for path in (tls.ca, tls.cert, tls.key) if path is not None) if tls else ()
    for steps in (suite_steps(suite), *(flow_steps(flow) for flow in suite.flows)):
        for step in all_steps(steps):
            if isinstance(step, Request):
                yield from _body_paths(step.body)
                yield from _schema_paths(step)
            elif isinstance(step, Upload) and isinstance(step.source, FileBytes):
                yield step.source.path


def _body_paths(body: Body | None) -> Iterator[Expression]:
    if body is None:
        return
    if isinstance(body.content, FileBytes):
        yield body.content.path
    for part in _parts(body):
        if isinstance(part.content, FileBytes):
            yield part.content.path


def _schema_paths(request: Request) -> Iterator[Expression]:
    for expectation in request.expect.expectations if request.expect else ():
        if expectation.schema is not None and expectation.schema.path is not None:
            yield expectation.schema.path


def _parts(body: Body) -> tuple[Part, ...]:
    content = body.content if isinstance(body.content, tuple) else ()
    return tuple(part for part in content if isinstance(part, Part))


def _steps_uses(steps: tuple[Step, ...]) -> Iterator[Use]:
    for step in all_steps(steps):
        yield from own_uses(step)
        if isinstance(step, Request):
            yield from extract_uses(step)
            yield from expect_uses(step)


def _measure_uses(measure: Measure | None) -> Iterator[Use]:
    if measure is not None and measure.skip is not None:
        yield Use(measure.skip)


def request_uses(request: Request, options: RequestDefaults) -> Iterator[Use]:
    """The expressions that a request is made of, with these options."""
    yield Use(request.url, Place.URL)
    yield from (Use(leaf, Place.URL) for _, tree in request.query for leaf in leaves(tree))
    if request.body is not None:
        yield from (Use(found) for found in _body_expressions(request.body))
    yield from defaults_uses(options)


def _request_uses(request: Request) -> Iterator[Use]:
    yield from request_uses(request, request.options)
    if request.retry is not None:
        found = (request.retry.max, request.retry.wait, request.retry.longest)
        yield from (Use(value) for value in found if value is not None)


def _body_expressions(body: Body) -> Iterator[Expression]:
    content = body.content
    if isinstance(content, GeneratedBytes):
        yield content.size
    elif isinstance(content, FileBytes):
        yield content.path
    elif isinstance(content, Slice):
        return
    elif parts := _parts(body):
        for part in parts:
            yield from _part_expressions(part)
    elif body.kind is BodyKind.FORM:
        yield from (leaf for _, value in cast(Parameters, content) for leaf in leaves(value))
    else:
        yield from leaves(cast(Tree, content))


def _part_expressions(part: Part) -> Iterator[Expression]:
    match part.content:
        case GeneratedBytes(size=size):
            yield size
        case FileBytes(path=path):
            yield path
        case Slice():
            pass
        case text:
            yield text
    yield from (found for found in (part.filename, part.content_type) if found is not None)
