"""Names: what is used must be set before.

A VU meets steps in order, so names are looked up in order, too: those of the suite, of its `setup`, of the flow, of
the steps before. Branches count together: what one of them may set can be used behind them. Inside `if`, `while`
and `choose` only names that are set nowhere are reported, for whether a step comes first there depends on the run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from vezaflow.diagnostics import Diagnostics, Span
from vezaflow.keys import GIVEN
from vezaflow.lint.item_fields import FIELDS, check_field, is_structured, shape_of, word_of
from vezaflow.lint.undefined import report_undefined
from vezaflow.lint.unread import perhaps_set, spoilt_texts
from vezaflow.model import (
    SEEN,
    Beside,
    Block,
    DataSource,
    Each,
    Ends,
    Flow,
    For,
    Fragment,
    Include,
    Leaf,
    Loop,
    OneOf,
    Pause,
    Place,
    Request,
    RequestDefaults,
    Sends,
    Step,
    Suite,
    Upload,
    Use,
    Variable,
    expect_uses,
    extract_uses,
    flow_steps,
    inputs_uses,
    leaves,
    names_of,
    set_in,
    settings_uses,
    suite_settings_uses,
    suite_steps,
)
from vezaflow.syntax import FUNCTIONS, Expression, Member, Name, Needs, calls, names, walk

_AUTH = "`auth`"
_MOMENTS = {"vu": Each.VU, "iteration": Each.VU, "attempt": Each.ITERATION}


@dataclass(slots=True)
class _Walk:
    """One way through the steps: what is set so far, and what will be anywhere."""

    diagnostics: Diagnostics
    everywhere: dict[str, Span]
    spoilt: tuple[str, ...]  # texts of files that could not be read whole: what they set is not all known
    known: set[str] = field(default_factory=set)
    shapes: dict[str, str] = field(default_factory=dict)  # values from playlists: `variants`, or `variants[]`
    beside: dict[str, Span] = field(default_factory=dict)  # what other branches set at the same time
    unsure: bool = False  # a fragment can't be read, and nobody knows what it would give a value
    data_sources: Mapping[str, DataSource] = field(default_factory=dict)  # whose rows are dealt somewhere
    has_vu: bool = False  # whether there is a VU here that a row could be dealt to
    moments: dict[str, Each] = field(default_factory=lambda: dict(_MOMENTS))  # of what varies
    now: Each = Each.ITERATION  # what is computed here is computed for each of these
    layers: tuple[RequestDefaults, ...] = ()  # what all requests here share, the nearest word first
    outside: "_Walk | None" = None  # of a fragment's steps: where it is included, and where the layers' names are known

    def variables(self, variables: tuple[Variable, ...]) -> None:
        """Values in the order in which they are written, each computed at its own moment."""
        for variable in variables:
            moment = variable.each or Each.VU
            at = replace(self, now=moment, has_vu=self.has_vu and moment is not Each.RUN)
            at.uses((Use(leaf) for leaf in leaves(variable.value)), certain=True)
            self.know(variable.name)
            if variable.each is not None or self.varies(variable):
                self.moments[variable.name] = moment

    def varies(self, variable: Variable) -> bool:
        """Whether a plain value is not known before the run, so that each VU computes it for itself."""
        for leaf in leaves(variable.value):
            known = (FUNCTIONS[call.function].needs for call in calls(leaf) if call.function in FUNCTIONS)
            if any(needs is not Needs.NOTHING for needs in known):
                return True
            if any(name.name in self.data_sources or name.name in self.moments for name in names(leaf)):
                return True
        return False

    def know(self, name: str, shape: str = "") -> None:
        if name in self.known and self.shapes.get(name, "") != shape:
            shape = ""
        self.known.add(name)
        self.shapes[name] = shape

    def steps(self, steps: tuple[Step, ...], *, certain: bool = True) -> None:
        for step in steps:
            self.step(step, certain)

    def step(self, step: Step, certain: bool) -> None:
        self.uses(step.uses(), certain=certain)
        match step:
            case Request():
                if certain:
                    self.shared(step)
                self.uses(extract_uses(step), certain=certain)
                for extract in step.extract:
                    self.know(extract.name, shape_of(extract))
                self.uses(expect_uses(step), certain=certain)
            case Upload(request=request):
                self.upload(request, certain)
            case Include(fragment=fragment):
                if fragment is not None:
                    self.fragment(fragment, certain)
                self.unsure = self.unsure or fragment is None
                self.given(step)
            case _:
                new = [name for name in step.lends() if name not in self.known]
                for name in step.lends():
                    self.know(name, self.item_shape(step.items) if isinstance(step, For) else "")
                self.within(step, certain)
                self.known.difference_update(new)
                self.given(step)

    def given(self, step: Step) -> None:
        for given in step.sets():
            self.know(given.name)

    def within(self, step: Step, certain: bool) -> None:
        """The steps within one that is nothing special: where a condition or chance decides, nothing is certain."""
        match step.shape:
            case Sends(request=request):
                self.step(request, certain)
            case Block(steps=steps):
                self.steps(steps, certain=certain)
            case Loop(steps=steps, asks=asks):
                self.steps(steps, certain=certain and not asks)
            case OneOf(ways=ways):
                for way in ways:
                    self.steps(way, certain=False)
            case Beside(ways=ways):
                self.branches(ways, certain)
            case Leaf() | Pause() | Ends():
                pass
            case never:
                assert_never(never)

    def branches(self, branches: tuple[tuple[Step, ...], ...], certain: bool) -> None:
        """Steps that run at the same time: what one of them sets the others don't see."""
        before, beside, after = set(self.known), self.beside, set(self.known)
        sets = [dict(set_in((), branch)) for branch in branches]
        for number, branch in enumerate(branches):
            self.known = set(before)
            others = (found for each, found in enumerate(sets) if each != number)
            self.beside = {name: span for found in (beside, *others) for name, span in found.items()}
            self.steps(branch, certain=certain)
            after |= self.known
        self.known, self.beside = after, beside

    def upload(self, request: Request, certain: bool) -> None:
        """The request of each part, which alone sees it; of what it extracts there is a list in the end."""
        before, shape = "part" in self.known, self.shapes.get("part", "")
        self.known.add("part")
        self.shapes["part"] = "part"
        self.step(request, certain)
        self.shapes |= {"part": shape, **{extract.name: "" for extract in request.extract}}
        if not before:
            self.known.discard("part")

    def shared(self, request: Request) -> None:
        """What a request has from its flow or its suite: a login that needs its own token can't succeed."""
        at = self.outside or self
        for option, name in _inherited(request, self.layers):
            if name.name in at.known or name.name in GIVEN or name.name in at.data_sources:
                continue
            if at.unsure or at.perhaps(name.name):
                continue
            first = at.everywhere.get(name.name)
            if first is None and at.has_vu:
                continue  # it is set nowhere, which is said where it stands
            self.diagnostics.error(
                "VF305",
                request.span,
                f"'{name.name}' is not set yet when this is sent",
                label=f"the shared {option} needs it",
                help="write `auth: none` in this step" if option == _AUTH else f"set {option} in this step",
                related=((name.span, "read here"), *(((first, "set here"),) if first is not None else ())),
            )

    def fragment(self, fragment: Fragment, certain: bool = False) -> None:
        """A fragment by itself: what includes it sees and sets nothing in it."""
        inside = _Walk(self.diagnostics, dict(set_in((), fragment.steps)), self.spoilt)
        if certain:
            inside.layers, inside.outside = self.layers, self.outside or self
        inside.uses(inputs_uses(fragment), certain=True)
        inside.known.update(one.name for one in fragment.inputs)
        inside.steps(fragment.steps)
        for name, span in fragment.outputs:
            if name not in inside.everywhere and not self.perhaps(name):
                report_undefined(Name(name, span), set(inside.everywhere), self.diagnostics)

    def item_shape(self, items: Expression) -> str:
        shape = self.shapes.get(items.name, "") if isinstance(items, Name) else ""
        return shape.removesuffix("[]") if shape.endswith("[]") else ""

    def uses(self, uses: Iterator[Use], *, certain: bool) -> None:
        for use in uses:
            if use.place is Place.NOTIFICATION:  # has names of its own
                continue
            for name, optional in names_of(use.expression):
                if not self.is_item(name, use):
                    self.name(name, certain=certain and not optional)
            self.fields(use.expression)

    def name(self, name: Name, *, certain: bool) -> None:
        if data_source := self.data_sources.get(name.name):
            if not self.has_vu or data_source.each.is_within(self.now):
                self.undealt(name, data_source)
            return
        moment = self.moments.get(name.name, Each.RUN)
        if moment.is_within(self.now):
            self.too_early(name, moment)
        if name.name in GIVEN or name.name in self.known:
            return
        if first := self.everywhere.get(name.name):
            if certain and name.name in self.beside:
                self.diagnostics.error(
                    "VF312",
                    name.span,
                    f"'{name.name}' is set by another branch, which runs at the same time",
                    help="put both steps into one branch with `group`, or set it before the `parallel`",
                    related=((self.beside[name.name], "set here"),),
                )
            elif certain:
                self.diagnostics.error(
                    "VF305",
                    name.span,
                    f"'{name.name}' is used before it is set",
                    help="move the step that sets it before this one, or give a default with `??`",
                    related=((first, "set here"),),
                )
        elif not self.unsure and not self.perhaps(name.name):
            report_undefined(name, self.known | set(self.everywhere) | set(self.data_sources), self.diagnostics)

    def too_early(self, name: Name, moment: Each) -> None:
        """A value is wanted before it is computed."""
        here = "this is computed once per run" if self.now is Each.RUN else "this is computed per VU"
        there = self.everywhere.get(name.name)
        self.diagnostics.error(
            "VF316",
            name.span,
            f"'{name.name}' is computed per {moment.title}, and {here}",
            help="the order is: values of the run, then of a VU, then of an iteration; a value can use only earlier "
            "ones",
            related=((there, "computed here"),) if there is not None else (),
        )

    def undealt(self, name: Name, data_source: DataSource) -> None:
        """A row is wanted before it is dealt."""
        if self.has_vu:
            help_ = f"write `each: vu` at '{data_source.name}': each VU is assigned a row when it starts"
        else:
            help_ = (
                "rows are assigned to VUs: they are available in the steps of a flow, and with `each: vu` in its "
                "`login` and `vars`, too"
            )
        self.diagnostics.error(
            "VF314",
            name.span,
            f"'{data_source.name}' has no row at this point",
            help=help_,
            related=(
                (data_source.span, f"assigned to each {'iteration' if data_source.each is Each.ITERATION else 'VU'}"),
            ),
        )

    def perhaps(self, name: str) -> bool:
        """Whether a part that could not be read may set the name: it stands there as a key, or behind `for`."""
        return any(name in perhaps_set(text) for text in self.spoilt)

    def is_item(self, name: Name, use: Use) -> bool:
        """Whether a name in a `where` or a `pipe` means the item; a field that items don't have is reported."""
        extract = use.extract
        if name.name in SEEN.get(use.place, ()):
            return True
        if extract is None or name.name == "it":
            return extract is not None
        if use.place is Place.PIPE:
            return False
        if extract.pipe is not None or is_structured(extract):
            return True
        word = word_of(extract)
        if not word or name.name in self.known or name.name in GIVEN:
            return False
        check_field(name.name, name.span, word, self.diagnostics)
        return True

    def fields(self, expression: Expression) -> None:
        for part in walk(expression):
            if isinstance(part, Member) and isinstance(part.target, Name):
                shape = self.shapes.get(part.target.name, "")
                if shape in FIELDS:
                    span = Span(part.span.source, part.span.end - len(part.name), part.span.end)
                    check_field(part.name, span, shape, self.diagnostics)


def check_names(suite: Suite, diagnostics: Diagnostics) -> None:
    """Names that are used but not set, in the suite's own steps and in each flow."""
    shared = dict(set_in(suite.vars, suite.setup))
    shared_sources = {data_source.name: data_source for data_source in suite.data}
    own = _Walk(
        diagnostics,
        dict(set_in(suite.vars, suite_steps(suite))),
        spoilt_texts(suite, diagnostics, None),
        data_sources=shared_sources,
    )
    own.layers = (suite.defaults,)
    own.variables(suite.vars)
    own.uses(suite_settings_uses(suite), certain=True)
    replace(own, known=set(own.known), shapes=dict(own.shapes)).steps(suite.preflight)
    own.steps(suite.setup)
    known, shapes = set(own.known), dict(own.shapes)
    moments = own.moments | {name: Each.RUN for name, _ in set_in((), suite.setup)}
    for event in suite.events:
        happening = replace(own, known=set(own.known), shapes=dict(own.shapes))
        happening.steps(event.action.steps)
        happening.uses(event.uses(), certain=True)
        happening.steps(event.final.steps)
    own.steps(suite.teardown)
    for flow in suite.flows:
        everywhere = shared | dict(set_in(flow.vars, flow_steps(flow)))
        walker = _Walk(
            diagnostics,
            everywhere,
            spoilt_texts(suite, diagnostics, flow),
            set(known),
            dict(shapes),
            moments=dict(moments),
            data_sources=shared_sources | {data_source.name: data_source for data_source in flow.data},
        )
        _flow(walker, suite, flow)
    for fragment in suite.fragments:
        if not fragment.chain:  # no flow leads there
            own.fragment(fragment)


def _flow(walker: _Walk, suite: Suite, flow: Flow) -> None:
    walker.has_vu = True
    walker.layers = (flow.defaults, suite.defaults)
    walker.variables(flow.vars)
    replace(walker, has_vu=False).uses(settings_uses(flow), certain=True)
    walker.now = Each.VU
    walker.steps(flow.login)
    walker.now = Each.ITERATION
    for defaults in (suite.defaults, flow.defaults):
        walker.uses(defaults.uses(), certain=False)
    walker.steps(flow.steps)
    walker.uses((Use(pause) for pause in (flow.think, flow.pace) if pause is not None), certain=True)
    walker.steps(flow.final)


def _inherited(request: Request, layers: tuple[RequestDefaults, ...]) -> Iterator[tuple[str, Name]]:
    """The names without a default that a request's options read though it does not write them, each with its option."""
    auth = next((layer.auth for layer in (request.options, *layers) if layer.auth is not None), None)
    if auth is not None and auth is not request.options.auth:
        for value in (auth.bearer, auth.user, auth.password):
            if value is not None:
                yield from ((_AUTH, name) for name, optional in names_of(value) if not optional)
    written = {name.lower() for name, _ in request.options.headers}
    for layer in layers:
        for header, value in layer.headers:
            if header.lower() not in written:
                written.add(header.lower())
                yield from ((f"header `{header}`", name) for name, optional in names_of(value) if not optional)
